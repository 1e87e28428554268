import { afterEach, describe, expect, it, vi } from 'vitest'
import { rejects } from '../../../src/testing/contracts/checks.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { listed, numbered } from './mail.ts'
import { watched } from './watched.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe.each(drivers)('group commit with %s', (_name, driver) => {
  function counted(): ReturnType<typeof openMail> & { commits: () => number } {
    let commits = 0
    const mail = openMail({ driver: watched(driver, (sql) => void (sql === 'COMMIT' && commits++)) })
    return {
      ...mail,
      commits: () => {
        const made = commits
        commits = 0
        return made
      },
    }
  }

  it('flushes once for all that come in one turn of the event loop', async () => {
    const { store, commits } = counted()
    const { id } = await store.create('alice', ['INBOX'])
    commits()
    await Promise.all(Array.from({ length: 50 }, (_, i) => store.append(id, numbered(i, 100))))
    expect(commits()).toBe(1)
  })

  it('flushes once for each of those that come one after the other', async () => {
    const { store, commits } = counted()
    const { id } = await store.create('alice', ['INBOX'])
    commits()
    for (let i = 0; i < 5; i++) await store.append(id, numbered(i, 100))
    expect(commits()).toBe(5)
  })

  it('cuts what is too much for one transaction', async () => {
    const { store, commits } = counted()
    const { id } = await store.create('alice', ['INBOX'])
    commits()
    await Promise.all(Array.from({ length: 600 }, (_, i) => store.append(id, numbered(i, 10))))
    expect(commits()).toBe(3)
    const large = numbered(1, 1_000_000)
    await Promise.all(Array.from({ length: 20 }, () => store.append(id, { ...large, body: { ...large.body } })))
    expect(commits()).toBe(3)
  })

  it('needs no timer that a test may have faked', async () => {
    const { store } = counted()
    const { id } = await store.create('alice', ['INBOX'])
    vi.useFakeTimers()
    const stored = await Promise.all([1, 2, 3].map((number) => store.append(id, numbered(number, 10))))
    await store.append(id, numbered(4, 10))
    expect(stored.map(({ uid }) => uid)).toEqual([1, 2, 3])
  })

  it('keeps one row and one body for a message to many, in one transaction or several', async () => {
    const { store, path, close } = openMail({ driver })
    const boxes = await Promise.all(['a', 'b', 'c'].map((account) => store.create(account, ['INBOX'])))
    const message = numbered(1, 5000)
    const together = await Promise.all(boxes.map(({ id }) => store.append(id, message)))
    const later = await store.append(boxes[0]?.id as string, message)
    const other = await store.append(boxes[0]?.id as string, { ...message, body: { ...message.body } })
    expect(new Set([...together, later].map(({ id }) => id)).size).toBe(1)
    expect(other.id).not.toBe(later.id)
    await close()
    const db = new driver(path)
    expect(db.prepare('SELECT message, extra FROM shares').all()).toMatchObject([{ message: Number(later.id), extra: 3 }])
    expect(db.prepare('SELECT count(*) AS count FROM messages').get()).toMatchObject({ count: 2 })
    expect(db.prepare('SELECT count(*) AS count FROM bodies').get()).toMatchObject({ count: 2 })
    db.close()
  })

  it('refuses a threshold that is none', () => {
    for (const bodyThreshold of [-1, NaN, 0.5, Infinity, 2 ** 30]) {
      expect(() => openMail({ driver, bodyThreshold })).toThrow('it takes whole octets')
    }
  })

  it('refuses data that is no data, alone', async () => {
    const { store } = openMail({ driver })
    const { id } = await store.create('alice', ['INBOX'])
    const circular: { octets: number; self?: unknown } = { octets: 10 }
    circular.self = circular
    const good = numbered(1, 10)
    const first = store.append(id, good)
    const wrong = [
      store.append(id, { ...numbered(2, 10), facts: circular as unknown as typeof good.facts }),
      store.append(id, { ...numbered(3, 10), received: 0.5 }),
      store.append(id, { ...numbered(4, 10), received: NaN }),
    ]
    for (const append of wrong) await rejects(append, 'misuse')
    expect(await listed(store, id)).toEqual([await first])
  })
})

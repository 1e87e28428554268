import { describe, expect, it } from 'vitest'
import { folded, trigramQuery } from '../../../src/adapters/sqlite/search-text.ts'
import type { UidSet } from '../../../src/contracts/mailbox.ts'
import type { NewMessage } from '../../../src/contracts/store.ts'
import { indexMessage } from '../../../src/message/index.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { numbered } from './mail.ts'
import { raw, watched } from './watched.ts'
import { job, mail as queued } from '../../../src/testing/contracts/sample-queue.ts'

function mail(...lines: readonly string[]): NewMessage {
  const bytes = new TextEncoder().encode(`${lines.join('\r\n')}\r\n`)
  return { ...numbered(1, 0), body: bodyOf(bytes), facts: indexMessage(bytes) }
}

function bodyOf(bytes: Uint8Array): NewMessage['body'] {
  return { size: bytes.length, bytes, read: async function* () { yield bytes } }
}

const uids = (set: UidSet | undefined): number[] | undefined => (
  set?.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, at) => first + at))
)

const plain = ['From: a@example.org', 'Subject: lunch', 'Content-Type: text/plain; charset=utf-8']
const messages: readonly (readonly string[])[] = [
  [...plain, '', 'The quick brown fox'],
  [...plain, 'Content-Transfer-Encoding: base64', '', 'S8OkdHplIHVuZCBIdW5k'],
  [...plain, 'Content-Transfer-Encoding: quoted-printable', '', 'a long wo=', 'rd that was broken'],
  ['Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= aus =?utf-8?q?K=C3=B6ln?=', '', 'nothing'],
  ['Content-Type: multipart/mixed; boundary=b', '', 'preamble', '--b', 'Content-Type: text/html', '',
    'one<b>two</b> caf&eacute;', '--b', 'Content-Type: application/octet-stream', '', 'secretoctets', '--b--'],
  ['Content-Type: message/rfc822', '', 'Subject: inner subject', '', 'inner text'],
]

describe.each(drivers)('search with %s', (_name, driver) => {
  it.each([
    ['body', 'quick', [1]], ['body', 'UICK BRO', [1]], ['body', 'kätze', [2]], ['body', 'KÄTZE', [2]],
    ['body', 'ka\u0308tze', [2]],
    ['body', 'word', [3]], ['body', 'grüße', []], ['text', 'grüße', [4]], ['text', 'GRÜSSE', [4]], ['text', 'köln', [4]],
    ['text', 'lunch', [1, 2, 3]], ['body', 'lunch', []], ['body', 'onetwo', []], ['body', 'café', [5]], ['body', 'preamble', [5]],
    ['body', 'secretoctets', []], ['body', 'inner subject', [6]], ['body', 'quick"', []], ['body', '"', undefined],
    ['text', 'of', undefined], ['text', '', undefined], ['body', 'nowhere', []], ['body', 'fox" OR "the', []],
  ] as const)('finds in %s %s: %j', async (where, words, expected) => {
    const { store } = openMail({ driver, search: true })
    const { id } = await store.create('alice', ['INBOX'])
    for (const lines of messages) await store.append(id, mail(...lines))
    expect(uids(await store.search?.(id, words, where))).toEqual(expected)
  })

  it('may find what it cannot read, and large texts', async () => {
    const { store } = openMail({ driver, search: true })
    const { id } = await store.create('alice', ['INBOX'])
    await store.append(id, numbered(1, 100))
    await store.append(id, mail('Subject: large', '', 'x'.repeat(300_000)))
    await store.append(id, mail('Subject: small', '', 'x'))
    expect(uids(await store.search?.(id, 'quick', 'body'))).toEqual([1, 2])
  })

  it('indexes what was there before, and what other processes add, without being asked', async () => {
    const { store, path, close } = openMail({ driver })
    const { id } = await store.create('alice', ['INBOX'])
    await store.append(id, mail(...(messages[0] ?? [])))
    expect(store.search).toBeUndefined()
    await close()
    const first = openMail({ driver, path, search: true })
    const second = openMail({ driver, path })
    await second.store.append(id, mail(...(messages[1] ?? [])))
    expect(uids(await first.store.search?.(id, 'quick', 'body'))).toEqual([1])
    expect(uids(await second.store.search?.(id, 'hund', 'body'))).toEqual([2])
    await first.store.append(id, mail(...(messages[0] ?? [])))
    const waiting = (): unknown => raw(driver, path).prepare('SELECT count(*) AS count FROM search_waiting').get()
    await expect.poll(waiting, { timeout: 10_000 }).toMatchObject({ count: 0 })
    const reader = openMail({ driver, path, readonly: true })
    expect(uids(await reader.store.search?.(id, 'quick', 'body'))).toEqual([1, 3])
  })

  it('lets a message be copied again and again before it is indexed', async () => {
    const { store } = openMail({ driver, search: true })
    const { id } = await store.create('alice', ['INBOX'])
    const { uid } = await store.append(id, mail(...messages[0]!))
    const all = [{ first: uid, last: uid }]
    for (let copies = 0; copies < 3; copies++) await store.copy(id, all, id)
    expect(uids(await store.search?.(id, 'quick', 'body'))).toEqual([1, 2, 3, 4])
  })

  it('leaves out what lies in the queue, until a mailbox has it too', async () => {
    const { store, queue, path } = openMail({ driver, search: true })
    const { id } = await store.create('alice', ['INBOX'])
    const large = (word: string): NewMessage => mail('Subject: large', '', `${word} ${'x'.repeat(40_000)}`)
    const enqueue = (message: NewMessage): Promise<{ readonly id: string }> => {
      const outgoing = queued(['b@d.example'])
      return queue.enqueue({ ...outgoing, body: message.body, facts: indexMessage(message.body.bytes!) }, [job('d', [0])])
    }
    const stored = large('kept')
    await store.append(id, stored)
    await enqueue(stored)
    const sent = await enqueue(large('sent'))
    const db = raw(driver, path)
    const count = (table: string): unknown => db.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count']
    await expect.poll(() => Number(count('search_waiting')), { timeout: 10_000 }).toBe(0)
    expect([Number(count('messages')), Number(count('search_body'))]).toEqual([2, 1])
    expect(uids(await store.search?.(id, 'kept', 'body'))).toEqual([1])
    const { message } = (await queue.message(sent.id))!
    await store.append(id, { ...large('sent'), body: message.body })
    expect(uids(await store.search?.(id, 'sent', 'body'))).toEqual([2])
    expect(Number(count('search_body'))).toBe(2)
    db.close()
  })

  it('forgets what goes, and all when it is told to', async () => {
    const { store, path, close } = openMail({ driver, search: true })
    const { id } = await store.create('alice', ['INBOX'])
    for (const lines of messages) await store.append(id, mail(...lines))
    await store.search?.(id, 'quick', 'body')
    await store.expunge(id, [{ first: 1, last: 4 }])
    const db = raw(driver, path)
    const left = (table: string): unknown => db.prepare(`SELECT count(*) AS count FROM ${table}`).get()
    await expect.poll(() => left('search_body'), { timeout: 10_000 }).toMatchObject({ count: 2 })
    db.close()
    await close()
    const without = openMail({ driver, path, search: false })
    expect(without.store.search).toBeUndefined()
    await without.close()
    const names = raw(driver, path)
    expect(names.prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'search%'").all()).toEqual([])
    names.close()
  })

  it('is not offered where this SQLite cannot do it', async () => {
    const poor = watched(driver, (sql) => {
      if (sql.includes('fts5') || sql.includes('search_body')) throw new Error('no such module: fts5')
    })
    const { store, path } = openMail({ driver: poor, search: true })
    expect(store.search).toBeUndefined()
    const { id } = await store.create('alice', ['INBOX'])
    await store.append(id, mail(...(messages[0] ?? [])))
    expect(uids(await openMail({ driver, path, search: true }).store.search?.(id, 'quick', 'body'))).toEqual([1])
  })
})

it('asks for trigrams of each word, quoted, of what case there may be', () => {
  expect(trigramQuery('Abcd ef')).toBe('"ABC" AND "BCD"')
  expect(trigramQuery('a"b"')).toBe('"A""B" AND """B"""')
  expect(trigramQuery('ab cd\u3000ef')).toBeUndefined()
  expect(trigramQuery('\u{1f4ec}\u{1f4ec}\u{1f4ec}')).toBe('"\u{1f4ec}\u{1f4ec}\u{1f4ec}"')
  expect(trigramQuery(Array.from({ length: 5000 }, (_, at) => String(at)).join(''))?.split(' AND ').length).toBe(64)
  for (const [a, b] of [['ΣΑΣ', 'σας'], ['ﬁn', 'FIN'], ['é', 'E\u0301']] as const) expect(folded(a)).toBe(folded(b))
})

import { describe, expect, it } from 'vitest'
import { turn } from '../../../src/adapters/node/event-loop.ts'
import { memoryStore } from '../../../src/adapters/memory/store.ts'
import type { MailStore } from '../../../src/contracts/store.ts'
import { indexMessage } from '../../../src/message/indexer.ts'
import { octets } from '../../../src/protocol/bytes/text.ts'
import { JointLooks } from '../../../src/server/imap/joint-looks.ts'
import { type Watcher, Watchers } from '../../../src/server/imap/watchers.ts'
import { ImapStage } from '../../../src/testing/imap-stage.ts'
import { storeWith } from '../mail-world.ts'

const nobody = (): Watcher => ({ changed: () => undefined, changedAnywhere: () => undefined, noted: () => undefined })

/** A mailbox that so many have open, and how often its store was asked. */
async function stage(sessions: number) {
  const inner = memoryStore({ now: () => 0 })
  const { id } = await inner.create('alice', ['INBOX'])
  const asked = { changes: 0, claim: 0 }
  const faults = { left: 0 }
  const store: MailStore = storeWith(inner, {
    changes: (...given) => {
      asked.changes++
      if (faults.left-- > 0) return Promise.reject(new Error('broken'))
      return inner.changes(...given)
    },
    claim: (mailbox) => {
      asked.claim++
      return inner.claim!(mailbox)
    },
  })
  const watchers = new Watchers(store)
  for (let at = 0; at < sessions; at++) watchers.add(id, nobody())
  const append = async (): Promise<void> => {
    const bytes = octets('Subject: x\r\n\r\n')
    const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
    await inner.append(id, { body, facts: indexMessage(bytes), received: 0 })
  }
  return { id, asked, faults, looks: new JointLooks(store, watchers), append }
}

const every = <Value>(times: number, ask: () => Promise<Value>): Promise<Value[]> =>
  Promise.all(Array.from({ length: times }, ask))

describe('sessions that ask for what has happened', () => {
  it('share one look where they ask in one turn for the same', async () => {
    const { looks, id, asked, append } = await stage(60)
    await append()
    const all = await every(60, () => looks.changes(id, 1))
    expect(asked.changes).toBe(1)
    expect(all.every(({ changed }) => changed.length === 1)).toBe(true)
    await Promise.all([looks.changes(id, 1), looks.changes(id, 2)])
    expect(asked.changes).toBe(3)
  })

  it('hear of all that had happened when they asked', async () => {
    const { looks, id, append } = await stage(2)
    await append()
    const first = looks.changes(id, 0)
    await append()
    const second = looks.changes(id, 0)
    expect((await second).changed).toHaveLength(2)
    // The first may hear of more than it had to.
    expect((await first).changed.length).toBeGreaterThanOrEqual(1)
    await append()
    expect((await looks.changes(id, 0)).changed).toHaveLength(3)
    // However it falls: one that is asked while another is being answered begins anew.
    for (let turns = 0; turns < 4; turns++) {
      const early = looks.changes(id, 0)
      for (let at = 0; at < turns; at++) await turn()
      await append()
      expect((await looks.changes(id, 0)).changed).toHaveLength(4 + turns)
      await early
    }
  })

  it('ask by themselves where nobody else has the mailbox open', async () => {
    const { looks, id, asked } = await stage(1)
    await every(3, () => looks.changes(id, 0))
    await every(3, () => looks.claim(id))
    expect(asked).toEqual({ changes: 3, claim: 3 })
  })

  it('see what is recent once, I23', async () => {
    const { looks, id, asked, append } = await stage(3)
    await append()
    expect(await every(3, () => looks.claim(id))).toEqual([1, null, null])
    expect(asked.claim).toBe(1)
    expect(await every(3, () => looks.claim(id))).toEqual([2, null, null])
  })

  it('fail together, and may ask again', async () => {
    const { id, looks, append, faults } = await stage(2)
    await append()
    faults.left = 1
    const results = await Promise.allSettled([looks.changes(id, 0), looks.changes(id, 0)])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect((await looks.changes(id, 0)).changed).toHaveLength(1)
  })
})

it('tells all who are idle of a message, out of one look', async () => {
  const stage = new ImapStage()
  await stage.mailbox('INBOX')
  const clients = Array.from({ length: 10 }, () => stage.connect())
  for (const client of clients) client.send('a LOGIN alice secret\r\nb SELECT INBOX\r\nc IDLE\r\n')
  await stage.settle()
  for (const client of clients) expect(client.take()).toContain('+ ')
  let asked = 0
  const { changes } = stage.store
  stage.store.changes = (...given) => {
    asked++
    return changes.apply(stage.store, given)
  }
  await stage.deliver('INBOX', 'Subject: x\r\n\r\n')
  await stage.settle()
  const heard = clients.map((client) => client.take())
  expect(heard.every((text) => text.startsWith('* 1 EXISTS\r\n'))).toBe(true)
  expect(heard.filter((text) => text.includes('* 1 RECENT'))).toHaveLength(1)
  expect(asked).toBe(1)
})

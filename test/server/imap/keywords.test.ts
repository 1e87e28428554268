import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../../src/adapters/memory/store.ts'
import type { MailStore } from '../../../src/contracts/store.ts'
import { indexMessage } from '../../../src/message/indexer.ts'
import { octets } from '../../../src/protocol/bytes/text.ts'
import { Refused } from '../../../src/protocol/session/refusal.ts'
import { Keywords } from '../../../src/server/imap/keywords.ts'
import { Openings } from '../../../src/server/imap/open.ts'
import { storeWith } from '../mail-world.ts'

const ALL = [{ first: 1, last: 0xffffffff }]
const MINUTE = 60_000

/** A mailbox that may have three keywords, and how often its store was asked for all of its messages, and for changes. */
async function stage(...messages: readonly (readonly string[])[]) {
  const inner = memoryStore({ now: () => 0 })
  const { id } = await inner.create('alice', ['INBOX'])
  const other = (await inner.create('alice', ['Other'])).id
  const append = async (flags: readonly string[], to = id) => {
    const bytes = octets('Subject: x\r\n\r\n')
    const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
    return (await inner.append(to, { body, facts: indexMessage(bytes), received: 0, flags })).uid
  }
  for (const flags of messages) await append(flags)
  const asked = { entries: 0, changes: 0 }
  const entries: MailStore['entries'] = (...given) => {
    asked.entries++
    return inner.entries(...given)
  }
  const sinces: number[] = []
  const changes: MailStore['changes'] = (...given) => {
    asked.changes++
    if (given[0] === id) sinces.push(given[1])
    return inner.changes(...given)
  }
  const store = storeWith(inner, { entries, changes })
  let now = 0
  const keywords = new Keywords(store, new Openings(store), 3, () => now)
  const admit = (...flags: readonly string[]) => keywords.admit('alice', id, flags)
  const copy = (uid: number) => keywords.admitCopies('alice', id, [{ first: uid, last: uid }], other)
  return { store, id, other, append, asked, sinces, keywords, admit, copy, pass: (time: number) => void (now += time) }
}

const refused = new Refused('LIMIT', 'Too many keywords', 'keywords')

describe('keywords of a mailbox', () => {
  it('asks for nothing where there is no keyword, and for all messages only once', async () => {
    const { admit, asked } = await stage(['a', '\\Seen'])
    expect(await admit('\\Seen')).toEqual(['\\Seen'])
    expect(asked).toEqual({ entries: 0, changes: 0 })
    for (let times = 0; times < 100; times++) await admit('a', '\\Seen')
    expect(asked).toEqual({ entries: 1, changes: 0 })
    await admit('b')
    await admit('c', 'b')
    for (let times = 0; times < 100; times++) await expect(admit('d')).rejects.toEqual(refused)
    expect(asked).toEqual({ entries: 1, changes: 2 })
  })

  it('counts them without case, and gives them as they are spelt there', async () => {
    const { admit, append, keywords, id } = await stage(['Aa'])
    expect(await admit('AA', '\\Seen', 'Bb')).toEqual(['Aa', '\\Seen', 'Bb'])
    expect(await admit('bb')).toEqual(['Bb'])
    // Two spellings that others have brought stay two.
    await append(['aA'])
    expect(await admit('Bb', 'cc').catch((error: unknown) => error)).toEqual(refused)
    expect(await admit('aA')).toEqual(['aA'])
    const messages = [{ flags: ['AA'], received: undefined }, { flags: ['\\Seen', 'BB'], received: 7 }]
    expect(await keywords.admitAll('alice', id, messages)).toEqual([
      { flags: ['Aa'], received: undefined }, { flags: ['\\Seen', 'Bb'], received: 7 },
    ])
  })

  it('hears of what others have set before it takes a new one', async () => {
    const { admit, store, id } = await stage(['a'])
    await admit('a')
    await store.flag(id, ALL, { kind: 'add', flags: ['b', 'c'] })
    await expect(admit('d')).rejects.toEqual(refused)
    expect(await admit('C')).toEqual(['c'])
  })

  it('takes what it has admitted for borne, though nobody may have come to store it', async () => {
    const { admit } = await stage(['a'])
    const results = await Promise.allSettled(['b', 'c', 'd', 'e'].map((one) => admit(one)))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected'])
  })

  it('looks again after a minute whether all are still borne, and no sooner', async () => {
    const { admit, store, id, asked, pass } = await stage(['a', 'b', 'c'])
    await expect(admit('d')).rejects.toEqual(refused)
    await store.flag(id, ALL, { kind: 'replace', flags: ['a'] })
    pass(MINUTE - 1)
    await expect(admit('d')).rejects.toEqual(refused)
    expect(asked.entries).toBe(1)
    pass(1)
    expect(await admit('d', 'e')).toEqual(['d', 'e'])
    expect(asked.entries).toBe(2)
    await expect(admit('f')).rejects.toEqual(refused)
  })

  it('takes no new one where others have brought it to more, and lets those that are there be set', async () => {
    const { admit, asked, pass } = await stage(['a', 'b'], ['c', 'd', 'e'])
    expect(await admit('a', 'C')).toEqual(['a', 'c'])
    await expect(admit('f')).rejects.toEqual(refused)
    pass(MINUTE)
    await expect(admit('f')).rejects.toEqual(refused)
    // Nothing had changed: it was not even looked through again.
    expect(asked.entries).toBe(1)
  })

  it('lets messages be copied by what they bear', async () => {
    const { copy, append, other } = await stage(['a', 'b'], ['\\Seen'], ['a', 'c'], ['A'])
    await append(['x'], other)
    await copy(1)
    await copy(2)
    await expect(copy(3)).rejects.toEqual(refused)
    // Copies are made as they are, and a store tells spellings from each other.
    await expect(copy(4)).rejects.toEqual(refused)
    await copy(1)
  })

  it('looks at messages that are copied only where their mailbox bears what the other does not', async () => {
    const { copy, append, other, asked } = await stage(['a'], ['a', '\\Seen'], [])
    await append(['a', 'b'], other)
    for (let times = 0; times < 10; times++) await copy(times % 3 + 1)
    // Each mailbox once.
    expect(asked.entries).toBe(2)
  })

  it('looks at no change again that sessions have come upon', async () => {
    const { copy, append, sinces, id, keywords, store } = await stage(['a'])
    await copy(1).catch(() => undefined)
    const since = async (from: number) => {
      const told = await store.changes(id, from)
      keywords.heard(id, from, told)
      return told.modSeq
    }
    await append(['b'])
    const first = await since(0)
    // What lies between was looked at by nobody.
    keywords.heard(id, first + 1, { modSeq: first + 9, changed: [] })
    await append(['c'])
    const second = await since(first)
    sinces.length = 0
    await copy(3)
    expect(sinces.splice(0)).toEqual([second])
    await append(['d'])
    const [inbox] = await store.mailboxes('alice')
    keywords.looked({ mailbox: inbox!, keywords: ['a', 'b', 'c'] })
    await copy(2)
    expect(sinces).toEqual([inbox!.modSeq])
  })

  it('looks at what is copied where a mailbox bears more than is remembered', async () => {
    const { copy, append, other } = await stage(['a', 'b', 'c'], ['d'])
    await append(['a', 'b', 'c'], other)
    await copy(1)
    await expect(copy(2)).rejects.toEqual(refused)
  })
})

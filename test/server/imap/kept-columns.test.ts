import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { memoryStore } from '../../../src/adapters/memory/index.ts'
import type { MailStore, Selection } from '../../../src/contracts/store.ts'
import { indexMessage } from '../../../src/message/indexer.ts'
import { setOf, within } from '../../../src/protocol/bytes/number-set.ts'
import { octets } from '../../../src/protocol/bytes/text.ts'
import type { Columns } from '../../../src/protocol/imap/index.ts'
import { KeptColumns } from '../../../src/server/imap/kept-columns.ts'

const ALL = [{ first: 1, last: 0xffffffff }]

let store: MailStore
let mailbox: string
let kept: KeptColumns
/** What was read of the store. */
let read: Selection[]
let boxes = 0

async function append(count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const bytes = octets(`Subject: ${at % 2 ? 'odd' : 'even'}\r\n\r\n`)
    const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
    await store.append(mailbox, { body, facts: indexMessage(bytes), received: at })
  }
}

/** The UIDs of which is told that they have the words, asked for as a session does. */
async function having(words: string, uids = ALL): Promise<number[]> {
  const found: number[] = []
  for (let left: typeof uids = uids; left.length > 0;) {
    const page = (await kept.columns({ mailbox, uidValidity: 1, of: 'subject', uids: left, atHand: false }))!
    for (const column of page.columns) found.push(...(column as Columns['subject']).having(words))
    const last = page.columns.at(-1)?.uids.at(-1)
    if (page.last || last === undefined) break
    left = [...within(left, last + 1, 0xffffffff)]
  }
  return found
}

beforeEach(async () => {
  const real = memoryStore()
  read = []
  store = new Proxy(real, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown
      if (name === 'list') {
        return (id: string, which: Selection = {}) => {
          read.push(which)
          return real.list(id, which)
        }
      }
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  mailbox = (await store.create('a', ['INBOX'])).id
  kept = new KeptColumns(store)
})

describe('columns that are kept', () => {
  it('are made once', async () => {
    await append(5)
    const uids = [{ first: 1, last: 5 }]
    expect(await kept.columns({ mailbox, uidValidity: 1, of: 'subject', uids, atHand: true })).toBeNull()
    expect(read).toEqual([])
    expect(await having('ODD', uids)).toEqual([2, 4])
    expect(await having('EVEN', uids)).toEqual([1, 3, 5])
    expect(read.length).toBe(1)
    expect((await kept.columns({ mailbox, uidValidity: 1, of: 'subject', uids, atHand: true }))?.last).toBe(true)
    expect(await kept.columns({ mailbox, uidValidity: 1, of: 'from', uids, atHand: true })).toBeNull()
  })

  it('grow with the mailbox without falling to pieces', async () => {
    for (let count = 1; count <= 6; count++) {
      await append(1)
      expect(await having('EVEN', [{ first: 1, last: count }])).toHaveLength(count)
    }
    const page = await kept.columns({ mailbox, uidValidity: 1, of: 'subject', uids: [{ first: 1, last: 6 }], atHand: true })
    expect(page?.columns).toHaveLength(1)
  })

  it('go on telling of what was expunged, which whoever asks leaves out', async () => {
    await append(4)
    expect(await having('EVEN', [{ first: 1, last: 4 }])).toEqual([1, 3])
    await store.expunge(mailbox, [{ first: 1, last: 1 }])
    expect(await having('EVEN', [{ first: 2, last: 4 }])).toEqual([1, 3])
    await store.expunge(mailbox, [{ first: 4, last: 4 }])
    await append(1)
    await store.expunge(mailbox, [{ first: 5, last: 5 }])
    expect(await having('EVEN', [{ first: 3, last: 5 }])).toEqual([1, 3])
  })

  it('tell nothing of a mailbox that has nothing', async () => {
    expect(await having('EVEN')).toEqual([])
  })

  it('are made anew where what was asked for came behind them', async () => {
    await append(2)
    await having('EVEN', [{ first: 1, last: 2 }])
    await append(1)
    const page = await kept.columns({ mailbox, uidValidity: 1, of: 'subject', uids: [{ first: 1, last: 3 }], atHand: false })
    expect(page?.columns.map(({ uids }) => uids)).toEqual([[1, 2, 3]])
  })

  it('are of one UIDVALIDITY: where UIDs could not be kept, they are of other messages', async () => {
    await append(3)
    const { list } = store
    let shift = 0
    const shifted = async function* (id: string, which?: Selection) {
      for await (const page of list(id, which)) yield page.map((message) => ({ ...message, uid: message.uid + shift }))
    }
    kept = new KeptColumns(new Proxy(store, {
      get: (target, name) => (name === 'list' ? shifted : (Reflect.get(target, name) as unknown)),
    }))
    const asked = { mailbox, of: 'subject', uids: [{ first: 1, last: 1 }], atHand: false } as const
    const even = async (uidValidity: number): Promise<readonly number[]> => {
      const page = await kept.columns({ ...asked, uidValidity })
      return page!.columns.flatMap((column) => (column as Columns['subject']).having('EVEN'))
    }
    expect(await even(1)).toEqual([1, 3])
    // As a Maildir gives UIDs anew that has lost its list of them.
    shift = 1
    expect(await even(2)).toEqual([2, 4])
    expect(await even(1)).toEqual([1, 3])
  })

  it('come of stores with small pages as well', async () => {
    const { list } = store
    const inPairs = async function* (id: string, which?: Selection) {
      for await (const page of list(id, which)) for (let at = 0; at < page.length; at += 2) yield page.slice(at, at + 2)
    }
    kept = new KeptColumns(new Proxy(store, {
      get: (target, name) => (name === 'list' ? inPairs : (Reflect.get(target, name) as unknown)),
    }))
    await append(7)
    expect(await having('EVEN', [{ first: 1, last: 3 }])).toEqual([1, 3])
    expect(await having('EVEN', [{ first: 1, last: 7 }])).toEqual([1, 3, 5, 7])
    read = []
    expect(await having('ODD', [{ first: 1, last: 7 }])).toEqual([2, 4, 6])
    expect(read).toEqual([])
  })

  it('should be made where they are asked for again and again, unless the mailbox is too large', async () => {
    await append(3)
    const asked = { mailbox, uidValidity: 1, of: 'subject', uids: [{ first: 1, last: 3 }], atHand: true } as const
    for (const answer of [null, null, { columns: [], last: false }]) expect(await kept.columns(asked)).toEqual(answer)
    await kept.columns({ ...asked, atHand: false })
    expect((await kept.columns(asked))?.last).toBe(true)
    const small = new KeptColumns(store, 10)
    await small.columns({ ...asked, atHand: false })
    for (let times = 0; times < 9; times++) expect(await small.columns(asked)).toBeNull()
  })

  it('take no more than so much memory', async () => {
    await append(6)
    const small = new KeptColumns(store, 2000)
    for (const of of ['subject', 'from', 'to', 'cc', 'sent', 'thread'] as const) {
      await small.columns({ mailbox, uidValidity: 1, of, uids: [{ first: 1, last: 6 }], atHand: false })
      expect(small.octets).toBeLessThanOrEqual(2000)
    }
    expect(small.octets).toBeGreaterThan(0)
    const none = new KeptColumns(store, 10)
    await none.columns({ mailbox, uidValidity: 1, of: 'subject', uids: [{ first: 1, last: 6 }], atHand: false })
    expect(none.octets).toBe(0)
  })

  it('are right in whatever order they are asked for, while messages come and go', async () => {
    const range = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 12 }))
      .map(([first, more]) => ({ first, last: first + more }))
    const step = fc.oneof(
      fc.record({ ask: fc.array(range, { minLength: 1, maxLength: 3 }) }),
      fc.record({ append: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ expunge: range }),
    )
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      mailbox = (await store.create('a', [`box ${++boxes}`])).id
      kept = new KeptColumns(store)
      for (const one of steps) {
        if ('append' in one) await append(one.append)
        else if ('expunge' in one) await store.expunge(mailbox, [one.expunge])
        else {
          const uids = setOf(one.ask)
          const there: number[] = []
          for await (const page of store.list(mailbox, { uids })) {
            for (const { uid, facts } of page) if (facts.envelope.subject === 'even') there.push(uid)
          }
          const found = await having('EVEN', [...uids])
          expect(found).toEqual([...found].sort((a, b) => a - b))
          expect(found).toEqual(expect.arrayContaining(there))
        }
      }
    }), { numRuns: 60 })
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { UidSet } from '../../../src/contracts/mailbox.ts'
import type { StoredMessage } from '../../../src/contracts/store.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { faultsIn, listed, numbered, numberOf } from './mail.ts'

const SIZE = 60

/** Of the UIDs in a mailbox of that size: long rows, short ones, and single ones. */
const uids = fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 30 })), { maxLength: 12 })
  .map((steps) => {
    const set: { first: number; last: number }[] = []
    let at = 0
    for (const [gap, length] of steps) {
      const first = at + 1 + gap
      set.push({ first, last: (at = first + length - 1) })
    }
    return set as UidSet
  })

const within = (set: UidSet, uid: number): boolean => set.some(({ first, last }) => first <= uid && uid <= last)

const told = ({ id, facts, received, flags, octets }: StoredMessage) => ({ id, facts, received, flags, octets })

describe.each(drivers)('copies, with %s', (_name, driver) => {
  it('are numbered in a row, whatever rows and gaps they come from', async () => {
    const { store, path, close } = openMail({ driver })
    const source = (await store.create('alice', ['source'])).id
    await store.appendAll(Array.from({ length: SIZE }, (_, at) => ({ mailbox: source, message: numbered(at, 20) })))
    await store.flag(source, [{ first: 20, last: 25 }], { kind: 'add', flags: ['$later'] })
    let made = 0
    await fc.assert(fc.asyncProperty(uids, uids, fc.boolean(), async (gone, wanted, moves) => {
      const from = (await store.create('alice', [`from ${made}`])).id
      const to = (await store.create('alice', [`to ${made++}`])).id
      await store.copy(source, [{ first: 1, last: SIZE }], from)
      await store.copy(source, [{ first: 3, last: 5 }], to)
      await store.expunge(from, gone)
      const before = await listed(store, from)
      const expected = before.filter(({ uid }) => within(wanted, uid))
      const copied = moves ? await store.move(from, wanted, to) : await store.copy(from, wanted, to)
      const after = (await listed(store, to)).slice(3)
      expect(copied).toEqual(expected.map(({ uid }, at) => ({ from: uid, to: 4 + at })))
      expect(after.map(told)).toEqual(expected.map(told))
      expect(after.map(({ uid, modSeq }) => [uid, modSeq])).toEqual(expected.map((_, at) => [4 + at, 5 + at]))
      const left = (await listed(store, from)).map(({ uid }) => uid)
      expect(left).toEqual(before.map(({ uid }) => uid).filter((uid) => !moves || !within(wanted, uid)))
    }), { numRuns: 25 })
    await close()
    expect(faultsIn(driver, path)).toEqual([])
  })

  it('within one mailbox are copies of what was there before', async () => {
    const { store, path, close } = openMail({ driver })
    const { id } = await store.create('alice', ['a'])
    await store.appendAll(Array.from({ length: 20 }, (_, at) => ({ mailbox: id, message: numbered(at, 20) })))
    await store.copy(id, [{ first: 1, last: 4e9 }], id)
    await store.copy(id, [{ first: 2, last: 2 }, { first: 4, last: 4 }, { first: 39, last: 80 }], id)
    const numbers = (await listed(store, id)).map(numberOf)
    const all = Array.from({ length: 20 }, (_, at) => at)
    expect(numbers).toEqual([...all, ...all, 1, 3, 18, 19])
    await close()
    expect(faultsIn(driver, path)).toEqual([])
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockOf, highest, packMarks, unpackMarks } from '../../../src/adapters/sqlite/flag-block.ts'
import { changing, flagSet, givenFlags } from '../../../src/adapters/sqlite/flags.ts'
import { common, setOf, setOfAscending } from '../../../src/protocol/bytes/number-set.ts'
import { bridged, LAST_UID, membership, packUids, unpackUids } from '../../../src/adapters/sqlite/uid-set.ts'

const uid = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: LAST_UID - 5, max: LAST_UID }))
const uids = fc.uniqueArray(uid, { maxLength: 40 }).map((found) => found.sort((a, b) => a - b))
const word = fc.string({ minLength: 1, unit: 'grapheme-ascii' }).map((text) => text.replaceAll(/[\s\\]/g, '_'))
const keyword = fc.oneof(fc.constantFrom('\\Seen', '\\Deleted', '$Junk', 'caf\u00e9'), word)
const flags = fc.uniqueArray(keyword, { maxLength: 5 })

describe('sets of UIDs', () => {
  it('are ranges that ascend and do not touch, and come back from bytes', () => {
    fc.assert(fc.property(uids, (some) => {
      const set = setOfAscending(some)
      set.forEach(({ first, last }, at) => {
        expect(first <= last && first > (set[at - 1]?.last ?? -1) + 1).toBe(true)
      })
      expect(some.filter(membership(set))).toEqual(some)
      expect(unpackUids(packUids(set))).toEqual(set)
      expect(setOf([...set].reverse())).toEqual(set)
    }))
  })

  it('meet and unite as sets do', () => {
    fc.assert(fc.property(uids, uids, (a, b) => {
      const [left, right] = [setOfAscending(a), setOfAscending(b)]
      expect(common(left, right)).toEqual(setOfAscending(a.filter((one) => b.includes(one))))
      expect(setOf([...left, ...right])).toEqual(setOfAscending([...new Set([...a, ...b])].sort((x, y) => x - y)))
      expect(common(bridged(left), left)).toEqual(left)
    }))
  })
})

describe('blocks of flags', () => {
  it('come back from bytes, whatever flags and mod-sequences there are', () => {
    const mark = fc.record({ modSeq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), flags })
    const blocks = fc.nat({ max: blockOf(LAST_UID) })
    fc.assert(fc.property(blocks, fc.array(mark, { minLength: 1, maxLength: 256 }), (block, found) => {
      const marks = found.map(({ modSeq, flags: given }, at) => ({ uid: block * 256 + at, modSeq, set: givenFlags(given) }))
      const packed = packMarks(marks, highest(marks))
      expect(unpackMarks(packed, block, highest(marks))).toEqual(marks)
      const since = marks[0]?.modSeq ?? 0
      expect(unpackMarks(packed, block, highest(marks), since)).toEqual(marks.filter(({ modSeq }) => modSeq > since))
    }))
  })

  it('hold more keywords than anyone has', () => {
    const marks = Array.from({ length: 256 }, (_, at) => ({ uid: at, modSeq: at + 1, set: givenFlags([`k${at}`, `l${at}`]) }))
    expect(unpackMarks(packMarks(marks, 256), 0, 256)).toEqual(marks)
  })
})

describe('flags', () => {
  it.each([
    [[], 'add', ['\\SEEN'], ['\\Seen']],
    [['\\Seen'], 'add', ['\\seen'], undefined],
    [['$Junk'], 'add', ['$junk'], ['$Junk', '$junk']],
    [['\\Seen', 'a'], 'remove', ['\\SEEN', 'b'], ['a']],
    [['\\Seen', 'a'], 'remove', ['A'], undefined],
    [['\\Seen', 'a'], 'replace', ['a', '\\Seen'], undefined],
    [['\\Seen', 'a'], 'replace', [], []],
    [['\\Other'], 'add', ['\\OTHER'], undefined],
  ] as const)('%j %s %j', (before, kind, given, after) => {
    const from = givenFlags(before)
    const to = changing({ kind, flags: given })(from)
    if (after) expect(to.flags).toEqual(after)
    else expect(to).toBe(from)
  })

  it('are the same whatever number of combinations was seen before', () => {
    for (let at = 0; at < 3000; at++) expect(flagSet(`a b${at}`).flags).toEqual(['a', `b${at}`])
    expect(flagSet('\\SEEN x')).toMatchObject({ flags: ['\\Seen', 'x'], seen: true, deleted: false })
  })
})

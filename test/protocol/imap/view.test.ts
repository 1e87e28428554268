import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  common, contains, each, setOf, setOfAscending, sizeOf, together, without,
} from '../../../src/protocol/bytes/number-set.ts'
import { formatSet, parseSequenceSet, resolveSet } from '../../../src/protocol/imap/sequence-set.ts'
import { View } from '../../../src/protocol/imap/view.ts'

const ranges = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(8)), { maxLength: 8 })
  .map((pairs) => pairs.map(([first, more]) => ({ first, last: first + more })))
const set = ranges.map(setOf)
const numbers = (some: ReturnType<typeof setOf>): number[] => [...each(some)]

describe('ranges', () => {
  it('are sets of numbers', () => {
    fc.assert(fc.property(ranges, set, (some, other) => {
      const all = new Set(some.flatMap(({ first, last }) => numbers([{ first, last }])))
      const one = setOf(some)
      const sorted = [...all].sort((a, b) => a - b)
      expect(numbers(one)).toEqual(sorted)
      expect(one).toEqual(setOfAscending(sorted))
      expect(sizeOf(one)).toBe(all.size)
      const [a, b] = [new Set(numbers(one)), new Set(numbers(other))]
      expect(numbers(common(one, other))).toEqual(sorted.filter((n) => b.has(n)))
      expect(without(one, other)).toEqual(setOfAscending(sorted.filter((n) => !b.has(n))))
      expect(numbers(together(one, other))).toEqual([...new Set([...a, ...b])].sort((x, y) => x - y))
      for (let n = 0; n < 72; n++) expect(contains(one, n)).toBe(a.has(n))
    }))
  })

  it.each([[[], ''], [[{ first: 3, last: 3 }], '3'], [[{ first: 1, last: 2 }, { first: 7, last: 7 }],
    '1:2,7']])('are written: %j', (some, text) => {
    expect(formatSet(some)).toBe(text)
  })
})

describe('a sequence-set', () => {
  it.each([
    ['1', 9, '1'], ['1:3,5', 9, '1:3,5'], ['5,3:1', 9, '1:3,5'], ['*', 9, '9'], ['2:*', 9, '2:9'], ['*:2', 9, '2:9'], ['12:*',
      9, '9:12'],
    ['1:2,3', 9, '1:3'], ['4294967295', 9, '4294967295'], ['*', 0, ''], ['1:*', 0, ''], ['*:*,1', 3, '1,3'], ['1,1,1', 9, '1'],
  ])('%s of %i messages is %s', (text, last, expected) => {
    const written = parseSequenceSet(text)
    expect(formatSet(resolveSet(written as Exclude<typeof written, '$' | undefined>, last))).toBe(expected)
  })

  it.each(['', ',', '1,', ',1', '0', '01', '1:', ':1', '1:2:3', '-1', '1;2', '**', '4294967296', '99999999999', 'a', '1 ',
    '$1', '1.0', '1,,2'])(
    'is not: %s',
    (text) => expect(parseSequenceSet(text)).toBeUndefined(),
  )

  it('may be the saved result', () => expect(parseSequenceSet('$')).toBe('$'))
})

describe('a view', () => {
  it('is a list', () => {
    const change = fc.oneof(
      fc.record({ add: fc.array(fc.nat(3), { minLength: 1, maxLength: 5 }) }),
      fc.record({ remove: set }),
      fc.record({ look: set }),
    )
    fc.assert(fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const view = new View()
      let list: number[] = []
      for (const one of changes) {
        if ('add' in one) {
          for (const gap of one.add) {
            const uid = Math.max(view.lastUid, 0) + 1 + gap
            view.add([{ first: uid, last: uid }])
            list.push(uid)
          }
        } else if ('remove' in one) {
          const gone = new Set(numbers(one.remove))
          const told = view.remove(one.remove)
          expect(told).toEqual(list.flatMap((uid, at) => (gone.has(uid) ? [at + 1] : [])).reverse())
          // As a client would do it, one by one.
          for (const sequence of told) list.splice(sequence - 1, 1)
        } else {
          const known = new Set(numbers(one.look))
          const sequences = list.flatMap((uid, at) => (known.has(uid) ? [at + 1] : []))
          expect(view.sequencesOf(one.look)).toEqual(setOfAscending(sequences))
          expect(numbers(view.uidsOf(setOfAscending(sequences)))).toEqual(list.filter((uid) => known.has(uid)))
        }
        expect(view.exists).toBe(list.length)
        expect(numbers(view.uids)).toEqual(list)
        list.forEach((uid, at) => expect([view.uidOf(at + 1), view.sequenceOf(uid)]).toEqual([uid, at + 1]))
        list = [...list]
      }
    }))
  })

  it('knows no UIDs but its own', () => {
    const view = new View()
    expect(view.sequenceOf(1)).toBe(0)
    view.add([{ first: 5, last: 7 }, { first: 9, last: 9 }])
    expect([4, 5, 8, 9, 10].map((uid) => view.sequenceOf(uid))).toEqual([0, 1, 0, 4, 0])
  })
})

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Maildrop } from '../../../src/protocol/pop3/maildrop.ts'

it('is what a plain list with marks is', () => {
  const step = fc.oneof({ weight: 6, arbitrary: fc.nat(12) }, fc.constant('reset' as const), fc.constant('list' as const))
  const messages = fc.uniqueArray(fc.integer({ min: 1, max: 15 }), { maxLength: 10 })
  fc.assert(
    fc.property(messages, fc.array(step, { maxLength: 40 }), (some, steps) => {
      const uids = some.sort((one, other) => one - other)
      const sizes = uids.map((uid) => uid * 100)
      const maildrop = new Maildrop({ uidValidity: 9, uids, sizes })
      const marks = new Set<number>()
      const left = (): number[] => uids.map((_, at) => at + 1).filter((message) => !marks.has(message))
      for (const what of steps) {
        if (what === 'list') expect([...maildrop.numbers()]).toEqual(left())
        else if (what === 'reset') {
          maildrop.reset()
          marks.clear()
        } else {
          expect(maildrop.has(what)).toBe(left().includes(what))
          if (!maildrop.has(what)) continue
          maildrop.mark(what)
          marks.add(what)
        }
        expect([maildrop.messages, maildrop.octets]).toEqual([left().length, left().reduce((sum, at) => sum + sizes[at - 1]!, 0)])
      }
      const named = maildrop.markedUids().flatMap(({ first, last }) => {
        return Array.from({ length: last - first + 1 }, (_, at) => first + at)
      })
      expect(named).toEqual([...marks].map((message) => uids[message - 1]!).sort((one, other) => one - other))
    }),
  )
})

it('is gone through in no time, however many messages are marked', () => {
  const uids = Array.from({ length: 200_000 }, (_, at) => at + 1)
  const maildrop = new Maildrop({ uidValidity: 1, uids, sizes: uids })
  for (let message = 1; message < 200_000; message++) maildrop.mark(message)
  // Two thousand million steps, if each went through all of them.
  for (let times = 0; times < 10_000; times++) expect([...maildrop.numbers()]).toHaveLength(1)
  expect(maildrop.markedUids()).toEqual([{ first: 1, last: 199_999 }])
})

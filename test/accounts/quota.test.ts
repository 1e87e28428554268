import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quotaCrossing, roomFor } from '../../src/accounts/quota.ts'

const use = (octets: number, messages = 0) => ({ octets, messages })

describe('quotaCrossing', () => {
  it.each([
    [0, 799, []],
    [799, 800, [80]],
    [800, 801, []],
    [801, 799, []],
    [799, 900, [80, 90]],
    [0, 2000, [80, 90, 95]],
    [899, 950, [90, 95]],
    [950, 1000, []],
    [1000, 0, []],
  ])('from %i to %i of 1000', (before, after, percents) => {
    expect(quotaCrossing(use(before), use(after), { octets: 1000, messages: Infinity })).toEqual(
      percents.map((percent) => ({ of: 'octets', percent })),
    )
  })

  it('counts messages too', () => {
    expect(quotaCrossing(use(0, 7), use(10, 8), { octets: 10, messages: 10 })).toEqual([
      { of: 'octets', percent: 80 },
      { of: 'octets', percent: 90 },
      { of: 'octets', percent: 95 },
      { of: 'messages', percent: 80 },
    ])
  })

  it('crosses nothing where there is no bound, or nothing to share', () => {
    expect(quotaCrossing(use(0), use(1e15), { octets: Infinity, messages: Infinity })).toEqual([])
    expect(quotaCrossing(use(0), use(5), { octets: 0, messages: 0 })).toEqual([])
  })

  it('tells each level once on the way up, in whatever steps', () => {
    fc.assert(fc.property(fc.array(fc.nat(400), { maxLength: 30 }), fc.integer({ min: 1, max: 1000 }), (steps, octets) => {
      let at = 0
      const told: number[] = []
      for (const step of steps) {
        for (const { percent } of quotaCrossing(use(at), use(at + step), { octets, messages: Infinity })) told.push(percent)
        at += step
      }
      expect(told).toEqual([80, 90, 95].filter((percent) => at * 100 >= percent * octets))
    }))
  })
})

it.each([
  [use(0), { octets: 1000, messages: Infinity }, 900, 100, 'yes'],
  [use(1), { octets: 1000, messages: Infinity }, 900, 100, 'no'],
  [use(0), { octets: 1000, messages: Infinity }, 901, 100, 'never'],
  [use(899), { octets: 1000, messages: Infinity }, undefined, 100, 'yes'],
  [use(900), { octets: 1000, messages: Infinity }, undefined, 100, 'no'],
  [use(0, 9), { octets: Infinity, messages: 10 }, 5, 0, 'yes'],
  [use(0, 10), { octets: Infinity, messages: 10 }, 5, 0, 'no'],
  [use(0, 0), { octets: Infinity, messages: 0 }, 5, 0, 'never'],
  [use(0, 0), { octets: 0, messages: 10 }, undefined, 0, 'never'],
  [use(1e15, 1e9), { octets: Infinity, messages: Infinity }, 1e12, 512, 'yes'],
] as const)('%j of %j: room for %s + %i octets: %s', (usage, quota, octets, overhead, expected) => {
  expect(roomFor(usage, quota, octets, overhead)).toBe(expected)
})

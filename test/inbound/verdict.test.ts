import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { accept, combine, defer, discard, pass, quarantine, reject, type Verdict } from '../../src/index.ts'

/** From the weakest to the strongest. */
const ranked: readonly Verdict[] = [
  pass(),
  accept('known'),
  quarantine('odd'),
  discard('junk'),
  defer('Later'),
  reject('Never'),
]

describe('combine', () => {
  it.each(ranked.flatMap((one, at) => ranked.map((other, to) => [one, other, ranked[Math.max(at, to)]!] as const)))(
    '%o and %o are %o',
    (one, other, both) => {
      expect(combine([one, other])).toBe(both)
    },
  )

  it('is pass for none', () => {
    expect(combine([])).toEqual({ kind: 'pass' })
  })

  it('gives the first among equals', () => {
    const [one, other] = [reject('one'), reject('other')]
    expect(combine([one, other])).toBe(one)
    expect(combine([pass(), defer('a'), accept('b'), defer('c')])).toEqual(defer('a'))
  })

  it('is total, and depends on the order among equals alone', () => {
    const kinds = fc.array(fc.constantFrom(...ranked))
    fc.assert(
      fc.property(kinds, (verdicts) => {
        expect(combine([...verdicts].reverse()).kind).toBe(combine(verdicts).kind)
        if (verdicts.length > 0) expect(verdicts).toContain(combine(verdicts))
      }),
    )
  })
})

describe('verdicts', () => {
  it('have replies that are complete', () => {
    expect(reject('No such ticket')).toEqual({
      kind: 'reject',
      reply: { code: 550, enhanced: '5.7.1', text: 'No such ticket' },
    })
    expect(reject(552, '5.2.2', 'Mailbox full')).toEqual({
      kind: 'reject',
      reply: { code: 552, enhanced: '5.2.2', text: 'Mailbox full' },
    })
    expect(defer('Busy')).toEqual({ kind: 'defer', reply: { code: 451, enhanced: '4.7.1', text: 'Busy' } })
    expect(defer(450, '4.2.1', 'Asleep')).toEqual({ kind: 'defer', reply: { code: 450, enhanced: '4.2.1', text: 'Asleep' } })
  })
})

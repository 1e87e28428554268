import { describe, expect, it } from 'vitest'
import { deliverByTime, releaseTime } from '../../../src/outbound/delivery/release.ts'
import { envelope } from './stage.ts'

const received = Date.UTC(2026, 10, 20, 12)

describe('when a message may go', () => {
  it.each([
    ['2026-11-20T13:00:00Z', 3_600_000],
    ['2026-11-20T13:00:00.25Z', 3_600_250],
    ['2026-11-20t14:30:00+01:30', 3_600_000],
    ['2026-11-20T11:00:00-02:00', 3_600_000],
    ['2026-11-20T11:00:00Z', 0],
    ['2026-12-01T00:00:00z', 10.5 * 86_400_000],
    ['nonsense', 0],
  ])('until %s', (until, wait) => {
    expect(releaseTime(envelope('a@b.test', []), received)).toBe(received)
    expect(releaseTime(envelope('a@b.test', [], { hold: { until } }), received)).toBe(received + wait)
  })

  it('for so many seconds', () => {
    expect(releaseTime(envelope('a@b.test', [], { hold: { seconds: 90 } }), received)).toBe(received + 90_000)
  })

  it('and by when it has to be there', () => {
    expect(deliverByTime(envelope('a@b.test', []), received)).toBeUndefined()
    const deliverBy = { seconds: 60, mode: 'return', trace: false } as const
    expect(deliverByTime(envelope('a@b.test', [], { deliverBy }), received)).toBe(received + 60_000)
  })
})

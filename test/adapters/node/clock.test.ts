import { performance } from 'node:perf_hooks'
import { describe, expect, it } from 'vitest'
import { nodeClock } from '../../../src/adapters/node/index.ts'

const rung = (at: number): Promise<number> => new Promise((resolve) => nodeClock.alarm(at, () => resolve(nodeClock.ticks())))

/** Holds the test process while unreferenced alarms run. */
async function awake<T>(work: Promise<T>): Promise<T> {
  const hold = setInterval(() => {}, 1000)
  try {
    return await work
  } finally {
    clearInterval(hold)
  }
}

describe('nodeClock', () => {
  it('tells dates and ticks of this machine', () => {
    expect(Math.abs(nodeClock.now() - Date.now())).toBeLessThan(1000)
    expect(Math.abs(nodeClock.ticks() - performance.now())).toBeLessThan(1000)
    expect(nodeClock.ticks()).toBeLessThanOrEqual(nodeClock.ticks())
  })

  it('never rings early, whatever the fraction of a millisecond', async () => {
    const start = nodeClock.ticks()
    const alarms = Array.from({ length: 200 }, (_, index) => start + index / 7)
    const times = await awake(Promise.all(alarms.map(rung)))
    times.forEach((time, index) => expect(time).toBeGreaterThanOrEqual(alarms[index] as number))
  })

  it('rings for a time that has passed, but not at once', async () => {
    let rang = false
    const ring = new Promise<void>((resolve) => nodeClock.alarm(nodeClock.ticks() - 5, () => {
      rang = true
      resolve()
    }))
    expect(rang).toBe(false)
    await awake(ring)
  })

  it('does not ring after it was cancelled, nor at once for a delay beyond what timers take', async () => {
    const start = nodeClock.ticks()
    let rang = 0
    const cancelled = nodeClock.alarm(start + 1, () => rang++)
    const distant = nodeClock.alarm(start + 2 ** 40, () => rang++)
    cancelled.cancel()
    cancelled.cancel()
    await awake(rung(start + 10))
    expect(rang).toBe(0)
    distant.cancel()
  })

  it('keeps no process alive', () => {
    const count = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = count()
    const alarm = nodeClock.alarm(nodeClock.ticks() + 60_000, () => {})
    expect(count()).toBe(before)
    alarm.cancel()
  })
})

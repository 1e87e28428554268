import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Crowd } from '../../../src/adapters/sqlite/crowd.ts'

/** A day in the life: who is there at the end of a turn, and who comes while one waits. `true` for a wait. */
function flush(crowd: Crowd, here: number, coming: number): { waited: boolean; served: number } {
  if (crowd.complete(here)) return { waited: false, served: here }
  for (let there = here + 1; there <= here + coming; there++) if (crowd.complete(there)) return { waited: true, served: there }
  crowd.missed(here + coming)
  return { waited: true, served: here + coming }
}

describe('Crowd', () => {
  it('never keeps a single writer waiting', () => {
    const crowd = new Crowd()
    for (let i = 0; i < 100; i++) {
      expect(flush(crowd, 1, 0)).toEqual({ waited: false, served: 1 })
      crowd.seen(1, 0)
    }
  })

  it('brings ten together that came in threes', () => {
    const crowd = new Crowd()
    let waiting = 10
    for (let i = 0; i < 5; i++) {
      const { served } = flush(crowd, Math.min(3, waiting), waiting - Math.min(3, waiting))
      waiting = 10 - served
      crowd.seen(served, waiting)
      waiting = 10
    }
    expect(flush(crowd, 3, 7)).toEqual({ waited: true, served: 10 })
  })

  it('does not wait for more than sixteen', () => {
    const crowd = new Crowd()
    crowd.seen(30, 30)
    expect(crowd.complete(15)).toBe(false)
    expect(crowd.complete(16)).toBe(true)
  })

  it('waits ever less often for a single writer that is quick enough to look like two', () => {
    const crowd = new Crowd()
    let waits = 0
    for (let i = 0; i < 10_000; i++) {
      if (flush(crowd, 1, 0).waited) waits++
      crowd.seen(1, 1)
    }
    expect(waits).toBeLessThan(60)
  })

  it('notices when some have left, after one wait in vain', () => {
    const crowd = new Crowd()
    crowd.seen(5, 5)
    expect(flush(crowd, 4, 0)).toEqual({ waited: true, served: 4 })
    for (let i = 0; i < 100; i++) {
      crowd.seen(4, 0)
      expect(flush(crowd, 4, 0).waited).toBe(false)
    }
  })

  it('notices when many have come, however often it had waited in vain', () => {
    const crowd = new Crowd()
    for (let i = 0; i < 5000; i++) {
      flush(crowd, 1, 0)
      crowd.seen(1, 1)
    }
    let together = 0
    for (let i = 0; i < 400; i++) {
      const { served } = flush(crowd, 4, 6)
      if (served === 10) together++
      crowd.seen(served, 10 - served)
    }
    expect(together).toBeGreaterThan(100)
  })

  it('takes whatever it is told without getting stuck', () => {
    const day = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat({ max: 40 }), fc.nat({ max: 40 }))
    fc.assert(fc.property(fc.array(day), (days) => {
      const crowd = new Crowd()
      for (const [here, coming, after] of days) crowd.seen(flush(crowd, here, coming).served, after)
      expect(crowd.complete(16)).toBe(true)
    }))
  })
})

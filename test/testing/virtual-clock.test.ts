import { describe, expect, it } from 'vitest'
import { virtualClock } from '../../src/testing/virtual-clock.ts'

describe('virtualClock', () => {
  it('begins at a date of its own and at tick 0, and stands still', async () => {
    const clock = virtualClock()
    expect(new Date(clock.now()).toISOString()).toBe('2026-01-01T12:00:00.000Z')
    expect(clock.ticks()).toBe(0)
    await new Promise((resolve) => setImmediate(resolve))
    expect(clock.ticks()).toBe(0)
    expect(virtualClock({ now: 5 }).now()).toBe(5)
  })

  it('rings alarms in the order of their times, and of their setting where these are equal', async () => {
    const clock = virtualClock({ now: 1000 })
    const rung: string[] = []
    const note = (name: string) => () => void rung.push(`${name} ${clock.ticks()} ${clock.now()}`)
    clock.alarm(20, note('c'))
    clock.alarm(10, note('a'))
    clock.alarm(20, note('d'))
    clock.alarm(15, note('b'))
    clock.alarm(31, note('e'))
    await clock.advance(30)
    expect(rung).toEqual(['a 10 1010', 'b 15 1015', 'c 20 1020', 'd 20 1020'])
    expect([clock.ticks(), clock.pending]).toEqual([30, 1])
    await clock.advance(1)
    expect(rung.at(-1)).toBe('e 31 1031')
  })

  it('rings alarms that are set while time passes', async () => {
    const clock = virtualClock()
    const rung: number[] = []
    const again = (): void => {
      rung.push(clock.ticks())
      clock.alarm(clock.ticks() + 10, again)
    }
    clock.alarm(10, again)
    await clock.advance(35)
    expect(rung).toEqual([10, 20, 30])
  })

  it('lets promises settle before and after each alarm, however long their chains', async () => {
    const clock = virtualClock()
    const said: string[] = []
    const work = async (name: string): Promise<void> => {
      for (let step = 0; step < 500; step++) await Promise.resolve()
      said.push(`${name} ${clock.ticks()}`)
    }
    void work('before')
    clock.alarm(10, () => void work('a'))
    clock.alarm(20, () => void work('b'))
    await clock.advance(20)
    expect(said).toEqual(['before 0', 'a 10', 'b 20'])
  })

  it('does not ring what was cancelled, even by an alarm of the same time', async () => {
    const clock = virtualClock()
    const rung: string[] = []
    clock.alarm(10, () => second.cancel())
    const second = clock.alarm(10, () => void rung.push('second'))
    clock.alarm(5, () => void rung.push('first')).cancel()
    await clock.advance(10)
    expect(rung).toEqual([])
    second.cancel()
    expect(clock.pending).toBe(0)
  })

  it('rings what is due already without anybody moving it, but not at once', async () => {
    const clock = virtualClock()
    await clock.advance(100)
    let rung = 0
    clock.alarm(100, () => rung++)
    const cancelled = clock.alarm(50, () => rung++)
    cancelled.cancel()
    expect(rung).toBe(0)
    await Promise.resolve()
    expect(rung).toBe(1)
  })

  it('goes to the next alarm', async () => {
    const clock = virtualClock()
    clock.alarm(70, () => {})
    clock.alarm(100, () => {})
    expect([await clock.next(), clock.ticks()]).toEqual([70, 70])
    expect([await clock.next(), clock.ticks()]).toEqual([30, 100])
    expect([await clock.next(), clock.ticks()]).toEqual([undefined, 100])
  })

  it('goes from alarm to alarm until something has come true', async () => {
    const clock = virtualClock()
    const wait = (ms: number): Promise<void> => new Promise((resolve) => clock.alarm(clock.ticks() + ms, resolve))
    clock.alarm(1_000_000, () => {})
    const slow = async (): Promise<string> => {
      await wait(1000)
      await wait(2000)
      return 'done'
    }
    expect(await clock.until(slow())).toBe('done')
    expect(clock.ticks()).toBe(3000)
    await expect(clock.until(Promise.reject(new Error('broke')))).rejects.toThrow('broke')
  })

  it('gives one mover after the other its turn', async () => {
    const clock = virtualClock()
    const seen: number[] = []
    clock.alarm(15, () => void seen.push(clock.ticks()))
    await Promise.all([
      clock.advance(10).then(() => seen.push(clock.ticks())),
      clock.advance(10).then(() => seen.push(clock.ticks())),
    ])
    expect(seen).toEqual([10, 15, 20])
  })

  it('changes its date without touching alarms', async () => {
    const clock = virtualClock({ now: 0 })
    let rung = 0
    clock.alarm(10, () => rung++)
    clock.setDate(86_400_000)
    expect([clock.now(), clock.ticks(), rung]).toEqual([86_400_000, 0, 0])
    await clock.advance(10)
    expect([clock.now(), rung]).toEqual([86_400_010, 1])
  })

  it('goes on after an alarm that throws', async () => {
    const clock = virtualClock()
    clock.alarm(1, () => {
      throw new Error('broke')
    })
    await expect(clock.advance(2)).rejects.toThrow('broke')
    await clock.advance(5)
    expect(clock.ticks()).toBe(6)
  })

  it('never goes back', () => {
    expect(() => virtualClock().advance(-1)).toThrow(/time goes forward/)
    expect(() => virtualClock().advance(Number.NaN)).toThrow(expect.objectContaining({ code: 'misuse' }))
  })
})

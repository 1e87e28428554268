import { describe, expect, it } from 'vitest'
import { Flights } from '../../../src/adapters/node/dns-flights.ts'
import { virtualClock } from '../../../src/testing/index.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('Flights', () => {
  it('asks no more at once than there are sockets for, and everything in the end', async () => {
    const flights = new Flights(virtualClock())
    const running = new Set<() => void>()
    let most = 0
    const ask = (): Promise<string> => new Promise((resolve) => {
      const end = (): void => {
        running.delete(end)
        resolve('answer')
      }
      running.add(end)
      most = Math.max(most, running.size)
    })
    const answers = Array.from({ length: 600 }, (_, at) => flights.join(`question ${at}`, ask, undefined))
    for (let turns = 0; turns < 600 && running.size > 0; turns++) {
      for (const end of [...running].slice(0, 30)) end()
      await turn()
    }
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['answer']))
    expect(most).toBe(100)
  })

  it('lets all who wait go when it is closed, those in the queue too', async () => {
    const flights = new Flights(virtualClock())
    const ask = (signal: AbortSignal): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    const answers = Array.from({ length: 300 }, (_, at) => flights.join(`question ${at}`, ask, undefined).catch((error) => error))
    flights.close()
    for (const error of await Promise.all(answers)) expect(error).toMatchObject({ code: 'closed' })
    expect(() => flights.join('more', ask, undefined)).toThrow(expect.objectContaining({ code: 'closed' }))
  })

  it('lets those in who wait while others are never answered', async () => {
    const clock = virtualClock()
    const flights = new Flights(clock)
    let open = 0
    const ask = (signal: AbortSignal): Promise<never> => new Promise((_, reject) => {
      open++
      signal.addEventListener('abort', () => {
        open--
        reject(new Error('aborted'))
      })
    })
    const controller = new AbortController()
    const stuck = Array.from({ length: 1500 }, (_, at) =>
      flights.join(`question ${at}`, ask, controller.signal).catch(() => 'none'))
    const answer = flights.join('another', async () => 'answer', undefined)
    const counts: number[] = []
    for (let at = 0; at < 12; at++) {
      await turn()
      counts.push(open)
      await clock.advance(250)
    }
    expect(counts).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1000, 1000])
    controller.abort()
    expect(await answer).toBe('answer')
    expect(new Set(await Promise.all(stuck))).toEqual(new Set(['none']))
    await turn()
    expect([open, clock.pending]).toEqual([0, 0])
  })

  it('keeps nobody waiting behind a hundred that are', async () => {
    const clock = virtualClock()
    const flights = new Flights(clock)
    const stuck = Array.from({ length: 100 }, (_, at) =>
      flights.join(`question ${at}`, () => new Promise(() => undefined), undefined))
    const answer = flights.join('another', async () => 'answer', undefined)
    await turn()
    expect(clock.pending).toBe(1)
    await clock.advance(250)
    expect(await answer).toBe('answer')
    expect([stuck.length, clock.pending]).toEqual([100, 0])
  })
})

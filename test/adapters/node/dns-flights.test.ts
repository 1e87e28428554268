import { describe, expect, it } from 'vitest'
import { Flights } from '../../../src/adapters/node/dns-flights.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('Flights', () => {
  it('asks no more at once than there are sockets for, and everything in the end', async () => {
    const flights = new Flights()
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
    const flights = new Flights()
    const ask = (signal: AbortSignal): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    const answers = Array.from({ length: 300 }, (_, at) => flights.join(`question ${at}`, ask, undefined).catch((error) => error))
    flights.close()
    for (const error of await Promise.all(answers)) expect(error).toMatchObject({ code: 'closed' })
    expect(() => flights.join('more', ask, undefined)).toThrow(expect.objectContaining({ code: 'closed' }))
  })
})

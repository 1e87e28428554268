import { describe, expect, it } from 'vitest'
import { passwords } from '../../../src/adapters/node/index.ts'
import { Lanes } from '../../../src/adapters/node/passwords-lanes.ts'

/** Work that ends when it is told to, and what has begun of it. */
class Works {
  readonly begun: number[] = []
  readonly #ends = new Map<number, (failed?: Error) => void>()

  start(lanes: Lanes, number: number): Promise<number> {
    return lanes.run(() => {
      this.begun.push(number)
      return new Promise((resolve, reject) => {
        this.#ends.set(number, (failed) => (failed ? reject(failed) : resolve(number)))
      })
    })
  }

  async end(number: number, failed?: Error): Promise<void> {
    this.#ends.get(number)?.(failed)
    await new Promise(setImmediate)
  }
}

describe('lanes', () => {
  it('run so many at a time, then those who wait, in the order they came', async () => {
    const [lanes, works] = [new Lanes(2, 10), new Works()]
    const all = [1, 2, 3, 4, 5].map((number) => works.start(lanes, number))
    expect(works.begun).toEqual([1, 2])
    await works.end(2)
    expect(works.begun).toEqual([1, 2, 3])
    all.push(works.start(lanes, 6))
    await works.end(1)
    await works.end(3)
    expect(works.begun).toEqual([1, 2, 3, 4, 5])
    for (const number of [5, 4, 6]) await works.end(number)
    expect(works.begun).toEqual([1, 2, 3, 4, 5, 6])
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('turn away at once what finds the queue full, and take more when it is not', async () => {
    const [lanes, works] = [new Lanes(1, 2), new Works()]
    const all = [1, 2, 3].map((number) => works.start(lanes, number))
    await expect(works.start(lanes, 4)).rejects.toMatchObject({ code: 'temporary' })
    await works.end(1)
    all.push(works.start(lanes, 5))
    await expect(works.start(lanes, 6)).rejects.toMatchObject({ code: 'temporary' })
    for (const number of [2, 3, 5]) await works.end(number)
    expect(await Promise.all(all)).toEqual([1, 2, 3, 5])
    expect(works.begun).toEqual([1, 2, 3, 5])
  })

  it('go on after work that failed', async () => {
    const [lanes, works] = [new Lanes(1, 1), new Works()]
    const first = works.start(lanes, 1)
    const second = works.start(lanes, 2)
    await Promise.all([expect(first).rejects.toThrow('broken'), works.end(1, new Error('broken'))])
    await works.end(2)
    expect(await second).toBe(2)
    const third = works.start(lanes, 3)
    await works.end(3)
    expect(await third).toBe(3)
  })
})

it('holds for every kind of call to passwords()', async () => {
  const kept = passwords({ ln: 4, atOnce: 1, waiting: 2 })
  const hash = await kept.hash('secret')
  const first = [kept.verify('secret', hash), kept.pretend('secret'), kept.hash('other')]
  const settled = await Promise.allSettled([...first, kept.verify('x', hash), kept.pretend('x')])
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
  expect(await kept.verify('secret', hash)).toBe(true)
})

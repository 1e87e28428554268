import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Dues } from '../../../src/adapters/sqlite/queue-dues.ts'

const times = fc.option(fc.integer({ min: -5, max: 20 }), { nil: undefined })
const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), times))

it('has destinations in the order of their times, whatever was set before', () => {
  fc.assert(fc.property(changes, (all) => {
    const [dues, model] = [new Dues(), new Map<string, number>()]
    for (const [number, due] of all) {
      const name = `d${number}`
      dues.set(name, due)
      if (due === undefined) model.delete(name)
      else model.set(name, due)
      const found = [...dues.inOrder()]
      expect(found.map((one) => one.due)).toEqual([...model.values()].sort((a, b) => a - b))
      expect(new Map(found.map((one) => [one.destination, one.due]))).toEqual(model)
      expect([dues.size, dues.get(name), new Set(dues.destinations())]).toEqual([model.size, due, new Set(model.keys())])
    }
  }), { numRuns: 100 })
})

it('looks at no more than it is asked for', () => {
  const dues = new Dues()
  for (let i = 0; i < 1000; i++) dues.set(`d${i}`, (i * 7919) % 1000)
  const first: number[] = []
  for (const { due } of dues.inOrder()) if (first.push(due) === 5) break
  expect(first).toEqual([0, 1, 2, 3, 4])
})

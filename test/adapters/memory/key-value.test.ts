import { describe, expect, it } from 'vitest'
import { memoryKeyValue } from '../../../src/adapters/memory/index.ts'
import { allOf } from '../../../src/testing/contracts/checks.ts'
import { keyValueContract } from '../../../src/testing/contracts/key-value.ts'

const skipped: string[] = []

describe('memoryKeyValue', () => {
  keyValueContract({ describe, it, skipped: (line) => void skipped.push(line), open: async () => ({ store: memoryKeyValue() }) })

  it('skips only what needs a disk', () => {
    expect(skipped).toEqual(['keyValueContract: after a crash (durability is none)'])
  })

  it('removes what has timed out as new keys come', async () => {
    const store = memoryKeyValue()
    for (let i = 0; i < 10_000; i++) await store.set(`a:${i}`, 'x', { now: i, until: i + 100 })
    // A hundred are there; of those that are not, about as many may be left.
    expect(await store.sweep?.(10_000)).toBeLessThan(300)
    expect((await allOf(store.list('', 10_000))).flat()).toHaveLength(99)
  })
})

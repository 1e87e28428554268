import { describe, expect, it } from 'vitest'
import { RecordMemory } from '../../../src/adapters/sqlite/record-memory.ts'

describe('records that were read just now', () => {
  it('are read once, whether there are any or not, until something changes or a moment has passed', () => {
    let now = 0
    let reads = 0
    const memory = new RecordMemory(() => now)
    const get = (key: string): string | undefined => memory.get(key, () => {
      reads++
      return key === 'none' ? undefined : key
    })
    const all = (): unknown[] => [get('a'), get('none'), get('a'), get('none')]
    expect([all(), reads]).toEqual([['a', undefined, 'a', undefined], 2])
    now = 99
    all()
    expect(reads).toBe(2)
    now = 100
    all()
    expect(reads).toBe(4)
    memory.forget()
    all()
    expect(reads).toBe(6)
    // A clock that was set back does not keep them for ever.
    now = -1000
    all()
    expect(reads).toBe(8)
  })

  it('are not more than can be held', () => {
    let reads = 0
    const memory = new RecordMemory(() => 0)
    const get = (key: number): unknown => memory.get(String(key), () => {
      reads++
      return 'x'
    })
    for (let key = 0; key < 25_000; key++) get(key)
    get(24_999)
    expect(reads).toBe(25_000)
    get(0)
    expect(reads).toBe(25_001)
  })
})

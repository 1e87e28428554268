import { describe, expect, it } from 'vitest'
import type { FlagChange } from '../../src/contracts/index.ts'
import {
  among,
  canonicalFlags,
  changedFlags,
  comparePaths,
  isAtOrBelow,
  readBody,
  setOfAscending,
} from '../../src/contracts/index.ts'

describe('what stores need beside their storage', () => {
  it('keeps each flag once, system flags as they are spelt', () => {
    expect(canonicalFlags(['\\SEEN', '\\seen', '$a', '$A', '$a', '\\Odd', '\\odd'])).toEqual(['\\Seen', '$a', '$A', '\\Odd'])
  })

  it.each<[readonly string[], FlagChange['kind'], readonly string[], readonly string[] | undefined]>([
    [['\\Seen'], 'add', ['\\SEEN'], undefined],
    [['\\Seen'], 'add', ['$K'], ['\\Seen', '$K']],
    [['\\Seen', '$K'], 'remove', ['\\sEEN', '$k'], ['$K']],
    [['\\Seen', '$K'], 'remove', ['$k'], undefined],
    [['\\Seen', '$K'], 'replace', ['$K', '\\seen'], undefined],
    [['\\Seen', '$K'], 'replace', [], []],
    [[], 'replace', [], undefined],
  ])('%j, %s %j', (before, kind, flags, after) => {
    expect(changedFlags(before, { kind, flags })).toEqual(after)
  })

  it('finds entries by UID, and says UIDs as a set', () => {
    const entries = [1, 2, 5, 9].map((uid) => ({ uid }))
    const found = among(entries, [{ first: 2, last: 7 }, { first: 9, last: 2 ** 32 - 1 }]).map(({ uid }) => uid)
    expect([found, setOfAscending([1, 2, 5])]).toEqual([[2, 5, 9], [{ first: 1, last: 2 }, { first: 5, last: 5 }]])
  })

  it('lists parents before children', () => {
    const paths = [['b'], ['a', 'b'], ['a b'], ['a'], ['A']]
    expect([...paths].sort(comparePaths)).toEqual([['A'], ['a'], ['a', 'b'], ['a b'], ['b']])
    const below = paths.map((path) => isAtOrBelow(path, ['a']))
    expect(below).toEqual([false, true, false, true, false])
  })

  it('reads a body whole, and refuses one that is not what it says', async () => {
    const bytes = Uint8Array.of(1, 2, 3)
    const read = async function* (): AsyncGenerator<Uint8Array, void> {
      yield bytes.subarray(0, 1)
      yield bytes.subarray(1)
    }
    const whole = await readBody({ size: 3, bytes, read })
    expect(whole).toEqual(bytes)
    expect(whole).not.toBe(bytes)
    expect(await readBody({ size: 3, read })).toEqual(bytes)
    for (const size of [2, 4]) await expect(readBody({ size, read })).rejects.toMatchObject({ code: 'misuse' })
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TextColumn } from '../../../src/protocol/imap/text-column.ts'

const text = fc.string({ unit: fc.constantFrom('A', 'B', '\0', '\u0301'), maxLength: 6 })

describe('a column of texts', () => {
  it('finds what each of them has, and nothing that only two of them have together', () => {
    const messages = fc.array(fc.array(text, { maxLength: 3 }), { maxLength: 8 })
    fc.assert(fc.property(messages, text, (all, words) => {
      const uids = all.map((_, at) => 3 * at + 1)
      const column = new TextColumn(uids, all.flat(), all.flatMap((texts, owner) => texts.map(() => owner)))
      expect(column.having(words)).toEqual(uids.filter((_, at) => all[at]!.some((one) => one.includes(words))))
    }), { numRuns: 3000 })
  })
})

import { describe, expect, it } from 'vitest'
import { memoryAccounts } from '../../../src/adapters/memory/index.ts'
import { accountRecordsContract } from '../../../src/testing/contracts/account-records.ts'

const skipped: string[] = []

describe('memoryAccounts', () => {
  accountRecordsContract({
    describe,
    it,
    skipped: (line) => void skipped.push(line),
    open: async () => ({ records: memoryAccounts() }),
  })
})

it('skips only what needs a disk', () => {
  expect(skipped).toEqual(['accountRecordsContract: after a crash (durability is none)'])
})

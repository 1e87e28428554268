import { describe, it } from 'vitest'
import { fakeDns, resolverContract } from '../../../src/testing/index.ts'

describe('fakeDns keeps the contract', () => {
  resolverContract({ describe, it, skipped: () => {}, open: async (zone) => ({ resolver: fakeDns(zone) }) })
})

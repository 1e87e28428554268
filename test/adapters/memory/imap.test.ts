import { describe, it } from 'vitest'
import { memoryStore } from '../../../src/adapters/memory/index.ts'
import { imapContract } from '../../../src/testing/contracts/imap.ts'

describe('memoryStore', () => {
  imapContract({ describe, it, open: async () => ({ store: memoryStore() }) })
})

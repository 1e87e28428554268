import { describe, it } from 'vitest'
import { mailStoreContract } from '../../../src/testing/contracts/mail-store.ts'
import { memoryFolder, openMail } from './folders.ts'

describe('maildir', () => {
  mailStoreContract({
    describe,
    it,
    open: async () => {
      const { store, path } = openMail({ path: memoryFolder() })
      return { store, reopen: async () => openMail({ path }).store }
    },
  })
})

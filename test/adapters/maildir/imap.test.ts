import { describe, it } from 'vitest'
import { imapContract } from '../../../src/testing/contracts/imap.ts'
import { memoryFolder, openMail } from './folders.ts'

describe('maildir', () => {
  imapContract({
    describe,
    it,
    open: async () => {
      const { store, path } = openMail({ path: memoryFolder() })
      return { store, reopen: async () => openMail({ path }).store }
    },
  })
})

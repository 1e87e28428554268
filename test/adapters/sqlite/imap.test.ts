import { describe, it } from 'vitest'
import { imapContract } from '../../../src/testing/contracts/imap.ts'
import { memoryFolder } from '../maildir/folders.ts'
import { openMail } from './folders.ts'

describe('sqlite', () => {
  imapContract({
    describe,
    it,
    open: async () => {
      const { store, path } = openMail({ search: true, path: memoryFolder() })
      return { store, reopen: async () => openMail({ path, search: true }).store }
    },
  })
})

import { describe, it } from 'vitest'
import { imapContract } from '../../../src/testing/contracts/imap.ts'
import { openMail } from './folders.ts'

describe('sqlite', () => {
  imapContract({
    describe,
    it,
    open: async () => {
      const { store, path } = openMail({ search: true })
      return { store, reopen: async () => openMail({ path, search: true }).store }
    },
  })
})

import { describe, it } from 'vitest'
import { mailStoreContract } from '../../../src/testing/contracts/mail-store.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'

describe.each(drivers)('sqlite with %s', (_name, driver) => {
  mailStoreContract({
    describe,
    it,
    open: async () => {
      const { store, path } = openMail({ driver })
      return { store, reopen: async () => openMail({ driver, path }).store }
    },
    skipped: () => {},
  })

  describe('with an index', () => {
    mailStoreContract({
      // All else is the same with it.
      describe: (topic, define) => void (topic === 'search' && describe(topic, define)),
      it,
      open: async () => ({ store: openMail({ driver, search: true }).store }),
    })
  })
})

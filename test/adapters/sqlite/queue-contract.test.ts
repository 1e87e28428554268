import { describe, it } from 'vitest'
import { mailQueueContract } from '../../../src/testing/contracts/mail-queue.ts'
import { memoryFolder } from '../maildir/folders.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'

describe.each(drivers)('the queue of sqlite with %s', (_name, driver) => {
  mailQueueContract({
    describe,
    it,
    open: async () => {
      const { queue, path } = openMail({ driver, path: memoryFolder() })
      const again = async (): Promise<typeof queue> => openMail({ driver, path }).queue
      return { queue, reopen: again, beside: again }
    },
    skipped: () => {},
  })
})

import { describe, it } from 'vitest'
import { directoryContract } from '../../../src/testing/contracts/directory.ts'
import { people } from '../../accounts/people.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'

describe.each(drivers)('the directory over accounts in sqlite with %s', (_name, driver) => {
  directoryContract({ describe, it, skipped: () => {}, open: () => people(openMail({ driver }).accounts) })
})

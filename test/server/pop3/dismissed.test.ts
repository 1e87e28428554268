import { expect, it } from 'vitest'
import type { Account, Directory } from '../../../src/contracts/directory.ts'
import { Pop3Stage } from './stage.ts'

it('shows nothing more to an account that is disabled', async () => {
  let is: Account = {
    id: 'alice', disabled: false, rights: { smtp: true, imap: true, admin: false },
    quota: { octets: Infinity, messages: Infinity },
  }
  const found = async (): Promise<Account> => is
  const directory: Directory = {
    resolve: async () => ({ kind: 'unknown' }), account: found, verify: found, maySendAs: async () => true, named: found,
  }
  const stage = new Pop3Stage({ directory })
  await stage.deliver('Subject: hello\r\n\r\n')
  const alice = await stage.visit()
  is = { ...is, disabled: true }
  expect(await alice.say('RETR 1')).toContain('Subject: hello')
  await stage.clock.advance(61_000)
  expect(await alice.say('RETR 1')).toBe('-ERR [SYS/PERM] The account is not served any more\r\n')
})

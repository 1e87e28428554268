import { expect, it } from 'vitest'
import type { Account, Directory } from '../../../src/contracts/directory.ts'
import { ImapStage, type StageClient } from '../../../src/testing/imap-stage.ts'

const alice: Account = {
  id: 'alice', disabled: false, rights: { smtp: true, imap: true, admin: false },
  quota: { octets: Infinity, messages: Infinity },
}

/** A stage whose account can be another from now on. */
async function stageOf(account: { is: Account | undefined | Error }) {
  const found = async (): Promise<Account | undefined> => {
    if (account.is instanceof Error) throw account.is
    return account.is
  }
  const directory: Directory = {
    resolve: async () => ({ kind: 'unknown' }), account: found, verify: found, maySendAs: async () => true, named: found,
  }
  const stage = new ImapStage({ server: { directory } })
  await stage.mailbox('INBOX')
  const ask = async (client: StageClient, line: string, wait = 0): Promise<string> => {
    client.send(`${line}\r\n`)
    await stage.settle(wait)
    return client.take()
  }
  const client = stage.connect()
  await ask(client, 'a LOGIN alice secret')
  await ask(client, 'b SELECT INBOX')
  return { stage, client, ask }
}

it.each([
  ['is removed', undefined],
  ['is disabled', { ...alice, disabled: true }],
  ['may not read mail any more', { ...alice, rights: { ...alice.rights, imap: false } }],
])('lets an account go that %s', async (_, is) => {
  const account: { is: Account | undefined | Error } = { is: alice }
  const { stage, client, ask } = await stageOf(account)
  account.is = is
  // For a minute it is trusted.
  expect(await ask(client, 'c CREATE Trusted')).toContain('c OK')
  await stage.settle(61_000)
  expect(await ask(client, 'd CREATE Late')).toBe(
    'd NO [UNAVAILABLE] The account is not served any more\r\n* BYE The account is not served any more\r\n',
  )
  expect((await stage.store.mailboxes('alice')).map(({ path }) => path[0])).toEqual(['INBOX', 'Trusted'])
})

it('lets it go from IDLE too', async () => {
  const account: { is: Account | undefined | Error } = { is: alice }
  const { client, ask } = await stageOf(account)
  account.is = undefined
  expect(await ask(client, 'c IDLE', 120_000)).toMatch(/\* BYE The account is not served any more\r\n$/)
})

it('dismisses nobody where the directory is out of order, and takes a new quota', async () => {
  const account: { is: Account | undefined | Error } = { is: alice }
  const { stage, client, ask } = await stageOf(account)
  account.is = new Error('the database is away')
  await stage.settle(61_000)
  expect(await ask(client, 'c NOOP')).toContain('c OK')
  expect(stage.events.filter(({ kind }) => kind === 'failed')).toMatchObject([{ what: 'account' }])
  account.is = { ...alice, quota: { octets: 4096, messages: Infinity } }
  await stage.settle(61_000)
  expect(await ask(client, 'd GETQUOTAROOT INBOX')).toContain('(STORAGE 0 4)')
})

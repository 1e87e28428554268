import { expect, it } from 'vitest'
import type { ReceivedMessage, Recipient } from '../../src/contracts/received.ts'
import type { MailStore, NewMessage, StoredMessage } from '../../src/contracts/store.ts'
import { InboxDelivery } from '../../src/server/reference-delivery.ts'
import { LocalUsers } from '../../src/server/reference-users.ts'

const users = new LocalUsers(
  ['alice', 'bob', 'carol'].map((local) => ({ local, domain: 'a.test', password: 'x' })),
  ['a.test'],
  'mx.test',
)
const inboxes = new Map(users.accounts.map((account) => [account, `inbox of ${account}`]))

/** A delivery into a store that fails for some mailboxes, and what came of it. */
function delivery(failing: readonly string[]) {
  const appended: [string, NewMessage][] = []
  const stored: (readonly [id: string, to: string])[] = []
  const failed: string[] = []
  const append = async (mailbox: string, message: NewMessage): Promise<StoredMessage> => {
    if (failing.includes(mailbox)) throw new Error(`no ${mailbox}`)
    appended.push([mailbox, message])
    return { id: String(appended.length) } as StoredMessage
  }
  const inbox = new InboxDelivery(
    { append } as unknown as MailStore,
    users,
    inboxes,
    (_, to, { id }) => stored.push([id, to.map(({ local }) => local).join(' ')]),
    (account) => failed.push(account),
  )
  return { inbox, appended, stored, failed }
}

function messageTo(...locals: readonly string[]): ReceivedMessage {
  const recipients = locals.map((local) => ({ local, user: local.split('+')[0], domain: 'a.test' }) as Recipient)
  return { envelope: { recipients }, body: { size: 0 }, facts: {}, received: 7 } as unknown as ReceivedMessage
}

it('stores a message once for each account, with the same body and facts', async () => {
  const { inbox, appended, stored } = delivery([])
  const message = messageTo('bob', 'alice+x', 'BOB+y')
  expect(await inbox.deliver(message)).toEqual([undefined, undefined, undefined])
  expect(appended.map(([mailbox]) => mailbox)).toEqual(['inbox of bob@a.test', 'inbox of alice@a.test'])
  for (const [, entry] of appended) {
    expect(entry.body).toBe(message.body)
    expect(entry.facts).toBe(message.facts)
    expect(entry.received).toBe(7)
  }
  expect(stored).toEqual([['1', 'bob alice+x BOB+y']])
})

it('defers those whose copy could not be stored, and nobody else', async () => {
  const { inbox, stored, failed } = delivery(['inbox of bob@a.test'])
  const notNow = { kind: 'defer', reply: { code: 451, enhanced: '4.3.0', text: 'Temporary failure, try again later' } }
  expect(await inbox.deliver(messageTo('alice', 'bob', 'carol', 'bob+x'))).toEqual([undefined, notNow, undefined, notNow])
  expect(stored).toEqual([['1', 'alice carol']])
  expect(failed).toEqual(['bob@a.test'])
})

it('says nothing of a message that nobody has got', async () => {
  const { inbox, stored, failed } = delivery([...inboxes.values()])
  const answers = (await inbox.deliver(messageTo('alice', 'bob'))) as readonly { kind: string }[]
  expect(answers.map(({ kind }) => kind)).toEqual(['defer', 'defer'])
  expect(stored).toEqual([])
  expect(failed).toEqual(['alice@a.test', 'bob@a.test'])
  await expect(inbox.deliver(messageTo('alice'))).rejects.toThrow('no inbox of alice@a.test')
  expect(stored).toEqual([])
})

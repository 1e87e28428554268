import { describe, expect, it } from 'vitest'
import type { Address } from '../../src/message/address.ts'
import { StoredArrival } from '../../src/server/received-message.ts'
import { octets, piecewise } from '../adapters/mailparser/messages.ts'

/** A message that has arrived, written with `\n`. */
function arrival(text: string, sender: Address | null = { local: 'joe', domain: 'sender.test' }): StoredArrival {
  const head = octets(text)
  const envelope = {
    sender,
    recipients: [],
    size: undefined,
    body: '7BIT',
    smtpUtf8: false,
    ret: undefined,
    envid: undefined,
    requireTls: false,
    deliverBy: undefined,
    priority: undefined,
    hold: undefined,
  } as const
  const peer = { address: '192.0.2.1', port: 1, localAddress: undefined, localPort: undefined }
  const connection = {
    id: 'c', peer, began: 0, protocol: 'smtp', tls: undefined, hello: undefined, account: undefined, forwarded: undefined,
  } as const
  const body = piecewise(head, 100)
  return new StoredArrival({ id: 'c.1', envelope, connection, received: 0, body, notes: [], head, facts: undefined })
}

describe('a message that has arrived', () => {
  it('is parsed when asked, and once', async () => {
    const quoted = 'On 1 May 2026 at 10:00, Joe <joe@x.test> wrote:\n> really?\n'
    const message = arrival(`Subject: =?utf-8?q?gr=C3=BCn?=\n\nyes\n\n${quoted}`)
    const parsed = await message.parsed()
    expect(parsed).toMatchObject({ subject: 'grün', html: undefined, attachments: [], reply: { text: 'yes', signature: '' } })
    expect(parsed.reply.quotation).toContain('> really?')
    expect(message.parsed()).toBe(message.parsed())
  })

  it('has a subject even where it has none', async () => {
    expect(await arrival('\nHello').parsed()).toMatchObject({ subject: '', text: 'Hello' })
  })

  it.each([
    ['its own, as the first', 'Message-ID: <a@x>\n', '<a@x>'],
    ['that of the message it answers', 'Message-ID: <b@x>\nIn-Reply-To: <a@x>\n', '<a@x>'],
    ['that of the first message', 'Message-ID: <c@x>\nReferences: <a@x> <b@x>\nIn-Reply-To: <b@x>\n', '<a@x>'],
    ['of nobody else, where it names none', 'Subject: x\n', 'c.1'],
  ])('has a thread id: %s', (_, header, id) => {
    expect(arrival(`${header}\n`).threadId).toBe(id)
  })

  it.each<[string, string, Address | null | undefined, string | undefined]>([
    ['by a person', 'From: joe@sender.test\n', undefined, undefined],
    ['by a machine that says so', 'Auto-Submitted: auto-replied\n', undefined, 'auto-submitted'],
    ['with the null sender', 'From: joe@sender.test\n', null, 'null-sender'],
  ])('tells whether it was sent %s', (_, header, sender, reason) => {
    expect(arrival(`${header}\n`, sender).automated).toBe(reason)
  })
})

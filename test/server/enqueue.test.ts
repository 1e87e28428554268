import { createTransport } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { accountDirectory } from '../../src/accounts/directory.ts'
import { memoryAccounts } from '../../src/adapters/memory/accounts.ts'
import { memoryBodies } from '../../src/adapters/memory/bodies.ts'
import { memoryQueue } from '../../src/adapters/memory/queue.ts'
import { memoryStore } from '../../src/adapters/memory/store.ts'
import type { BodyWriter } from '../../src/contracts/bodies.ts'
import type { NewMail } from '../../src/contracts/new-mail.ts'
import { MailError } from '../../src/protocol/session/errors.ts'
import { mailServer } from '../../src/server/mail-server.ts'
import type { MailServerOptions } from '../../src/server/mail-server-options.ts'
import { fakeDns } from '../../src/testing/fake-dns.ts'
import { virtualNetwork } from '../../src/testing/network.ts'
import { virtualClock } from '../../src/testing/virtual-clock.ts'
import { person, takingQueue } from './mail-world.ts'

/** A server whose queue takes everything. */
async function stage(options: Partial<MailServerOptions> = {}) {
  const records = memoryAccounts()
  await records.setDomain({ name: 'example.test' })
  for (const name of ['alice', 'bob']) await records.updateAccount(`${name}@example.test`, () => person(name))
  const passwords = {
    hash: async () => '$plain$x' as const, verify: async () => false, outdated: () => false, pretend: async () => false as const,
  }
  const queue = takingQueue()
  const bodies = memoryBodies()
  let written = 0
  const create = (): BodyWriter => {
    written++
    return bodies.create()
  }
  const server = mailServer({
    hostname: 'mx.test', directory: accountDirectory({ records, passwords }), store: memoryStore({ now: () => 0 }), queue,
    bodies: {
      traits: bodies.traits, create, open: (id) => bodies.open(id), remove: (ids) => bodies.remove(ids),
      list: () => bodies.list(),
    },
    volatile: true, listen: { mx: {} }, clock: virtualClock({ now: Date.UTC(2026, 10, 20, 8) }),
    random: (octets) => new Uint8Array(octets), ...options,
  })
  const left = async (): Promise<number> => {
    let count = 0
    for await (const _ of bodies.list()) count++
    return count
  }
  return { server, queue, left, written: () => written }
}

const plain: NewMail = {
  from: 'app@example.test', to: ['eve@there.test'], content: 'From: app@example.test\nBcc: x@y.test\nSubject: s\n\nhello',
}
const eve = { local: 'eve', domain: 'there.test' }

describe('enqueue', () => {
  it('takes a message with its envelope, whole and mended', async () => {
    const { server, queue } = await stage()
    const taken = await server.enqueue(plain)
    const [message, ...others] = queue.taken
    expect(others).toEqual([])
    const messageId: unknown = expect.stringMatching(/^<.*@mx\.test>$/)
    expect(taken).toEqual({ id: 'Q1', messageId, accepted: ['eve@there.test'], refused: [] })
    expect(message?.text).toBe(
      `Date: Fri, 20 Nov 2026 08:00:00 +0000\r\nMessage-ID: ${taken.messageId}\r\n` +
        'From: app@example.test\r\nSubject: s\r\n\r\nhello\r\n',
    )
    expect(message).toMatchObject({
      account: undefined,
      received: Date.UTC(2026, 10, 20, 8),
      envelope: { sender: { local: 'app', domain: 'example.test' }, recipients: [eve], body: '7BIT', smtpUtf8: false },
      facts: { octets: message!.text.length, messageId: taken.messageId },
    })
  })

  it('takes parameters of the envelope, and each recipient once', async () => {
    const { server, queue } = await stage()
    await server.enqueue({
      ...plain, from: null, to: ['eve@there.test', 'eve@THERE.test'], ret: 'HDRS', envid: 'E 1', notify: ['SUCCESS'],
      requireTls: true, priority: 3, notBefore: Date.UTC(2026, 10, 21),
    })
    expect(queue.taken[0]?.envelope).toMatchObject({
      sender: null, recipients: [{ ...eve, notify: ['SUCCESS'] }], ret: 'HDRS', envid: 'E 1', requireTls: true, priority: 3,
      hold: { until: '2026-11-21T00:00:00.000Z' },
    })
    expect(queue.taken[0]?.envelope.recipients).toHaveLength(1)
  })

  it('knows what a message needs of others', async () => {
    const { server, queue } = await stage()
    await server.enqueue({ ...plain, content: 'Subject: a\r\n\r\nä' })
    await server.enqueue({ ...plain, content: 'Subject: ä\r\n\r\na' })
    await server.enqueue({ ...plain, to: ['jürgen@there.test'] })
    expect(queue.taken.map(({ envelope: { body, smtpUtf8 } }) => [body, smtpUtf8])).toEqual([
      ['8BITMIME', false], ['8BITMIME', true], ['7BIT', true],
    ])
  })

  it('tells of recipients that are refused, and refuses where all are', async () => {
    const { server, queue } = await stage()
    const { accepted, refused } = await server.enqueue({ ...plain, to: ['bob@example.test', 'nobody@example.test'] })
    expect([accepted, refused]).toEqual([
      ['bob@example.test'], [{ to: 'nobody@example.test', code: 550, reply: expect.stringMatching(/^550 5\.1\.1 /) }],
    ])
    await expect(server.enqueue({ ...plain, to: ['nobody@example.test'] })).rejects.toMatchObject({ code: 'permanent' })
    expect(queue.taken).toHaveLength(1)
  })

  it.each([
    [{ to: ['no address'] }, 'permanent'],
    [{ from: 'a@b@c' }, 'permanent'],
    [{ to: [] }, 'misuse'],
    [{ priority: 10 }, 'config'],
    [{ envid: ' '.repeat(34) }, 'config'],
    [{ notBefore: Infinity }, 'config'],
    [{ notBefore: 1e15 }, 'config'],
    [{ account: 'nobody@example.test' }, 'permanent'],
    [{ account: 'alice@example.test' }, 'permanent'],
    [{ account: 'alice@example.test', from: 'alice@example.test' }, 'permanent'],
  ])('refuses %j', async (mistake, code) => {
    const { server, queue } = await stage()
    await expect(server.enqueue({ ...plain, ...mistake })).rejects.toMatchObject({ code })
    expect(queue.taken).toEqual([])
  })

  it('lets an account send what it could submit', async () => {
    const { server, queue } = await stage()
    const account = 'alice@example.test'
    await server.enqueue({ ...plain, account, from: account, content: `From: ${account}\r\n\r\n` })
    expect(queue.taken).toMatchObject([{ account }])
  })

  it('keeps what is large out of memory, and leaves nothing of it behind', async () => {
    const { server, queue, left, written } = await stage({ inMemory: 1000 })
    async function* content() {
      yield Buffer.from('Subject: large\r\n\r\n')
      for (let piece = 0; piece < 50; piece++) yield Buffer.from(`${'x'.repeat(70)}\n`)
    }
    await server.enqueue({ ...plain, content: content() })
    expect(written()).toBe(1)
    expect(queue.taken[0]?.text).toContain(`\r\n\r\n${'x'.repeat(70)}\r\n`)
    expect(await left()).toBe(0)
    async function* broken() {
      yield Buffer.from(`Subject: large\r\n\r\n${'x'.repeat(2000)}`)
      throw new Error('the file has gone')
    }
    await expect(server.enqueue({ ...plain, content: broken() })).rejects.toThrow('the file has gone')
    expect([written(), await left()]).toEqual([2, 0])
    expect(queue.taken).toHaveLength(1)
  })
})

describe('what is enqueued', () => {
  it('is on its way without start, and stays in the queue after stop', async () => {
    const clock = virtualClock()
    const queue = memoryQueue()
    const network = virtualNetwork({ clock })
    const resolver = fakeDns({ 'there.test': { MX: '10 mx.there.test' }, 'mx.there.test': { A: '192.0.2.1' } })
    const { server } = await stage({ queue, clock, outgoing: { resolver, dial: network.dial } })
    await server.enqueue(plain)
    await clock.advance(0)
    expect(network.dialled).toMatchObject([{ host: '192.0.2.1', port: 25 }])
    await clock.until(server.stop())
    await server.enqueue(plain)
    await clock.advance(86_400_000)
    expect(network.dialled).toHaveLength(1)
    expect(await queue.counts(clock.now())).toMatchObject({ messages: 2 })
  })
})

describe('the transport for nodemailer', () => {
  const people = { from: 'App <app@example.test>', to: 'Eve <eve@there.test>', bcc: 'bob@example.test' }
  const mail = { ...people, subject: 'Hi', text: 'Hello' }

  it('hands messages to the queue', async () => {
    const { server, queue } = await stage()
    const dsn = { id: 'E1', return: 'headers', notify: 'never' }
    const info = await createTransport(server.transport()).sendMail({ ...mail, dsn })
    const to = ['eve@there.test', 'bob@example.test']
    const { text, envelope, facts } = queue.taken[0]!
    expect(info).toMatchObject({
      envelope: { from: 'app@example.test', to }, messageId: facts.messageId, accepted: to, rejected: [],
      response: '250 2.0.0 queued as Q1', id: 'Q1',
    })
    expect(envelope).toMatchObject({ ret: 'HDRS', envid: 'E1', recipients: [{ ...eve, notify: [] }, { local: 'bob' }] })
    expect(text).toMatch(/^From: App <app@example\.test>\r\nTo: Eve <eve@there\.test>\r\nSubject: Hi\r\nMessage-ID: /)
    expect(text).not.toMatch(/bcc|bob/i)
  })

  it('tells of refused recipients as SMTP does', async () => {
    const { server } = await stage()
    const transport = createTransport(server.transport())
    const info = await transport.sendMail({ ...mail, to: ['eve@there.test', 'nobody@example.test'] })
    expect(info).toMatchObject({
      accepted: ['eve@there.test', 'bob@example.test'], rejected: ['nobody@example.test'],
      rejectedErrors: [{ code: 'EENVELOPE', responseCode: 550, recipient: 'nobody@example.test' }],
    })
  })

  it.each([
    ['temporary', 451], ['quota', 552], ['permanent', 554], ['closed', 421],
  ] as const)('fails as nodemailer does where the queue says %s', async (code, responseCode) => {
    const queue = { ...takingQueue(), enqueue: () => Promise.reject(new MailError(code, 'no')) }
    const { server } = await stage({ queue })
    const sent = createTransport(server.transport()).sendMail(mail)
    await expect(sent).rejects.toMatchObject({ code: 'EMESSAGE', responseCode, response: `${responseCode} no` })
  })

  it('fails where nobody is to get it, or the content cannot be read', async () => {
    const { server, queue } = await stage()
    const transport = createTransport(server.transport())
    await expect(transport.sendMail({ from: mail.from, text: 'x' })).rejects.toMatchObject({ code: 'EENVELOPE' })
    await expect(transport.sendMail({ ...mail, html: { path: '/nowhere' } })).rejects.toMatchObject({ code: 'ENOENT' })
    expect(queue.taken).toEqual([])
  })

  it('sends for an account', async () => {
    const { server, queue } = await stage()
    const account = 'alice@example.test'
    const transport = createTransport(server.transport({ account }))
    await expect(transport.sendMail(mail)).rejects.toMatchObject({ code: 'EMESSAGE', responseCode: 553 })
    await transport.sendMail({ ...mail, from: account })
    expect(queue.taken).toMatchObject([{ account }])
    expect(await transport.verify()).toBe(true)
  })
})

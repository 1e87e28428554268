import { beforeAll, describe, expect, it } from 'vitest'
import { composeMail } from '../../../src/adapters/nodemailer/compose.ts'
import type { ReceivedMessage } from '../../../src/contracts/received.ts'
import { reject } from '../../../src/inbound/verdict.ts'
import type { ReceiverOptions } from '../../../src/server/options.ts'
import { receiver } from '../../../src/server/receiver.ts'
import { type VirtualNetwork, virtualNetwork } from '../../../src/testing/network.ts'
import type { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { type MailWorld, mailWorld, type Place } from '../mail-world.ts'

/** A server of somebody else's at 192.0.2.77, which takes mail for there.test. */
async function stage(there: Partial<ReceiverOptions> = {}, place: Place = {}) {
  const taken: ReceivedMessage[] = []
  let network: VirtualNetwork | undefined
  const mail: MailWorld = await mailWorld({
    network: (clock: VirtualClock) => {
      network = virtualNetwork({ clock, from: '192.0.2.1' })
      const other = receiver({
        hostname: 'mx.there.test', accepts: () => true, inMemory: Infinity, clock, random: (octets) => new Uint8Array(octets),
        ...there,
        deliver: (message, context) => {
          taken.push(message)
          return there.deliver?.(message, context)
        },
      })
      network.listen('192.0.2.77', 25, (transport) => void other.serve(transport, { startTls: true }))
      return network
    },
    ...place,
  })
  mail.world.dns.set('there.test', { MX: ['10 mx.there.test'] })
  mail.world.dns.set('mx.there.test', { A: ['192.0.2.77'] })
  return { mail, taken, network: network! }
}

const MAIL = 'From: alice@example.test\r\nSubject: x\r\n\r\ny\r\n.'

/** Lets so many seconds pass, and reports be composed, which takes turns of the event loop but no time. */
async function pass(mail: MailWorld, seconds: number): Promise<void> {
  await mail.world.clock.advance(seconds * 1000)
  for (let turns = 0; turns < 50; turns++) await mail.world.clock.advance(1)
}

// What composes is loaded when it is first needed, from files, which no virtual clock waits for.
beforeAll(async () => {
  const nobody = { local: 'x', domain: 'example.test' }
  const told = { subject: '', date: 0, messageId: '<x@y>', references: [], fields: [], text: 'x' }
  await composeMail({ from: { address: nobody }, to: [nobody], ...told })
})

const text = async (message: ReceivedMessage): Promise<string> => {
  let found = ''
  for await (const bytes of message.raw()) found += Buffer.from(bytes).toString('latin1')
  return found
}

describe('a mail server with a queue', () => {
  it('sends what people submit to the servers that the DNS names, encrypted where they can', async () => {
    const { mail, taken } = await stage()
    const alice = await mail.person('alice')
    const sent = await alice.send({ from: 'alice@example.test', to: 'eve@there.test', subject: 'Hello out there' })
    expect(sent.reply).toMatch(/^250 2\.0\.0 .*queued as \w+/)
    await pass(mail, 0)
    expect(taken).toHaveLength(1)
    const [message] = taken as [ReceivedMessage]
    const sender = { local: 'alice', domain: 'example.test' }
    expect(message.envelope).toMatchObject({ sender, recipients: [{ wire: 'eve@there.test' }] })
    expect(message.connection.tls).toBeDefined()
    expect(message.connection.hello).toEqual({ verb: 'EHLO', name: 'mx.test' })
    expect(await text(message)).toMatch(/^Received: .*\r\n[^]*Received: .*\r\n[^]*Subject: Hello out there\r\n/)
    const attempts = mail.world.events.filter(({ kind }) => kind === 'attempt')
    expect(attempts).toMatchObject([
      { recipient: 'eve@there.test', result: 'relayed', host: 'mx.there.test', address: '192.0.2.77', tls: 'TLSv1.3', tries: 1 },
    ])
  })

  it('puts mail for people here into their mailboxes at once, beside what goes out', async () => {
    const { mail, taken } = await stage()
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: ['bob@example.test', 'eve@there.test'] })
    await alice.send({ from: 'alice@example.test', to: ['carol@example.test'] })
    expect(await mail.mail('carol')).toHaveLength(1)
    await pass(mail, 0)
    expect(taken).toHaveLength(1)
    const [kept] = await mail.mail('bob')
    expect(kept?.text).toMatch(/^Return-Path: <alice@example.test>\r\nDelivered-To: bob@example.test\r\n/)
  })

  it('tells the sender why a message was refused, with the message', async () => {
    const { mail } = await stage({ accepts: () => reject(550, '5.1.1', 'Nobody of that name') })
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: 'eve@there.test', subject: 'Anybody there?' })
    await pass(mail, 10)
    const [report, ...others] = await mail.mail('alice')
    expect(others).toEqual([])
    expect(report?.text).toMatch(/^Return-Path: <>\r\n/)
    expect(report?.text).toContain('Content-Type: multipart/report; report-type=delivery-status')
    expect(report?.text).toContain('Final-Recipient: rfc822; eve@there.test\r\nAction: failed\r\nStatus: 5.1.1\r\n')
    expect(report?.text).toContain('Diagnostic-Code: smtp; 550 5.1.1 Nobody of that name\r\n')
    expect(report?.text).toContain('Subject: Anybody there?\r\n')
    expect(mail.world.events.some(({ kind }) => kind === 'failed')).toBe(false)
  })

  it.each([
    ['no.test', undefined, '5.1.2'],
    ['null.test', { MX: ['0 .'] }, '5.1.10'],
    ['self.test', { MX: ['10 mx.test'] }, '5.4.6'],
  ])('gives mail for %s back', async (domain, records, status) => {
    const { mail } = await stage()
    mail.world.dns.set(domain, records)
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: `x@${domain}` })
    await pass(mail, 10)
    expect((await mail.mail('alice'))[0]?.text).toContain(`Status: ${status}\r\n`)
  })

  it('passes on what comes in for an alias that leads elsewhere', async () => {
    const { mail, taken } = await stage({}, { aliases: [{ address: 'eve@example.test', to: ['eve@there.test'] }] })
    const client = mail.connect('mx')
    await client.send({ from: 'x@sender.test', to: 'eve@example.test' })
    await pass(mail, 0)
    expect(taken.map(({ envelope }) => envelope.recipients[0]?.wire)).toEqual(['eve@there.test'])
  })

  it('waits for a server that is down, and tells nobody before its time', async () => {
    const { mail, taken, network } = await stage()
    network.fault('192.0.2.77', 'refused')
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: 'eve@there.test' })
    await pass(mail, 3600)
    expect(taken).toEqual([])
    network.fault('192.0.2.77', undefined)
    await pass(mail, 3600)
    expect(taken).toHaveLength(1)
    expect(await mail.mail('alice')).toEqual([])
  })

  it('reports delivery to a mailbox here to who asks for it', async () => {
    const { mail } = await stage()
    const alice = await mail.person('alice')
    await alice.say('EHLO a.test', 'MAIL FROM:<alice@example.test> RET=HDRS ENVID=QQ314')
    await alice.say('RCPT TO:<bob@example.test> NOTIFY=SUCCESS')
    await alice.say('DATA', MAIL)
    await pass(mail, 10)
    expect((await mail.mail('alice'))[0]?.text).toMatch(/Original-Envelope-Id: QQ314[^]*Action: delivered/)
  })

  it('holds a message for as long as its sender wants', async () => {
    const { mail, taken } = await stage()
    const alice = await mail.person('alice')
    await alice.say('EHLO a.test', 'MAIL FROM:<alice@example.test> HOLDFOR=600', 'RCPT TO:<eve@there.test>', 'DATA', MAIL)
    await pass(mail, 599)
    expect(taken).toEqual([])
    await pass(mail, 2)
    expect(taken).toHaveLength(1)
  })
})

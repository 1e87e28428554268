import { describe, expect, it } from 'vitest'
import { memoryKeyValue } from '../../../src/adapters/memory/key-value.ts'
import { memoryQueue } from '../../../src/adapters/memory/queue.ts'
import { nodeCrypto } from '../../../src/adapters/node/index.ts'
import type { ReceivedMessage } from '../../../src/contracts/received.ts'
import { srs } from '../../../src/outbound/srs.ts'
import { suppressionList, type SuppressionList } from '../../../src/outbound/suppression.ts'
import { verp } from '../../../src/outbound/verp.ts'
import { mailServer } from '../../../src/server/mail-server.ts'
import { receiver } from '../../../src/server/receiver.ts'
import { virtualNetwork } from '../../../src/testing/network.ts'
import { type MailWorld, mailWorld, type Place } from '../mail-world.ts'

const keys = [new Uint8Array(16).fill(3)]

/** A server with SRS, VERP and a list, and a server of others that takes everything. */
async function stage(place: Place = {}): Promise<{ mail: MailWorld; taken: ReceivedMessage[]; list: SuppressionList }> {
  const taken: ReceivedMessage[] = []
  const keyValue = memoryKeyValue()
  const list = suppressionList({ store: keyValue })
  const mail = await mailWorld({
    ...place,
    network: (clock) => {
      const network = virtualNetwork({ clock })
      const other = receiver({
        hostname: 'mx.there.test', accepts: () => true, inMemory: Infinity, clock, random: (octets) => new Uint8Array(octets),
        deliver: (message) => void taken.push(message),
      })
      network.listen('192.0.2.77', 25, (transport) => void other.serve(transport))
      return network
    },
    outgoing: {
      srs: srs({ domain: 'example.test', keys, crypto: nodeCrypto }),
      verp: verp({ domain: 'example.test', keys, crypto: nodeCrypto }),
      suppressions: list,
    },
    options: { keyValue },
  })
  mail.world.dns.set('there.test', { MX: ['10 mx.there.test'] })
  mail.world.dns.set('mx.there.test', { A: ['192.0.2.77'] })
  return { mail, taken, list }
}

const recipients = (taken: readonly ReceivedMessage[]): string[][] =>
  taken.map(({ envelope }) => envelope.recipients.map(({ wire }) => wire))

const senders = (taken: readonly ReceivedMessage[]): string[] =>
  taken.map(({ envelope: { sender } }) => (sender ? `${sender.local}@${sender.domain}` : '<>'))

const bounce = (recipient: string): string => [
  'From: mailer-daemon@there.test', 'Subject: Undelivered', 'MIME-Version: 1.0',
  'Content-Type: multipart/report; report-type=delivery-status; boundary=b', '',
  '--b', '', 'No.', '--b', 'Content-Type: message/delivery-status', '',
  'Reporting-MTA: dns; mx.there.test', '', `Final-Recipient: rfc822; ${recipient}`, 'Action: failed', 'Status: 5.1.1',
  'Diagnostic-Code: smtp; 550 5.1.1 No such user', '', '--b--', '.',
].join('\r\n')

describe('what is forwarded', () => {
  it('goes under a sender of ours, and its bounce goes back to the first one', async () => {
    const { mail, taken } = await stage({ aliases: [{ address: 'eve@example.test', to: ['eve@there.test'] }] })
    const client = mail.connect('mx')
    await client.send({ from: 'x@there.test', to: 'eve@example.test' })
    await mail.world.clock.advance(0)
    const [sender] = senders(taken) as [string]
    expect(sender).toMatch(/^SRS0=.{8}=..=there\.test=x@example\.test$/)
    const back = mail.connect('mx')
    expect((await back.ask('EHLO mx.there.test', 'MAIL FROM:<>', `RCPT TO:<${sender}>`)).at(-1)).toMatch(/^250 /)
    await back.say('DATA', bounce('eve@there.test'))
    await mail.world.clock.advance(0)
    expect(recipients(taken)).toEqual([['eve@there.test'], ['x@there.test']])
    expect(senders(taken)[1]).toBe('<>')
  })

  it('takes nothing but bounces at a sender of ours', async () => {
    const { mail } = await stage()
    const { local, domain } = srs({ domain: 'example.test', keys, crypto: nodeCrypto })
      .forward({ local: 'x', domain: 'there.test' }, mail.world.clock.now())!
    const rcpt = `RCPT TO:<${local}@${domain}>`
    const asked = async (from: string): Promise<string> => {
      return (await mail.connect('mx').ask('EHLO a.test', `MAIL FROM:<${from}>`, rcpt)).at(-1)!.slice(0, 9)
    }
    for (const from of ['', 'MAILER-DAEMON@old.test', 'postmaster@old.test']) expect(await asked(from)).toBe('250 2.1.5')
    expect(await asked('spam@a.test')).toBe('550 5.1.1')
    const alice = await mail.person('alice')
    expect((await alice.ask('EHLO a.test', 'MAIL FROM:<alice@example.test>', rcpt)).at(-1)).toMatch(/^550 5\.1\.1/)
    const enqueued = mail.server.enqueue({ from: 'alice@example.test', to: [`${local}@${domain}`], content: 'x' })
    await expect(enqueued).rejects.toThrow('5.1.1')
  })

  it('takes no address for ours that is forged', async () => {
    const { mail } = await stage()
    const client = mail.connect('mx')
    const replies = await client.ask('EHLO a.test', 'MAIL FROM:<>', 'RCPT TO:<SRS0=aaaa=aa=there.test=x@example.test>')
    expect(replies.at(-1)).toMatch(/^550 5\.1\.1/)
  })
})

describe('what is submitted', () => {
  it('tells in its sender whom a bounce is about: the sender gets it, observers hear of it, the list grows', async () => {
    const { mail, taken, list } = await stage()
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: ['eve@there.test', 'joe@there.test'] })
    await mail.world.clock.advance(0)
    expect(senders(taken)).toEqual([expect.stringMatching(/^bounce\+/), expect.stringMatching(/^bounce\+/)])
    expect(new Set(senders(taken)).size).toBe(2)
    expect(recipients(taken)).toEqual([['eve@there.test'], ['joe@there.test']])
    const back = mail.connect('mx')
    await back.say('EHLO mx.there.test', 'MAIL FROM:<>', `RCPT TO:<${senders(taken)[1]}>`, 'DATA', bounce('joe@there.test'))
    await mail.world.clock.advance(0)
    expect((await mail.mail('alice')).map(({ text }) => text.includes('Subject: Undelivered'))).toEqual([true])
    expect(mail.world.events.filter(({ kind }) => kind === 'bounced')).toMatchObject([
      {
        recipient: 'joe@there.test', sender: 'alice@example.test', action: 'failed', lasting: 'hard', status: '5.1.1',
        suppressed: true,
      },
    ])
    expect(await list.find({ local: 'joe', domain: 'there.test' }, mail.world.clock.now())).toMatchObject({ reason: 'bounce' })
    await alice.send({ from: 'alice@example.test', to: ['eve@there.test', 'joe@there.test'] })
    await mail.world.clock.advance(10_000)
    expect(taken).toHaveLength(3)
    const attempts = mail.world.events.filter(({ kind }) => kind === 'attempt')
    const suppressed = { recipient: 'joe@there.test', result: 'failed', cause: 'suppressed' }
    expect(attempts).toContainEqual(expect.objectContaining(suppressed))
  })

  it('is not believed to bounce by whoever says so', async () => {
    const { mail, list } = await stage()
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: 'joe@there.test' })
    const client = mail.connect('mx')
    await client.say('EHLO mx.there.test', 'MAIL FROM:<>', 'RCPT TO:<alice@example.test>', 'DATA', bounce('joe@there.test'))
    expect(mail.world.events.some(({ kind }) => kind === 'bounced')).toBe(false)
    expect(await list.find({ local: 'joe', domain: 'there.test' }, mail.world.clock.now())).toBeUndefined()
  })
})

describe('options of outgoing mail', () => {
  it.each([
    [{ verp: verp({ domain: 'a.test', keys, crypto: nodeCrypto }) }, /outgoing\.verp: give the server a keyValue too/],
    [{ suppressions: {} }, /outgoing: suppressions is an object; it takes a suppression list/],
    [{ schedule: [-1] }, /outgoing: schedule is a list; it takes a list of milliseconds/],
    [{ window: { initial: 5, most: 2 } }, /outgoing.window: initial is 5, which is more than most, 2/],
    [{ conections: 5 }, /conections.*connections/],
    [{ failures: [{ cause: 'busy', consequence: 'hold', codes: 450 }] }, /failures\[0\]: codes is 450; it takes a list/],
    [{ failures: [{ cause: 'busy', consequence: 'later' }] }, /failures\[0\]: consequence is "later"/],
    [{ timeouts: { greting: 5 } }, /timeouts: there is no option "greting"/],
    [{ limits: { window: 0 } }, /limits: window is 0/],
    [{ hello: 'mx.b\u00fccher.example' }, /hello: .* neither a domain name in ASCII/],
    [{ routes: { kind: 'hosts', name: 'x', hosts: [] } }, /has no hosts/],
  ])('%j will not do', async (outgoing, says) => {
    const { store, directory } = await mailWorld()
    const make = (): unknown => mailServer({
      hostname: 'mx.test', directory, store, volatile: true, listen: { mx: {} }, queue: memoryQueue(),
      outgoing: outgoing as object,
    })
    expect(make).toThrow(says)
    expect(make).toThrow(expect.objectContaining({ code: 'config' }) as Error)
  })
})

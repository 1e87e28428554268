import { beforeAll, describe, expect, it } from 'vitest'
import { composeMail } from '../../../src/adapters/nodemailer/compose.ts'
import { nodeCrypto } from '../../../src/adapters/node/index.ts'
import type { FilterAction, MailFilter } from '../../../src/contracts/filter.ts'
import type { ReceivedMessage } from '../../../src/contracts/received.ts'
import { srs } from '../../../src/outbound/srs.ts'
import { receiver } from '../../../src/server/receiver.ts'
import { virtualNetwork } from '../../../src/testing/network.ts'
import { mailWorld, type MailWorld } from '../mail-world.ts'

/** A server with a queue, filters by name, and somebody else's server, which takes mail for far.test. */
async function stage(actions: Record<string, readonly FilterAction[]>) {
  const taken: ReceivedMessage[] = []
  const asked: string[] = []
  const filter: MailFilter = {
    filter: ({ envelope }, { account: { id }, recipient }) => {
      asked.push(`${id.split('@')[0]}: ${recipient.wire} of ${envelope.recipients.length}`)
      const decided = actions[id.split('@')[0]!]
      return decided && { actions: decided, edits: [], steps: [] }
    },
  }
  const mail = await mailWorld({
    options: { filter },
    outgoing: { srs: srs({ domain: 'fwd.test', keys: [new Uint8Array(16)], crypto: nodeCrypto }) },
    network: (clock) => {
      const network = virtualNetwork({ clock, from: '192.0.2.1' })
      const random = (octets: number): Uint8Array => new Uint8Array(octets)
      const deliver = (message: ReceivedMessage): void => void taken.push(message)
      const other = receiver({ hostname: 'mx.far.test', accepts: () => true, inMemory: Infinity, clock, random, deliver })
      network.listen('192.0.2.77', 25, (transport) => void other.serve(transport, { startTls: true }))
      return network
    },
  })
  for (const name of ['far.test', 'other.test']) mail.world.dns.set(name, { MX: ['10 mx.far.test'] })
  mail.world.dns.set('mx.far.test', { A: ['192.0.2.77'] })
  return { mail, taken, asked }
}

/** Lets time pass, and reports be composed, which takes turns of the event loop but no time. */
async function pass(mail: MailWorld): Promise<void> {
  await mail.world.clock.advance(10_000)
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
const redirect: FilterAction = { kind: 'redirect', to: { local: 'eve', domain: 'far.test' } }

describe('behind a queue', () => {
  it('a filter is asked once, about its own recipient alone', async () => {
    const { mail, asked } = await stage({ bob: [{ kind: 'file', path: ['A'], create: true }] })
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: ['bob+x@example.test', 'carol@example.test', 'eve@far.test'] })
    await pass(mail)
    expect(asked.sort()).toEqual(['bob: bob+x@example.test of 1', 'carol: carol@example.test of 1'])
    expect([(await mail.mail('bob', 'A')).length, (await mail.mail('carol')).length]).toEqual([1, 1])
  })

  it('a rejection is reported to who has sent the message', async () => {
    const { mail } = await stage({ bob: [{ kind: 'reject', reason: 'Not from you' }] })
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: ['bob@example.test', 'eve@far.test'] })
    await pass(mail)
    const [report] = await mail.mail('alice')
    expect(report!.text).toMatch(/Not from you[^]*Final-Recipient: rfc822; bob@example\.test[^]*Status: 5\.7\.1/)
    expect(await mail.mail('bob')).toEqual([])
  })

  it('what is redirected goes on under a sender of ours, and its answers and reports find their way', async () => {
    const { mail, taken } = await stage({ bob: [redirect] })
    await mail.connect('mx').send({ from: 'joe@other.test', to: 'bob@example.test' })
    await pass(mail)
    const [message] = taken
    const { local, domain } = message!.envelope.sender!
    expect([local, domain]).toEqual([expect.stringMatching(/^SRS0=.*=other\.test=joe$/), 'fwd.test'])
    expect(await text(message!)).toMatch(/\r\nX-Sieve-Redirected-From: bob@example\.test\r\nDelivered-To: bob@example\.test\r\n/)
    expect(await text(message!)).not.toMatch(/\r\nReturn-Path: <joe/)
  })

  it('what comes back from where it was redirected to ends', async () => {
    const { mail, taken } = await stage({ bob: [redirect] })
    await mail.connect('mx').send({ from: 'joe@other.test', to: 'bob@example.test' })
    await pass(mail)
    const content = (await text(taken[0]!)).replaceAll('\r\n', '\n')
    const { recipients } = await mail.connect('mx').send({ from: 'joe@other.test', to: 'bob@example.test', content })
    expect(recipients[0]!.reply).toMatch(/^554 5\.4\.6/)
    const unmarked = content.replace(/^Delivered-To.*\n/m, '')
    const to = ['bob@example.test', 'carol@example.test']
    await mail.connect('mx').send({ from: 'joe@other.test', to, content: unmarked })
    expect([(await mail.mail('bob')).length, taken.length]).toEqual([1, 1])
  })
})

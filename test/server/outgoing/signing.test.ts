import { beforeAll, describe, expect, it } from 'vitest'
import { arcSealer, dkim, type Dkim } from '../../../src/adapters/mailauth/index.ts'
import { composeMail } from '../../../src/adapters/nodemailer/compose.ts'
import type { Policy } from '../../../src/contracts/policy.ts'
import type { ReceivedMessage } from '../../../src/contracts/received.ts'
import type { Sign } from '../../../src/contracts/sign.ts'
import { reject } from '../../../src/inbound/verdict.ts'
import { MailError } from '../../../src/protocol/session/errors.ts'
import type { ReceiverOptions } from '../../../src/server/options.ts'
import type { Transport } from '../../../src/protocol/session/transport.ts'
import { receiver } from '../../../src/server/receiver.ts'
import { virtualNetwork } from '../../../src/testing/network.ts'
import type { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { look } from '../../adapters/mailauth/looking.ts'
import { testKey, verdictsOn } from '../../adapters/mailauth/verifying.ts'
import { type MailWorld, mailWorld, type Place } from '../mail-world.ts'

const rsa = testKey('rsa')
const ed = testKey('ed25519')
const published = new Map(['example.test', 'mx.test'].flatMap((domain) => [
  [`r._domainkey.${domain}`, rsa.record] as const, [`e._domainkey.${domain}`, ed.record] as const,
]))
let signer: Dkim

beforeAll(async () => {
  signer = await dkim({
    keys: ['example.test', 'mx.test'].flatMap((domain) => [
      { domain, selector: 'r', key: rsa.pem }, { domain, selector: 'e', key: ed.pem },
    ]),
  })
  const nobody = { local: 'x', domain: 'example.test' }
  const told = { subject: '', date: 0, messageId: '<x@y>', references: [], fields: [], text: 'x' }
  await composeMail({ from: { address: nobody }, to: [nobody], ...told })
})

/** A mail server that signs, and a server of somebody else's that takes what it sends. */
async function stage(
  there: Partial<ReceiverOptions> = {}, sign: Sign = signer.sign, place: Place = {}, through = (given: Transport) => given,
) {
  const taken: Buffer[] = []
  const mail = await mailWorld({
    network: (clock: VirtualClock) => {
      const network = virtualNetwork({ clock, from: '192.0.2.1' })
      const other = receiver({
        hostname: 'mx.there.test', accepts: () => true, inMemory: Infinity, clock, random: (octets) => new Uint8Array(octets),
        ...there,
        deliver: async (message) => void taken.push(await octetsOf(message)),
      })
      network.listen('192.0.2.77', 25, (transport) => void other.serve(through(transport), {}))
      return network
    },
    outgoing: { sign },
    ...place,
  })
  mail.world.dns.set('there.test', { MX: ['10 mx.there.test'] })
  mail.world.dns.set('mx.there.test', { A: ['192.0.2.77'] })
  return { mail, taken }
}

/** A server's end of a connection, on which it says another word for 8BITMIME. */
function without8BitMime(transport: Transport): Transport {
  const write = transport.write.bind(transport)
  transport.write = (output) => {
    const text = output.map((each) => (typeof each === 'string' ? each : Buffer.from(each).toString('latin1'))).join('')
    return write([text.replace('8BITMIME', 'X-OTHER')])
  }
  return transport
}

async function octetsOf(message: ReceivedMessage): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of message.raw()) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Lets so many seconds pass, and messages be signed, which takes turns of the event loop but no time. */
async function pass(mail: MailWorld, seconds: number): Promise<void> {
  await mail.world.clock.advance(seconds * 1000)
  for (let turns = 0; turns < 50; turns++) await mail.world.clock.advance(1)
}

const resultsOf = async (message: Uint8Array): Promise<string[]> =>
  (await verdictsOn(message, published)).map(({ signingDomain, algo, status }) => `${signingDomain} ${algo} ${status.result}`)

const both = (domain: string): string[] => [`${domain} rsa-sha256 pass`, `${domain} ed25519-sha256 pass`]

describe('mail that people submit', () => {
  it.each([
    ['plain', 'From: alice@example.test\r\nSubject: x\r\n\r\ny\r\n'],
    ['with dots and blanks', 'From: alice@example.test\r\nSubject: x\r\n\r\n.\r\n..\r\n. \t \r\n\r\n.y \r\n\r\n\r\n'],
    ['without an end', 'From: alice@example.test\r\n\r\ny'],
    ['with an 8-bit body', 'From: alice@example.test\r\nMIME-Version: 1.0\r\n\r\n\u00e4\r\n'],
  ])('is signed by every key and arrives so: %s', async (_, raw) => {
    const { mail, taken } = await stage()
    const alice = await mail.person('alice')
    const { reply } = await alice.send({ from: 'alice@example.test', to: 'eve@there.test', content: raw })
    expect(reply).toMatch(/^250/)
    await pass(mail, 0)
    expect(await resultsOf(taken[0]!)).toEqual(both('example.test'))
    expect(taken[0]!.toString()).toMatch(/^Received: [^]*\r\nDKIM-Signature: [^]*\r\nDKIM-Signature: [^]*\r\nReceived: /)
  })

  it('is signed too where it stays here', async () => {
    const { mail } = await stage()
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: 'bob@example.test', subject: 'x' })
    const [kept] = await mail.mail('bob')
    expect(await resultsOf(Buffer.from(kept!.text))).toEqual(both('example.test'))
  })

  it('is signed too where the application hands it in', async () => {
    const { mail, taken } = await stage()
    const content = 'From: alice@example.test\n\nx'
    // Sends begin with the server.
    mail.connect('mx')
    await mail.server.enqueue({ from: 'alice@example.test', to: ['eve@there.test'], content })
    await pass(mail, 10)
    expect(await resultsOf(taken[0]!)).toEqual(both('example.test'))
  })

  it('is signed once where an alias here leads elsewhere', async () => {
    const aliases = [{ address: 'eve@example.test', to: ['eve@there.test'] }]
    const { mail, taken } = await stage({}, undefined, { aliases })
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: 'eve@example.test', subject: 'x' })
    await pass(mail, 10)
    expect(await resultsOf(taken[0]!)).toEqual(both('example.test'))
  })

  it('is not taken while it cannot be signed', async () => {
    let isDown = true
    const sign: Sign = async () => {
      if (isDown) throw new MailError('temporary', 'no key at hand')
      return ''
    }
    const { mail } = await stage({}, sign)
    const alice = await mail.person('alice')
    const mine = { from: 'alice@example.test', to: 'bob@example.test', subject: 'x' }
    expect((await alice.send(mine)).reply).toMatch(/^451 4\.3\.0/)
    expect(await mail.mail('bob')).toEqual([])
    isDown = false
    expect((await alice.send(mine)).reply).toMatch(/^250/)
  })
})

describe('other mail', () => {
  it('is not signed when it is passed on: nobody knows who has sent it', async () => {
    const aliases = [{ address: 'eve@example.test', to: ['eve@there.test'] }]
    const { mail, taken } = await stage({}, undefined, { aliases })
    const client = mail.connect('mx')
    await client.send({ from: 'x@sender.test', to: 'eve@example.test', content: 'From: alice@example.test\r\n\r\nPay!\r\n' })
    await pass(mail, 10)
    expect(taken[0]?.toString()).toContain('Pay!')
    expect(taken[0]?.toString()).not.toContain('DKIM-Signature')
  })

  it('is sealed when it is passed on, with what was found out about it', async () => {
    const { seal } = await arcSealer({ key: { domain: 'example.test', selector: 'r', key: rsa.pem }, authservId: 'mx.test' })
    const results: Policy = {
      name: 'results', message: (_, { notes }) => notes.header('Authentication-Results', 'mx.test; dmarc=pass'),
    }
    const aliases = [{ address: 'eve@example.test', to: ['eve@there.test'] }]
    const place = { aliases, outgoing: { sign: signer.sign, seal }, options: { policies: [results] } }
    const { mail, taken } = await stage({}, undefined, place)
    const client = mail.connect('mx')
    const content = 'From: a@sender.test\r\nSubject: x\r\n\r\nHi\r\n'
    await client.send({ from: 'x@sender.test', to: 'eve@example.test', content })
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: 'eve@there.test', subject: 'mine' })
    await pass(mail, 10)
    const [forwarded, mine] = taken.map(String).sort((a) => (a.includes('Subject: mine') ? 1 : -1)) as [string, string]
    expect(mine).not.toContain('ARC-')
    const zone = { 'r._domainkey.example.test': { TXT: [rsa.record] } }
    const { arc } = await look(forwarded.slice(forwarded.indexOf('ARC-Seal')), zone)
    const said = expect.stringContaining('dmarc=pass') as string
    expect(arc).toMatchObject({ result: 'pass', sealers: ['example.test'], said })
  })

  it('of our own is signed: a report', async () => {
    const { mail } = await stage({ accepts: () => reject(550, '5.1.1', 'Nobody of that name') })
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: 'eve@there.test', subject: 'x' })
    await pass(mail, 10)
    const [report] = await mail.mail('alice')
    expect(report?.text).toContain('report-type=delivery-status')
    expect(await resultsOf(Buffer.from(report!.text))).toEqual(both('mx.test'))
  })
})

describe('a server that takes 7 bits alone', () => {
  const narrow = { smtp: { extensions: { binaryMime: false } } }
  const content = 'From: alice@example.test\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n' +
    `Content-Transfer-Encoding: 8bit\r\n\r\n${'na\u00efve, so they say. '.repeat(5)}\r\n`

  it('gets mail in quoted-printable that nobody has signed', async () => {
    const { mail, taken } = await stage(narrow, async () => '', {}, without8BitMime)
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: 'eve@there.test', content, parameters: 'BODY=8BITMIME' })
    await pass(mail, 10)
    expect(taken[0]?.toString()).toContain('Content-Transfer-Encoding: quoted-printable\r\n\r\nna=C3=AFve, so')
  })

  it('gets none that is signed, of which the sender hears', async () => {
    const { mail, taken } = await stage(narrow, undefined, {}, without8BitMime)
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: 'eve@there.test', content, parameters: 'BODY=8BITMIME' })
    await pass(mail, 10)
    expect(taken).toEqual([])
    expect((await mail.mail('alice'))[0]?.text).toContain('Status: 5.6.3\r\n')
  })
})

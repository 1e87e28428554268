import { describe, expect, it } from 'vitest'
import type { MailServerOptions } from '../../src/server/mail-server-options.ts'
import { mailWorld, person, type Place, takingQueue } from './mail-world.ts'

const content = (header: string): string => `${header}\r\n\r\nHello\r\n`

/** Submits a message as alice; what the queue was given, without the Received field, and the reply. */
async function submit(header: string, options: Partial<MailServerOptions> = {}, place: Place = {}) {
  const queue = takingQueue()
  const world = await mailWorld({ ...place, options: { queue, ...options } })
  const alice = await world.person('alice')
  const sent = await alice.send({ from: 'alice@example.test', to: 'joe@other.test', content: content(header) })
  const text = queue.taken[0]?.text
  const trace = text && /^Received: .*\r\n(?:[ \t].*\r\n)*/.exec(text)?.[0]
  return { reply: sent.reply, trace, text: text?.slice(trace?.length), taken: queue.taken, world }
}

const date = 'Date: Fri, 20 Nov 2026 08:09:10 +0000\r\n'
const own = 'Date: Thu, 19 Nov 2026 07:00:00 +0100\r\nMessage-ID: <1@alice.test>\r\n'
const id = /Message-ID: <[0-9a-f]{32}@mx\.test>\r\n/.source
const from = 'From: Alice <alice@example.test>\r\n'

describe('what people submit', () => {
  it('is queued, and the client hears under which name', async () => {
    const { reply, trace, text, taken } = await submit(`${own}${from}Subject: x`)
    expect(reply).toBe('250 2.0.0 queued as Q1')
    expect(trace).toMatch(/^Received: from client\.test \(\[203\.0\.113\.9\]\).*\r\n by mx\.test with ESMTPSA id /)
    expect(text).toBe(content(`${own}${from}Subject: x`))
    expect(taken[0]).toMatchObject({
      account: 'alice@example.test',
      envelope: { sender: { local: 'alice' }, recipients: [{ local: 'joe', domain: 'other.test' }] },
    })
  })

  it.each<[what: string, header: string, expected: RegExp | string]>([
    ['nothing, where all is there', `${own}${from}To: joe@other.test`, content(`${own}${from}To: joe@other.test`)],
    ['Date and Message-ID', `${from}To: joe@other.test`, new RegExp(`^${date.replaceAll('+', '\\+')}${id}From: Alice`)],
    ['a Date', `Message-ID: <1@x>\r\n${from}`.trimEnd(), `${date}${content(`Message-ID: <1@x>\r\n${from}`.trimEnd())}`],
    ['a Date for one that is none', `Date: soon\r\nMessage-ID: <1@x>\r\n${from}X: y`, /^Date: Fri, 20.*\r\nMessage-ID: <1@x>/],
    ['an id for one that is none', `${date}Message-ID: <>\r\n${from}X: y`, new RegExp(`^${id}Date: .*\r\nFrom: Alice.*\r\nX: y`)],
    ['no Bcc', `${own}Bcc: bob@example.test,\r\n carol@example.test\r\n${from}BCC: x@y\r\nX: y`, content(`${own}${from}X: y`)],
    ['no return path', `Return-Path: <x@y>\r\n${own}${from}Resent-Bcc: z@y`, content(`${own}${from}`.trimEnd())],
  ])('is mended: %s', async (_, header, expected) => {
    const { text, reply, taken } = await submit(header)
    expect(reply).toMatch(/^250 /)
    if (typeof expected === 'string') expect(text).toBe(expected)
    else expect(text).toMatch(expected)
    expect(taken[0]!.facts.octets).toBe(taken[0]!.body.size)
    expect(taken[0]!.facts.envelope.from).toMatchObject([[expect.anything(), null, 'alice', 'example.test']])
  })

  it.each([
    ['no From', 'Subject: x', '554 5.6.0 Message has no From field'],
    ['no header', ' x', '554 5.6.0 Message has no From field'],
    ['two', `${from}From: bob@example.test`, '554 5.6.0 Message has more than one From field'],
    ['an empty one', 'From:', '554 5.6.0 The From field must name mailboxes with their domains'],
    ['a group of nobody', 'From: us:;', '554 5.6.0 The From field must name mailboxes with their domains'],
    ['no domain', 'From: alice', '554 5.6.0 The From field must name mailboxes with their domains'],
    ['one that is somebody else', 'From: bob@example.test', '553 5.7.1 The From address is not one that you may send as'],
    ['one at another place', 'From: alice@other.test', '553 5.7.1 The From address is not one that you may send as'],
    ['another beside it', 'From: alice@example.test, bob@example.test', /^553 5\.7\.1 /],
    ['a name that looks like it', 'From: "alice@example.test" <bob@example.test>', /^553 5\.7\.1 /],
    ['a tag of hers', 'From: alice+list@example.test', /^250 /],
    ['her other letter case', 'From: ALICE@Example.TEST', /^250 /],
    ['a comment', 'From: alice@example.test (Alice)', /^250 /],
    ['a Sender of hers', `${from}Sender: alice+x@example.test`, /^250 /],
    ['a Sender that is somebody else', `${from}Sender: bob@example.test`, /^553 5\.7\.1 The Sender address is not one/],
    ['somebody else who sends it again', `${from}Resent-From: bob@example.test`, /^553 5\.7\.1 The Resent-From address /],
    ['an octet 0 behind somebody else', 'From: bob@example.test\0 <alice@example.test>', /^554 5\.6\.0 Message has a NUL /],
    ['an octet 0 in a name', `${from}F\0rom: bob@example.test`, /^554 5\.6\.0 Message has a NUL in its header/],
    ['an octet 0 in the text', `${from}\r\nHel\0lo`, /^250 /],
    ['another behind more fields than are read', `${from}${'X:\r\n'.repeat(20_000)}From: bob@example.test`, /^554 5\.6\.0 /],
  ])('with %s for an author', async (_, header, reply) => {
    expect((await submit(header)).reply).toMatch(reply)
  })

  it('shows nothing of the client where that is not wanted', async () => {
    const { trace } = await submit(`${own}${from}`.trimEnd(), { hideClient: true })
    expect(trace).toMatch(/^Received: from unknown \(TLSv1\.3/)
    expect(trace).toMatch(/by mx\.test with ESMTPSA\s+id /)
    expect(trace).not.toMatch(/203\.0\.113\.9|client\.test/)
  })

  it('goes to a large body as it goes to a small one', async () => {
    const large = `${'x'.repeat(76)}\r\n`.repeat(9000)
    const queue = takingQueue()
    const world = await mailWorld({ options: { queue, inMemory: 1000 } })
    const alice = await world.person('alice')
    await alice.send({ from: 'alice@example.test', to: 'joe@other.test', content: `Bcc: x@y.test\r\n${from}\r\n${large}` })
    const { text, facts, body } = queue.taken[0]!
    expect(text.slice(0, 1000)).toMatch(/^Received: [^]*?\r\nDate: .*\r\nMessage-ID: .*\r\nFrom: Alice .*\r\n\r\nx/)
    expect(text.slice(text.indexOf('\r\n\r\n') + 4) === large).toBe(true)
    expect([facts.octets, body.size]).toEqual([text.length, text.length])
  })
})

/** All that needs no time has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

describe('who submits', () => {
  const people = [
    person('alice', { messageOctets: 1000, attachmentOctets: 60 }),
    person('reader', { rights: { smtp: false } }),
    person('gone', { disabled: true }),
  ]

  it('logs in first, over TLS', async () => {
    const world = await mailWorld()
    const client = world.connect('submission')
    const said = await client.ask('EHLO client.test', 'MAIL FROM:<alice@example.test>', 'AUTH PLAIN AGEAYg==')
    expect(said[1]).toContain('STARTTLS')
    expect(said[1]).not.toContain('AUTH')
    expect(said.slice(2)).toEqual(Array(2).fill('530 5.7.0 Must issue a STARTTLS command first'))
    expect(await client.startTls()).toMatch(/^220 /)
    const secured = await client.ask('EHLO client.test', 'MAIL FROM:<alice@example.test>')
    expect(secured[0]).toMatch(/^250-AUTH .*PLAIN/m)
    expect(secured[1]).toBe('530 5.7.0 Authentication required')
    expect(await client.login('alice@example.test', 'secret')).toMatch(/^235 /)
    expect(await client.say('MAIL FROM:<alice@example.test>')).toMatch(/^250 /)
  })

  it('may do so over TLS from the start', async () => {
    const world = await mailWorld()
    const client = world.connect('submissions')
    expect(await client.say('EHLO client.test')).not.toContain('STARTTLS')
    expect(await client.login('alice@example.test', 'secret')).toMatch(/^235 /)
    const sent = await client.send({ from: 'alice@example.test', to: 'bob@example.test' })
    expect(sent.reply).toMatch(/^250 2\.0\.0 queued as /)
    expect((await world.mail('bob'))[0]!.text).toContain('with ESMTPSA')
  })

  it.each([
    ['a wrong password', 'alice', 'wrong'],
    ['nobody', 'nobody', 'secret'],
    ['who is disabled', 'gone', 'secret'],
    ['who may only read', 'reader', 'secret'],
  ])('is not %s', async (_, name, password) => {
    const { connect, world } = await mailWorld({ people })
    const client = connect('submission', { tls: true })
    await client.say('EHLO client.test')
    const reply = client.login(`${name}@example.test`, password)
    await settled()
    await world.clock.advance(999)
    expect(client.replies).toHaveLength(2)
    await world.clock.advance(1)
    expect(await reply).toBe('535 5.7.8 Authentication credentials invalid')
  })

  it.each([
    [true, '203.0.113.9', 250],
    ['loopback', '127.0.0.1', 250],
    ['loopback', '127.8.9.1', 250],
    ['loopback', '::1', 250],
    ['loopback', '203.0.113.9', 530],
    ['loopback', undefined, 530],
    [false, '127.0.0.1', 530],
  ] as const)('with plaintextAuth %s from %s needs TLS or not', async (plaintextAuth, address, code) => {
    const world = await mailWorld({ options: { plaintextAuth } })
    const client = world.connect('submission', { address, startTls: true })
    await client.say('EHLO client.test')
    const login = await client.login('alice@example.test', 'secret')
    expect(login.slice(0, 3)).toBe(code === 250 ? '235' : '530')
    expect((await client.say('MAIL FROM:<alice@example.test>')).slice(0, 3)).toBe(String(code))
  })

  it.each([
    ['<bob@example.test>', '553 5.7.1 The sender address is not one that you may send as'],
    ['<alice@other.test>', '553 5.7.1 The sender address is not one that you may send as'],
    ['<alice@example.test> SIZE=1001', '552 5.3.4 Message is larger than this account may send'],
    ['<alice@example.test> SIZE=1000', /^250 /],
    ['<Alice+x@Example.Test>', /^250 /],
    ['<>', /^250 /],
  ])('may say MAIL FROM:%s or not', async (path, reply) => {
    const client = await (await mailWorld({ people })).person('alice')
    expect(await client.say(`MAIL FROM:${path}`)).toMatch(reply)
  })

  it('may send no more than the account may', async () => {
    const attachment = (octets: number): string =>
      `${from}Content-Type: application/x-y\r\nContent-Transfer-Encoding: base64\r\n\r\n${'QUJD'.repeat(octets / 3)}\r\n`
    const client = await (await mailWorld({ people })).person('alice')
    const send = async (text: string): Promise<string> =>
      (await client.send({ from: 'alice@example.test', to: 'alice@example.test', content: text })).reply
    expect(await send(attachment(60))).toMatch(/^250 /)
    expect(await send(attachment(63))).toBe('552 5.3.4 An attachment is larger than this account may send')
    expect(await send(`${from}\r\n${'x'.repeat(960)}`)).toMatch(/^250 /)
    expect(await send(`${from}\r\n${'x'.repeat(970)}`)).toBe('552 5.3.4 Message is larger than this account may send')
  })

  it('is heard no more after guessing, wherever he knocks, and others are', async () => {
    const { connect, world } = await mailWorld()
    const fails = async (at: number): Promise<string> => {
      const client = connect(at % 2 ? 'submission' : 'submissions', { tls: true })
      await client.say('EHLO client.test')
      const reply = client.login(`nobody${at}@example.test`, 'secret')
      await settled()
      await world.clock.advance(16_000)
      return reply
    }
    for (let at = 0; at < 10; at++) expect(await fails(at)).toMatch(/^535 5\.7\.8 /)
    expect(await fails(10)).toBe('421 4.7.0 Too many failed log-ins, try again later')
    const guessing = world.events.filter(({ kind }) => kind === 'guessing')
    expect(guessing).toMatchObject([{ limit: 'names', of: '203.0.113.9', count: 10 }])
    const other = connect('submission', { tls: true, address: '198.51.100.7' })
    expect(await other.login('alice@example.test', 'secret')).toMatch(/^235 /)
  })

  it('is asked about again for each message', async () => {
    let disabled = false
    const place = await mailWorld()
    const directory = {
      ...place.directory,
      account: async (id: string) => ({ ...(await place.directory.account(id))!, disabled }),
    }
    const client = await (await mailWorld({ options: { directory } })).person('alice')
    expect((await client.send({ from: 'alice@example.test', to: 'bob@example.test' })).accepted).toBe(true)
    disabled = true
    expect(await client.say('MAIL FROM:<alice@example.test>')).toBe('550 5.7.1 This account may not send mail')
  })
})

describe('to whom', () => {
  const here = '550 5.7.1 This server does not send mail to other servers'
  it.each([
    ['<bob@example.test>', false, /^250 /],
    ['<joe@other.test>', false, here],
    ['<joe@[192.0.2.1]>', false, here],
    ['<nobody@example.test>', false, '550 5.1.1 No such user here'],
    ['<joe@other.test>', true, /^250 /],
    ['<joe@[192.0.2.1]>', true, /^250 /],
    ['<nobody@example.test>', true, '550 5.1.1 No such user here'],
  ] as const)('%s, with a queue that sends: %s', async (path, sends, reply) => {
    const world = await mailWorld({ options: sends ? { queue: takingQueue() } : {} })
    const client = await world.person('alice')
    const replies = await client.ask('MAIL FROM:<alice@example.test>', `RCPT TO:${path}`)
    expect(replies[1]).toMatch(reply)
  })

  it('each once', async () => {
    const queue = takingQueue()
    const client = await (await mailWorld({ options: { queue } })).person('alice')
    const to = ['joe@other.test', 'JOE@other.test', 'joe@OTHER.test', 'bob@example.test', 'bob@example.test']
    await client.send({ from: 'alice@example.test', to })
    expect(queue.taken[0]!.envelope.recipients.map(({ wire }) => wire)).toEqual([to[0], to[1], to[3]])
  })

  it.each([
    ['quota', '552 5.2.2 Mailbox full'],
    ['permanent', '554 5.3.0 This message cannot be delivered'],
    ['temporary', '451 4.3.0 Temporary failure, try again later'],
    ['closed', '451 4.3.0 Temporary failure, try again later'],
  ])('a queue that says %s', async (code, reply) => {
    const { MailError } = await import('../../src/protocol/session/errors.ts')
    const enqueue = async (): Promise<never> => Promise.reject(new MailError(code as 'quota', 'no'))
    const { reply: heard } = await submit(from.trimEnd(), { queue: { ...takingQueue(), enqueue } })
    expect(heard).toBe(reply)
  })
})

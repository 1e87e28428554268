import { describe, expect, it } from 'vitest'
import { type Policy, readBody, type ReceivedMessage } from '../../src/contracts/index.ts'
import { parseReceived } from '../../src/message/index.ts'
import { type ConnectOptions, world, type WorldOptions } from '../../src/testing/index.ts'

interface Scene {
  readonly server?: Extract<WorldOptions['server'], object>
  readonly address?: string | undefined
  readonly connect?: ConnectOptions
  readonly hello?: string
  readonly mail?: string
  readonly to?: string[]
}

/** The header that a message of this scene begins with. */
async function traceOf({
  server,
  address,
  connect,
  hello = 'EHLO client.test',
  mail = 'MAIL FROM:<a@s.test>',
  to = ['b@mx.test'],
}: Scene): Promise<string> {
  const w = world({ seed: 1, now: Date.UTC(2026, 10, 20, 8, 9, 10), server: { ...server } })
  const client = w.connect(address, connect)
  const replies = await client.ask(hello, mail, ...to.map((one) => `RCPT TO:<${one}>`), 'DATA', 'Subject: x', '', 'x', '.')
  if (w.delivered.length === 0) throw new Error(replies.join('\n'))
  const text = Buffer.from(w.delivered[0]!.body.bytes!).toString('utf8')
  return text.slice(0, text.indexOf('Subject: x')).replaceAll(w.delivered[0]!.id, 'ID')
}

const address = '203.0.113.9'
const date = 'Fri, 20 Nov 2026 08:09:10 +0000'

describe('the Received field', () => {
  it('says from whom, by whom, how, under which id, for whom and when', async () => {
    expect(await traceOf({ address })).toBe(
      `Received: from client.test ([203.0.113.9])\r\n by mx.test with ESMTP id ID for <b@mx.test>;\r\n ${date}\r\n`,
    )
  })

  const scenes: readonly (readonly [string, Scene, string])[] = [
    ['HELO', { hello: 'HELO client.test' }, 'with SMTP id'],
    ['EHLO', {}, 'with ESMTP id'],
    ['TLS', { connect: { tls: true } }, 'with ESMTPS id'],
    ['SMTPUTF8', { mail: 'MAIL FROM:<\u00e4@s.test> SMTPUTF8' }, 'with UTF8SMTP id'],
    ['SMTPUTF8 over TLS', { connect: { tls: true }, mail: 'MAIL FROM:<> SMTPUTF8' }, 'with UTF8SMTPS id'],
    ['LMTP', { hello: 'LHLO client.test', server: { profile: 'lmtp' } }, 'with LMTP id'],
    ['LMTP over TLS', { hello: 'LHLO client.test', server: { profile: 'lmtp' }, connect: { tls: true } }, 'with LMTPS id'],
  ]
  it.each(scenes)('names the protocol: %s', async (_, scene, words) => {
    expect(await traceOf(scene)).toContain(words)
  })

  it.each([' (forged)', '\t; Thu, 1 Jan 1970 00:00:00 +0000'])('is nobody else\'s to write on: %j', async (first) => {
    const w = world({ server: {} })
    await w.connect(address).send({ to: 'b@mx.test', content: `${first}\r\nFrom: a@s.test\r\n\r\nx\r\n` })
    const { headers, body, octets } = w.delivered[0]!
    const text = Buffer.from(body.bytes!).toString('latin1')
    expect(headers.fields.map(({ name }) => name)).toEqual(['Received'])
    expect(text.endsWith(` +0000\r\n\r\n${first}\r\nFrom: a@s.test\r\n\r\nx\r\n`)).toBe(true)
    expect(octets).toBe(text.length)
  })

  it('names the protocol of who has logged in', async () => {
    const w = world({ server: { authenticate: () => ({ account: 'a' }) } })
    const client = w.connect(address, { tls: true })
    await client.login('a', 'b')
    await client.send({ to: 'b@mx.test' })
    expect(w.delivered[0]!.headers.value('received')).toContain('with ESMTPSA id')
  })

  it('tells protocol and cipher of TLS', async () => {
    expect(await traceOf({ address, connect: { tls: { cipher: 'TLS_CHACHA20_POLY1305_SHA256' } } })).toContain(
      '(TLSv1.3 TLS_CHACHA20_POLY1305_SHA256)',
    )
  })

  it.each([
    ['2001:db8::9', '([IPv6:2001:db8::9])'],
    ['203.0.113.9', '([203.0.113.9])'],
  ])('writes the address %s as %s', async (from, literal) => {
    expect(await traceOf({ address: from })).toContain(`from client.test ${literal}`)
  })

  it('names no address where there is none', async () => {
    expect(await traceOf({})).toMatch(/^Received: from client\.test\r\n? by|^Received: from client\.test by/)
  })

  it('names a single recipient, and none of several', async () => {
    expect(await traceOf({ to: ['"a b"@mx.test'] })).toContain('for <"a b"@mx.test>')
    expect(await traceOf({ to: ['b@mx.test', 'c@mx.test'] })).not.toContain('for')
  })

  it.each([
    'x)(y',
    'x;\tfrom=evil',
    'x"y',
    'x\\y',
    'a@b',
    '<x>',
    '[evil',
    '[203.0.113.9]',
    '[IPv6:2001:db8::1]',
    'x'.repeat(300),
    '-',
    '.',
    '\u00e4.test',
    '=?utf-8?q?x?=',
    'x\u0085y',
    'x\u2028y',
    '(',
    ')',
    ';',
    'x:y',
    '\u202egnp.test',
  ])('cannot be forged by the name in EHLO: %j', async (name) => {
    const w = world({ server: { smtp: { rules: { lenientPaths: true } } } })
    const client = w.connect(address)
    const [, hello] = await client.ask(`EHLO ${name}`)
    if (!hello!.startsWith('250')) return expect(hello).toMatch(/^50[0-9] 5\.5\./)
    await client.send({ to: 'b@mx.test', content: 'Subject: x\n\n' })
    const [message] = w.delivered
    expect(message!.headers.fields.map((field) => field.name)).toEqual(['Received', 'Subject'])
    const raw = Buffer.from(message!.headers.get('received')!.raw).toString('latin1')
    expect(raw).toMatch(/^[\t\r\n\x20-\x7e]*$/)
    expect(parseReceived(message!.headers.value('received')!)).toMatchObject({ address, by: 'mx.test', id: message!.id })
    expect(raw.trimEnd()).toMatch(/;\s+Thu, 1 Jan 2026 12:00:00 \+0000$/)
    expect(raw.split(';')).toHaveLength(2)
    expect(raw.split('(')).toHaveLength(2)
  })

  it('is left out where it is not wanted', async () => {
    expect(await traceOf({ server: { trace: false } })).toBe('')
  })

  it('stands behind Return-Path and Delivered-To for final delivery', async () => {
    const final = { server: { trace: 'final' as const } }
    expect(await traceOf(final)).toMatch(/^Return-Path: <a@s\.test>\r\nDelivered-To: b@mx\.test\r\nReceived: from/)
    expect(await traceOf({ ...final, mail: 'MAIL FROM:<>' })).toMatch(/^Return-Path: <>\r\nDelivered-To: b@mx\.test\r\nReceived/)
    expect(await traceOf({ ...final, mail: 'MAIL FROM:<"a\\"b>"@s.test>', to: ['"c d"@mx.test'] })).toMatch(
      /^Return-Path: <"a\\"b>"@s\.test>\r\nDelivered-To: "c d"@mx\.test\r\n/,
    )
    expect(await traceOf({ ...final, to: ['b@mx.test', 'c@mx.test'] })).toMatch(/^Return-Path: <a@s\.test>\r\nReceived: from/)
  })

  it('tells nothing of the client where it is told not to', async () => {
    const hidden = await traceOf({ address, server: { hideClient: true } })
    expect(hidden.replaceAll('\r\n', '')).toBe(`Received: from unknown by mx.test with ESMTP id ID for <b@mx.test>; ${date}`)
  })
})

describe('header notes', () => {
  const noted = async (name: string, value: string): Promise<string> => {
    const w = world({
      server: { trace: false, policies: [{ name: 'note', sender: (_, { notes }) => notes.header(name, value) }] },
    })
    await w.connect().send({ to: 'a@mx.test', content: 'Subject: x\n\nbody\n' })
    return Buffer.from(w.delivered[0]!.body.bytes!).toString('latin1')
  }

  it('stand before the message, in their order', async () => {
    const policies = [
      {
        name: 'one',
        message: (_: unknown, { notes }: { notes: { header(name: string, value: string): void } }) =>
          notes.header('X-One', '1'),
      },
      {
        name: 'two',
        connect: (_: unknown, { notes }: { notes: { header(name: string, value: string): void } }) =>
          notes.header('X-Two', '2'),
      },
    ]
    const w = world({ server: { policies } })
    const client = w.connect()
    for (let count = 0; count < 2; count++) {
      await client.send({ to: 'a@mx.test', content: 'Subject: x\n\n' })
      const { headers, facts, octets, body } = w.delivered[count]!
      expect(headers.fields.map(({ name }) => name)).toEqual(['X-Two', 'X-One', 'Received', 'Subject'])
      expect([facts.octets, octets]).toEqual([body.size, body.size])
    }
  })

  it.each([
    ['X-A', 'b\r\nX-Evil: yes', 'X-A: =?UTF-8?Q?b=0D=0AX-Evil=3A_yes?=\r\n'],
    ['X-A: x\r\nX-Evil', 'b', 'X-AxX-Evil: b\r\n'],
    ['X-A', 'Gr\u00fc\u00dfe', /^X-A: =\?utf-8\?[bq]\?/i],
    ['X-A', `${'long '.repeat(40)}end`, /^X-A: long long[^\r\n]{0,70}\r\n long/],
  ])('cannot break out of their field: %j, %j', async (name, value, expected) => {
    const text = await noted(name, value)
    expect(text.slice(text.indexOf('Subject'))).toBe('Subject: x\r\n\r\nbody\r\n')
    if (typeof expected === 'string') expect(text.slice(0, text.indexOf('Subject'))).toBe(expected)
    else expect(text).toMatch(expected)
  })

  const places = [['in memory', {}], ['in the spool', { inMemory: 16 }]] as const
  it.each(places)('take fields out, each once, of a message %s', async (_, where) => {
    const unwanted = (name: string): Policy => ({
      name,
      message: ({ headers }, { notes }) => {
        for (const field of headers.fields) if (field.name === 'X-Evil') notes.remove(field)
        notes.remove({ start: 1, end: 2 })
        notes.header('X-Seen', name)
      },
    })
    let text = ''
    const deliver = async (message: ReceivedMessage): Promise<void> => {
      text = Buffer.from(await readBody(message.body)).toString('utf8')
      expect(message.headers.fields.map(({ name }) => name)).toEqual(['X-Seen', 'X-Seen', 'Subject', 'To'])
      expect([message.facts.octets, message.octets, message.facts.envelope.subject]).toEqual([text.length, text.length, 'x'])
    }
    const w = world({ server: { trace: false, policies: [unwanted('one'), unwanted('two')], ...where, deliver } })
    const content = 'X-Evil: 1\nSubject: x\nX-Evil: 2\n folded\nTo: b\n\nX-Evil: body\n'
    await w.connect().send({ to: 'a@mx.test', content })
    expect(text).toBe('X-Seen: one\r\nX-Seen: two\r\nSubject: x\r\nTo: b\r\n\r\nX-Evil: body\r\n')
  })

  const spans = [{ start: 2, end: 2 }, { start: -1, end: 2 }, { start: 0.5, end: 2 }]
  it.each(spans)('take no span for a field that is none: %j', async (span) => {
    const w = world({ server: { policies: [{ name: 'note', message: (_, { notes }) => notes.remove(span) }] } })
    expect(await w.connect().send({ to: 'a@mx.test', content: 'Subject: x\n\n' })).toMatchObject({ accepted: false })
  })

  it('are seen by the stages that follow', async () => {
    const seen: unknown[] = []
    const policies: Policy[] = [
      { name: 'first', sender: (_, { notes }) => notes.tag('known') },
      { name: 'second', message: (_, { noted }) => void seen.push(...noted) },
    ]
    await world({ server: { policies } }).connect().send({ to: 'a@mx.test', content: 'Subject: x\n\n' })
    expect(seen).toEqual([{ kind: 'tag', policy: 'first', tag: 'known' }])
  })
})

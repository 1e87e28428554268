import { describe, expect, it } from 'vitest'
import { octets } from '../../../src/protocol/bytes/text.ts'
import {
  imapServerConfig,
  type ImapServerEvent,
  type ImapServerOptions,
  type ImapServerSession,
  imapServerSession,
} from '../../../src/protocol/imap/index.ts'
import { plain } from '../../../src/protocol/sasl/plain.ts'
import { answerTo } from './answering.ts'

type Asked = Extract<ImapServerEvent, { readonly id: number }>
type Answers = Partial<Record<ImapServerEvent['kind'], unknown>>

const all = {
  move: true, subscriptions: true, specialUse: true, replace: true, multiAppend: true, quota: true, compress: true,
  metadata: true, notify: true,
}

/** A session and a host that answers at once, and what it is told beside its questions. */
class Telling {
  readonly session: ImapServerSession
  readonly told: unknown[] = []
  now = 0
  private readonly answers: Answers

  constructor(options: Partial<ImapServerOptions> = {}, answers: Answers = {}) {
    const auth = { mechanisms: [plain], withoutTls: true }
    this.answers = answers
    this.session = imapServerSession(
      imapServerConfig({ hostname: 'imap.test', auth, abilities: all, tell: 'commands', ...options }), {}, 0,
    )
    this.pump()
  }

  say(lines: string, size = Infinity): this {
    const bytes = octets(lines.replaceAll('\n', '\r\n'))
    for (let at = 0; at < bytes.length; at += size) {
      this.session.receive(this.now, bytes.subarray(at, Math.min(bytes.length, at + size)))
      this.pump()
    }
    return this
  }

  wait(milliseconds: number): this {
    this.session.advance((this.now += milliseconds))
    this.pump()
    return this
  }

  private pump(): void {
    for (let event = this.session.next(); event; event = this.session.next()) {
      if (event.kind === 'line') this.told.push([event.verb, event.octets])
      else if (event.kind === 'refusal') this.told.push([event.response, event.text, event.limit])
      else if ('id' in event) this.session.answer(event, (this.answers[event.kind] ?? answerTo(event as Asked)) as never)
    }
    this.session.takeOutput()
  }
}

const login = 'a LOGIN a secret\n'
/** What is told of a client that has logged in and selected INBOX, beside the commands by which it did. */
const then = (lines: string, options: Partial<ImapServerOptions> = {}, answers: Answers = {}): unknown[] =>
  new Telling({ tell: 'refusals', ...options }, answers).say(`${login}b SELECT INBOX\n${lines}`).told

describe('the commands that a session tells', () => {
  const append = 'e APPEND INBOX {5+}\nhello\n'
  const fetch = 'c UID fetch 1 {1+}\n1\nd FETCH 1 FLAGS\n'
  const lines = `${login}b select INBOX\n${fetch}${append}f hunter2 hidden\ng UID hunter2 1\nh IDLE\nDONE\n`

  it.each([1, 2, 7, 1000])('are the same however the octets come: in pieces of %d', (size) => {
    expect(new Telling().say(lines, size).told.filter((one) => (one as unknown[]).length === 2)).toEqual([
      ['LOGIN', 18],
      ['SELECT', 16],
      // With its literal.
      ['UID FETCH', 23],
      ['FETCH', 17],
      // Without the message.
      ['APPEND', 21],
      [undefined, 18],
      [undefined, 17],
      ['IDLE', 8],
    ])
  })

  it('are no line of a log-in, nor what is no command at all', () => {
    const given = 'a AUTHENTICATE PLAIN\nAGEAc2VjcmV0\n{5000}\n(secret\n\nsecret!\n'
    expect(new Telling().say(given).told).toEqual([
      ['AUTHENTICATE', 22],
      [undefined, 8],
      ['BAD', 'A tag is missing', undefined],
      [undefined, 9],
      ['BAD', 'A tag is missing', undefined],
      [undefined, 9],
      ['BAD', 'A command is missing', undefined],
    ])
  })

  it('are told to those who ask for them', () => {
    const lines = 'a NOOP\nb NONSENSE\n'
    expect(new Telling({ tell: 'refusals' }).say(lines).told).toEqual([['BAD', 'Unknown command', undefined]])
    const config = imapServerConfig({ hostname: 'imap.test', auth: { mechanisms: [plain] } })
    const session = imapServerSession(config, {}, 0)
    const seen: string[] = []
    const pump = (): void => {
      for (let event = session.next(); event; event = session.next()) {
        seen.push(event.kind)
        if (event.kind === 'connect') session.answer(event, undefined)
      }
    }
    pump()
    session.receive(0, octets('a NOOP\r\nb NONSENSE\r\n'))
    pump()
    expect(seen).toEqual(['connect'])
  })
})

describe('the refusals that a session tells', () => {
  it('are breaches of the protocol, without what the client has sent', () => {
    const lines = 'c LOGIN a b\nd SORT (hunter2) UTF-8 ALL\ne FETCH 1 (hunter2)\nf LIST (hunter2) "" *\ng STORE 1 FLAGS\n'
    expect(then(lines)).toEqual([
      ['BAD', 'Not in this state: selected', undefined],
      ['BAD', 'There is no criterion', undefined],
      ['BAD', 'There is no item', undefined],
      ['BAD', 'There is no option', undefined],
      ['BAD', expect.any(String), undefined],
    ])
    expect(new Telling({ tell: 'refusals' }).say('a NOOP {x}\n').told).toEqual([
      ['BAD', 'A literal that cannot be', undefined],
      ['BYE', 'A literal that cannot be', undefined],
    ])
  })

  it('are no password without TLS, and no room for a message', () => {
    const auth = { mechanisms: [plain] }
    expect(new Telling({ tell: 'refusals', auth }).say('a LOGIN a secret\nb AUTHENTICATE PLAIN\n').told).toEqual([
      ['NO [PRIVACYREQUIRED]', 'TLS first', undefined],
      ['NO [PRIVACYREQUIRED]', 'TLS first', undefined],
    ])
    const full = { used: { octets: 90, messages: 1 }, limit: { octets: 91, messages: 9 } }
    const overQuota = { code: 'OVERQUOTA', refused: 'The account is full' }
    expect(then('c APPEND INBOX {5}\n', {}, { quota: full })).toEqual([['NO [OVERQUOTA]', 'The account is full', undefined]])
    expect(then('c COPY 1 Work\n', {}, { copy: overQuota })).toEqual([['NO [OVERQUOTA]', 'The account is full', undefined]])
  })

  it('are not what concerns nobody but the client', () => {
    const lines = 'c COPY 1 Nowhere\nd DELETE Nowhere\ne SETACL INBOX a r\n'
    expect(then(`${lines}f UID COPY 900 Work\ng SELECT Nowhere\nh LOGOUT\n`)).toEqual([])
    expect(new Telling({ tell: 'refusals' }).say('a LOGIN a wrong\n').wait(1000).told).toEqual([])
    expect(then('c CREATE New\n', {}, { create: undefined })).toEqual([])
  })
})

describe('the limits that a session tells', () => {
  const long = 'x'.repeat(100)
  it.each<[string, string, Partial<ImapServerOptions>, readonly unknown[]]>([
    ['lineOctets', `c NOOP ${long}\n`, { limits: { lineOctets: 50 } }, ['BAD', 'Command line too long']],
    ['literalOctets', `c STATUS {60}\n`, { limits: { literalOctets: 50 } }, ['BAD', 'Literal too large']],
    ['literalOctets', 'c APPEND {60}\n', { limits: { literalOctets: 50 } }, ['BAD', 'Literal too large']],
    ['messageOctets', 'c APPEND INBOX {60+}\n', { limits: { messageOctets: 50 } }, ['NO [TOOBIG]', 'Message too large']],
    ['appendOctets', 'c APPEND INBOX {60}\n', { limits: { appendOctets: 50 } }, ['NO [TOOBIG]', 'Messages too large']],
    ['messageOctets', 'c APPEND INBOX CATENATE (TEXT {60}\n', { limits: { messageOctets: 50 } },
      ['NO [TOOBIG]', 'Message too large']],
    ['mailboxes', 'c CREATE New\n', { limits: { mailboxes: 2 } }, ['NO [LIMIT]', 'Too many mailboxes']],
    ['mailboxes', 'c SUBSCRIBE Work\n', { limits: { mailboxes: 2 } }, ['NO [LIMIT]', 'Too many subscriptions']],
    ['errors', 'c NONSENSE\nd NONSENSE\n', { limits: { errors: 2 } }, ['BYE', 'Too many errors']],
  ])('%s: %s', (limit, lines, options, said) => {
    const told = then(lines, options)
    expect(told[told.length - 1]).toEqual([...said, limit])
  })

  it('are those of keywords, whoever refuses', () => {
    const tooMany = { code: 'LIMIT', refused: 'Too many keywords', limit: 'keywords' }
    expect(then('c STORE 1 +FLAGS (new)\n', {}, { flag: tooMany })).toEqual([['NO [LIMIT]', 'Too many keywords', 'keywords']])
  })

  it('are those before log-in', () => {
    const limits = { lineOctetsBefore: 50, literalOctetsBefore: 40, commandsBefore: 1 }
    const lines = `a NOOP ${long}\nb LOGIN {60}\nc NOOP\nd NOOP\n`
    expect(new Telling({ tell: 'refusals', limits }).say(lines).told).toEqual([
      ['BAD', 'Command line too long', 'lineOctetsBefore'],
      ['BAD', 'Literal too large', 'literalOctetsBefore'],
      ['BYE', 'Too many commands before log-in', 'commandsBefore'],
    ])
    const twice = new Telling({ tell: 'refusals', limits: { authAttempts: 2 } })
    expect(twice.say('a LOGIN a wrong\n').wait(1000).say('b LOGIN a wrong\n').wait(2000).told).toEqual([
      ['BYE', 'Too many failed log-ins', 'authAttempts'],
    ])
  })

  it('are times', () => {
    const idle = ['BYE', 'Idle timeout', 'timeout']
    expect(new Telling({ tell: 'refusals' }).say(login).wait(30 * 60_000).told).toEqual([idle])
    const idling = new Telling({ tell: 'refusals', timeouts: { alive: 60 * 60_000 } }).say(`${login}b SELECT INBOX\nc IDLE\n`)
    expect(idling.wait(30 * 60_000).told).toEqual([idle])
    expect(new Telling({ tell: 'refusals' }).wait(60_000).told).toEqual([['BYE', 'Too slow', 'timeout']])
  })
})

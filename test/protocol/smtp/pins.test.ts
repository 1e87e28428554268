import { describe, expect, it } from 'vitest'
import { login, plain } from '../../../src/protocol/sasl/index.ts'
import { smtpServerConfig, type SmtpServerOptions } from '../../../src/protocol/smtp/index.ts'
import { failed, failedClosing, replies } from '../../../src/protocol/smtp/server/replies.ts'
import { Talk } from './talk.ts'

/*
 * What goes over the wire, word by word: clients, filters and people's tests depend on it. A change here is a change for them,
 * and belongs into CHANGELOG.md.
 */

const ehlo = (options: Partial<SmtpServerOptions>, secure = false, authenticated = false, trusted = false): string[] =>
  smtpServerConfig({ hostname: 'mx.example.org', ...options })
    .ehlo({ secure, certified: false }, authenticated, trusted)
    .split('\r\n')
    .slice(0, -1)

const auth = { mechanisms: [plain, login] }

const common = [
  '250-mx.example.org',
  '250-PIPELINING',
  '250-SIZE 52428800',
  '250-8BITMIME',
  '250-SMTPUTF8',
  '250-CHUNKING',
  '250-BINARYMIME',
]
const last = ['250-ENHANCEDSTATUSCODES', '250 LIMITS RCPTMAX=1000']
const more = ['250-ENHANCEDSTATUSCODES', '250-LIMITS RCPTMAX=1000']
const withLine = (line: string): string[] => [...common.slice(0, 3), line, ...common.slice(3), ...last]

describe('the reply to EHLO', () => {
  it.each(['mx', 'submission', 'lmtp', 'test'] as const)('of the profile %s, nothing else said', (profile) => {
    expect(ehlo({ profile })).toEqual([...common, ...last])
    expect(ehlo({ profile }, true, true)).toEqual([...common, ...last])
  })

  it('offers STARTTLS in the clear only', () => {
    expect(ehlo({ startTls: true })).toEqual(withLine('250-STARTTLS'))
    expect(ehlo({ startTls: true }, true)).toEqual([...common, ...last])
  })

  it('offers AUTH over TLS, or where that is not asked for, and not twice', () => {
    expect(ehlo({ profile: 'submission', auth })).toEqual([...common, ...last])
    expect(ehlo({ profile: 'submission', auth }, true)).toEqual(withLine('250-AUTH PLAIN LOGIN'))
    expect(ehlo({ profile: 'submission', auth: { ...auth, withoutTls: true } })).toEqual(withLine('250-AUTH PLAIN LOGIN'))
    expect(ehlo({ profile: 'submission', auth }, true, true)).toEqual([...common, ...last])
  })

  it('offers mechanisms that need no TLS without it', () => {
    const scram = { name: 'SCRAM-SHA-256', plaintext: false, begin: plain.begin }
    expect(ehlo({ auth: { mechanisms: [plain, scram] } })).toEqual(withLine('250-AUTH SCRAM-SHA-256'))
  })

  it('offers XCLIENT and XFORWARD to trusted peers only', () => {
    expect(ehlo({}, false, false, true)).toEqual([
      ...common,
      ...more,
      '250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT',
      '250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE',
    ])
  })

  it('offers what the host honours, in this order', () => {
    const extensions = {
      dsn: true,
      requireTls: true,
      deliverBy: 60,
      priority: 'MIXER',
      futureRelease: { seconds: 60, until: '2030-01-01T00:00:00Z' },
    }
    const options = { extensions, keywords: ['X-OWN 1'], limits: { transactions: 50, recipients: 10, messageOctets: 1000 } }
    expect(ehlo(options, true)).toEqual([
      '250-mx.example.org',
      '250-PIPELINING',
      '250-SIZE 1000',
      '250-8BITMIME',
      '250-SMTPUTF8',
      '250-CHUNKING',
      '250-BINARYMIME',
      '250-DSN',
      '250-ENHANCEDSTATUSCODES',
      '250-LIMITS MAILMAX=50 RCPTMAX=10',
      '250-REQUIRETLS',
      '250-DELIVERBY 60',
      '250-MT-PRIORITY MIXER',
      '250-FUTURERELEASE 60 2030-01-01T00:00:00Z',
      '250 X-OWN 1',
    ])
  })
})

describe('the greeting', () => {
  it.each([
    ['mx', '220 mx.example.org ESMTP\r\n'],
    ['submission', '220 mx.example.org ESMTP\r\n'],
    ['test', '220 mx.example.org ESMTP\r\n'],
    ['lmtp', '220 mx.example.org LMTP\r\n'],
  ] as const)('of the profile %s', (profile, wire) => {
    expect(new Talk({ profile }).pump()).toBe(wire)
  })
})

it('pins every reply of the session', () => {
  expect([failed, failedClosing]).toEqual([
    { code: 451, enhanced: '4.3.0', text: 'Temporary failure, try again later' },
    { code: 421, enhanced: '4.3.0', text: 'Temporary failure, closing connection' },
  ])
  expect(Object.values(replies).join('').split('\r\n').slice(0, -1).sort()).toEqual([
    '220 Ready to start TLS',
    '221 2.0.0 Bye',
    '235 2.7.0 Authentication successful',
    '250 2.0.0 Message accepted',
    '250 2.0.0 Ok',
    '250 2.1.0 Sender ok',
    '250 2.1.5 Recipient ok',
    '252 2.5.0 Cannot verify, but will take mail for it and try',
    '354 End data with <CR><LF>.<CR><LF>',
    '421 4.3.2 Service is shutting down, try again later',
    '421 4.4.2 Connection has lasted too long, closing',
    '421 4.4.2 Timeout, closing connection',
    '421 4.5.3 Too many messages on one connection, closing',
    '421 4.7.0 Too many authentication failures, closing connection',
    '421 4.7.0 Too many commands, closing connection',
    '421 4.7.0 Too many errors, closing connection',
    '421 4.7.1 Too many refused recipients, closing connection',
    '451 4.3.0 Temporary failure, try again later',
    '452 4.5.3 Too many recipients',
    '500 5.5.1 Command not recognised',
    '500 5.5.2 Line holds a control character',
    '500 5.5.2 Line must end in CR LF',
    '500 5.5.2 Line too long',
    '500 5.5.6 Authentication line too long',
    '501 5.5.2 Cannot decode base64',
    '501 5.5.2 Line is not UTF-8',
    '501 5.5.4 QUIT takes no argument; bye',
    '501 5.5.4 Syntax: AUTH mechanism [initial-response]',
    '501 5.5.4 Syntax: BDAT octets [LAST]',
    '501 5.5.4 Syntax: MAIL FROM:<address>',
    '501 5.5.4 Syntax: RCPT TO:<address>',
    '501 5.5.4 Takes a name or an address',
    '501 5.5.4 Takes no argument',
    '501 5.5.4 Takes one domain name or address literal',
    '501 5.7.0 Authentication cancelled',
    '501 5.7.0 Mechanism takes no initial response',
    '502 5.5.1 Command not implemented',
    '502 5.7.0 Lists are not expanded here',
    '503 5.5.0 Improper use of pipelining',
    '503 5.5.1 A transaction is open already',
    '503 5.5.1 Already authenticated',
    '503 5.5.1 An earlier chunk was refused; RSET first',
    '503 5.5.1 BODY=BINARYMIME needs BDAT',
    '503 5.5.1 Content has begun',
    '503 5.5.1 DATA cannot follow BDAT',
    '503 5.5.1 MAIL first',
    '503 5.5.1 Not within a transaction',
    '503 5.5.1 Only QUIT is accepted here',
    '503 5.5.1 RCPT first',
    '503 5.5.1 Say EHLO first',
    '503 5.5.1 Say LHLO first',
    '503 5.5.1 TLS is active already',
    '504 5.5.4 Mechanism not offered',
    '530 5.7.0 Authentication required',
    '530 5.7.0 Must issue a STARTTLS command first',
    '535 5.7.8 Authentication credentials invalid',
    '538 5.7.11 Encryption required for this mechanism',
    '550 5.6.0 Message holds a bare CR or LF',
    '550 5.6.0 Message holds a line that is too long',
    '550 5.7.0 Not authorised',
    '552 5.3.4 Message header is larger than accepted here',
    '552 5.3.4 Message is larger than accepted here',
    '553 5.6.7 Address is not ASCII and SMTPUTF8 was not given',
    '554 5.4.6 Too many hops, this is a mail loop',
    '554 5.5.1 No valid recipients',
    '554 5.5.1 Wait for the greeting before you speak',
    '555 5.5.4 REQUIRETLS is offered over TLS only',
  ])
})

import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/adapters/node/index.ts'
import { CramMd5Exchange } from '../../../src/protocol/sasl/cram-md5.ts'
import {
  anonymous,
  cramMd5,
  external,
  oauthBearer,
  type SaslMechanism,
  type SaslStep,
  xoauth2,
} from '../../../src/protocol/sasl/index.ts'
import { base64, bytes, clear, secure, text } from './talk.ts'

const respond = (mechanism: SaslMechanism, message: string | Uint8Array | undefined): SaslStep =>
  mechanism.begin(secure).respond(typeof message === 'string' ? bytes(message) : message)

const empty: SaslStep = { kind: 'challenge', bytes: new Uint8Array(0) }

describe('CRAM-MD5 (RFC 2195)', () => {
  const challenge = '<1896.697170952@postoffice.reston.mci.net>'
  const digest = 'b913a602c7eda7a495b4e6e7334d3890'
  const ofNothing = Buffer.from(nodeCrypto.hmac('MD5', bytes(''), bytes(challenge))).toString('hex')
  const exchange = (response: string, password: string | undefined): SaslStep => {
    const server = new CramMd5Exchange(nodeCrypto, challenge)
    expect(server.respond(undefined)).toEqual({ kind: 'challenge', bytes: bytes(challenge) })
    const step = server.respond(bytes(response))
    return step.kind === 'lookUp' ? server.found(password === undefined ? undefined : { password }) : step
  }
  const refuted = (username: string) => ({ kind: 'refuted', mechanism: 'CRAM-MD5', username, why: 'proof' })

  it('speaks the example of the RFC', () => {
    const credentials = { kind: 'proven', mechanism: 'CRAM-MD5', username: 'tim' }
    expect(exchange(`tim ${digest}`, 'tanstaaftanstaaf')).toEqual({ kind: 'verify', credentials })
  })

  it.each([
    ['another password', `tim ${digest}`, 'pencil'],
    ['no password', `tim ${digest}`, undefined],
    ['another digest', `tim ${digest.replace('b', 'c')}`, 'tanstaaftanstaaf'],
    ['the digest of an empty password', `tim ${ofNothing}`, ''],
  ])('refutes %s', (_what, response, password) => {
    expect(exchange(response, password)).toEqual({ kind: 'verify', credentials: refuted('tim') })
  })

  it('takes a name with blanks', () => {
    expect(exchange(`tim t. ${digest}`, 'x')).toEqual({ kind: 'verify', credentials: refuted('tim t.') })
  })

  const wrong = ['', 'tim', ` ${digest}`, `tim ${digest}0`, `t\0im ${digest}`, `${'a'.repeat(256)} ${digest}`]
  it.each(wrong)('refuses %j', (response) => {
    expect(exchange(response, 'x').kind).toBe('malformed')
  })

  it('challenges in other words each time, and speaks first', () => {
    const mechanism = cramMd5({ crypto: nodeCrypto, hostname: 'mx.example.org' })
    const [one, other] = [respond(mechanism, undefined), respond(mechanism, undefined)]
    expect(one).not.toEqual(other)
    expect(one.kind === 'challenge' && text(one.bytes)).toMatch(/^<[0-9a-f]{32}@mx\.example\.org>$/)
    expect(mechanism.serverFirst).toBe(true)
  })
})

describe('OAUTHBEARER (RFC 7628)', () => {
  const mechanism = oauthBearer({ scope: 'mail', openidConfiguration: 'https://id.example/.well-known' })
  const token = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=='
  const credentials = { kind: 'token', mechanism: 'OAUTHBEARER', username: 'user@example.com', token }

  it('reads the example of §4.1', () => {
    const example =
      'bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRm' +
      'dDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB'
    expect(respond(mechanism, base64(example))).toEqual({ kind: 'verify', credentials })
    expect(respond(mechanism, undefined)).toEqual(empty)
  })

  it.each([
    ['no name', `n,,\u0001auth=Bearer ${token}\u0001\u0001`, ''],
    ['a name with a comma', `n,a=a=2Cb,\u0001auth=bearer ${token}\u0001\u0001`, 'a,b'],
    ['a flag that wants to bind', `y,a=x,\u0001auth=BEARER ${token}\u0001user=me\u0001\u0001`, 'x'],
  ])('takes %s', (_what, message, username) => {
    expect(respond(mechanism, message)).toEqual({ kind: 'verify', credentials: { ...credentials, username } })
  })

  it.each([
    ['nothing', ''],
    ['a separator alone', '\u0001'],
    ['a channel binding', `p=tls-exporter,,\u0001auth=Bearer ${token}\u0001\u0001`],
    ['one separator at the end', `n,,\u0001auth=Bearer ${token}\u0001`],
    ['a scheme that is none', `n,,\u0001auth=Basic ${token}\u0001\u0001`],
    ['a token of two words', 'n,,\u0001auth=Bearer one two\u0001\u0001'],
    ['two tokens', `n,,\u0001auth=Bearer one\u0001auth=Bearer two\u0001\u0001`],
    ['what is no pair', 'n,,\u0001auth\u0001\u0001'],
    ['a NUL in the name', 'n,a=a\0b,\u0001auth=Bearer x\u0001\u0001'],
    ['a long name', `n,a=${'a'.repeat(256)},\u0001auth=Bearer x\u0001\u0001`],
    ['too much', `n,,\u0001auth=Bearer ${'x'.repeat(20_000)}\u0001\u0001`],
    ['no UTF-8', Uint8Array.of(255)],
  ])('refuses %s', (_what, message) => {
    expect(respond(mechanism, message).kind).toBe('malformed')
  })

  it('tells who has no token, and whose token is refused, where to get one', () => {
    const told = { status: 'invalid_token', scope: 'mail', 'openid-configuration': 'https://id.example/.well-known' }
    const server = mechanism.begin(secure)
    const step = server.respond(bytes('n,,\u0001auth=\u0001\u0001'))
    expect(step.kind === 'challenge' && JSON.parse(text(step.bytes))).toEqual(told)
    expect(server.respond(bytes('\u0001')).kind).toBe('malformed')
    expect(JSON.parse(text(mechanism.begin(secure).refused!()))).toEqual(told)
    expect(text(oauthBearer().begin(secure).refused!())).toBe('{"status":"invalid_token"}')
  })
})

describe('XOAUTH2', () => {
  const mechanism = xoauth2({ scope: 'https://mail.example/' })

  it('reads the example of Google', () => {
    const example =
      'dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=='
    const token = 'ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg'
    const credentials = { kind: 'token', mechanism: 'XOAUTH2', username: 'someuser@example.com', token }
    expect(respond(mechanism, base64(example))).toEqual({ kind: 'verify', credentials })
  })

  it.each([
    '',
    'user=\u0001auth=Bearer x\u0001\u0001',
    'auth=Bearer x\u0001user=me\u0001\u0001',
    'user=me',
    'user=me\u0001auth=x\u0001\u0001',
  ])('refuses %j', (message) => {
    expect(respond(mechanism, message).kind).toBe('malformed')
  })

  it('tells why a token is refused', () => {
    const told = JSON.parse(text(mechanism.begin(secure).refused!()))
    expect(told).toEqual({ status: '401', schemes: 'bearer', scope: 'https://mail.example/' })
  })
})

describe('EXTERNAL (RFC 4422 appendix A)', () => {
  it('takes a name or none', () => {
    const credentials = (username: string) => {
      return { kind: 'verify', credentials: { kind: 'external', mechanism: 'EXTERNAL', username } }
    }
    expect(respond(external, undefined)).toEqual(empty)
    expect(respond(external, '')).toEqual(credentials(''))
    expect(respond(external, 'user@example.org')).toEqual(credentials('user@example.org'))
  })

  it.each(['a\0b', 'a'.repeat(256), Uint8Array.of(255)])('refuses what is no name', (message) => {
    expect(respond(external, message).kind).toBe('malformed')
  })

  it('is there for whom a certificate was signed', () => {
    const channels = [clear, secure, { ...clear, certified: true }, { ...secure, certified: true }]
    expect(channels.map((channel) => external.usable!(channel))).toEqual([false, false, false, true])
  })
})

describe('ANONYMOUS (RFC 4505)', () => {
  it('takes a word for the log, or none', () => {
    const credentials = { kind: 'anonymous', mechanism: 'ANONYMOUS', username: '', trace: 'sirhc@example.com' }
    expect(respond(anonymous, undefined)).toEqual(empty)
    expect(respond(anonymous, 'sirhc@example.com')).toEqual({ kind: 'verify', credentials })
    expect(respond(anonymous, '')).toEqual({ kind: 'verify', credentials: { ...credentials, trace: '' } })
    expect(respond(anonymous, '\u00e9'.repeat(255)).kind).toBe('verify')
  })

  it.each(['a\nb', 'a\0b', 'a'.repeat(256), Uint8Array.of(255)])('refuses what would spoil a log', (message) => {
    expect(respond(anonymous, message).kind).toBe('malformed')
  })
})

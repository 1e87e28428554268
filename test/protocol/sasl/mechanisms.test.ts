import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { login, plain, type SaslChannel, type SaslMechanism, type SaslStep } from '../../../src/protocol/sasl/index.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const channel: SaslChannel = { secure: true, certified: false }

/** What comes of the client's words, one after the other; `undefined` is no initial response. */
function exchange(mechanism: SaslMechanism, ...words: readonly (string | Uint8Array | undefined)[]): SaslStep {
  const server = mechanism.begin(channel)
  let step: SaslStep | undefined
  for (const word of words) step = server.respond(typeof word === 'string' ? bytes(word) : word)
  return step!
}

const challenge = (text: string): SaslStep => ({ kind: 'challenge', bytes: bytes(text) })
const password = (mechanism: string, username: string, secret: string, authorizeAs?: string): SaslStep => ({
  kind: 'verify',
  credentials: {
    kind: 'password',
    mechanism,
    username,
    password: secret,
    ...(authorizeAs === undefined ? {} : { authorizeAs }),
  },
})

/** What may be a name or a password: no NUL, not empty, not overlong. */
const word = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60, size: 'max' })
  .filter((text) => !text.includes('\0') && bytes(text).length <= 255)

describe('PLAIN (RFC 4616)', () => {
  it('asks with an empty challenge where nothing came', () => {
    expect(exchange(plain, undefined)).toEqual(challenge(''))
  })

  it('takes any name and password', () => {
    fc.assert(
      fc.property(word, word, word, (other, name, secret) => {
        expect(exchange(plain, `\0${name}\0${secret}`)).toEqual(password('PLAIN', name, secret))
        expect(exchange(plain, undefined, `${other}\0${name}\0${secret}`)).toEqual(
          password('PLAIN', name, secret, other === name ? undefined : other),
        )
      }),
    )
  })

  it.each<[string, string | Uint8Array]>([
    ['nothing', ''],
    ['no name', '\0\0secret'],
    ['no password', '\0user\0'],
    ['one NUL', 'user\0secret'],
    ['three NULs', '\0user\0secret\0'],
    ['no UTF-8', Uint8Array.of(0, 255, 0, 97)],
    ['too much', `\0${'a'.repeat(400)}\0${'b'.repeat(400)}`],
  ])('refuses %s', (_what, given) => {
    expect(exchange(plain, given).kind).toBe('malformed')
  })
})

describe('LOGIN', () => {
  it('asks for the name, then for the password', () => {
    expect(exchange(login, undefined)).toEqual(challenge('Username:'))
    expect(exchange(login, undefined, 'user')).toEqual(challenge('Password:'))
    expect(exchange(login, undefined, 'user', 'secret')).toEqual(password('LOGIN', 'user', 'secret'))
    expect(exchange(login, 'user', 'secret')).toEqual(password('LOGIN', 'user', 'secret'))
  })

  it('takes any name and password, and keeps exchanges apart', () => {
    fc.assert(
      fc.property(word, word, (name, secret) => {
        const [one, other] = [login.begin(channel), login.begin(channel)]
        one.respond(bytes(name))
        other.respond(bytes('other'))
        expect(one.respond(bytes(secret))).toEqual(password('LOGIN', name, secret))
        expect(other.respond(bytes(secret))).toEqual(password('LOGIN', 'other', secret))
      }),
    )
  })

  it.each<[string, string | Uint8Array]>([
    ['nothing', ''],
    ['a NUL', 'us\0er'],
    ['no UTF-8', Uint8Array.of(255)],
    ['too much', 'a'.repeat(256)],
  ])('refuses %s, as name and as password', (_what, given) => {
    expect(exchange(login, given).kind).toBe('malformed')
    expect(exchange(login, 'user', given).kind).toBe('malformed')
  })
})

it.each([plain, login])('$name is for TLS', (mechanism) => {
  expect(mechanism.plaintext).toBe(true)
})

import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/adapters/node/index.ts'
import { chooseMechanism, clientMechanisms, type MechanismChoice } from '../../../src/protocol/sasl/index.ts'
import { bound, bytes, clear, secure, text } from './talk.ts'

const everything = clientMechanisms.map(({ name }) => name)
const password = { username: 'user', password: 'pencil' }
const token = { username: 'user', token: 'x' }
const choice = (given: Partial<MechanismChoice>): string | undefined =>
  chooseMechanism({ offered: everything, identity: password, channel: secure, ...given })?.name

describe('a client chooses', () => {
  it.each<[string, Partial<MechanismChoice>, string | undefined]>([
    ['what binds, where the channel can be bound to', { channel: bound('x') }, 'SCRAM-SHA-256-PLUS'],
    ['SCRAM else', {}, 'SCRAM-SHA-256'],
    ['SCRAM without TLS too', { channel: clear }, 'SCRAM-SHA-256'],
    ['PLAIN over TLS', { offered: ['plain', 'login'] }, 'PLAIN'],
    ['nothing plain without TLS', { offered: ['PLAIN', 'LOGIN', 'XOAUTH2'], channel: clear }, undefined],
    ['CRAM-MD5 without TLS, if that is all', { offered: ['PLAIN', 'CRAM-MD5'], channel: clear }, 'CRAM-MD5'],
    ['its certificate', { identity: { ...password, certificate: true } }, 'EXTERNAL'],
    ['no certificate without TLS', { identity: { username: '', certificate: true }, channel: clear }, undefined],
    ['a token', { identity: token }, 'OAUTHBEARER'],
    ['a token the old way', { identity: token, offered: ['XOAUTH2', 'PLAIN'] }, 'XOAUTH2'],
    ['no token without a name the old way', { identity: { ...token, username: '' }, offered: ['XOAUTH2'] }, undefined],
    ['no token that would be more than one part', { identity: { username: 'a\u0001auth=Bearer y', token: 'x' } }, undefined],
    ['what can act as others', { identity: { ...password, authorizeAs: 'x' }, offered: ['LOGIN', 'CRAM-MD5', 'PLAIN'] }, 'PLAIN'],
    ['nothing, with nothing in hand', { identity: { username: 'user' } }, undefined],
    ['to be nobody', { identity: { username: '', anonymous: '' } }, 'ANONYMOUS'],
    ['among what is allowed', { allowed: ['login', 'plain'] }, 'LOGIN'],
    ['nothing that is not offered', { offered: ['NTLM', 'X-FOO'] }, undefined],
  ])('%s', (_what, given, wanted) => {
    expect(choice(given)).toBe(wanted)
  })
})

it('SCRAM says what it makes of channel binding', () => {
  const scram = clientMechanisms.find(({ name }) => name === 'SCRAM-SHA-256')!
  const first = (channel: MechanismChoice['channel'], offered: readonly string[]): string => {
    const step = scram.begin({ identity: password, channel, crypto: nodeCrypto, offered }).respond(undefined)
    return step.kind === 'response' ? text(step.bytes).slice(0, 2) : step.kind
  }
  expect(first(secure, ['SCRAM-SHA-256'])).toBe('n,')
  expect(first(bound('x'), ['SCRAM-SHA-256'])).toBe('y,')
  expect(first(bound('x'), ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'])).toBe('n,')
})

it('is not content before all has been heard', () => {
  for (const mechanism of clientMechanisms) {
    const identity = { ...password, token: 'x', certificate: true, anonymous: '' }
    const exchange = mechanism.begin({ identity, channel: bound('x'), crypto: nodeCrypto, offered: everything })
    expect(exchange.succeeded().kind).toBe('failed')
  }
})

it('does not send a NUL where it would part a name from a password', () => {
  const plain = clientMechanisms.find(({ name }) => name === 'PLAIN')!
  const identity = { username: 'a\0b', password: 'x' }
  expect(plain.begin({ identity, channel: secure, crypto: nodeCrypto, offered: [] }).respond(undefined).kind).toBe('failed')
})

it('LOGIN has no third word', () => {
  const login = clientMechanisms.find(({ name }) => name === 'LOGIN')!
  const exchange = login.begin({ identity: password, channel: secure, crypto: nodeCrypto, offered: [] })
  expect([undefined, bytes('x'), bytes('y'), bytes('z')].map((word) => exchange.respond(word).kind)).toEqual([
    'wait',
    'response',
    'response',
    'failed',
  ])
})

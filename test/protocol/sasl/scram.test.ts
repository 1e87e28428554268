import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/adapters/node/index.ts'
import { ScramClientExchange } from '../../../src/protocol/sasl/client/scram.ts'
import { type SaslChannel, scram, type ScramKeys, scramKeysOf, scramPlus } from '../../../src/protocol/sasl/index.ts'
import { ScramExchange } from '../../../src/protocol/sasl/scram.ts'
import { base64, bound, bytes, clear, secure, talk, text } from './talk.ts'

const secret = bytes('what nobody else knows')

/** The exchanges of RFC 5802 §5 and RFC 7677 §3: user `user`, password `pencil`. */
const examples = [
  {
    hash: 'SHA-1',
    first: 'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
    challenge: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
    proof: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    signature: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    nonces: ['fyko+d2lbbFgONRv9qkxdawL', '3rfcNHYJY1ZVvWVs7j'],
    salt: 'QSXCR+Q6sek8bf92',
  },
  {
    hash: 'SHA-256',
    first: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
    challenge: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    proof: 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    signature: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    nonces: ['rOprNGfwEbeRWgbNEkqO', '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'],
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
  },
] as const

const pencil = (hash: 'SHA-1' | 'SHA-256', salt: string): Promise<ScramKeys> =>
  scramKeysOf(nodeCrypto, hash, 'pencil', { salt: base64(salt), iterations: 4096 })

describe.each(examples)('SCRAM-$hash', ({ hash, first, challenge, proof, signature, nonces, salt }) => {
  const server = (channel: SaslChannel = secure, plus: 'none' | 'offered' | 'required' = 'none') =>
    new ScramExchange({ hash, crypto: nodeCrypto, secret }, channel, plus, nonces[1])

  /** A server that has heard the first message and found the keys. */
  async function challenged(message: string = first, channel?: SaslChannel, plus?: 'none' | 'offered' | 'required') {
    const exchange = server(channel, plus)
    const step = exchange.respond(bytes(message))
    return { exchange, step, next: step.kind === 'lookUp' ? exchange.found({ keys: await pencil(hash, salt) }) : step }
  }

  it('speaks the example of the RFC, as server', async () => {
    const { exchange, step, next } = await challenged()
    expect(step).toEqual({ kind: 'lookUp', lookUp: { kind: 'scramKeys', mechanism: `SCRAM-${hash}`, username: 'user', hash } })
    expect(next).toEqual({ kind: 'challenge', bytes: bytes(challenge) })
    expect(exchange.respond(bytes(proof))).toEqual({ kind: 'challenge', bytes: bytes(signature) })
    const credentials = { kind: 'proven', mechanism: `SCRAM-${hash}`, username: 'user' }
    expect(exchange.respond(new Uint8Array(0))).toEqual({ kind: 'verify', credentials })
  })

  it('speaks the example of the RFC, as client', async () => {
    const context = { identity: { username: 'user', password: 'pencil' }, channel: secure, crypto: nodeCrypto, offered: [] }
    const client = new ScramClientExchange(hash, false, context, nonces[0])
    expect(client.respond(undefined)).toEqual({ kind: 'response', bytes: bytes(first) })
    const step = client.respond(bytes(challenge))
    expect(step.kind).toBe('derive')
    if (step.kind !== 'derive') return
    const key = await nodeCrypto.pbkdf2(step.hash, step.password, step.salt, step.iterations)
    expect(client.derived(key)).toEqual({ kind: 'response', bytes: bytes(proof) })
    expect(client.succeeded().kind).toBe('failed')
    expect(client.respond(bytes(signature))).toEqual({ kind: 'response', bytes: bytes('') })
    expect(client.succeeded()).toEqual({ kind: 'done' })
  })

  it.each([
    ['no header', 'n=user,r=abc'],
    ['no flag', ',,n=user,r=abc'],
    ['a flag that is none', 'x,,n=user,r=abc'],
    ['a binding without -PLUS', 'p=tls-exporter,,n=user,r=abc'],
    ['an authorization identity that is none', 'n,b=user,n=user,r=abc'],
    ['an empty authorization identity', 'n,a=,n=user,r=abc'],
    ['an extension that must be understood', 'n,,m=ext,n=user,r=abc'],
    ['no name', 'n,,r=abc'],
    ['an empty name', 'n,,n=,r=abc'],
    ['a name in another encoding', 'n,,n=us=er,r=abc'],
    ['a name with what is prohibited', 'n,,n=us\u0007er,r=abc'],
    ['a name of nothing that can be seen', 'n,,n=\u00ad,r=abc'],
    ['a name too long', `n,,n=${'a'.repeat(256)},r=abc`],
    ['a NUL', 'n,,n=us\0er,r=abc'],
    ['no nonce', 'n,,n=user'],
    ['an empty nonce', 'n,,n=user,r='],
    ['a nonce with a blank', 'n,,n=user,r=a b'],
    ['too much', `n,,n=user,r=${'a'.repeat(5000)}`],
    ['nothing', ''],
  ])('refuses %s', (_what, message) => {
    expect(server().respond(bytes(message)).kind).toBe('malformed')
  })

  it('takes names with commas and equals signs, prepared, and extensions that it does not know', () => {
    const step = server().respond(bytes('n,a=a=2Cb=3Dc,n=\u2168=2C=3D,r=abc,x=more'))
    expect(step).toMatchObject({ kind: 'lookUp', lookUp: { username: 'IX,=' } })
  })

  it('asks for the first message by an empty challenge', () => {
    const exchange = server()
    expect(exchange.respond(undefined)).toEqual({ kind: 'challenge', bytes: bytes('') })
    expect(exchange.respond(bytes(first)).kind).toBe('lookUp')
  })

  it.each([
    ['another nonce', (message: string) => message.replace('r=', 'r=x'), 'malformed'],
    ['no binding', (message: string) => message.slice(7), 'malformed'],
    ['another header in the binding', (message: string) => message.replace('c=biws', 'c=eSws'), 'refuted'],
    ['another proof', (message: string) => message.replace('p=', 'p=AAAA').replace(/AAAA(.*)....$/, 'AAAA$1'), 'refuted'],
    ['a short proof', (message: string) => message.replace(/p=.*/, 'p=AAAA'), 'refuted'],
    ['no proof', (message: string) => message.replace(/,p=.*/, ''), 'malformed'],
    ['something behind the proof', (message: string) => `${message},x=y`, 'malformed'],
    ['an extension under the proof', (message: string) => message.replace(',p=', ',x=y,p='), 'refuted'],
    ['a mandatory extension', (message: string) => message.replace(',p=', ',m=y,p='), 'malformed'],
  ])('refuses %s in the final message', async (_what, change, kind) => {
    const { exchange } = await challenged()
    const step = exchange.respond(bytes(change(proof)))
    expect(step.kind === 'verify' ? step.credentials.kind : step.kind).toBe(kind)
  })

  it('wants an empty response to its signature', async () => {
    const { exchange } = await challenged()
    exchange.respond(bytes(proof))
    expect(exchange.respond(bytes('x')).kind).toBe('malformed')
  })

  it('sees who was deceived about channel binding', () => {
    const y = bytes('y,,n=user,r=abc')
    expect(server(bound('one'), 'offered').respond(y)).toMatchObject({ kind: 'malformed' })
    // Without a binding it was not offered; and where no -PLUS is, it cannot have been.
    expect(server(secure, 'offered').respond(y).kind).toBe('lookUp')
    expect(server(bound('one'), 'none').respond(y).kind).toBe('lookUp')
    expect(server(bound('one'), 'offered').respond(bytes('n,,n=user,r=abc')).kind).toBe('lookUp')
  })

  it.each([
    ['a client that does not bind', 'n,,n=user,r=abc'],
    ['a client that thinks it cannot be', 'y,,n=user,r=abc'],
    ['tls-unique', 'p=tls-unique,,n=user,r=abc'],
    ['a type that is none', 'p=__proto__,,n=user,r=abc'],
  ])('as -PLUS refuses %s', (_what, message) => {
    expect(server(bound('one'), 'required').respond(bytes(message)).kind).toBe('malformed')
  })

  it('as -PLUS refuses a type that the channel has nothing of', () => {
    const channel = { ...secure, binding: () => undefined }
    expect(server(channel, 'required').respond(bytes('p=tls-exporter,,n=user,r=abc')).kind).toBe('malformed')
  })
})

describe('SCRAM for nobody', () => {
  const exchange = (username: string, made = secret) => {
    const server = new ScramExchange({ hash: 'SHA-256', crypto: nodeCrypto, secret: made }, secure, 'none', 'server')
    server.respond(bytes(`n,,n=${username},r=client`))
    return server
  }
  const challenge = (username: string, made?: Uint8Array): string => {
    const step = exchange(username, made).found(undefined)
    return step.kind === 'challenge' ? text(step.bytes) : ''
  }

  it('looks as for somebody, each time alike', () => {
    expect(challenge('nobody')).toMatch(/^r=clientserver,s=[A-Za-z0-9+/]{22}==,i=10000$/)
    expect(challenge('nobody')).toBe(challenge('nobody'))
    expect(challenge('Nobody')).toBe(challenge('nobody'))
    expect(challenge('nobody')).not.toBe(challenge('somebody'))
    expect(challenge('nobody')).not.toBe(challenge('nobody', bytes('another secret')))
  })

  it('fails at the proof', () => {
    const server = exchange('nobody')
    server.found(undefined)
    const proof = Buffer.alloc(32).toString('base64')
    const credentials = { kind: 'refuted', mechanism: 'SCRAM-SHA-256', username: 'nobody', why: 'proof' }
    expect(server.respond(bytes(`c=biws,r=clientserver,p=${proof}`))).toEqual({ kind: 'verify', credentials })
  })
})

describe('a SCRAM client', () => {
  const begun = (identity = { username: 'user', password: 'pencil' }) => {
    const client = new ScramClientExchange('SHA-256', false, { identity, channel: clear, crypto: nodeCrypto, offered: [] }, 'abc')
    return { client, first: client.respond(undefined) }
  }

  it.each([
    ['another nonce', 'r=abdef,s=c2FsdA==,i=4096'],
    ['its own nonce alone', 'r=abc,s=c2FsdA==,i=4096'],
    ['no salt', 'r=abcdef,s=,i=4096'],
    ['too few rounds', 'r=abcdef,s=c2FsdA==,i=4095'],
    ['too many rounds', 'r=abcdef,s=c2FsdA==,i=1000001'],
    ['rounds that are no number', 'r=abcdef,s=c2FsdA==,i=4e5'],
    ['rounds beyond number', 'r=abcdef,s=c2FsdA==,i=99999999999999999999'],
    ['a mandatory extension', 'm=x,r=abcdef,s=c2FsdA==,i=4096'],
    ['an error', 'e=no-resources'],
    ['nothing', ''],
  ])('gives up at %s', (_what, challenge) => {
    expect(begun().client.respond(bytes(challenge)).kind).toBe('failed')
  })

  it('tells the error of the server, if it is one that there is', async () => {
    const final = async (message: string) => {
      const { client } = begun()
      const step = client.respond(bytes('r=abcdef,s=c2FsdA==,i=4096'))
      if (step.kind !== 'derive') return undefined
      client.derived(await nodeCrypto.pbkdf2(step.hash, step.password, step.salt, step.iterations))
      return client.respond(bytes(message))
    }
    expect(await final('e=invalid-proof')).toEqual({ kind: 'failed', why: 'SCRAM: the server says invalid-proof' })
    expect(await final('e=<script>')).toEqual({ kind: 'failed', why: 'SCRAM: the server says other-error' })
    expect(await final('v=AAAA')).toEqual({ kind: 'failed', why: 'SCRAM: the server does not know the password' })
  })

  it('does not send a name that cannot be', () => {
    expect(begun({ username: 'us\u0007er', password: 'x' }).first.kind).toBe('failed')
  })
})

it('is offered as -PLUS on channels that can be bound to', () => {
  const plus = scramPlus({ hash: 'SHA-256', crypto: nodeCrypto, secret })
  expect([clear, secure, bound('x')].map((channel) => plus.usable!(channel))).toEqual([false, false, true])
  expect(scram({ hash: 'SHA-256', crypto: nodeCrypto, secret }).usable).toBeUndefined()
})

it('is bound to one channel', async () => {
  const keys = await scramKeysOf(nodeCrypto, 'SHA-256', 'pencil', { iterations: 4096 })
  const run = (mine: SaslChannel, theirs: SaslChannel) => {
    const identity = { username: 'user', password: 'pencil' }
    const client = new ScramClientExchange('SHA-256', true, { identity, channel: mine, crypto: nodeCrypto, offered: [] })
    const server = scramPlus({ hash: 'SHA-256', crypto: nodeCrypto, secret }).begin(theirs)
    return talk(client, server, { secret: () => ({ keys }) })
  }
  expect(await run(bound('one'), bound('one'))).toMatchObject({ done: true, credentials: { kind: 'proven' } })
  expect(await run(bound('one'), bound('other'))).toMatchObject({ done: false, credentials: { why: 'channel-binding' } })
})

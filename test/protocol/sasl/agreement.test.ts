import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/adapters/node/index.ts'
import {
  anonymous,
  clientMechanisms,
  cramMd5,
  external,
  login,
  oauthBearer,
  plain,
  type SaslIdentity,
  type SaslMechanism,
  saslprep,
  type SaslSecret,
  scram,
  type ScramKeys,
  scramKeysOf,
  scramPlus,
  xoauth2,
} from '../../../src/protocol/sasl/index.ts'
import { bound, bytes, talk } from './talk.ts'

const secret = bytes('what nobody else knows')
const scramOptions = { crypto: nodeCrypto, secret, plusOffered: true }
const servers: readonly SaslMechanism[] = [
  external,
  scramPlus({ ...scramOptions, hash: 'SHA-256' }),
  scramPlus({ ...scramOptions, hash: 'SHA-1' }),
  scram({ ...scramOptions, hash: 'SHA-256' }),
  scram({ ...scramOptions, hash: 'SHA-1' }),
  oauthBearer(),
  xoauth2(),
  cramMd5({ crypto: nodeCrypto, hostname: 'mx.example.org' }),
  plain,
  login,
  anonymous,
]
const offered = servers.map(({ name }) => name)
const channel = { ...bound('one'), certified: true }

/** What may be a name or a password everywhere. */
const word = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .filter((text) => !text.includes('\0') && (saslprep(text) ?? '') !== '' && bytes(text).length <= 255)

const run = async (name: string, identity: SaslIdentity, options: Parameters<typeof talk>[2], initial = true) => {
  const client = clientMechanisms.find((mechanism) => mechanism.name === name)!
  const server = servers.find((mechanism) => mechanism.name === name)!
  const early = initial && server.serverFirst !== true
  return talk(client.begin({ identity, channel, crypto: nodeCrypto, offered }), server.begin(channel), options, early)
}

/** Keys as a directory keeps them; few rounds would be refused, and many take long. */
const keysOf = (hash: 'SHA-1' | 'SHA-256', password: string): Promise<ScramKeys> =>
  scramKeysOf(nodeCrypto, hash, password, { iterations: 4096, salt: bytes('salt') })

it('has both ends of each mechanism', () => {
  expect(clientMechanisms.map(({ name }) => name)).toEqual(offered)
  expect(clientMechanisms.map(({ plaintext }) => plaintext)).toEqual(servers.map(({ plaintext }) => plaintext))
})

describe.each(offered)('%s', (name) => {
  const hash = name.includes('SHA-256') ? 'SHA-256' : 'SHA-1'
  const secretOf = async (password: string): Promise<SaslSecret> =>
    name === 'CRAM-MD5' ? { password } : { keys: await keysOf(hash, password) }

  it('agrees with itself for any name and password, with or without an initial response', async () => {
    await fc.assert(
      fc.asyncProperty(word, word, fc.boolean(), async (username, password, initial) => {
        const identity = { username, password, token: 'abc.def', certificate: true, anonymous: 'somebody' }
        const found = await secretOf(password)
        const asked: string[] = []
        const host = { secret: ({ username: of }: { username: string }) => (asked.push(of), found) }
        const end = await run(name, identity, host, initial)
        expect(end.why).toBeUndefined()
        expect(end.done).toBe(true)
        const isScram = name.startsWith('SCRAM')
        const wanted = name === 'ANONYMOUS' ? '' : isScram ? saslprep(username) : username
        expect(end.credentials!.username).toBe(wanted)
        expect(end.credentials!.mechanism).toBe(name)
        expect(asked).toEqual(isScram || name === 'CRAM-MD5' ? [wanted] : [])
      }),
      { numRuns: 30 },
    )
  })
})

describe.each(offered.filter((name) => name.startsWith('SCRAM') || name === 'CRAM-MD5'))('%s', (name) => {
  const hash = name.includes('SHA-256') ? 'SHA-256' : 'SHA-1'

  it('refutes another password', async () => {
    const found = name === 'CRAM-MD5' ? { password: 'right' } : { keys: await keysOf(hash, 'right') }
    const end = await run(name, { username: 'user', password: 'wrong' }, { secret: () => found })
    expect(end).toMatchObject({ done: false, credentials: { kind: 'refuted', username: 'user', why: 'proof' } })
    const nobody = await run(name, { username: 'user', password: 'wrong' }, { secret: () => undefined })
    expect(nobody).toMatchObject({ done: false })
    expect(nobody.credentials?.kind ?? 'refuted').toBe('refuted')
  })
})

describe.each(offered.filter((name) => name.startsWith('SCRAM')))('%s', (name) => {
  const hash = name.includes('SHA-256') ? 'SHA-256' : 'SHA-1'

  it('fails where any octet of any message was changed', async () => {
    const keys = await keysOf(hash, 'pencil')
    await fc.assert(
      fc.asyncProperty(fc.nat(3), fc.nat(), fc.integer({ min: 1, max: 255 }), async (message, place, change) => {
        const tamper = (octets: Uint8Array, at: number): Uint8Array =>
          at === message ? octets.map((octet, i) => (i === place % octets.length ? octet ^ change : octet)) : octets
        const identity = { username: 'user', password: 'pencil', authorizeAs: 'other' }
        const end = await run(name, identity, { secret: () => ({ keys }), tamper })
        expect(end.done).toBe(false)
      }),
      { numRuns: 60 },
    )
  })

  it('fails where a message is repeated, left out or put in another\'s place', async () => {
    const keys = await keysOf(hash, 'pencil')
    const identity = { username: 'user', password: 'pencil' }
    const good = await run(name, identity, { secret: () => ({ keys }) })
    expect(good.done).toBe(true)
    for (let at = 0; at < 4; at++) {
      for (const other of ['', ...good.said]) {
        const tamper = (octets: Uint8Array, now: number): Uint8Array => (now === at ? bytes(other) : octets)
        expect((await run(name, identity, { secret: () => ({ keys }), tamper })).done).toBe(false)
      }
    }
  })

  it('acts as somebody else only where that is said', async () => {
    const keys = await keysOf(hash, 'pencil')
    const run1 = await run(name, { username: 'user', password: 'pencil', authorizeAs: 'a,b=c' }, { secret: () => ({ keys }) })
    expect(run1.credentials).toEqual({ kind: 'proven', mechanism: name, username: 'user', authorizeAs: 'a,b=c' })
    const run2 = await run(name, { username: 'user', password: 'pencil', authorizeAs: 'user' }, { secret: () => ({ keys }) })
    expect(run2.credentials).toEqual({ kind: 'proven', mechanism: name, username: 'user' })
  })
})

it.each([
  ['OAUTHBEARER', 'refused, "\\u0001"'],
  ['XOAUTH2', 'refused, ""'],
])('%s acknowledges why its token is refused', async (name, why) => {
  expect(await run(name, { username: 'user', token: 'x' }, { accepts: () => false })).toMatchObject({ done: false, why })
})

describe('whatever is sent', () => {
  const junk = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.stringMatching(/^[nyp],(a=[a-z=]*)?,[a-z]=[a-z,=]*$/).map(bytes),
    fc.string({ unit: fc.constantFrom(...'nrsicpvem=,1A\u0001 ') }).map(bytes),
  )

  const words = fc.option(junk, { nil: undefined })

  it('a server does not throw and proves nothing', () => {
    fc.assert(
      fc.property(fc.constantFrom(...servers), fc.array(words, { maxLength: 5 }), (mechanism, words) => {
        const exchange = mechanism.begin(channel)
        for (const word of words) {
          let step = exchange.respond(word)
          if (step.kind === 'lookUp') step = exchange.found!(undefined)
          if (step.kind === 'verify') expect(step.credentials.kind).not.toBe('proven')
          if (step.kind === 'verify' || step.kind === 'malformed') return
        }
      }),
      { numRuns: 500 },
    )
  })

  it('a client does not throw, and SCRAM is not content', () => {
    const identity = { username: 'user', password: 'pencil', token: 'x', certificate: true, anonymous: '' }
    fc.assert(
      fc.property(fc.constantFrom(...clientMechanisms), fc.array(junk, { maxLength: 5 }), (mechanism, words) => {
        const exchange = mechanism.begin({ identity, channel, crypto: nodeCrypto, offered })
        let step = exchange.respond(undefined)
        for (const word of words) {
          if (step.kind === 'failed') break
          step = step.kind === 'derive' ? exchange.derived!(bytes('no key of this salt at all......')) : exchange.respond(word)
        }
        if (mechanism.name.startsWith('SCRAM')) expect(exchange.succeeded().kind).toBe('failed')
      }),
      { numRuns: 500 },
    )
  })
})

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { authenticate } from '../../src/accounts/authenticate.ts'
import { certificates, nodeCrypto } from '../../src/adapters/node/index.ts'
import type { Account, Directory } from '../../src/contracts/directory.ts'
import { receiver, type Running } from '../../src/index.ts'
import {
  chooseMechanism,
  clientMechanisms,
  type SaslChannel,
  type SaslIdentity,
  scramKeysOf,
} from '../../src/protocol/sasl/index.ts'
import { MailError } from '../../src/protocol/session/errors.ts'
import type { TlsFacts } from '../../src/protocol/session/tls.ts'
import { type TestClient, world, type World } from '../../src/testing/index.ts'
import { issue } from '../adapters/node/issue.ts'

const alice: Account = {
  id: 'a1',
  disabled: false,
  rights: { smtp: true, imap: true, admin: false },
  quota: { octets: Infinity, messages: Infinity },
}
const keys = {
  'SHA-1': await scramKeysOf(nodeCrypto, 'SHA-1', 'wonderland', { iterations: 4096 }),
  'SHA-256': await scramKeysOf(nodeCrypto, 'SHA-256', 'wonderland', { iterations: 4096 }),
}

const directory: Directory = {
  resolve: async () => ({ kind: 'elsewhere' }),
  account: async (id) => (id === 'a1' ? alice : undefined),
  verify: async ({ username, password }) => {
    if (username === 'broken') throw new MailError('temporary', 'The database is away.')
    return username === 'alice' && password === 'wonderland' ? alice : undefined
  },
  maySendAs: async () => false,
  named: async ({ username }) => (username === 'alice' ? alice : undefined),
  scramKeys: async (_, hash) => keys[hash],
  password: async () => 'wonderland',
  token: async ({ token }) => (token === 'tea' ? alice : undefined),
  certificate: async ({ certificate }) => (certificate.subject === 'CN=alice' ? alice : undefined),
}

const sasl = authenticate({ directory, crypto: nodeCrypto, right: 'smtp', hostname: 'mx.test', anonymous: 'a1' })

const facts = (subject: string): Partial<TlsFacts> => ({
  channelBinding: (type) => Buffer.from(`${type} of this one`),
  clientCertificate: { authorized: true, subject, fingerprint: '', names: [] },
})
const channel: SaslChannel = { secure: true, certified: true, binding: (type) => Buffer.from(`${type} of this one`) }
const identity: SaslIdentity = { username: 'alice', password: 'wonderland', token: 'tea', certificate: true, anonymous: 'me' }

/** Says something and gives the reply to it. */
type Ask = (line: string) => Promise<string>

/** Logs in as a client of that mechanism does; the last reply, and whether the client is content. */
async function logIn(ask: Ask, name: string, as: SaslIdentity = identity, on: SaslChannel = channel): Promise<[string, string]> {
  const mechanism = clientMechanisms.find((one) => one.name === name)!
  const offered = clientMechanisms.map((one) => one.name)
  const exchange = mechanism.begin({ identity: as, channel: on, crypto: nodeCrypto, offered })
  const coded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  let step = exchange.respond(undefined)
  let reply = await ask(`AUTH ${name}${step.kind === 'response' ? ` ${coded(step.bytes) || '='}` : ''}`)
  while (reply.startsWith('334')) {
    step = exchange.respond(Buffer.from(reply.slice(4), 'base64'))
    if (step.kind === 'derive') {
      step = exchange.derived!(await nodeCrypto.pbkdf2(step.hash, step.password, step.salt, step.iterations))
    }
    reply = await ask(step.kind === 'response' ? coded(step.bytes) : '*')
  }
  return [reply, reply.startsWith('235') ? exchange.succeeded().kind : step.kind]
}

describe('a receiver with a directory', () => {
  /** A client over TLS, which has greeted. */
  async function connected(subject = 'CN=alice'): Promise<{ w: World; client: TestClient; ask: Ask; hello: string }> {
    const w = world({ server: { authenticate: sasl } })
    const client = w.connect('203.0.113.9', { startTls: true })
    await client.startTls(facts(subject))
    const hello = (await client.ask('EHLO client.test')).at(-1)!
    return { w, client, hello, ask: async (line) => (await w.clock.until(client.ask(line))).at(-1)! }
  }

  it('offers what directory and channel allow', async () => {
    const { hello } = await connected()
    const offered = hello.split('\n').find((line) => line.includes('AUTH '))!.slice(9)
    expect(offered).toBe(clientMechanisms.map(({ name }) => name).join(' '))
    expect(chooseMechanism({ offered: offered.split(' '), identity, channel })?.name).toBe('EXTERNAL')
    const inTheClear = world({ server: { authenticate: sasl } }).connect('203.0.113.9')
    expect(await inTheClear.say('EHLO client.test')).toContain('AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 ANONYMOUS\n')
  })

  it.each(clientMechanisms.map(({ name }) => name))('lets in by %s', async (name) => {
    const { w, ask } = await connected()
    expect(await logIn(ask, name)).toEqual(['235 2.7.0 Authentication successful', 'done'])
    expect(w.events.at(-1)).toMatchObject({ kind: 'authenticated', account: 'a1', mechanism: name })
  })

  it.each(clientMechanisms.map(({ name }) => name).filter((name) => name !== 'ANONYMOUS'))(
    'lets nobody in by %s with anything else',
    async (name) => {
      const { w, ask } = await connected('CN=mallory')
      const [reply] = await logIn(ask, name, { ...identity, password: 'looking-glass', token: 'coffee' })
      expect(reply).toBe('535 5.7.8 Authentication credentials invalid')
      expect(w.events.at(-1)).toMatchObject({ kind: 'denied', mechanism: name, username: 'alice', code: 535 })
      expect(JSON.stringify(w.events)).not.toMatch(/looking-glass|coffee|wonderland/)
    },
  )

  it('says of a directory that is away nothing but that', async () => {
    const { w, ask } = await connected()
    expect((await logIn(ask, 'PLAIN', { ...identity, username: 'broken' }))[0]).toBe('454 4.7.0 Temporary authentication failure')
    expect(w.events.slice(-2)).toMatchObject([
      { kind: 'denied', username: 'broken', code: 454 },
      { kind: 'failed', what: 'auth', error: { code: 'temporary' } },
    ])
  })

  it('turns away whom the guard does not admit, and tells of it', async () => {
    const guard = { admit: () => ({ admitted: false, delay: 5000 }), failed: () => undefined, succeeded: () => undefined }
    const barring = authenticate({ directory, crypto: nodeCrypto, right: 'smtp', hostname: 'mx.test', guard })
    for (const name of ['PLAIN', 'SCRAM-SHA-256']) {
      const w = world({ server: { authenticate: barring, plaintextAuth: true } })
      const client = w.connect('203.0.113.9')
      await client.ask('EHLO client.test')
      const [reply] = await logIn(async (line) => (await client.ask(line)).at(-1)!, name)
      expect(reply).toBe('421 4.7.0 Too many failed log-ins, try again later')
      await client.closed
      expect(w.events).toContainEqual(expect.objectContaining({ kind: 'denied', mechanism: name, username: 'alice', code: 421 }))
    }
  })

  it('holds a failure back for as long as the guard says', async () => {
    const guard = { admit: () => ({ admitted: true, delay: 8000 }), failed: () => undefined, succeeded: () => undefined }
    const slow = authenticate({ directory, crypto: nodeCrypto, right: 'smtp', hostname: 'mx.test', guard })
    for (const name of ['PLAIN', 'SCRAM-SHA-256']) {
      const w = world({ server: { authenticate: slow, plaintextAuth: true } })
      const client = w.connect('203.0.113.9')
      await client.ask('EHLO client.test')
      const began = w.clock.now()
      const ask: Ask = async (line) => (await w.clock.until(client.ask(line))).at(-1)!
      const [reply] = await logIn(ask, name, { ...identity, password: 'looking-glass' })
      expect([reply.slice(0, 3), w.clock.now() - began]).toEqual(['535', 8000])
    }
  })
})

describe('over TLS of the machine', () => {
  const ends: Running[] = []
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((running) => running.stop({ within: 0 })))
  })

  it.each(['TLSv1.3', 'TLSv1.2'] as const)('SCRAM is bound to the channel: %s', async (version) => {
    const server = receiver({ hostname: 'mx.test', accepts: () => true, deliver: () => undefined, authenticate: sasl })
    const source = certificates({ ...issue({ subject: 'mx.test', dns: ['mx.test'] }), watch: false })
    const running = await server.listen({ port: 0, host: '127.0.0.1', tls: { mode: 'implicit', certificates: source } })
    ends.push(running)
    const socket = connect({ port: running.port!, rejectUnauthorized: false, maxVersion: version })
    const lines: string[] = []
    socket.setEncoding('latin1').on('data', (text: string) => lines.push(...text.split('\r\n').filter((line) => line !== '')))
    const ask: Ask = async (line) => {
      if (line !== '-') socket.write(`${line}\r\n`)
      do await once(socket, 'data')
      while (lines.at(-1)!.charAt(3) !== ' ')
      return lines.at(-1)!
    }
    await ask('-')
    await ask('EHLO client.test')
    expect(lines.find((line) => line.includes('AUTH'))).toContain('SCRAM-SHA-256-PLUS')
    const mine = (type: string): Uint8Array | undefined =>
      type === 'tls-server-end-point'
        ? createHash('sha256').update(socket.getPeerX509Certificate()!.raw).digest()
        : version === 'TLSv1.3'
          ? socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
          : undefined
    const [reply, end] = await logIn(ask, 'SCRAM-SHA-256-PLUS', identity, { ...channel, binding: mine })
    expect([reply.slice(0, 3), end]).toEqual(['235', 'done'])
    socket.destroy()
  })
})

import { createHash, X509Certificate } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, TLSSocket, type TlsOptions } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publicKeyOctets } from '../../../src/adapters/node/channel-binding.ts'
import { dial } from '../../../src/adapters/node/index.ts'
import { type DialTarget, TlsFailure, type TlsaRecord, type TlsDemand } from '../../../src/protocol/session/dial.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import type { Transport } from '../../../src/protocol/session/transport.ts'
import { transportContract } from '../../../src/testing/contracts/transport.ts'
import { opened, SocketEnd } from './ends.ts'
import { issue, type Issued } from './issue.ts'

const never = new AbortController().signal
const servers: Server[] = []
const sockets = new Set<Socket>()
let directory = ''

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'posthorn-dial-'))
})

afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  await rm(directory, { recursive: true })
})

interface Serving {
  readonly port: number
  /** The next connection that it accepts. */
  readonly next: () => Promise<Socket>
}

/** A server, and what it accepts. */
async function serve(make: (taken: (socket: Socket) => void) => Server, path?: string): Promise<Serving> {
  const arrived: Socket[] = []
  const waiting: ((socket: Socket) => void)[] = []
  const server = make((socket) => {
    sockets.add(socket.on('error', () => {}))
    const next = waiting.shift()
    if (next) next(socket)
    else arrived.push(socket)
  })
  servers.push(server)
  const place = path === undefined ? { port: 0, host: '127.0.0.1' } : { path }
  await new Promise<void>((resolve) => server.listen(place, resolve))
  const bound = server.address()
  const next = (): Promise<Socket> => {
    const socket = arrived.shift()
    return socket ? Promise.resolve(socket) : new Promise((resolve) => waiting.push(resolve))
  }
  return { port: typeof bound === 'object' ? bound?.port ?? 0 : 0, next }
}

const plainServer = (path?: string): Promise<Serving> =>
  serve((taken) => createServer({ allowHalfOpen: true }, taken), path)
const tlsServer = (pair: TlsOptions): Promise<Serving> =>
  serve((taken) => createTlsServer({ ...pair, allowHalfOpen: true } as TlsOptions, taken).on('tlsClientError', () => {}))

const authority = issue({ subject: 'Authority', ca: true })
const good = issue({ subject: 'mx.example.org', dns: ['mx.example.org'], issuer: authority })
const chainOf = (leaf: Issued, ...more: readonly Issued[]): TlsOptions =>
  ({ cert: [leaf, ...more].map(({ cert }) => cert).join(''), key: leaf.key })

type Pair = { readonly near: Transport; readonly far: SocketEnd }

function pairs(server: () => Promise<Serving>, target: Partial<DialTarget>): () => Promise<Pair> {
  let running: Promise<Serving> | undefined
  return async () => {
    const { port, next } = await (running ??= server())
    const [near, far] = await Promise.all([dial({ host: '127.0.0.1', port, ...target }, never), next()])
    const end = new SocketEnd(far)
    // Only what is below TLS can be reset.
    const below = (far as unknown as { readonly _parent?: Socket | null })._parent
    return { near, far: !below ? end : Object.assign(end, { reset: () => below.resetAndDestroy() }) }
  }
}

const anybody: TlsDemand = { trust: 'none' }
transportContract({ describe, it, name: 'dialled TCP', open: pairs(() => plainServer(), {}), traits: { resets: true } })
transportContract({
  describe,
  it,
  name: 'dialled TLS',
  open: pairs(() => tlsServer(chainOf(good)), { implicitTls: true, tls: anybody }),
  traits: { resets: true },
})

describe('dialling', () => {
  it('comes to a unix socket', async () => {
    const path = join(directory, 'lmtp')
    const { next } = await plainServer(path)
    const [transport, far] = await Promise.all([dial({ host: 'local', port: 0, path }, never), next()])
    const sink = opened(transport)
    far.end('220 hello\r\n')
    await sink.until(() => sink.text === '220 hello\r\n')
    transport.reset()
  })

  it('tells whom it has come to, and from where', async () => {
    const { port, next } = await plainServer()
    const [transport, far] = await Promise.all([dial({ host: '127.0.0.1', port, localAddress: '127.0.0.5' }, never), next()])
    expect(transport.peer).toMatchObject({ address: '127.0.0.1', port, localAddress: '127.0.0.5' })
    expect(far.remoteAddress).toBe('127.0.0.5')
    transport.reset()
  })

  it('rejects with the reason where nobody listens', async () => {
    const { port } = await plainServer()
    await new Promise((resolve) => servers.pop()!.close(resolve))
    const failure = await dial({ host: '127.0.0.1', port }, never).catch((error: unknown) => error)
    expect(isMailError(failure) && failure.code).toBe('temporary')
    expect((failure as Error).cause).toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('looks nothing up', async () => {
    await expect(dial({ host: 'localhost', port: 25 }, never)).rejects.toThrow('host takes an IP address')
  })

  it('is given up when the signal aborts, before and in the handshake', async () => {
    const { port, next } = await plainServer()
    await expect(dial({ host: '127.0.0.1', port }, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late')
    const control = new AbortController()
    const dialled = dial({ host: '127.0.0.1', port, implicitTls: true, tls: anybody }, control.signal)
    const far = await next()
    const closed = new Promise((resolve) => far.once('close', resolve).once('end', resolve))
    far.resume()
    control.abort(new Error('enough'))
    await expect(dialled).rejects.toThrow('enough')
    await closed
  })
})

describe('what is demanded of a server', () => {
  const hash = (name: string, octets: Uint8Array): Uint8Array => createHash(name).update(octets).digest()
  const record = (usage: number, selector: number, matching: number, { cert }: Issued): TlsaRecord => {
    const { raw } = new X509Certificate(cert)
    const octets = selector === 0 ? raw : publicKeyOctets(raw)
    return { usage, selector, matching, data: matching === 0 ? octets : hash(matching === 1 ? 'sha256' : 'sha512', octets) }
  }
  const between = issue({ subject: 'Between', ca: true, issuer: authority })
  const deep = issue({ subject: 'mx.example.org', dns: ['mx.example.org'], issuer: between })
  const forged = issue({ subject: 'Authority', ca: true })
  const old = issue({ subject: 'mx.example.org', dns: ['mx.example.org'], issuer: authority, expires: Date.UTC(2021, 0) })
  const alone = issue({ subject: 'mx.example.org', dns: ['mx.example.org'] })
  const elsewhere = issue({ subject: 'elsewhere.example', dns: ['elsewhere.example'], issuer: authority })
  const wild = issue({ subject: 'wild', dns: ['*.example.org'], issuer: authority })
  const notYet = issue({ subject: 'mx.example.org', dns: ['mx.example.org'], issuer: authority, begins: Date.UTC(2048, 0) })
  const named = { serverName: 'mx.example.org' }
  const pkix: TlsDemand = { trust: 'pkix', ...named, ca: [authority.cert] }
  const dane = (...tlsa: readonly TlsaRecord[]): TlsDemand => ({ trust: { tlsa }, ...named })

  it.each<[string, Issued | readonly Issued[], TlsDemand, string | undefined]>([
    ['nothing', alone, anybody, 'undefined'],
    ['an authority', good, pkix, 'pkix'],
    ['an authority, by way of another', [deep, between], pkix, 'pkix'],
    ['an authority, where a link is missing', deep, pkix, 'certificate-not-trusted'],
    ['an authority, of one that signed itself', alone, pkix, 'certificate-not-trusted'],
    ['an authority, of one that expired', old, pkix, 'certificate-expired'],
    ['an authority, of one that is not valid yet', notYet, pkix, 'certificate-expired'],
    ['a name that it has not', elsewhere, pkix, 'certificate-host-mismatch'],
    ['one of several names', elsewhere, { ...pkix, names: ['elsewhere.example'] }, 'pkix'],
    ['a name that a wildcard covers', wild, pkix, 'pkix'],
    ['a name that no wildcard covers', wild, { ...pkix, serverName: 'a.mx.example.org' }, 'certificate-host-mismatch'],
    ['3 0 1', alone, dane(record(3, 0, 1, alone)), 'tlsa'],
    ['3 1 1', alone, dane(record(3, 1, 1, alone)), 'tlsa'],
    ['3 1 2', alone, dane(record(3, 1, 2, alone)), 'tlsa'],
    ['3 0 0', alone, dane(record(3, 0, 0, alone)), 'tlsa'],
    ['3 1 1, whatever the name', elsewhere, dane(record(3, 1, 1, elsewhere)), 'tlsa'],
    ['3 1 1, whatever the date', old, dane(record(3, 1, 1, old)), 'tlsa'],
    ['3 1 1 of another', alone, dane(record(3, 1, 1, good)), 'tlsa-invalid'],
    ['3 1 1 of another, and its own', alone, dane(record(3, 1, 1, good), record(3, 1, 1, alone)), 'tlsa'],
    ['2 0 1', [good, authority], dane(record(2, 0, 1, authority)), 'tlsa'],
    ['2 1 1 at the top', [deep, between, authority], dane(record(2, 1, 1, authority)), 'tlsa'],
    ['2 1 1 in between', [deep, between], dane(record(2, 1, 1, between)), 'tlsa'],
    ['2 0 0 of one that is not shown', good, dane(record(2, 0, 0, authority)), 'tlsa'],
    ['2 0 1 of one that is not shown', good, dane(record(2, 0, 1, authority)), 'tlsa-invalid'],
    ['2 0 1 of one that is shown, and has signed nothing', [alone, authority], dane(record(2, 0, 1, authority)), 'tlsa-invalid'],
    ['2 0 1 of a namesake', [good, forged], dane(record(2, 0, 1, forged)), 'tlsa-invalid'],
    ['2 0 1, another name', [elsewhere, authority], dane(record(2, 0, 1, authority)), 'certificate-host-mismatch'],
    ['2 0 1, expired', [old, authority], dane(record(2, 0, 1, authority)), 'certificate-expired'],
    ['2 0 1 of the certificate itself', alone, dane(record(2, 0, 1, alone)), 'tlsa-invalid'],
    ['1 1 1, which says nothing of mail', alone, dane(record(1, 1, 1, good)), 'undefined'],
    ['records by a hash that nobody knows', alone, dane({ ...record(3, 1, 1, good), matching: 9 }), 'undefined'],
    ['no records', alone, dane(), 'undefined'],
  ])('%s', async (_, shown, demand, expected) => {
    const [leaf, ...more] = [shown].flat() as [Issued, ...Issued[]]
    const { port, next } = await tlsServer(chainOf(leaf, ...more))
    void next()
    const dialled = dial({ host: '127.0.0.1', port, implicitTls: true, tls: demand }, never)
    const outcome = await dialled.then(
      (transport) => {
        transport.reset()
        return String(transport.peer.tls?.serverTrust)
      },
      (error: unknown) => (error instanceof TlsFailure ? error.reason : error),
    )
    expect(outcome).toBe(expected)
  })

  /** A server that begins TLS on a connection when it has said so. */
  async function startTls(demand: TlsDemand, pair: TlsOptions): Promise<{ transport: Transport; far: Promise<TLSSocket> }> {
    const { port, next } = await plainServer()
    const [transport, plain] = await Promise.all([dial({ host: '127.0.0.1', port, tls: demand }, never), next()])
    const far = new TLSSocket(plain, { isServer: true, ...pair })
    sockets.add(far.on('error', () => {}))
    return { transport, far: new Promise((resolve) => far.once('secure', () => resolve(far))) }
  }

  it('counts for STARTTLS too; the name is asked for', async () => {
    const { transport, far } = await startTls(pkix, chainOf(good))
    const sink = opened(transport)
    transport.startTls()
    await sink.until(() => sink.tls !== undefined)
    expect(sink.tls).toMatchObject({ serverTrust: 'pkix', serverName: 'mx.example.org' })
    const bound = (type: 'tls-exporter' | 'tls-server-end-point'): Uint8Array | undefined => sink.tls?.channelBinding?.(type)
    expect(bound('tls-server-end-point')).toEqual(hash('sha256', new X509Certificate(good.cert).raw))
    const secure = await far
    expect(bound('tls-exporter')).toEqual(secure.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)))
    transport.write(['EHLO client.example\r\n'])
    const [said] = await new Promise<[Buffer]>((resolve) => secure.once('data', (bytes: Buffer) => resolve([bytes])))
    expect(String(said)).toBe('EHLO client.example\r\n')
    transport.reset()
  })

  it('breaks the connection after STARTTLS, and says why', async () => {
    const { transport } = await startTls(pkix, chainOf(alone))
    const sink = opened(transport)
    transport.startTls()
    await sink.until(() => sink.count('closed') > 0)
    expect(sink.error).toMatchObject({ reason: 'certificate-not-trusted', code: 'peer' })
    expect(sink.tls).toBeUndefined()
  })

  it('no TLS at all is a failure to validate', async () => {
    const { port, next } = await plainServer()
    void next().then((far) => far.end('220 this is no TLS\r\n'))
    const dialled = dial({ host: '127.0.0.1', port, implicitTls: true, tls: anybody }, never)
    await expect(dialled).rejects.toMatchObject({ reason: 'validation-failure' })
  })
})

import { link, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { certificates, encodeProxyHeader, listenNode, selfSigned } from '../../../src/adapters/node/index.ts'
import type { ListenOptions, NodeListener, ProxyHeader, Refusal } from '../../../src/adapters/node/index.ts'
import { listenError } from '../../../src/adapters/node/listen-errors.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { Accepted, dial, dialTls, opened } from './ends.ts'
import type { SocketEnd } from './ends.ts'

let directory = ''
const listeners: NodeListener[] = []
const accepting: Accepted[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'posthorn-listener-'))
})
afterAll(async () => {
  for (const listener of listeners) listener.close()
  for (const accepted of accepting) accepted.resetAll()
  await Promise.all(listeners.map(({ closed }) => closed))
  await rm(directory, { recursive: true })
})

interface Listening {
  readonly listener: NodeListener
  readonly accepted: Accepted
  readonly place: { port: number }
}

async function listen(options: Partial<ListenOptions>): Promise<Listening> {
  const accepted = new Accepted()
  accepting.push(accepted)
  const place = options.path === undefined ? { port: 0, host: '127.0.0.1' } : {}
  const listener = await listenNode({ ...place, onTransport: accepted.take, ...options })
  listeners.push(listener)
  return { listener, accepted, place: { port: listener.port ?? 0 } }
}

const failure = async (options: Partial<ListenOptions>): Promise<unknown> =>
  listenNode({ onTransport: () => {}, ...options }).then(() => undefined, (error: unknown) => error)

describe('listenNode', () => {
  it('gives the address and port it is bound to', async () => {
    const { listener } = await listen({})
    expect(listener.address).toBe('127.0.0.1')
    expect(listener.port).toBeGreaterThan(0)
    expect(listener.path).toBeUndefined()
  })

  it('says what is wrong and what to do when the port is taken', async () => {
    const { listener } = await listen({})
    const error = await failure({ port: listener.port as number, host: '127.0.0.1' })
    expect(isMailError(error) && error.code).toBe('config')
    expect((error as Error).message).toBe(
      `port ${listener.port} of 127.0.0.1 is in use: stop the other server, or choose another port`)
  })

  it.each([
    ['EACCES', { port: 25 }, /^port 25 needs privileges: choose a port from 1024 on, or allow it with "setcap /],
    ['EADDRNOTAVAIL', { port: 25, host: '192.0.2.1' }, /^port 25 of 192\.0\.2\.1 cannot be had: .* no such address/],
    ['EACCES', { path: '/run/x' }, /^\/run\/x cannot be made: this user may not write/],
    ['EWHATEVER', { port: 25 }, /^port 25 cannot be listened on: broken/],
  ])('explains %s', (code, place, message) => {
    expect(listenError(place, Object.assign(new Error('broken'), { code })).message).toMatch(message)
  })

  it.each<readonly [string, Partial<ListenOptions>, RegExp]>([
    ['no place', {}, /either a port or a path/],
    ['two places', { port: 1, path: 'x' }, /either a port or a path/],
    ['a port that is none', { port: 65_536 }, /port is 65536; it takes a number from 0/],
    ['an address of another machine', { port: 0, host: '192.0.2.1' }, /no such address/],
    ['a path without its folder', { path: '/nonexistent/mail.sock' }, /mail.sock cannot be made: .* (folder|not write)/],
    ['a path that is too long', { path: `/tmp/${'x'.repeat(200)}` }, /cannot be (made|listened on)/],
    ['a port in words', { port: '2525' as never }, /port is "2525"/],
    ['a port that is null', { port: null as never }, /port is null/],
    ['an option that nobody knows', { prot: 0 } as never, /no option "prot". Did you mean port\?/],
    ['TLS without certificates', { port: 0, tls: { mode: 'implicit' } as never }, /tls: certificates is missing/],
    ['TLS of another kind', { port: 0, tls: { mode: 'ssl' } as never }, /mode is "ssl"; it takes 'implicit' or 'starttls'/],
    ['a proxy without addresses', { port: 0, proxy: true as never }, /proxy is true; it takes an object/],
    ['a proxy from one text', { port: 0, proxy: { from: '10.0.0.0/8' as never } }, /from is "10.0.0.0\/8"; it takes a list/],
    ['a CIDR that is none', { port: 0, proxy: { from: ['10/8'] } }, /proxy.from: "10\/8" is no address or CIDR/],
  ])('refuses %s', async (_, options, message) => {
    const error = await failure(options)
    expect(isMailError(error) && error.code).toBe('config')
    expect((error as Error).message).toMatch(message)
  })

  it('stops accepting on close, lets transports live, and is closed when the last has gone', async () => {
    const { listener, accepted, place } = await listen({})
    const far = await dial(place)
    const near = await accepted.next()
    const sink = opened(near)
    let closed = false
    void listener.closed.then(() => {
      closed = true
    })
    listener.close()
    listener.close()
    await expect(dial(place)).rejects.toThrow(/ECONNREFUSED/)
    far.send('still here')
    await sink.until(() => sink.octets === 10)
    expect(closed).toBe(false)
    near.end()
    far.end()
    await listener.closed
    expect(sink.calls.at(-1)).toBe('closed')
  })

  it('drops on close what is no transport yet, without a word to the host', async () => {
    const refusals: Refusal[] = []
    const source = certificates({ ...selfSigned({ hostname: 'localhost' }), watch: false })
    const { listener, place } = await listen({
      tls: { mode: 'implicit', certificates: source }, onRefused: (refusal) => void refusals.push(refusal),
    })
    const far = await dial(place)
    const other = await dialTls(place)
    listener.close()
    await far.until(() => far.closed || far.ended)
    other.reset()
    expect(refusals).toEqual([])
  })
})

describe('a unix socket', () => {
  it('is made with its permissions, works, and is gone after close', async () => {
    const path = join(directory, 'a.sock')
    const { listener, accepted } = await listen({ path, mode: 0o600 })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect([listener.path, listener.address, listener.port]).toEqual([path, undefined, undefined])
    const far = await dial({ path })
    const near = await accepted.next()
    const sink = opened(near)
    far.send('LHLO')
    await sink.until(() => sink.octets === 4)
    near.reset()
    listener.close()
    await listener.closed
    await expect(stat(path)).rejects.toThrow(/ENOENT/)
  })

  it('replaces one that a dead server left behind', async () => {
    const path = join(directory, 'stale.sock')
    // A server whose socket file is moved away cannot remove it when it closes.
    const dead = createServer().listen(`${path}.bound`)
    await new Promise((resolve) => dead.once('listening', resolve))
    await link(`${path}.bound`, path)
    await new Promise((resolve) => dead.close(resolve))
    expect((await stat(path)).isSocket()).toBe(true)
    const { accepted } = await listen({ path })
    await dial({ path })
    const near = await accepted.next()
    near.reset()
  })

  it('does not replace one that is alive', async () => {
    const path = join(directory, 'alive.sock')
    await listen({ path })
    const error = await failure({ path })
    expect((error as Error).message).toBe(`${path} is in use: another server listens there, or something else lies at this path`)
    const far = await dial({ path })
    far.socket.destroy()
  })

  it('does not replace what is no socket', async () => {
    const path = join(directory, 'precious.txt')
    await writeFile(path, 'data')
    expect((await failure({ path }) as Error).message).toMatch(/something else lies at this path/)
    expect((await stat(path)).isFile()).toBe(true)
  })
})

describe('PROXY protocol', () => {
  const client: ProxyHeader = {
    version: 2, command: 'proxy', source: { address: '192.0.2.9', port: 7 }, destination: { address: '198.51.100.2', port: 25 },
  }
  const expected = { address: '192.0.2.9', port: 7, localAddress: '198.51.100.2', localPort: 25, proxy: '127.0.0.1' }
  const trusting = { proxy: { from: ['127.0.0.0/8'] } }

  it.each<readonly [string, ProxyHeader, object]>([
    ['version 1', { ...client, version: 1 }, expected],
    ['version 2', client, expected],
    ['version 2, IPv6', { ...client, source: { address: '2001:db8::1', port: 1 }, destination: { address: '::1', port: 2 } },
      { address: '2001:db8::1', port: 1, localAddress: '::1', localPort: 2, proxy: '127.0.0.1' }],
    ['a client of a unix socket', { version: 2, command: 'proxy' },
      { address: undefined, port: undefined, localAddress: undefined, localPort: undefined, proxy: '127.0.0.1' }],
    ['TLS that the proxy ended', {
      ...client, alpn: 'smtp', authority: 'MX.example.test',
      tls: { version: 'TLSv1.2', cipher: 'ECDHE-RSA-AES128-GCM-SHA256', certificate: true, verified: true, commonName: 'Alice' },
    }, {
      ...expected,
      tls: {
        protocol: 'TLSv1.2', cipher: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', serverName: 'mx.example.test', alpn: 'smtp',
        clientCertificate: { authorized: true, subject: 'CN=Alice', fingerprint: '', names: [] },
      },
    }],
    ['TLS of which the proxy says little', { ...client, tls: { certificate: false, verified: false } },
      { ...expected, tls: { protocol: '', cipher: '' } }],
    ['TLS 1.3, whose ciphers have one name',
      { ...client, tls: { cipher: 'TLS_AES_128_GCM_SHA256', certificate: false, verified: false } },
      { ...expected, tls: { protocol: '', cipher: 'TLS_AES_128_GCM_SHA256' } }],
    ['a cipher that we do not know', { ...client, tls: { cipher: 'ECDHE-RSA-ROT13', certificate: false, verified: false } },
      { ...expected, tls: { protocol: '', cipher: 'ECDHE-RSA-ROT13' } }],
  ])('tells the client: %s', async (_, header, peer) => {
    const { accepted, place } = await listen(trusting)
    const far = await dial(place)
    far.send(Buffer.concat([encodeProxyHeader(header), Buffer.from('EHLO x\r\n')]))
    const near = await accepted.next()
    expect(near.peer).toEqual(peer)
    const sink = opened(near)
    await sink.until(() => sink.octets === 8)
    expect(sink.text).toBe('EHLO x\r\n')
    far.send('more')
    await sink.until(() => sink.octets === 12)
    near.write(['250 ok\r\n'])
    await far.until(() => far.octets === 8)
    near.reset()
  })

  it.each<readonly [string, ProxyHeader, object | undefined]>([
    ['version 1, which cannot tell', { ...client, version: 1 }, { protocol: '', cipher: '' }],
    ['version 2 that does not tell', client, { protocol: '', cipher: '' }],
    ['version 2 that tells', { ...client, tls: { version: 'TLSv1.3', certificate: false, verified: false } },
      { protocol: 'TLSv1.3', cipher: '' }],
    ['one that it cannot name', { version: 1, command: 'proxy' }, { protocol: '', cipher: '' }],
    ['the proxy itself', { version: 2, command: 'local' }, undefined],
  ])('takes clients of a proxy that ends TLS for secure: %s', async (_, header, tls) => {
    const { accepted, place } = await listen({ proxy: { from: ['127.0.0.1'], tls: true } })
    const far = await dial(place)
    far.send(encodeProxyHeader(header))
    const near = await accepted.next()
    expect(near.peer.tls).toEqual(tls)
    near.reset()
  })

  it('takes nobody for secure who comes past the proxy', async () => {
    const { accepted, place } = await listen({ proxy: { from: ['10.0.0.0/8'], others: 'serve', tls: true } })
    await dial(place)
    const near = await accepted.next()
    expect(near.peer.tls).toBeUndefined()
    near.reset()
  })

  it('cannot end TLS twice', async () => {
    const certificates = { generation: 0, expires() {}, reload() {} } as never
    const proxy = { from: [], tls: true } as const
    const options = { port: 0, proxy, tls: { mode: 'implicit', certificates }, onTransport() {} } as const
    await expect(listenNode(options)).rejects.toThrow('proxy.tls: TLS ends either at the proxy or here')
  })

  it('takes a health check for what it is', async () => {
    const { accepted, place } = await listen(trusting)
    const far = await dial(place)
    far.send(encodeProxyHeader({ version: 2, command: 'local' }))
    const near = await accepted.next()
    const { localPort: port } = far.socket
    expect(near.peer).toEqual({ address: '127.0.0.1', port, localAddress: '127.0.0.1', localPort: place.port })
    near.reset()
  })

  it.each<readonly [string, ProxyHeader]>([
    ['version 1', { version: 1, command: 'proxy' }],
    ['version 2', { version: 2, command: 'proxy' }],
  ])('does not take whom a proxy cannot name for the proxy: %s', async (_, header) => {
    const { accepted, place } = await listen(trusting)
    const far = await dial(place)
    far.send(encodeProxyHeader(header))
    const near = await accepted.next()
    expect(near.peer).toEqual({ proxy: '127.0.0.1' })
    near.reset()
  })

  it('takes the header in any number of pieces, and an end right behind it', async () => {
    const { accepted, place } = await listen(trusting)
    const far = await dial(place)
    for (const octet of encodeProxyHeader({ ...client, version: 1 })) {
      far.send(Uint8Array.of(octet))
      await new Promise((resolve) => setImmediate(resolve))
    }
    far.end()
    const near = await accepted.next()
    expect(near.peer).toEqual(expected)
    const sink = opened(near)
    await sink.untilCalled('ended')
    near.reset()
  })

  const refusal = async (options: Partial<ListenOptions>, act: (far: SocketEnd) => void): Promise<Refusal> => {
    let tell: (refusal: Refusal) => void = () => {}
    const told = new Promise<Refusal>((resolve) => {
      tell = resolve
    })
    const { place } = await listen({ onTransport: () => expect.unreachable(), onRefused: tell, ...options })
    const far = await dial(place)
    act(far)
    const refused = await told
    await far.until(() => far.closed || far.ended)
    far.socket.destroy()
    return refused
  }

  it('refuses an address that is not trusted, before it says anything', async () => {
    const refused = await refusal({ proxy: { from: ['10.0.0.0/8'] } }, () => {})
    expect(refused).toEqual({ reason: 'untrusted-proxy', address: '127.0.0.1' })
  })

  it('serves an address that is not trusted as what it is, where that is wanted', async () => {
    const { place, accepted } = await listen({ proxy: { from: ['10.0.0.0/8'], others: 'serve' } })
    const far = await dial(place)
    const near = await accepted.next()
    expect(near.peer).toMatchObject({ address: '127.0.0.1' })
    expect(near.peer.proxy).toBeUndefined()
    const sink = opened(near)
    far.socket.write('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n')
    await sink.until(() => sink.text.endsWith('\n'))
    expect(sink.text).toBe('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n')
    near.reset()
  })

  it.each<readonly [string, string]>([
    ['a client that sends none', 'EHLO x\r\n'],
    ['a first line that is too long', `PROXY UNKNOWN ${'x'.repeat(200)}`],
    ['a header larger than the cap', '\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff'],
  ])('refuses %s', async (_, text) => {
    expect(await refusal(trusting, (far) => far.send(text))).toMatchObject({ reason: 'proxy-header', error: { code: 'peer' } })
  })

  it('refuses a header that ends early or does not come in time', async () => {
    expect(await refusal(trusting, (far) => {
      far.send('PROXY TCP4')
      far.end()
    })).toMatchObject({ reason: 'proxy-header', error: { message: expect.stringContaining('ended before') } })
    expect(await refusal({ proxy: { from: ['127.0.0.1'], within: 20 } }, (far) => far.send('PROXY '))).toMatchObject({
      reason: 'proxy-header', error: { message: expect.stringContaining('in time') },
    })
  })

  it.each([
    ['ends', (far: SocketEnd) => far.end()],
    ['breaks off', (far: SocketEnd) => far.reset()],
  ] as const)('tells nothing of a connection that %s without a word, as health checks do', async (_, leave) => {
    const refusals: Refusal[] = []
    const { accepted, place } = await listen({ ...trusting, onRefused: (refusal) => void refusals.push(refusal) })
    const checker = await dial(place)
    leave(checker)
    await checker.until(() => checker.closed || checker.ended)
    const far = await dial(place)
    far.send(encodeProxyHeader(client))
    const near = await accepted.next()
    expect(near.peer).toEqual(expected)
    expect(refusals).toEqual([])
    near.reset()
  })

  it('trusts whoever reaches its unix socket', async () => {
    const path = join(directory, 'proxied.sock')
    const { accepted } = await listen({ path, proxy: { from: [] } })
    const far = await dial({ path })
    far.send(encodeProxyHeader(client))
    const near = await accepted.next()
    expect(near.peer).toEqual({ ...expected, proxy: 'unix' })
    near.reset()
  })

  it('does not take a PROXY header where none is configured', async () => {
    const { accepted, place } = await listen({})
    const far = await dial(place)
    far.send('PROXY TCP4 192.0.2.9 198.51.100.2 7 25\r\n')
    const near = await accepted.next()
    expect(near.peer.address).toBe('127.0.0.1')
    const sink = opened(near)
    await sink.until(() => sink.octets === 40)
    near.reset()
  })
})

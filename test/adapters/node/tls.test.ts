import { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import { certificates, encodeProxyHeader, listenNode } from '../../../src/adapters/node/index.ts'
import type { ListenOptions, NodeListener, Refusal } from '../../../src/adapters/node/index.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import type { Transport } from '../../../src/protocol/session/transport.ts'
import type { Recorder } from '../../../src/testing/contracts/transport-ends.ts'
import { Accepted, behind, dial, dialSocket, dialTls, opened, secure } from './ends.ts'
import { issue } from './issue.ts'

const pair = issue({ subject: 'default.test', dns: ['default.test'] })
const wild = issue({ subject: 'wild', dns: ['*.example.test'] })
const authority = issue({ subject: 'Clients', ca: true })
const source = certificates({ ...pair, also: [wild], watch: false })
const listeners: NodeListener[] = []
const accepting: Accepted[] = []
afterAll(async () => {
  for (const listener of listeners) listener.close()
  for (const accepted of accepting) accepted.resetAll()
  await Promise.all(listeners.map(({ closed }) => closed))
})

interface Served {
  readonly accepted: Accepted
  readonly place: { port: number }
  readonly refusals: Refusal[]
}

type Serve = (mode: 'implicit' | 'starttls', options?: Partial<ListenOptions> & { tlsOptions?: object }) => Promise<Served>
const serve: Serve = async (mode, options = {}) => {
  const accepted = new Accepted()
  accepting.push(accepted)
  const refusals: Refusal[] = []
  const { tlsOptions, ...rest } = options
  const listener = await listenNode({
    port: 0, host: '127.0.0.1', tls: { mode, certificates: source, ...tlsOptions },
    onTransport: accepted.take, onRefused: (refusal) => void refusals.push(refusal), ...rest,
  })
  listeners.push(listener)
  return { accepted, refusals, place: { port: listener.port as number } }
}

/** A plain connection on which the near end has just begun TLS, as after `220 go ahead`. */
async function upgrade(served: Served): Promise<{ plain: Socket; near: Transport; sink: Recorder }> {
  const plain = await dialSocket(served.place)
  const near = await served.accepted.next()
  const sink = opened(near)
  near.write(['220 go ahead\r\n'])
  near.startTls()
  await new Promise((resolve) => plain.once('data', resolve))
  return { plain, near, sink }
}

describe('STARTTLS', () => {
  it('secures the connection and tells what was agreed', async () => {
    const served = await serve('starttls', { tlsOptions: { alpn: ['imap'] } })
    const { plain, near, sink } = await upgrade(served)
    const far = await secure(plain, { servername: 'MX.example.test', ALPNProtocols: ['smtp', 'imap'] })
    await sink.untilCalled('secured')
    expect(sink.tls).toEqual({
      protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', serverName: 'mx.example.test', alpn: 'imap',
    })
    expect(far.socket.getPeerCertificate().subject.CN).toBe('wild')
    far.send('EHLO again\r\n')
    await sink.until(() => sink.octets === 12)
    near.write(['250 ok\r\n'])
    await far.until(() => far.octets === 8)
    near.reset()
  })

  it('keeps what was written before in front of the handshake, though the peer is slow to read it', async () => {
    const { accepted, place } = await serve('starttls')
    const plain = await dialSocket(place)
    plain.pause()
    const near = await accepted.next()
    const sink = opened(near)
    let room = true
    while (room) room = near.write(['x'.repeat(1_000_000)])
    near.write(['220 go ahead\r\n'])
    near.startTls()
    plain.resume()
    const end = Buffer.from('220 go ahead\r\n')
    await new Promise<void>((resolve) => {
      let tail = Buffer.alloc(0)
      plain.on('data', function look(bytes: Buffer) {
        tail = Buffer.concat([tail, bytes]).subarray(-end.length)
        if (!tail.equals(end)) return
        plain.off('data', look)
        resolve()
      })
    })
    const far = await secure(plain)
    await sink.untilCalled('secured')
    near.write(['hello'])
    await far.until(() => far.text === 'hello')
    near.reset()
  })

  // RFC 3207 §4.2, CVE-2011-0411
  it('fails when plaintext waits behind STARTTLS, of which nothing is delivered', async () => {
    const { accepted, place } = await serve('starttls')
    const far = await dial(place)
    const near = await accepted.next()
    const sink = opened(near)
    far.send('STARTTLS\r\n')
    await sink.until(() => sink.octets === 10)
    near.pause()
    far.send('MAIL FROM:<eve@evil.example>\r\n')
    // Until it lies in the buffer of the paused socket, which only the kernel can tell from outside: let it come.
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
    near.write(['220 go ahead\r\n'])
    near.startTls()
    await sink.untilCalled('closed')
    expect(sink.text).toBe('STARTTLS\r\n')
    expect(isMailError(sink.error) && sink.error.code).toBe('peer')
    expect(sink.calls).not.toContain('secured')
  })

  it.each<readonly [string, (plain: Socket) => void]>([
    ['plaintext', (plain) => plain.write('EHLO x\r\nMAIL FROM:<>\r\n')],
    ['random octets', (plain) => plain.write(Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 97) & 255)))],
    ['an alert', (plain) => plain.write(Buffer.from([0x15, 3, 3, 0, 2, 2, 40]))],
    ['an empty hello', (plain) => plain.write(Buffer.from('160301000401000000', 'hex'))],
    ['nothing but an end', (plain) => plain.end()],
    ['half a hello and an end', (plain) => plain.end(Buffer.from('160301010001', 'hex'))],
    ['a reset', (plain) => plain.resetAndDestroy()],
  ])('ends that connection alone on %s instead of a handshake', async (_, misbehave) => {
    const served = await serve('starttls', { tlsOptions: { handshakeWithin: 600_000 } })
    const { plain, sink } = await upgrade(served)
    plain.on('error', () => {}).resume()
    misbehave(plain)
    await sink.untilCalled('closed')
    expect(sink.calls).toEqual(['closed'])
    expect(sink.error).toBeInstanceOf(Error)
    plain.destroy()
  })

  it('ends a handshake that takes too long, however the client drips', async () => {
    const served = await serve('starttls', { tlsOptions: { handshakeWithin: 30 } })
    const { plain, sink } = await upgrade(served)
    plain.on('error', () => {}).resume()
    plain.write(Buffer.from([0x16, 3, 1, 2, 0]))
    const drip = setInterval(() => plain.write(Buffer.from([0])), 5)
    await sink.untilCalled('closed')
    clearInterval(drip)
    expect(sink.error?.message).toMatch(/timeout/i)
    plain.destroy()
  })

  it('says nothing during the handshake, and can be ended or reset in it', async () => {
    const served = await serve('starttls')
    for (const call of ['end', 'reset'] as const) {
      const { plain, near, sink } = await upgrade(served)
      const heard: Buffer[] = []
      plain.on('error', () => {}).on('data', (bytes: Buffer) => heard.push(bytes))
      expect(near.write(['in the clear'])).toBe(true)
      near[call]()
      await sink.untilCalled('closed')
      expect(sink.calls).toEqual(['closed'])
      expect(heard).toEqual([])
      plain.destroy()
    }
  })

  it('stays paused when it was paused', async () => {
    const served = await serve('starttls')
    const { plain, near, sink } = await upgrade(served)
    near.pause()
    const far = await secure(plain)
    far.send('early')
    await sink.untilCalled('secured')
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(sink.octets).toBe(0)
    near.resume()
    await sink.until(() => sink.octets === 5)
    near.reset()
  })

  it('is a misuse the second time', async () => {
    const served = await serve('starttls')
    const { plain, near, sink } = await upgrade(served)
    expect(() => near.startTls()).toThrow(/on a TLS connection/)
    await secure(plain)
    await sink.untilCalled('secured')
    expect(() => near.startTls()).toThrow(/on a TLS connection/)
    near.reset()
    await sink.untilCalled('closed')
    expect(() => near.startTls()).toThrow(/on a TLS connection/)
  })
})

describe('implicit TLS', () => {
  it('hands over a connection only when it is secure, with its facts in the peer', async () => {
    const { accepted, place } = await serve('implicit')
    const far = await dialTls(place, { servername: 'default.test', maxVersion: 'TLSv1.2' })
    const near = await accepted.next()
    expect(near.peer).toEqual({
      address: '127.0.0.1', port: far.plain.localPort, localAddress: '127.0.0.1', localPort: place.port,
      tls: { protocol: 'TLSv1.2', cipher: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', serverName: 'default.test' },
    })
    near.reset()
  })

  it('tells no server name that is none', async () => {
    const { accepted, place } = await serve('implicit')
    await dialTls(place, { servername: 'a\r\nReceived: from here' })
    const near = await accepted.next()
    expect(near.peer.tls).toEqual({ protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' })
    near.reset()
  })

  it('does not renegotiate', async () => {
    const { accepted, place } = await serve('implicit')
    const far = await dialTls(place, { maxVersion: 'TLSv1.2' })
    const near = await accepted.next()
    const sink = opened(near)
    far.socket.renegotiate({}, () => {})
    await far.until(() => far.error !== undefined)
    expect(far.error?.message).toMatch(/no.renegotiation/i)
    expect(sink.calls).not.toContain('secured')
    near.reset()
    await sink.untilCalled('closed')
  })

  it.each([
    ['TLS 1.1', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['ciphers of the past', { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:ECDHE-ECDSA-AES128-SHA' }],
  ] as const)('refuses %s', async (_, options) => {
    const { refusals, place } = await serve('implicit')
    await expect(dialTls(place, options)).rejects.toThrow()
    expect(refusals).toEqual([{ reason: 'handshake', address: '127.0.0.1', error: expect.any(Error) }])
  })

  it('refuses, and tells, a handshake that is none, one that ends, and one that takes too long', async () => {
    const refused: Refusal[] = []
    let told = (): void => {}
    const { place } = await serve('implicit', {
      tlsOptions: { handshakeWithin: 50 },
      onRefused: (refusal) => {
        refused.push(refusal)
        told()
      },
    })
    for (const misbehave of [(plain: Socket) => plain.write('EHLO x\r\n'), (plain: Socket) => plain.end('\x16\x03'), () => {}]) {
      const next = new Promise<void>((resolve) => {
        told = resolve
      })
      const plain = await dialSocket(place)
      plain.on('error', () => {}).resume()
      misbehave(plain)
      await next
      plain.destroy()
    }
    expect(refused.map(({ reason }) => reason)).toEqual(['handshake', 'handshake', 'handshake'])
  })

  it('refuses what exceeds the number of pending handshakes', async () => {
    const refusals: Refusal[] = []
    const { place, accepted } = await serve('implicit', { maxPending: 2, onRefused: (refusal) => void refusals.push(refusal) })
    const held = [await dial(place), await dial(place)]
    const third = await dial(place)
    await third.until(() => third.closed || third.ended)
    expect(refusals).toEqual([{ reason: 'too-many-pending', address: '127.0.0.1' }])
    held[0]?.socket.destroy()
    // The place is free again as soon as the server has seen it go.
    let far = await dialTls(place).catch(() => undefined)
    while (far === undefined) far = await dialTls(place).catch(() => undefined)
    const near = await accepted.next()
    near.reset()
    held[1]?.socket.destroy()
  })

  it('comes after the PROXY header, in one segment with it or not', async () => {
    const { place, accepted } = await serve('implicit', { proxy: { from: ['127.0.0.0/8'] } })
    const header = encodeProxyHeader({
      version: 2, command: 'proxy',
      source: { address: '192.0.2.9', port: 7 }, destination: { address: '198.51.100.2', port: 465 },
    })
    for (const together of [true, false]) {
      const wire = await dialSocket(place)
      if (!together) wire.write(header)
      const client = connectTls({ socket: together ? behind(header, wire) : wire, rejectUnauthorized: false })
      client.on('error', () => {})
      const near = await accepted.next()
      expect(near.peer).toMatchObject({
        address: '192.0.2.9', port: 7, localPort: 465, proxy: '127.0.0.1', tls: { protocol: 'TLSv1.3' },
      })
      const sink = opened(near)
      client.write('secret')
      await sink.until(() => sink.text === 'secret')
      near.reset()
    }
  })
})

describe('client certificates', () => {
  const withCa = certificates({ ...pair, also: [wild], clientCa: authority.cert, watch: false })
  const alice = issue({
    subject: 'Alice', email: ['alice@example.test'], dns: ['Laptop.example.test'], purposes: [2], issuer: authority,
  })
  const mallory = issue({ subject: 'Mallory', email: ['alice@example.test'], purposes: [2] })

  it.each(['default.test', 'mx.example.test'])('are asked for and judged, but not required: %s', async (servername) => {
    const { place, accepted } = await serve('implicit', { tlsOptions: { certificates: withCa } })
    const facts = async (options: object): Promise<unknown> => {
      const far = await dialTls(place, { servername, ...options })
      const near = await accepted.next()
      near.reset()
      far.reset()
      return near.peer.tls?.clientCertificate
    }
    expect(await facts({})).toBeUndefined()
    expect(await facts({ cert: alice.cert, key: alice.key })).toEqual({
      authorized: true, subject: 'CN=Alice', names: ['laptop.example.test', 'alice@example.test'],
      fingerprint: new X509Certificate(alice.cert).fingerprint256.replaceAll(':', '').toLowerCase(),
    })
    expect(await facts({ cert: mallory.cert, key: mallory.key })).toMatchObject({ authorized: false, subject: 'CN=Mallory' })
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('are still known when the session is resumed, %s', async (maxVersion) => {
    const { place, accepted } = await serve('implicit', { tlsOptions: { certificates: withCa } })
    const options = { cert: alice.cert, key: alice.key, maxVersion, servername: 'default.test' }
    const first = await dialTls(place, options)
    // With TLS 1.3 it comes after the handshake.
    const session = new Promise<Buffer>((resolve) => first.socket.once('session', resolve))
    if (maxVersion === 'TLSv1.2') first.socket.emit('session', first.socket.getSession())
    const near = await accepted.next()
    opened(near)
    near.write(['220 hello\r\n'])
    const resumed = await dialTls(place, { ...options, session: await session })
    const again = await accepted.next()
    expect(resumed.socket.isSessionReused()).toBe(true)
    expect(again.peer.tls?.clientCertificate).toEqual(near.peer.tls?.clientCertificate)
    expect(again.peer.tls?.clientCertificate?.authorized).toBe(true)
    near.reset()
    again.reset()
  })

  it('are judged anew once the key of the session tickets has changed', async () => {
    let ticks = 0
    const clock = { now: () => Date.now(), ticks: () => ticks, alarm: () => ({ cancel: () => undefined }) }
    const renewing = certificates({ ...pair, clientCa: authority.cert, watch: false, clock })
    const { place, accepted } = await serve('implicit', { tlsOptions: { certificates: renewing } })
    const options = { cert: alice.cert, key: alice.key, servername: 'default.test' }
    const first = await dialTls(place, options)
    const session = new Promise<Buffer>((resolve) => first.socket.once('session', resolve))
    const near = await accepted.next()
    opened(near)
    near.write(['220 hello\r\n'])
    const reused = async (): Promise<boolean> => {
      const far = await dialTls(place, { ...options, session: await session })
      const other = await accepted.next()
      expect(other.peer.tls?.clientCertificate?.authorized).toBe(true)
      other.reset()
      return far.socket.isSessionReused()
    }
    expect(await reused()).toBe(true)
    ticks += 12 * 3_600_000
    expect(await reused()).toBe(false)
    near.reset()
  })

  it('are not asked for without a CA', async () => {
    const { place, accepted } = await serve('implicit')
    await dialTls(place, { cert: alice.cert, key: alice.key })
    const near = await accepted.next()
    expect(near.peer.tls?.clientCertificate).toBeUndefined()
    near.reset()
  })
})

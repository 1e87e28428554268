import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { certificates, listenNode, selfSigned } from '../../../src/adapters/node/index.ts'
import type { ListenOptions, NodeListener } from '../../../src/adapters/node/index.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import type { Transport, TransportSink } from '../../../src/protocol/session/transport.ts'
import { transportContract } from '../../../src/testing/contracts/transport.ts'
import { Recorder } from '../../../src/testing/contracts/transport-ends.ts'
import { Accepted, dial, dialSocket, dialTls, opened, secure } from './ends.ts'
import type { SocketEnd } from './ends.ts'

const source = certificates({ ...selfSigned({ hostname: 'localhost' }), watch: false })
const listeners: NodeListener[] = []
const accepting: Accepted[] = []
let directory = ''

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'posthorn-transport-'))
})

afterAll(async () => {
  for (const listener of listeners) listener.close()
  for (const accepted of accepting) accepted.resetAll()
  await Promise.all(listeners.map((listener) => listener.closed))
  await rm(directory, { recursive: true })
})

interface Listening {
  readonly listener: NodeListener
  readonly accepted: Accepted
  readonly port: number
}

async function listen(options: Partial<ListenOptions> = {}): Promise<Listening> {
  const accepted = new Accepted()
  accepting.push(accepted)
  const place = options.path === undefined ? { port: 0, host: '127.0.0.1' } : {}
  const listener = await listenNode({ ...place, onTransport: accepted.take, ...options })
  listeners.push(listener)
  return { listener, accepted, port: listener.port ?? 0 }
}

interface TransportPair {
  readonly near: Transport
  readonly far: SocketEnd
}

/** The contract's way to get a pair: a listener made when first used, a way to reach it, and what to do with the two ends. */
function pairs(
  options: () => Partial<ListenOptions>,
  reach: (listener: NodeListener) => Promise<SocketEnd>,
): () => Promise<TransportPair> {
  let listening: ReturnType<typeof listen> | undefined
  return async () => {
    const { listener, accepted } = await (listening ??= listen(options()))
    const [far, near] = await Promise.all([reach(listener), accepted.next()])
    return { near, far }
  }
}

/** The published suite, on one way to connect. */
function contract(name: string, resets: boolean, open: () => Promise<TransportPair>): void {
  transportContract({ describe, it, name, open, traits: { resets } })
}

const portOf = (listener: NodeListener): { port: number } => ({ port: listener.port as number })

contract('TCP', true, pairs(() => ({}), (listener) => dial(portOf(listener))))

contract('unix socket', false, pairs(
  () => ({ path: join(directory, 'contract.sock') }),
  (listener) => dial({ path: listener.path as string }),
))

contract('implicit TLS', true, pairs(
  () => ({ tls: { mode: 'implicit', certificates: source } }),
  (listener) => dialTls(portOf(listener)),
))

/** A transport that has already come to TLS by STARTTLS, as if it had been so from the beginning. */
class Upgraded implements Transport {
  readonly peer: Transport['peer']
  readonly ready: Promise<void>
  readonly #transport: Transport
  readonly #early = new Recorder()
  #sink: TransportSink = this.#early

  constructor(transport: Transport) {
    this.#transport = transport
    this.peer = transport.peer
    this.ready = this.#early.untilCalled('secured')
    transport.open({
      received: (bytes) => this.#sink.received(bytes),
      ended: () => this.#sink.ended(),
      drained: () => this.#sink.drained(),
      secured: (tls) => {
        transport.pause()
        this.#sink.secured(tls)
      },
      closed: (error) => this.#sink.closed(error),
    })
    transport.startTls()
  }

  open(sink: TransportSink): void {
    this.#sink = sink
    this.#transport.resume()
  }

  write = (output: Parameters<Transport['write']>[0]): boolean => this.#transport.write(output)
  pause = (): void => this.#transport.pause()
  resume = (): void => this.#transport.resume()
  startTls = (): void => this.#transport.startTls()
  end = (): void => this.#transport.end()
  reset = (): void => this.#transport.reset()
}

let starttls: ReturnType<typeof listen> | undefined
contract('STARTTLS', true, async () => {
  const { accepted, port } = await (starttls ??= listen({ tls: { mode: 'starttls', certificates: source } }))
  const plain = await dialSocket({ port })
  const near = new Upgraded(await accepted.next())
  const [far] = await Promise.all([secure(plain), near.ready])
  return { near, far }
})

describe('socket transport', () => {
  it('knows both addresses, IPv4 as IPv4 even on a socket of both families', async () => {
    const { accepted, port } = await listen({ host: '::' })
    const far = await dial({ port })
    const near = await accepted.next()
    expect(near.peer).toEqual({ address: '127.0.0.1', port: far.socket.localPort, localAddress: '127.0.0.1', localPort: port })
    near.reset()
  })

  it('names no address on a unix socket', async () => {
    const { accepted } = await listen({ path: join(directory, 'nameless.sock') })
    await dial({ path: join(directory, 'nameless.sock') })
    const near = await accepted.next()
    expect(near.peer).toEqual({ address: undefined, port: undefined, localAddress: undefined, localPort: undefined })
    near.reset()
  })

  it('shows its host no socket', async () => {
    const { accepted, port } = await listen()
    await dial({ port })
    const near = await accepted.next()
    expect(Object.keys(near)).toEqual(['peer'])
    expect(Object.getOwnPropertySymbols(near)).toEqual([])
    near.reset()
  })

  it('calls back soon: behind every promise that waits for nothing, however many stand in a row', async () => {
    const { accepted, port } = await listen()
    await dial({ port })
    const near = await accepted.next()
    const order: string[] = []
    const row = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) await undefined
      order.push('row')
    }
    const outside = new Promise<void>((resolve) => setImmediate(() => resolve(void order.push('outside'))))
    near.soon!(() => order.push('soon'))
    void row()
    await outside
    expect(order).toEqual(['row', 'soon', 'outside'])
    near.reset()
  })

  it('tells that it was closed when opened too late', async () => {
    const { accepted, port } = await listen()
    const far = await dial({ port })
    const near = await accepted.next()
    far.send('x')
    far.reset()
    await far.until(() => far.closed)
    near.reset()
    await new Promise((resolve) => setTimeout(resolve, 5))
    const sink = opened(near)
    expect(sink.calls).toEqual([])
    await sink.untilCalled('closed')
  })

  it('throws a misuse error on startTls without certificates', async () => {
    const { accepted, port } = await listen()
    await dial({ port })
    const near = await accepted.next()
    expect(() => near.startTls()).toThrow(/listen with tls, mode starttls/)
    near.reset()
  })

  // RFC 1122 §4.2.2.13: a close with unread input resets the connection, and the reset overtakes the reply.
  it('S36: lets the last reply reach a peer that goes on sending', async () => {
    const { accepted, port } = await listen()
    const far = await dial({ port })
    const near = await accepted.next()
    const sink = opened(near)
    far.stopReading()
    far.send('x'.repeat(1_000_000))
    await sink.until(() => sink.octets > 0)
    near.pause()
    far.send('y'.repeat(4_000_000))
    near.write(['421 4.3.2 too busy\r\n'])
    near.end()
    far.send('z'.repeat(4_000_000))
    far.startReading()
    await far.until(() => far.ended)
    expect(far.text).toBe('421 4.3.2 too busy\r\n')
    far.end()
    await sink.untilCalled('closed')
    expect(sink.error).toBeUndefined()
  })

  it('closes by itself, without an error, when the peer keeps its side open after the end', async () => {
    const { accepted, port } = await listen({ lingerFor: 20 })
    const far = await dial({ port })
    const near = await accepted.next()
    const sink = opened(near)
    near.write(['221 bye\r\n'])
    near.end()
    await sink.untilCalled('closed')
    expect(far.text).toBe('221 bye\r\n')
    expect(sink.error).toBeUndefined()
    far.socket.destroy()
  })

  it('gives up, with an error, on a peer that does not read what was written before the end', async () => {
    const { accepted, port } = await listen({ flushWithin: 20 })
    const far = await dial({ port })
    far.stopReading()
    const near = await accepted.next()
    const sink = opened(near)
    let room = true
    while (room) room = near.write(['x'.repeat(1_000_000)])
    for (let i = 0; i < 30; i++) near.write(['x'.repeat(1_000_000)])
    near.end()
    await sink.untilCalled('closed')
    expect(isMailError(sink.error) && sink.error.code).toBe('peer')
    far.socket.destroy()
  })

  it('can be reset while it ends', async () => {
    const { accepted, port } = await listen()
    const far = await dial({ port })
    far.stopReading()
    const near = await accepted.next()
    const sink = opened(near)
    near.end()
    near.reset()
    await sink.untilCalled('closed')
    expect(sink.error).toBeUndefined()
  })

  it('takes a reset by the peer at any byte of a conversation as the end of that connection alone', async () => {
    const { accepted, port } = await listen()
    const witness = await dial({ port })
    const witnessedBy = await accepted.next()
    const witnessed = opened(witnessedBy)
    const dialogue = 'EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n'
    for (let sent = 0; sent <= dialogue.length; sent++) {
      const far = await dial({ port })
      const near = await accepted.next()
      const sink = new Recorder()
      near.open(sink)
      near.write(['220 hello\r\n'])
      far.send(dialogue.slice(0, sent))
      await sink.until(() => sink.octets === sent)
      far.reset()
      near.write(['250 ok\r\n'])
      await sink.untilCalled('closed')
      expect(sink.calls.filter((call) => call === 'closed' || call === 'ended')).toEqual(['closed'])
    }
    witness.send('still here')
    await witnessed.until(() => witnessed.octets === 10)
    expect(witnessed.calls).not.toContain('closed')
    witnessedBy.reset()
  })
})

/** A wire that breaks, on both sides, after `allowed` octets from the client. */
async function cutter(target: number, allowed: () => number): Promise<{ port: number; close: () => void }> {
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    let left = allowed()
    const cut = (): void => {
      for (const socket of [client, upstream] as Socket[]) if (!socket.destroyed) socket.resetAndDestroy()
    }
    client.on('data', (bytes) => {
      const passed = bytes.subarray(0, left)
      left -= passed.length
      upstream.write(passed, () => {
        if (left === 0) cut()
      })
    })
    upstream.on('data', (bytes) => client.write(bytes))
    for (const socket of [client, upstream]) socket.on('error', () => {}).on('close', cut)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

describe('a wire that breaks during TLS', () => {
  it('ends that connection alone, at whatever byte of handshake or conversation', async () => {
    const closings: Promise<void>[] = []
    const { port } = await listen({
      // Long enough for the test to fail where a connection is left to its time-out.
      tls: { mode: 'starttls', certificates: source, handshakeWithin: 600_000 },
      onTransport: (transport) => {
        const sink = opened(transport)
        closings.push(sink.untilCalled('closed').then(() => expect(sink.count('closed')).toBe(1)))
        transport.startTls()
        void sink.untilCalled('secured').then(() => transport.write(['220 hello\r\n']))
      },
    })
    let allowed = 1
    const wire = await cutter(port, () => allowed)
    const talk = async (): Promise<boolean> => {
      const plain = await dialSocket({ port: wire.port })
      const gone = new Promise<void>((resolve) => plain.once('close', () => resolve()))
      const far = await secure(plain).catch(() => undefined)
      far?.send('NOOP\r\n'.repeat(600))
      await gone
      return far !== undefined
    }
    let secured = 0
    // A hello is 300 octets long, or 1,700 where key exchange is post-quantum.
    for (; allowed < 3_000; allowed += 20) if (await talk()) secured++
    await Promise.all(closings)
    expect(secured).toBeGreaterThan(5)
    expect(closings.length).toBe(150)
    wire.close()
  })
})

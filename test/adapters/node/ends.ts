/** Both ends of a connection, as tests like them: what happened is recorded, and can be waited for without sleeping. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { TlsFacts } from '../../../src/protocol/session/tls.ts'
import type { Transport, TransportSink } from '../../../src/protocol/session/transport.ts'

/** Something that changes; `until` waits for a change after which a condition holds. */
class Observed {
  #waiting = new Set<() => void>()

  protected changed(): void {
    for (const look of [...this.#waiting]) look()
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }
}

/** A sink that records its calls. */
export class Recorder extends Observed implements TransportSink {
  readonly chunks: Uint8Array[] = []
  readonly calls: string[] = []
  octets = 0
  tls: TlsFacts | undefined
  error: Error | undefined
  /** Set while a call to the transport is under way: no call of ours may happen then. */
  inside = false
  broken = false

  received(bytes: Uint8Array): void {
    this.chunks.push(bytes)
    this.octets += bytes.length
    this.#note('received')
  }

  ended(): void {
    this.#note('ended')
  }

  drained(): void {
    this.#note('drained')
  }

  secured(tls: TlsFacts): void {
    this.tls = tls
    this.#note('secured')
  }

  closed(error?: Error): void {
    this.error = error
    this.#note('closed')
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1')
  }

  count(call: string): number {
    return this.calls.filter((made) => made === call).length
  }

  async untilCalled(call: string): Promise<void> {
    await this.until(() => this.calls.includes(call))
  }

  #note(call: string): void {
    if (this.inside) this.broken = true
    this.calls.push(call)
    this.changed()
  }
}

/** Makes every call to `transport` note itself, so that the recorder sees when it is called from inside one. */
export function guarded(transport: Transport, recorder: Recorder): Transport {
  const within = <T>(call: () => T): T => {
    recorder.inside = true
    try {
      return call()
    } finally {
      recorder.inside = false
    }
  }
  return {
    peer: transport.peer,
    open: (sink) => within(() => transport.open(sink)),
    write: (output) => within(() => transport.write(output)),
    pause: () => within(() => transport.pause()),
    resume: () => within(() => transport.resume()),
    startTls: () => within(() => transport.startTls()),
    end: () => within(() => transport.end()),
    reset: () => within(() => transport.reset()),
  }
}

/** The far end of a connection. */
export interface FarEnd {
  send(bytes: Uint8Array | string): void
  end(): void
  reset(): void
  stopReading(): void
  startReading(): void
  /** What has arrived. */
  readonly octets: number
  readonly text: string
  /** The near end has sent FIN. */
  readonly ended: boolean
  readonly closed: boolean
  until(condition: () => boolean): Promise<void>
}

/** A far end on a socket, plain or TLS. */
export class SocketEnd extends Observed implements FarEnd {
  readonly socket: Socket
  readonly chunks: Buffer[] = []
  octets = 0
  ended = false
  closed = false
  error: Error | undefined

  constructor(socket: Socket) {
    super()
    this.socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.chunks.push(bytes)
      this.octets += bytes.length
      this.changed()
    })
    socket.on('end', () => {
      this.ended = true
      this.changed()
    })
    socket.on('error', (error) => {
      this.error = error
      this.changed()
    })
    socket.on('close', () => {
      this.closed = true
      this.changed()
    })
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1')
  }

  send(bytes: Uint8Array | string): void {
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1')
    else this.socket.write(bytes)
  }

  end(): void {
    this.socket.end()
  }

  reset(): void {
    if (this.socket.remoteAddress === undefined) this.socket.destroy()
    else this.socket.resetAndDestroy()
  }

  stopReading(): void {
    this.socket.pause()
  }

  startReading(): void {
    this.socket.resume()
  }
}

/** A far end that speaks TLS on `plain`, which alone can be reset. */
class SecureEnd extends SocketEnd {
  readonly plain: Socket
  declare readonly socket: TLSSocket

  constructor(socket: TLSSocket, plain: Socket) {
    super(socket)
    this.plain = plain
  }

  override reset(): void {
    this.plain.resetAndDestroy()
  }
}

export type { SecureEnd }

type Place = { readonly port: number } | { readonly path: string }

/** A plain connection to a TCP port of this machine, or a unix socket. */
export function dialSocket(place: Place): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const options = 'port' in place ? { host: '127.0.0.1', port: place.port } : { path: place.path }
    const socket = connect({ ...options, allowHalfOpen: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

export const dial = async (place: Place): Promise<SocketEnd> => new SocketEnd(await dialSocket(place))

/** The client side of a handshake on a connection. Rejects when it fails. */
export function secure(plain: Socket, options: ConnectionOptions = {}): Promise<SecureEnd> {
  return new Promise((resolve, reject) => {
    plain.on('error', () => {})
    const socket = connectTls({ socket: plain, rejectUnauthorized: false, ...options })
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      socket.off('error', reject)
      resolve(new SecureEnd(socket, plain))
    })
  })
}

export const dialTls = async (place: Place, options: ConnectionOptions = {}): Promise<SecureEnd> =>
  secure(await dialSocket(place), options)

/** The connections that a listener has accepted, in order. */
export class Accepted {
  readonly #arrived: Transport[] = []
  readonly #waiting: ((transport: Transport) => void)[] = []

  readonly #all: Transport[] = []

  readonly take = (transport: Transport): void => {
    this.#all.push(transport)
    const next = this.#waiting.shift()
    if (next) next(transport)
    else this.#arrived.push(transport)
  }

  /** For the end of a test: transports that it did not end. */
  resetAll(): void {
    for (const transport of this.#all) transport.reset()
  }

  next(): Promise<Transport> {
    const transport = this.#arrived.shift()
    return transport ? Promise.resolve(transport) : new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/** Opens a transport with a recorder. */
export function opened(transport: Transport): Recorder {
  const recorder = new Recorder()
  transport.open(recorder)
  return recorder
}

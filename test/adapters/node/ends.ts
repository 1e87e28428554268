/** Ends of real connections, as tests like them: what happened is recorded, and can be waited for without sleeping. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { Transport } from '../../../src/protocol/session/transport.ts'
import { Recorder } from '../../../src/testing/contracts/transport-ends.ts'
import type { FarEnd } from '../../../src/testing/contracts/transport-ends.ts'
import { Observed } from '../../../src/testing/observed.ts'

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

/** The wire, with `header` put in front of what is written first, in one segment. */
export function behind(header: Uint8Array, wire: Socket): Duplex {
  let head = header
  const stream = new Duplex({
    read() {},
    write(bytes: Buffer, _encoding, done) {
      wire.write(Buffer.concat([head, bytes]), () => done())
      head = new Uint8Array(0)
    },
  })
  wire.on('data', (bytes) => stream.push(bytes)).on('error', () => {})
  return stream
}

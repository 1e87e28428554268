import { chmod } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Peer } from '../../protocol/session/transport.ts'
import { addressSet, plainAddress } from './addresses.ts'
import type { AddressSet } from './addresses.ts'
import { Arrival } from './arrival.ts'
import type { ArrivalHost, Refusal } from './arrival.ts'
import { listenError, removeStaleSocket } from './listen-errors.ts'
import { checkListenOptions, type ListenOptions } from './listen-options.ts'
import { SocketTransport } from './socket-transport.ts'
import type { SocketSettings } from './socket-transport.ts'
import { TlsAcceptor } from './tls.ts'

/** A socket that accepts connections. */
export interface NodeListener {
  /** The address it is bound to; `undefined` for a unix socket. */
  readonly address: string | undefined
  readonly port: number | undefined
  readonly path: string | undefined
  /** Stops accepting and drops connections that are not transports yet. Transports live on. */
  close(): void
  /** Resolves when `close()` was called and the last transport has closed. */
  readonly closed: Promise<void>
}

/** Begins to listen. Rejects with a `config` MailError that says what is wrong and what to do. */
export async function listenNode(options: ListenOptions): Promise<NodeListener> {
  checkListenOptions(options)
  const { port, host, path, backlog = 4096, mode } = options
  const listener = new Listener(options)
  try {
    if (path === undefined) await listener.listen({ port, host, backlog })
    else await listenPath(listener, path, backlog)
    if (path !== undefined && mode !== undefined) await chmod(path, mode)
  } catch (error) {
    listener.close()
    throw listenError({ port, host, path }, error)
  }
  return listener
}

async function listenPath(listener: Listener, path: string, backlog: number): Promise<void> {
  // libuv cuts a longer path off without a word, and listens somewhere else.
  if (Buffer.byteLength(path) > longestPath) throw Object.assign(new Error('path too long'), { code: 'EINVAL' })
  try {
    await listener.listen({ path, backlog })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || !await removeStaleSocket(path)) throw error
    await listener.listen({ path, backlog })
  }
}

/** Octets of the path of a unix socket, less the terminating one. Windows has named pipes, and no such limit. */
const longestPath = process.platform === 'linux' ? 107 : process.platform === 'win32' ? 32_767 : 103

interface Bind {
  readonly port?: number | undefined
  readonly host?: string | undefined
  readonly path?: string
  readonly backlog: number
}

class Listener implements NodeListener, ArrivalHost {
  readonly closed: Promise<void>
  readonly headerWithin: number
  readonly proxyEndsTls: boolean
  readonly tls: TlsAcceptor | undefined
  readonly #options: ListenOptions
  readonly #server: Server
  readonly #settings: SocketSettings
  readonly #trusted: AddressSet
  readonly #unix: boolean
  readonly #maxPending: number
  readonly #pending = new Set<Arrival>()
  #bound: AddressInfo | undefined
  /** The same, unless it stands for all addresses of the machine. */
  #own: AddressInfo | undefined
  /** Transports that have not closed. The server counts sockets, which it takes for closed before their transports know. */
  #transports = 0
  #stopped = false
  #resolveClosed: () => void = () => {}

  constructor(options: ListenOptions) {
    const { tls, proxy, flushWithin = 30_000, lingerFor = 5_000, maxPending = 1_000 } = options
    this.#options = options
    this.#unix = options.path !== undefined
    this.#maxPending = maxPending
    this.#trusted = addressSet('proxy.from', proxy?.from ?? [])
    this.headerWithin = proxy?.within ?? 5_000
    this.proxyEndsTls = proxy?.tls ?? false
    const acceptor = tls && new TlsAcceptor({ handshakeWithin: 10_000, ...tls })
    this.tls = tls?.mode === 'implicit' ? acceptor : undefined
    const startTls = tls?.mode === 'starttls' ? acceptor : undefined
    this.#settings = { tls: startTls, unix: this.#unix, flushWithin, lingerFor, closed: () => this.#left() }
    const sockets = { allowHalfOpen: true, noDelay: !this.#unix, highWaterMark: 65_536 }
    this.#server = createServer(sockets, (socket) => this.#accept(socket))
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#server.once('close', () => {
      this.#stopped = true
      if (this.#transports === 0) this.#resolveClosed()
    })
  }

  get address(): string | undefined {
    return this.#bound?.address
  }

  get port(): number | undefined {
    return this.#bound?.port
  }

  get path(): string | undefined {
    return this.#options.path
  }

  async listen(bind: Bind): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(bind, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    const bound = this.#server.address()
    this.#bound = typeof bound === 'object' ? bound ?? undefined : undefined
    const address = plainAddress(this.#bound?.address)
    const wildcard = address === '::' || address === '0.0.0.0'
    if (this.#bound && address !== undefined && !wildcard) this.#own = { ...this.#bound, address }
    this.#server.on('error', (error) => this.#options.onError?.(error))
  }

  close(): void {
    this.#server.close()
    for (const arrival of this.#pending) arrival.drop()
    this.#pending.clear()
  }

  arrived(arrival: Arrival, socket: Socket, peer: Peer, plain: Socket | undefined): void {
    this.#pending.delete(arrival)
    this.#handOver(socket, peer, plain)
  }

  refused(arrival: Arrival, refusal: Refusal): void {
    this.#pending.delete(arrival)
    this.#options.onRefused?.(refusal)
  }

  left(arrival: Arrival): void {
    this.#pending.delete(arrival)
  }

  #accept(socket: Socket): void {
    const peer = this.#peerOf(socket)
    if (this.#unix || peer.address !== undefined) {
      const { proxy } = this.#options
      const header = proxy !== undefined && (this.#unix || this.#trusted(peer.address))
      if (!header && proxy !== undefined && proxy.others !== 'serve') this.#turnAway(socket, peer, 'untrusted-proxy')
      else if (!header && this.tls === undefined) this.#handOver(socket, peer, undefined)
      else this.#receive(socket, peer, header)
      return
    }
    // Gone before it could be asked for its address. Nothing may take it for a local peer.
    socket.on('error', () => {})
    socket.destroy()
  }

  #handOver(socket: Socket, peer: Peer, plain: Socket | undefined): void {
    this.#transports++
    this.#options.onTransport(new SocketTransport(socket, peer, this.#settings, plain))
  }

  #left(): void {
    this.#transports--
    if (this.#stopped && this.#transports === 0) this.#resolveClosed()
  }

  #peerOf(socket: Socket): Peer {
    // Where the listener is bound to one address, every connection has it, and need not be asked: that is a system call each.
    const own = this.#own
    return {
      address: plainAddress(socket.remoteAddress),
      port: socket.remotePort,
      localAddress: own === undefined ? plainAddress(socket.localAddress) : own.address,
      localPort: own === undefined ? socket.localPort : own.port,
    }
  }

  #receive(socket: Socket, peer: Peer, header: boolean): void {
    if (this.#pending.size >= this.#maxPending) this.#turnAway(socket, peer, 'too-many-pending')
    else this.#pending.add(new Arrival(this, socket, peer, header))
  }

  #turnAway(socket: Socket, { address }: Peer, reason: Refusal['reason']): void {
    socket.on('error', () => {})
    socket.destroy()
    this.#options.onRefused?.({ reason, address })
  }
}

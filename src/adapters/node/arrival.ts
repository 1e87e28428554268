/*
 * A connection on its way from accept to transport. Each step is optional and bounded in time, and the kernel's queue is no place
 * for a peer to wait in:
 *
 *   header      the PROXY header of a trusted proxy     → handshake, or done; more than 2048 octets, or too late: refused
 *   handshake   implicit TLS                            → done; failed or too late: refused
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { MailError } from '../../protocol/session/errors.ts'
import type { TlsFacts } from '../../protocol/session/tls.ts'
import type { Peer } from '../../protocol/session/transport.ts'
import { parseProxyHeader } from './proxy.ts'
import { proxiedPeer } from './proxied-peer.ts'
import type { HandshakeParty, TlsAcceptor } from './tls.ts'

/** Why a connection was turned away before there was a transport. */
export type RefusalReason = 'untrusted-proxy' | 'proxy-header' | 'handshake' | 'too-many-pending'

/** A connection that never became a transport. */
export interface Refusal {
  readonly reason: RefusalReason
  /** The address at the other end of the socket (a proxy's, where there is one). */
  readonly address: string | undefined
  readonly error?: Error
}

/** What arrivals need of their listener. */
export interface ArrivalHost {
  /** Milliseconds for the PROXY header. */
  readonly headerWithin: number
  /** The proxy is known to end TLS. */
  readonly proxyEndsTls: boolean
  /** Implicit TLS. */
  readonly tls: TlsAcceptor | undefined
  arrived(arrival: Arrival, socket: Socket, peer: Peer, plain: Socket | undefined): void
  refused(arrival: Arrival, refusal: Refusal): void
  /** It went before it said anything. */
  left(arrival: Arrival): void
}

const owner = Symbol('arrival')

type Owned = Socket & { [owner]: Arrival }

const nothing = new Uint8Array(0)

/** One connection that is not a transport yet. */
export class Arrival implements HandshakeParty {
  readonly #host: ArrivalHost
  readonly #socket: Owned
  #peer: Peer
  #head: Uint8Array = nothing
  /** Octets of the header that was read. */
  #headerOctets = 0
  #timer: NodeJS.Timeout | undefined
  #over = false

  /** `header`: a PROXY protocol header comes before anything else. */
  constructor(host: ArrivalHost, socket: Socket, peer: Peer, header: boolean) {
    this.#host = host
    this.#peer = peer
    this.#socket = socket as Owned
    this.#socket[owner] = this
    this.#socket.on('error', Arrival.#onError).on('close', Arrival.#onClose)
    if (header) {
      this.#timer = setTimeout(Arrival.#late, host.headerWithin, this)
      this.#socket.on('data', Arrival.#onData).on('end', Arrival.#onEnd)
    } else this.#handshake()
  }

  /** Turns it away, for a server that stops. */
  drop(): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#socket.destroy()
  }

  secured(secure: TLSSocket, tls: TlsFacts): void {
    if (this.#over) {
      secure.on('error', () => {})
      secure.destroy()
      return
    }
    this.#finish(secure, { ...this.#peer, tls }, this.#socket)
  }

  failed(error: Error): void {
    if ((error as NodeJS.ErrnoException).code === 'ERR_TLS_HANDSHAKE_TIMEOUT') this.#refuse('handshake', error)
    else this.#gone('handshake', error)
  }

  #handshake(): void {
    const { tls } = this.#host
    if (tls === undefined) this.#finish(this.#socket, this.#peer, undefined)
    else if (!this.#socket.destroyed) tls.begin(this.#socket, this)
  }

  #finish(socket: Socket, peer: Peer, plain: Socket | undefined): void {
    this.#over = true
    this.#socket.off('close', Arrival.#onClose)
    // Under TLS the plain socket still needs a listener for its errors, which the TLS socket then reports.
    if (plain === undefined) this.#socket.off('error', Arrival.#onError)
    this.#host.arrived(this, socket, peer, plain)
  }

  #refuse(reason: RefusalReason, error: Error): void {
    if (this.#over) return
    const refusal: Refusal = { reason, address: this.#peer.proxy ?? this.#peer.address, error }
    this.drop()
    this.#host.refused(this, refusal)
  }

  /** The peer went. One that had said nothing but whom it speaks for is a health check or a look at the port: no trouble. */
  #gone(reason: RefusalReason, error: Error): void {
    if (this.#over) return
    if (this.#socket.bytesRead > this.#headerOctets) return this.#refuse(reason, error)
    this.drop()
    this.#host.left(this)
  }

  #read(bytes: Uint8Array): void {
    this.#head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes])
    const parsed = parseProxyHeader(this.#head)
    if (parsed.kind === 'more') return
    if (parsed.kind === 'bad') return this.#refuse('proxy-header', new MailError('peer', parsed.why))
    clearTimeout(this.#timer)
    this.#timer = undefined
    const socket = this.#socket
    socket.off('data', Arrival.#onData).off('end', Arrival.#onEnd).pause()
    const rest = this.#head.subarray(parsed.length)
    if (rest.length > 0) socket.unshift(rest)
    this.#head = nothing
    this.#headerOctets = parsed.length
    this.#peer = proxiedPeer(parsed.header, this.#peer, this.#host.proxyEndsTls)
    this.#handshake()
  }

  static #onData(this: Owned, bytes: Uint8Array): void {
    const arrival = this[owner]
    if (!arrival.#over) arrival.#read(bytes)
  }

  static #onEnd(this: Owned): void {
    this[owner].#gone('proxy-header', new MailError('peer', 'the connection ended before the PROXY header did'))
  }

  static #late(this: void, arrival: Arrival): void {
    arrival.#refuse('proxy-header', new MailError('peer', 'the PROXY header did not come in time'))
  }

  static #onError(this: Owned, error: Error): void {
    const arrival = this[owner]
    arrival.#gone(arrival.#timer === undefined ? 'handshake' : 'proxy-header', error)
  }

  static #onClose(this: Owned): void {
    this[owner].#gone('handshake', new MailError('peer', 'the connection closed during the TLS handshake'))
  }
}

/*
 * The states of a socket transport:
 *
 *   open      bytes flow both ways             startTls → securing, end → ending, reset → broken
 *   securing  a TLS handshake is under way     secured → open; write does nothing, end means reset
 *   ending    what was written goes out, then FIN; input is read and dropped until the peer closes or time is up
 *   broken    reset was called
 *   closed    the last word has been said
 *
 * Nothing here is made per connection but the transport itself: listeners are shared functions that find it through a symbol on
 * the socket, and there is no timer before the end. An idle connection costs little more than its socket.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { MailError } from '../../protocol/session/errors.ts'
import type { Output } from '../../protocol/session/session.ts'
import type { TlsFacts } from '../../protocol/session/tls.ts'
import type { Peer, Transport, TransportSink } from '../../protocol/session/transport.ts'
import { goOnLater, type Patient } from './event-loop.ts'
import type { Handshakes, HandshakeParty } from './tls.ts'

/** What all transports of a listener share. Times in milliseconds. */
export interface SocketSettings {
  /** Absent: `startTls` is a misuse. */
  readonly tls?: Handshakes | undefined
  /** A unix socket knows no RST. */
  readonly unix: boolean
  /** After `end`: how long the peer may take to read what was written. */
  readonly flushWithin: number
  /** After that: how long to wait for the peer to close, dropping what it still sends. */
  readonly lingerFor: number
  /** A transport has closed, and its sink knows. */
  readonly closed: () => void
}

type Phase = 'open' | 'securing' | 'ending' | 'broken' | 'closed'

const owner = Symbol('transport')

type Owned = Socket & { [owner]: SocketTransport }

/** Milliseconds that what one peer sends is worked on before others have their turn. */
const turn = 4

/** Octets of one peer after which it is looked how long they take. */
const piece = 8192

/** Octets that are not worth a look at the clock, and the milliseconds that they are taken for. */
const few = 512
const fewTake = 0.04

/** Milliseconds in which a piece is done where there is nothing in it but content. */
const quick = 0.25

/** Below this many octets one copy is cheaper than a vectored write. */
const copyBelow = 32 * 1024

/** Memory that small pieces are copied into, and the socket that did not get rid of it at once, which hardly any does. */
const scratch = Buffer.allocUnsafeSlow(copyBelow)
let holder: Socket | undefined

/** A transport on a socket of `node:net` or `node:tls`. */
export class SocketTransport implements Transport, HandshakeParty, Patient {
  readonly peer: Peer
  readonly #settings: SocketSettings
  #socket: Owned
  /** The plain socket under TLS, which alone can be reset. */
  #plain: Socket | undefined
  #sink: TransportSink | undefined
  #phase: Phase = 'open'
  #paused = false
  /** Milliseconds of the turn that are used up. */
  #worked = 0
  /** Its turn is over: others have theirs. */
  #resting = false
  /** What has come and is handed on in its next turn. */
  #held: Uint8Array | undefined
  #error: Error | undefined
  #timer: NodeJS.Timeout | undefined

  /** `plain` is given where `socket` is TLS on top of it. */
  constructor(socket: Socket, peer: Peer, settings: SocketSettings, plain?: Socket) {
    this.peer = peer
    this.#settings = settings
    this.#plain = plain
    this.#socket = socket as Owned
    this.#socket[owner] = this
    this.#socket.on('error', SocketTransport.#onError).on('close', SocketTransport.#onClose)
  }

  open(sink: TransportSink): void {
    this.#sink = sink
    if (this.#phase === 'closed') queueMicrotask(() => sink.closed(this.#error))
    else if (this.#phase === 'open') this.#listen()
  }

  write(output: readonly Output[]): boolean {
    if (this.#phase !== 'open') return true
    const first = output[0]
    if (output.length > 1) return writeSeveral(this.#socket, output)
    if (first === undefined || first.length === 0) return !this.#socket.writableNeedDrain
    return typeof first === 'string' ? this.#socket.write(first, 'latin1') : this.#socket.write(first)
  }

  soon(run: () => void): void {
    // A tick that is asked for in a microtask comes when no microtask is left.
    queueMicrotask(() => process.nextTick(run))
  }

  pause(): void {
    this.#paused = true
    if (this.#phase === 'open') this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    // Before `open` there is nobody to take the bytes.
    if (this.#phase !== 'open' || this.#sink === undefined || this.#resting) return
    if (this.#held) this.#rest()
    else this.#socket.resume()
  }

  startTls(): void {
    const { tls } = this.#settings
    if (tls === undefined) {
      throw new MailError('misuse', 'startTls() needs certificates: listen with tls, mode starttls; or dial with tls')
    }
    if (this.#plain !== undefined || this.#phase === 'securing') throw new MailError('misuse', 'startTls() on a TLS connection')
    const socket = this.#socket
    if (this.#phase !== 'open' || socket.destroyed) return
    // RFC 3207 §4.2, CVE-2011-0411: what came before the handshake is no part of it, nor of what follows.
    if (socket.readableLength > 0 || this.#held) {
      this.#error = new MailError('peer', 'plaintext came behind STARTTLS')
      this.#break()
      return
    }
    this.#phase = 'securing'
    socket.off('data', SocketTransport.#onData).off('end', SocketTransport.#onEnd).off('drain', SocketTransport.#onDrain)
    tls.begin(socket, this)
  }

  secured(secure: TLSSocket, facts: TlsFacts): void {
    const plain = this.#socket
    this.#socket = secure as TLSSocket & Owned
    this.#socket[owner] = this
    this.#socket.on('error', SocketTransport.#onError)
    if (this.#phase !== 'securing') {
      secure.destroy()
      return
    }
    // From here on the TLS socket says when it is over: the plain one closes first, before the last error is known.
    plain.off('close', SocketTransport.#onClose)
    this.#socket.on('close', SocketTransport.#onClose)
    this.#plain = plain
    this.#phase = 'open'
    this.#listen()
    this.#sink?.secured(facts)
  }

  failed(error: Error): void {
    this.#error ??= error
  }

  end(): void {
    if (this.#phase === 'securing') this.reset()
    if (this.#phase !== 'open') return
    this.#phase = 'ending'
    this.#held = undefined
    // RFC 1122 §4.2.2.13: closing with input unread sends RST, which can destroy the last reply on its way. So read on.
    this.#socket.resume()
    this.#socket.on('finish', SocketTransport.#onFinish)
    this.#timer = setTimeout(SocketTransport.#late, this.#settings.flushWithin, this)
    // Called while the handshake's own callback runs, OpenSSL says no close_notify in TLS 1.3, and the peer must take what
    // follows for an attack (RFC 8446 §6.1).
    if (this.#plain === undefined) this.#socket.end()
    else setImmediate(() => this.#socket.end())
  }

  reset(): void {
    if (this.#phase === 'broken' || this.#phase === 'closed') return
    this.#break()
  }

  #break(): void {
    const plain = this.#plain ?? this.#socket
    this.#phase = 'broken'
    // libuv refuses to reset a socket whose shutdown is under way, and then never closes it.
    if (this.#settings.unix || this.#socket.writableEnded) plain.destroy()
    else plain.resetAndDestroy()
  }

  #listen(): void {
    this.#socket.on('data', SocketTransport.#onData).on('end', SocketTransport.#onEnd).on('drain', SocketTransport.#onDrain)
    if (this.#paused || this.#resting) this.#socket.pause()
    else this.#socket.resume()
  }

  /**
   * Hands on what has come. libuv gives up to 2 MB of one socket before it looks at another, and as much of each: of short
   * commands that is too much at a time.
   */
  #hand(bytes: Uint8Array): void {
    if (bytes.length <= few) {
      this.#sink?.received(bytes)
      this.#worked += fewTake
      if (this.#worked > turn && this.#phase === 'open') this.#rest()
      return
    }
    const isLong = bytes.length > piece
    const began = performance.now()
    this.#sink?.received(isLong ? bytes.subarray(0, piece) : bytes)
    const took = performance.now() - began
    this.#worked += took
    if (isLong && this.#phase === 'open') {
      if (took < quick) this.#sink?.received(bytes.subarray(piece))
      else this.#held = bytes.subarray(piece)
    }
    // The phase may be another by now.
    if ((this.#held || this.#worked > turn) && this.#phase === 'open') this.#rest()
  }

  #rest(): void {
    this.#worked = 0
    this.#resting = true
    this.#socket.pause()
    goOnLater(this)
  }

  /** Its turn has come. */
  goOn(): void {
    this.#resting = false
    if (this.#phase !== 'open' || this.#paused) return
    const held = this.#held
    this.#held = undefined
    if (held) this.#hand(held)
    if (!this.#resting && !this.#paused && (this.#phase as Phase) === 'open') this.#socket.resume()
  }

  /**
   * Where a reset by the peer meets a write that TLS makes by itself (session tickets), Node loses the error, tells an end and
   * never finishes a write again. The kernel knows better: it names no peer any more.
   */
  #isDead(): boolean {
    return this.#plain !== undefined && !this.#settings.unix && this.#socket.remoteAddress === undefined
  }

  static #onData(this: Owned, bytes: Uint8Array): void {
    const transport = this[owner]
    if (transport.#phase === 'open') transport.#hand(bytes)
  }

  static #onEnd(this: Owned): void {
    const transport = this[owner]
    if (transport.#phase !== 'open') return
    if (transport.#isDead()) {
      transport.#error ??= new MailError('peer', 'the connection was reset')
      this.destroy()
    } else transport.#sink?.ended()
  }

  static #onDrain(this: Owned): void {
    const transport = this[owner]
    if (transport.#phase === 'open') transport.#sink?.drained()
  }

  static #onError(this: Owned, error: Error): void {
    const transport = this[owner]
    // After our own reset, or when all was sent and our side is closed, a break tells nothing.
    if (transport.#phase !== 'broken' && !(transport.#phase === 'ending' && this.writableFinished)) transport.#error ??= error
  }

  static #onFinish(this: Owned): void {
    const transport = this[owner]
    clearTimeout(transport.#timer)
    if (!this.readableEnded) transport.#timer = setTimeout(SocketTransport.#late, transport.#settings.lingerFor, transport)
  }

  static #late(this: void, transport: SocketTransport): void {
    const socket = transport.#socket
    if (!socket.writableFinished) transport.#error ??= new MailError('peer', 'the peer did not read what was sent to it')
    socket.destroy()
  }

  static #onClose(this: Owned): void {
    const transport = this[owner]
    if (transport.#phase === 'securing') transport.#error ??= new MailError('peer', 'the connection closed in a TLS handshake')
    transport.#phase = 'closed'
    clearTimeout(transport.#timer)
    transport.#sink?.closed(transport.#error)
    transport.#settings.closed()
  }
}

/** One write for all: text joined, small pieces copied into one, large ones handed to the kernel side by side. */
function writeSeveral(socket: Socket, output: readonly Output[]): boolean {
  const octets = output.reduce((sum, piece) => sum + piece.length, 0)
  if (octets === 0) return !socket.writableNeedDrain
  if (output.every((piece) => typeof piece === 'string')) return socket.write(output.join(''), 'latin1')
  if (octets <= copyBelow) {
    const whole = roomFor(octets)
    let at = 0
    for (const piece of output) {
      if (typeof piece === 'string') whole.write(piece, at, 'latin1')
      else whole.set(piece, at)
      at += piece.length
    }
    const hasRoom = socket.write(whole)
    if (whole.buffer === scratch.buffer && socket.writableLength > 0) holder = socket
    return hasRoom
  }
  let room = true
  socket.cork()
  for (const piece of output) {
    if (piece.length > 0) room = typeof piece === 'string' ? socket.write(piece, 'latin1') : socket.write(piece)
  }
  socket.uncork()
  return room
}

function roomFor(octets: number): Buffer {
  if (holder !== undefined && holder.writableLength > 0 && !holder.closed) return Buffer.allocUnsafe(octets)
  holder = undefined
  return scratch.subarray(0, octets)
}

/*
 * The states of one end of a link:
 *
 *   open      bytes flow both ways          startTls, secure → securing, end → ending, reset → closed
 *   securing  waits for the other end       both ends securing → open; write does nothing, end means reset
 *   ending    what was written is on its way, input is dropped     all taken and the other end over, or time up → closed
 *   closed    the last word is said, or about to be
 *
 * Beside that, an end that is open may have finished: its output is over, it still reads.
 */
import type { Alarm, Clock } from '../../protocol/session/clock.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Output } from '../../protocol/session/session.ts'
import type { TlsFacts } from '../../protocol/session/tls.ts'
import type { Peer, Transport, TransportSink } from '../../protocol/session/transport.ts'

/** Runs a task later: never at once, and in the order in which tasks were given. */
export type Scheduler = (task: () => void) => void

/** How a link behaves. Octets, milliseconds. */
export interface LinkOptions {
  /** Who the client is, as the server sees it. Left out: an address that is not known, as over a unix socket. */
  readonly peer?: Partial<Peer>
  /** When deliveries happen (default: as microtasks). Given a virtual clock, this is the latency of the link. */
  readonly schedule?: Scheduler
  /** Octets that may wait in one direction before `write` says false (default 65,536). */
  readonly highWaterMark?: number
  /** Octets delivered at a time at most (default 65,536). 1 shows whether anything depends on how bytes are cut. */
  readonly chunk?: number
  /**
   * Lets an end that was ended give up on a peer that does not read, or does not end in turn. Without one it waits for the
   * reading only.
   */
  readonly clock?: Clock
  /** After `end`, with a clock: how long the peer may take to read what was written (default 30,000). */
  readonly flushWithin?: number
  /** After that: how long to wait for the peer to end (default 5,000). */
  readonly lingerFor?: number
}

/** The client's end of a link: a transport that can end its output alone, and be the client of a TLS handshake. */
export interface ClientTransport extends Transport {
  /** Ends the output; what the server says can still be read. */
  finish(): void
  /**
   * Becomes the TLS client side. No handshake is computed: both ends learn these facts, a client certificate the server
   * alone. The server has to call `startTls`, before or after. Throws a `misuse` MailError on a link that is secured.
   */
  secure(facts?: Partial<TlsFacts>): void
}

/** Two transports of which each is the other's peer. */
export interface LinkedTransports {
  readonly server: Transport
  readonly client: ClientTransport
}

/**
 * A connection in memory, with everything that sockets do: bytes in chunks, flow control, half-close, reset, TLS facts. What is
 * written is copied, and nobody is called from inside a call.
 */
export function linkedTransports(options: LinkOptions = {}): LinkedTransports {
  const peer: Peer = { address: undefined, port: undefined, localAddress: undefined, localPort: undefined, ...options.peer }
  const { address, port, localAddress, localPort, tls } = peer
  const settings: Settings = {
    schedule: options.schedule ?? microtask,
    mark: options.highWaterMark ?? 65_536,
    chunk: options.chunk ?? 65_536,
    clock: options.clock,
    flushWithin: options.flushWithin ?? 30_000,
    lingerFor: options.lingerFor ?? 5_000,
  }
  const server = new LinkedEnd(peer, settings, 'server')
  const mirrored: Peer = { address: localAddress, port: localPort, localAddress: address, localPort: port }
  const client = new LinkedEnd(tls ? { ...mirrored, tls: factsForClient(tls) } : mirrored, settings, 'client')
  server.join(client)
  client.join(server)
  return { server, client }
}

// Taken once: test runners that replace the platform's timers do not stop links.
const soon = queueMicrotask
const microtask: Scheduler = (task) => soon(task)

const usualTls: TlsFacts = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }

function factsForClient({ clientCertificate: _, ...facts }: TlsFacts): TlsFacts {
  return facts
}

interface Settings {
  readonly schedule: Scheduler
  readonly mark: number
  readonly chunk: number
  readonly clock: Clock | undefined
  readonly flushWithin: number
  readonly lingerFor: number
}

type Phase = 'open' | 'securing' | 'ending' | 'closed'

class LinkedEnd implements ClientTransport {
  readonly peer: Peer
  readonly #settings: Settings
  readonly #side: 'server' | 'client'
  #other!: LinkedEnd
  #sink: TransportSink | undefined
  #phase: Phase = 'open'
  #secure: boolean
  #paused = false
  /** A delivery is under way or scheduled. */
  #armed = false
  #inbox: Uint8Array[] = []
  #waiting = 0
  /** The other end has ended its output; told or not. */
  #inputOver = false
  #toldEnded = false
  /** Our output is over. */
  #finished = false
  #owesDrained = false
  #handshake: Partial<TlsFacts> | undefined
  #secured: TlsFacts | undefined
  #error: Error | undefined
  #toldClosed = false
  #alarm: Alarm | undefined
  #lingering = false

  constructor(peer: Peer, settings: Settings, side: 'server' | 'client') {
    this.peer = peer
    this.#settings = settings
    this.#side = side
    this.#secure = peer.tls !== undefined
  }

  join(other: LinkedEnd): void {
    this.#other = other
  }

  // What the owner calls.

  open(sink: TransportSink): void {
    this.#sink = sink
    this.#arm()
  }

  write(output: readonly Output[]): boolean {
    if (this.#phase !== 'open' || this.#finished) return true
    const other = this.#other
    const octets = octetsOf(output)
    if (octets.length > 0) other.#arrive(octets)
    const full = other.#waiting > this.#settings.mark
    if (full) this.#owesDrained = true
    return !full
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#arm()
  }

  startTls(): void {
    this.#begin({})
  }

  secure(facts: Partial<TlsFacts> = {}): void {
    this.#begin(facts)
  }

  finish(): void {
    if (this.#phase === 'securing') this.#shatter('the connection closed during the TLS handshake')
    if (this.#phase !== 'open' || this.#finished) return
    this.#finished = true
    this.#other.#endInput()
    this.#arm()
  }

  end(): void {
    if (this.#phase === 'securing') this.reset()
    if (this.#phase !== 'open') return
    this.#phase = 'ending'
    this.#owesDrained = false
    this.#drop()
    if (!this.#finished) this.#other.#endInput()
    this.#finished = true
    this.#other.#arm()
    this.#limitFlush()
    this.#arm()
  }

  reset(): void {
    if (this.#phase === 'closed') return
    this.#other.#close(new MailError('peer', 'the connection was reset by the peer'))
    this.#close(undefined)
  }

  // What the other end brings about.

  #arrive(octets: Uint8Array): void {
    if (this.#phase === 'ending') return
    if (this.#phase === 'closed') {
      // A socket that is gone answers with RST.
      this.#other.#close(new MailError('peer', 'the connection was closed by the peer'))
      return
    }
    if (this.#phase === 'securing') {
      this.#shatter('plaintext came instead of a TLS handshake')
      return
    }
    this.#inbox.push(octets)
    this.#waiting += octets.length
    this.#arm()
  }

  #endInput(): void {
    if (this.#phase === 'securing') {
      this.#shatter('the connection closed during the TLS handshake')
      return
    }
    this.#inputOver = true
    this.#arm()
  }

  #begin(facts: Partial<TlsFacts>): void {
    if (this.#secure || this.#phase === 'securing') {
      throw new MailError('misuse', `${this.#side}: TLS was begun before on this connection`)
    }
    if (this.#phase !== 'open' || this.#finished) return
    // RFC 3207 §4.2, CVE-2011-0411: what came before the handshake is no part of it, nor of what follows.
    if (this.#inbox.length > 0) {
      this.#shatter('plaintext came behind STARTTLS')
      return
    }
    this.#phase = 'securing'
    this.#handshake = facts
    const other = this.#other
    if (this.#inputOver) this.#shatter('the connection closed during the TLS handshake')
    else if (other.#phase === 'securing') {
      const agreed: TlsFacts = { ...usualTls, ...this.#handshake, ...other.#handshake }
      this.#established(agreed)
      other.#established(agreed)
    }
  }

  #established(facts: TlsFacts): void {
    this.#phase = 'open'
    this.#secure = true
    this.#secured = this.#side === 'server' ? facts : factsForClient(facts)
    this.#arm()
  }

  /** Breaks the connection for both. */
  #shatter(why: string): void {
    this.#close(new MailError('peer', why))
    this.#other.#close(new MailError('peer', why))
  }

  #close(error: Error | undefined): void {
    if (this.#phase === 'closed') return
    // All was sent, and our side is closed: a break tells nothing.
    this.#error = this.#phase === 'ending' && this.#other.#hasTakenAll() ? undefined : error
    this.#phase = 'closed'
    this.#alarm?.cancel()
    this.#drop()
    this.#arm()
    this.#other.#arm()
  }

  #drop(): void {
    this.#inbox = []
    this.#waiting = 0
    if (this.#other.#owesDrained) this.#other.#arm()
  }

  #hasTakenAll(): boolean {
    return this.#phase === 'ending' || this.#phase === 'closed' || (this.#waiting === 0 && this.#toldEnded)
  }

  // What the owner is told.

  #arm(): void {
    if (this.#armed || this.#sink === undefined || this.#toldClosed) return
    this.#armed = true
    this.#settings.schedule(() => this.#tell(this.#sink!))
  }

  /** Tells all there is to tell. Whatever the sink does meanwhile has its effect on the next step, not on this one. */
  #tell(sink: TransportSink): void {
    try {
      while (this.#step(sink)) continue
    } finally {
      this.#armed = false
    }
  }

  /** One call at most; whether there may be more. */
  #step(sink: TransportSink): boolean {
    if (this.#phase === 'ending') this.#goOn()
    if (this.#phase === 'closed') {
      this.#toldClosed = true
      sink.closed(this.#error)
      return false
    }
    if (this.#phase === 'ending') return false
    if (this.#secured) {
      const facts = this.#secured
      this.#secured = undefined
      sink.secured(facts)
      return true
    }
    if (this.#owesDrained && this.#other.#waiting <= this.#settings.mark / 2) {
      this.#owesDrained = false
      sink.drained()
      return true
    }
    if (this.#paused || this.#phase === 'securing') return false
    if (this.#inbox.length > 0) return this.#deliver(sink)
    if (!this.#inputOver) return false
    if (!this.#toldEnded) {
      this.#toldEnded = true
      sink.ended()
      this.#other.#arm()
      return true
    }
    // Both directions have ended by themselves.
    if (!this.#finished) return false
    this.#close(undefined)
    return true
  }

  #deliver(sink: TransportSink): boolean {
    const first = this.#inbox[0]!
    const { chunk } = this.#settings
    const piece = first.length > chunk ? first.subarray(0, chunk) : first
    if (piece === first) this.#inbox.shift()
    else this.#inbox[0] = first.subarray(chunk)
    this.#waiting -= piece.length
    sink.received(piece)
    const other = this.#other
    if (other.#owesDrained || other.#phase === 'ending') other.#arm()
    return true
  }

  /** After `end`: until the other end has read all and, where there is a clock, has ended in turn or let the time pass. */
  #goOn(): void {
    const other = this.#other
    if (!other.#hasTakenAll()) return
    const { clock, lingerFor } = this.#settings
    if (clock === undefined || this.#inputOver || other.#phase === 'closed') this.#close(undefined)
    else if (!this.#lingering) {
      this.#lingering = true
      this.#alarm?.cancel()
      this.#alarm = clock.alarm(clock.ticks() + lingerFor, () => this.#close(undefined))
    }
  }

  #limitFlush(): void {
    const { clock, flushWithin } = this.#settings
    const late = (): void => this.#shatter('the peer did not read what was sent to it')
    if (clock) this.#alarm = clock.alarm(clock.ticks() + flushWithin, late)
  }
}

/** A copy of the octets: whoever wrote them may use the space again. */
function octetsOf(output: readonly Output[]): Uint8Array {
  if (output.length === 1 && typeof output[0] === 'string') return Buffer.from(output[0], 'latin1')
  return Buffer.concat(output.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)))
}

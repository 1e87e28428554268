import type { Output } from './session.ts'
import type { TlsFacts } from './tls.ts'

/** Who is at the other end. Addresses are plain text (`192.0.2.1`, `2001:db8::1`); IPv4-mapped IPv6 is given as IPv4. */
export interface Peer {
  /** The client's address; `undefined` over a unix socket or an in-memory link that names none. */
  readonly address: string | undefined
  readonly port: number | undefined
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  /** Present from the start where TLS came first (implicit TLS, or a proxy that ended TLS and said so). */
  readonly tls?: TlsFacts
  /** Set when the facts above came in a PROXY protocol header: the address of the proxy itself. */
  readonly proxy?: string
}

/** What a transport tells the one who drives it. Methods are never called from inside a call to the transport. */
export interface TransportSink {
  /** Bytes arrived; the transport will not touch them again. */
  received(bytes: Uint8Array): void
  /** The peer has ended its side; it may still read. */
  ended(): void
  /** After a `write` that returned false: there is room again. */
  drained(): void
  /** After `startTls`: the handshake is done. */
  secured(tls: TlsFacts): void
  /** The last call. `error` is set when the connection broke rather than ended. */
  closed(error?: Error): void
}

/** A byte stream in both directions: a socket, a TLS connection, one end of an in-memory link. */
export interface Transport {
  readonly peer: Peer
  /** Begins to deliver. Called once, before anything else. */
  open(sink: TransportSink): void
  /** Sends all of it, in order, as one write. `false`: more than the high-water mark is waiting; expect `drained`. */
  write(output: readonly Output[]): boolean
  /**
   * Calls back once what is under way by now has come as far as it can without waiting for anything outside. Whoever expects to
   * have more to say by then can say it in one write: on a socket a write costs more than most commands. Absent where it does
   * not.
   */
  soon?(run: () => void): void
  /** No `received` until `resume`. At most one chunk already under way may still come. */
  pause(): void
  /** Delivers again. */
  resume(): void
  /**
   * Becomes the TLS server side of the connection; its client side where it was dialled. Bytes received before are not part of
   * the handshake. Until `secured` there is nothing to say: `write` does nothing, `end` means `reset`.
   */
  startTls(): void
  /**
   * What is written from now on goes out compressed (raw DEFLATE, RFC 1951), each write so that the peer can read all of it when
   * it has come; what is received from now on is inflated. The transport breaks where what comes is not compressed, or out of
   * all proportion. Absent where it cannot.
   */
  compress?(): void
  /** Sends what was written, then closes. Only `closed` is called from then on; what the peer still sends is dropped. */
  end(): void
  /** Closes at once; what was not sent is lost. Only `closed` is called from then on, without an error. */
  reset(): void
}

import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { TransportSink } from '../../protocol/session/transport.ts'
import type { ClientTransport } from './link.ts'

/** What passes for a connected socket. */
export type LinkSocket = Socket

/**
 * The client's end of a link as a stream that passes for a connected socket of `node:net`, for clients that take one
 * (nodemailer's `connection`). Opens the end. Time-outs and socket options have no effect; a TLS handshake cannot be computed
 * over it.
 */
export function socketOf(end: ClientTransport): LinkSocket {
  return new LinkStream(end) as unknown as Socket
}

class LinkStream extends Duplex {
  readonly connecting = false
  readonly encrypted: boolean
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  readonly #end: ClientTransport
  #written: (() => void) | undefined
  #over = false
  #broken = false

  constructor(end: ClientTransport) {
    // As sockets do unless told otherwise: who has read the peer's end ends too.
    super({ allowHalfOpen: false })
    const { address, port, localAddress, localPort, tls } = end.peer
    this.encrypted = tls !== undefined
    this.remoteAddress = address
    this.remotePort = port
    this.localAddress = localAddress
    this.localPort = localPort
    this.#end = end
    end.open(this.#sink())
  }

  /** What the link tells. TLS facts are none of a stream's: it never calls `secure`. */
  #sink(): TransportSink {
    return {
      received: (bytes) => {
        if (!this.push(bytes)) this.#end.pause()
      },
      ended: () => {
        this.#over = true
        this.push(null)
      },
      drained: () => {
        const written = this.#written
        this.#written = undefined
        written?.()
      },
      secured: () => undefined,
      closed: (error) => {
        this.#broken = true
        if (error) this.destroy(Object.assign(error, { code: 'ECONNRESET' }))
        else if (!this.#over) this.destroy()
      },
    }
  }

  // What streams ask for.

  override _read(): void {
    this.#end.resume()
  }

  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    if (this.#end.write([bytes])) done()
    else this.#written = done
  }

  override _final(done: () => void): void {
    this.#end.finish()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#broken) this.#end.end()
    done(error)
  }

  // What sockets have beside.

  resetAndDestroy(): this {
    this.#end.reset()
    return this.destroy()
  }

  setTimeout(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}

/*
 * A transport on top of another one, which can begin to compress (raw DEFLATE, RFC 1951) in both directions:
 *
 *   plain        bytes pass as they are                                        compress → compressing
 *   compressing  what is written is deflated, what is received is inflated     end, reset, broken input → over
 *   over         only `closed` is still told
 */
import { createInflateRaw, type InflateRaw, constants } from 'node:zlib'
import { MailError } from '../../protocol/session/errors.ts'
import type { Output } from '../../protocol/session/session.ts'
import type { TlsFacts } from '../../protocol/session/tls.ts'
import type { Peer, Transport, TransportSink } from '../../protocol/session/transport.ts'
import { Deflating } from './deflating.ts'
import { Inflating, type Unfinished } from './inflating.ts'

/** How much of what a peer compressed is taken from it. */
export interface CompressibleOptions {
  /**
   * Octets that may come out beyond a hundred for each that came in (default 64 MiB). What is more is taken for a bomb, and
   * breaks the connection. Not less than the largest message that is taken: one may consist of nothing but zeros.
   */
  readonly burst?: number
}

/** What an octet may become, the burst aside: of text it makes ten at most, of IMAP commands thirty. */
const RATIO = 100

/** Octets inflated at a time. Others have their turn in between; zlib holds on to a space of that size. */
const CHUNK = 4096

/**
 * Gives a transport the ability to compress. Until it is asked to it costs one call for each of the transport's. Then a
 * connection costs what was sent last, 8 KiB at most, and what came last, 32 KiB at most, for the format allows a peer to refer
 * back so far. One that sends much at a time, or does not flush as others do, has a stream of zlib's from then on: 42 KiB for its
 * window and tables, 4 for what has just been inflated.
 */
export function compressible(transport: Transport, { burst = 64 * 1024 * 1024 }: CompressibleOptions = {}): Transport {
  return new CompressibleTransport(transport, burst)
}

class CompressibleTransport implements Transport, TransportSink {
  readonly #below: Transport
  #sink: TransportSink | undefined
  #paused = false
  #over = false
  #deflating: Deflating | undefined
  /** What comes in little batches; then whatever comes. */
  #inflating: Inflating | undefined
  #inflate: InflateRaw | undefined
  /** Octets of what comes out of that which have been told before. */
  #told = 0
  /** Octets that may still come out of what went in. */
  #credit: number
  /** More is waiting to be inflated than should. */
  #choked = false
  #error: Error | undefined

  constructor(below: Transport, burst: number) {
    this.#below = below
    this.#credit = burst
  }

  get peer(): Peer {
    return this.#below.peer
  }

  // What the owner calls.

  open(sink: TransportSink): void {
    this.#sink = sink
    this.#below.open(this)
  }

  write(output: readonly Output[]): boolean {
    return this.#below.write(this.#deflating ? this.#deflating.deflate(output) : output)
  }

  soon(run: () => void): void {
    if (this.#below.soon) this.#below.soon(run)
    else queueMicrotask(run)
  }

  pause(): void {
    this.#paused = true
    this.#inflate?.pause()
    this.#below.pause()
  }

  resume(): void {
    this.#paused = false
    this.#inflate?.resume()
    if (!this.#choked) this.#below.resume()
  }

  startTls(): void {
    if (this.#deflating) throw new MailError('misuse', 'startTls() on a connection that is compressed')
    this.#below.startTls()
  }

  compress(): void {
    if (this.#deflating) throw new MailError('misuse', 'compress() on a connection that is compressed')
    if (this.#over) return
    this.#deflating = new Deflating()
    this.#inflating = new Inflating()
  }

  /** Goes on with whatever comes. */
  #stream({ dictionary, held, told }: Unfinished): void {
    // Bytes are told as soon as they can be made out, and a stream that just ends is no error (RFC 4978 says nothing of an end).
    const inflate = createInflateRaw({
      chunkSize: CHUNK, flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH, ...(dictionary && { dictionary }),
    })
    this.#inflating = undefined
    this.#inflate = inflate
    this.#told = told
    inflate.on('data', (bytes: Uint8Array) => this.#inflated(bytes))
    inflate.on('drain', () => this.#unchoked())
    inflate.on('end', () => this.#inputEnded())
    inflate.on('error', (error) => this.#break(new MailError('peer', 'what came is not compressed as agreed', { cause: error })))
    if (this.#paused) inflate.pause()
    this.#feed(inflate, held)
  }

  #feed(inflate: InflateRaw, bytes: Uint8Array): void {
    if (inflate.write(bytes)) return
    this.#choked = true
    this.#below.pause()
  }

  end(): void {
    this.#letGo()
    this.#below.end()
  }

  reset(): void {
    this.#letGo()
    this.#below.reset()
  }

  // What the transport below tells.

  received(bytes: Uint8Array): void {
    if (this.#deflating === undefined) return this.#sink!.received(bytes)
    this.#credit += bytes.length * RATIO
    if (this.#inflate) return this.#feed(this.#inflate, bytes)
    const inflating = this.#inflating
    if (inflating === undefined) return
    inflating.push(bytes)
    const out = this.#paused ? undefined : inflating.pull()
    if (out === undefined) this.#stream(inflating.unfinished)
    else if (out.length > 0) this.#inflated(out)
  }

  ended(): void {
    if (this.#inflate) this.#inflate.end()
    else if (!this.#over) this.#sink!.ended()
  }

  drained(): void {
    this.#sink!.drained()
  }

  secured(tls: TlsFacts): void {
    this.#sink!.secured(tls)
  }

  closed(error?: Error): void {
    this.#letGo()
    this.#sink!.closed(this.#error ?? error)
  }

  // What comes out of inflating.

  #inflated(made: Uint8Array): void {
    if (this.#over) return
    const bytes = made.subarray(this.#told)
    this.#told -= made.length - bytes.length
    if (bytes.length === 0) return
    this.#credit -= bytes.length
    if (this.#credit < 0) this.#break(new MailError('peer', 'what came was compressed beyond measure'))
    else this.#sink!.received(bytes)
  }

  #unchoked(): void {
    this.#choked = false
    if (!this.#paused && !this.#over) this.#below.resume()
  }

  /** The peer has ended its side, or said that nothing follows in what it compressed. */
  #inputEnded(): void {
    if (this.#over) return
    this.#inflate?.destroy()
    this.#inflate = undefined
    this.#sink!.ended()
  }

  #break(error: MailError): void {
    if (this.#over) return
    this.#error = error
    this.reset()
  }

  /** Nothing of what comes is of interest any more. */
  #letGo(): void {
    this.#over = true
    this.#inflating = undefined
    this.#inflate?.destroy()
    this.#inflate = undefined
  }
}

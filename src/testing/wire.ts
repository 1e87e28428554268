import type { ClientTransport } from '../adapters/memory/link.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { Output } from '../protocol/session/session.ts'
import type { TransportSink } from '../protocol/session/transport.ts'

/** A client's end of a connection: of a link in memory, or of a socket. */
export type Wire = Pick<ClientTransport, 'open' | 'write' | 'pause' | 'resume' | 'finish' | 'reset' | 'secure'>

/** What a wire needs of a socket of `node:net` or `node:tls`. */
export interface SocketLike {
  /** `false`: more than the high-water mark is waiting. */
  write(bytes: Uint8Array): boolean
  /** Ends its side after what was written. */
  end(): unknown
  /** Closes at once. */
  destroy(): unknown
  /** Closes at once, with a TCP reset. */
  resetAndDestroy?(): unknown
  /** No `data` until `resume`. */
  pause(): unknown
  /** `data` again. */
  resume(): unknown
  /** Octets arrived. */
  on(event: 'data', listener: (bytes: Buffer) => void): unknown
  /** The other side has ended; there is room again; it is closed. */
  on(event: 'end' | 'drain' | 'close', listener: () => void): unknown
  /** It broke. */
  on(event: 'error', listener: (error: Error) => void): unknown
}

/**
 * A wire on a connected socket, so that test clients and hostile peers also speak to servers that listen. Make the socket with
 * `allowHalfOpen: true` where the client is to read on after its end.
 */
export function socketWire(socket: SocketLike): Wire {
  return {
    open(sink: TransportSink): void {
      let error: Error | undefined
      socket.on('data', (bytes) => sink.received(bytes))
      socket.on('end', () => sink.ended())
      socket.on('drain', () => sink.drained())
      socket.on('error', (broken) => void (error = broken))
      socket.on('close', () => sink.closed(error))
    },
    write: (output: readonly Output[]) => socket.write(Buffer.concat(output.map(octetsOf))),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    finish: () => void socket.end(),
    reset: () => void (socket.resetAndDestroy ? socket.resetAndDestroy() : socket.destroy()),
    secure() {
      throw new MailError(
        'misuse',
        'A socket needs a real handshake: wrap it with tls.connect({ socket }) and make a wire of that.',
      )
    },
  }
}

/** The octets of a piece of output. */
export const octetsOf = (piece: Output): Uint8Array => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)

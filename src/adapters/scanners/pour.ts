import type { Writable } from 'node:stream'
import { MailError } from '../../protocol/session/errors.ts'
import type { ScanSubject } from '../../contracts/scanner.ts'
import { Unscannable } from './said.ts'

/** Octets that are written at a time. */
const PIECE = 65_536

/** The octets of a message. What goes wrong with them is no fault of the scanner. */
export async function* contentOf(message: Pick<ScanSubject, 'raw'>): AsyncGenerator<Uint8Array> {
  try {
    yield* message.raw()
  } catch (cause) {
    throw new Unscannable('temporary', 'the message cannot be read', { cause })
  }
}

/** Writes no faster than it is taken, until it is all written or `isOver`. */
export async function pour(content: AsyncIterable<Uint8Array>, to: Writable, isOver: () => boolean): Promise<void> {
  for await (const bytes of content) {
    for (let at = 0; at < bytes.length; at += PIECE) {
      if (isOver()) return
      const hasRoom = to.write(bytes.subarray(at, at + PIECE))
      // A turn for the others; and for the scanner, which may have answered: it hangs up on what it does not want to hear.
      await (hasRoom ? new Promise((resolve) => setImmediate(resolve)) : drained(to))
    }
  }
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      stream.off('drain', over).off('close', over)
      resolve()
    }
    stream.on('drain', over).on('close', over)
    if (stream.destroyed) over()
  })
}

/** Gathers an answer, of so many octets at most. */
export class Gathered {
  readonly #chunks: Uint8Array[] = []
  readonly #most: number
  octets = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Throws `temporary` for what is too much. */
  add(chunk: Uint8Array): void {
    this.octets += chunk.length
    if (this.octets > this.#most) throw new MailError('temporary', `its answer has more than ${this.#most} octets`)
    this.#chunks.push(chunk)
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks)
  }
}

/** Throws `permanent` for a message that is larger than a scanner is given. */
export function checkSize(scanner: string, { octets }: ScanSubject, most: number): void {
  if (octets > most) throw new Unscannable('permanent', `${scanner}: ${octets} octets are more than it is given (${most})`)
}

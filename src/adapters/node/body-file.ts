import type { FileHandle } from 'node:fs/promises'
import { MailError } from '../../protocol/session/errors.ts'

/** Octets handed to the disk at a time. Twice as many are held at most. */
const batch = 262_144
/** Pieces below this are copied together: a thousand views of one byte each would cost hundreds of times what they hold. */
const small = 4_096

/**
 * Files that are open. Whoever forgets a body he began must not bring the process down: a FileHandle that is collected while it
 * is open is an uncaught error from Node 25 on.
 */
const open = new Set<FileHandle>()

/**
 * A file being written in batches, one on its way to the disk while the next is gathered. The first failure is kept and given to
 * whoever asks next, so that none goes unhandled.
 */
export class BodyFile {
  readonly #opening: Promise<FileHandle | undefined>
  #pieces: Uint8Array[] = []
  #gathered = 0
  /** The end of `pieces`, while it has room for further small ones. */
  #tail: Buffer | undefined
  #tailUsed = 0
  #size = 0
  #writing: Promise<void> | undefined
  #failure: MailError | undefined

  constructor(opening: Promise<FileHandle>) {
    this.#opening = opening.then(held, (error: unknown) => this.#fail(error))
  }

  /** Takes the bytes over. A promise: wait for it before the next call; it rejects with a `temporary` MailError. */
  write(bytes: Uint8Array): void | Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    this.#gather(bytes)
    if (this.#gathered < batch) return undefined
    if (this.#writing === undefined) {
      this.#send()
      return undefined
    }
    return this.#next()
  }

  /** Writes what is left, flushes if asked to, closes. Gives the size in octets. */
  async finish(fsync: boolean): Promise<number> {
    await this.#writing
    this.#send()
    await this.#writing
    const file = await this.#opening
    if (this.#failure !== undefined) throw this.#failure
    if (file === undefined) throw new MailError('temporary', 'message body: the file is not open')
    // The size is all of the metadata that matters, and datasync flushes it.
    if (fsync) await file.datasync()
    open.delete(file)
    await file.close()
    return this.#size
  }

  /** Closes, whatever state it is in. */
  async abandon(): Promise<void> {
    this.#pieces = []
    await this.#writing
    const file = await this.#opening
    if (file === undefined) return
    open.delete(file)
    await file.close().catch(() => {})
  }

  #gather(bytes: Uint8Array): void {
    this.#size += bytes.length
    this.#gathered += bytes.length
    if (bytes.length >= small) {
      this.#seal()
      this.#pieces.push(bytes)
      return
    }
    if (this.#tail !== undefined && this.#tailUsed + bytes.length > this.#tail.length) this.#seal()
    this.#tail ??= Buffer.allocUnsafeSlow(16 * small)
    this.#tail.set(bytes, this.#tailUsed)
    this.#tailUsed += bytes.length
  }

  #seal(): void {
    if (this.#tail !== undefined) this.#pieces.push(this.#tail.subarray(0, this.#tailUsed))
    this.#tail = undefined
    this.#tailUsed = 0
  }

  async #next(): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
    this.#send()
  }

  #send(): void {
    this.#seal()
    const pieces = this.#pieces
    this.#pieces = []
    this.#gathered = 0
    if (pieces.length === 0 || this.#failure !== undefined) return
    this.#writing = this.#write(pieces).then(() => {
      this.#writing = undefined
    })
  }

  /** Never rejects. */
  async #write(pieces: readonly Uint8Array[]): Promise<void> {
    try {
      let rest: readonly Uint8Array[] = pieces
      while (rest.length > 0) {
        const file = await this.#opening
        if (file === undefined) return
        const { bytesWritten } = await file.writev(rest)
        rest = after(rest, bytesWritten)
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): undefined {
    const why = error instanceof Error ? error.message : String(error)
    this.#failure ??= new MailError('temporary', `message body: ${why}`, { cause: error })
  }
}

function held(file: FileHandle): FileHandle {
  open.add(file)
  return file
}

/** What is left of `pieces` after their first `octets` (a disk that fills up takes a part). */
function after(pieces: readonly Uint8Array[], octets: number): Uint8Array[] {
  let skip = octets
  const rest: Uint8Array[] = []
  for (const piece of pieces) {
    if (skip < piece.length) rest.push(piece.subarray(skip))
    skip = Math.max(0, skip - piece.length)
  }
  return rest
}

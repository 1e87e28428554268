import type { Body, BodyStore, BodyWriter, ByteRange } from '../contracts/bodies.ts'
import { createIndexer, type Indexer } from '../message/indexer.ts'
import type { MessageFacts } from '../message/facts.ts'

/** Pieces below this are copied together once there are several: an array of its own costs more than so few octets. */
const SMALL = 1024
const SEVERAL = 8
/** Octets of a block that small pieces are copied into. */
const BLOCK = 16_384

const SPACE = 32
const TAB = 9
const END_OF_HEADER = Uint8Array.of(13, 10)

/** A body in memory. */
class MemoryBody implements Body {
  readonly size: number
  private pieces: readonly Uint8Array[]

  constructor(pieces: readonly Uint8Array[], size: number) {
    this.pieces = pieces
    this.size = size
  }

  get bytes(): Uint8Array {
    if (this.pieces.length !== 1) this.pieces = [Buffer.concat(this.pieces, this.size)]
    return this.pieces[0]!
  }

  async *read(range: ByteRange = { start: 0, end: this.size }): AsyncGenerator<Uint8Array> {
    if (range.end > range.start) yield this.bytes.subarray(range.start, range.end)
  }
}

/** A body that is complete; `facts` where they were gathered on the way. */
export interface Collected {
  readonly body: Body
  readonly facts: MessageFacts | undefined
  /** Forgets a body that nobody took over. */
  discard(): Promise<void>
}

/** Takes in the content of a message: in memory up to a bound, in a body store from there on. */
export class Collector {
  private readonly spillAt: number
  private readonly bodies: BodyStore
  private pieces: Uint8Array[] = []
  private size = 0
  private block: Uint8Array | undefined
  private blockUsed = 0
  private writer: BodyWriter | undefined
  private indexer: Indexer | undefined
  /** Fields of ours stand before what is to come. */
  private begun = false
  /** The store has failed: the rest is dropped, so that the client is heard out and told to come again. */
  private failure: { readonly error: unknown } | undefined

  constructor(spillAt: number, bodies: BodyStore) {
    this.spillAt = spillAt
    this.bodies = bodies
  }

  /** Puts octets before the content. Called first, if at all. */
  begin(prefix: Uint8Array): void {
    this.pieces.push(prefix)
    this.size = prefix.length
    this.begun = true
  }

  /** Takes a piece. Await a returned promise before the next; it never rejects. */
  write(bytes: Uint8Array): void | Promise<void> {
    if (this.failure) return undefined
    if (this.begun) this.part(bytes[0])
    this.size += bytes.length
    if (this.writer) {
      this.indexer!.push(bytes)
      return this.writer.write(bytes)?.catch((error: unknown) => this.fail(error))
    }
    this.keep(bytes)
    if (this.size > this.spillAt) return this.spill().catch((error: unknown) => this.fail(error))
  }

  /** All has come. Rejects with what ailed the store. */
  async finish(): Promise<Collected> {
    const { writer } = this
    if (this.failure) throw this.failure.error
    if (!writer) return this.inMemory()
    const body = await writer.commit()
    return { body, facts: this.indexer!.end(), discard: () => this.bodies.remove([body.id]) }
  }

  /** All has come, and it fitted in memory: no promise is needed. `undefined` where it did not. */
  finishNow(): Collected | undefined {
    return this.writer || this.failure ? undefined : this.inMemory()
  }

  /** Nothing will become of it. */
  async discard(): Promise<void> {
    this.pieces = []
    await this.writer?.discard()
  }

  /**
   * Parts our fields from a first line that would go on with the last of them: nobody else writes in our trace. A message that
   * begins so has no header (RFC 5322 §2.2), and all readers are to see it alike.
   */
  private part(first: number | undefined): void {
    if (first === undefined) return
    this.begun = false
    if (first !== SPACE && first !== TAB) return
    this.pieces.push(END_OF_HEADER)
    this.size += END_OF_HEADER.length
  }

  private async fail(error: unknown): Promise<void> {
    this.failure = { error }
    await this.discard()
  }

  private inMemory(): Collected {
    this.closeBlock()
    return { body: new MemoryBody(this.pieces, this.size), facts: undefined, discard: noDiscard }
  }

  private keep(bytes: Uint8Array): void {
    if (bytes.length >= SMALL || this.pieces.length < SEVERAL) {
      this.closeBlock()
      this.pieces.push(bytes)
      return
    }
    if (this.block && this.blockUsed + bytes.length > BLOCK) this.closeBlock()
    this.block ??= new Uint8Array(BLOCK)
    this.block.set(bytes, this.blockUsed)
    this.blockUsed += bytes.length
  }

  private closeBlock(): void {
    if (!this.block) return
    this.pieces.push(this.block.subarray(0, this.blockUsed))
    this.block = undefined
    this.blockUsed = 0
  }

  private async spill(): Promise<void> {
    this.closeBlock()
    const { pieces } = this
    this.pieces = []
    this.writer = this.bodies.create()
    this.indexer = createIndexer()
    for (const piece of pieces) {
      this.indexer.push(piece)
      await this.writer.write(piece)
    }
  }
}

const noDiscard = async (): Promise<void> => undefined

/**
 * A body with octets put before it, which costs no copy of what is too large for memory. Its first `without` octets are left
 * out.
 */
export function prefixed(prefix: Uint8Array, body: Body, without = 0): Body {
  if (prefix.length === 0 && without === 0) return body
  const size = prefix.length + body.size - without
  return body.bytes ? new MemoryBody([prefix, body.bytes.subarray(without)], size) : new PrefixedBody(prefix, body, without)
}

class PrefixedBody implements Body {
  readonly size: number
  private readonly prefix: Uint8Array
  private readonly rest: Body
  /** What an octet behind the prefix is ahead of the same octet in the rest. */
  private readonly shift: number

  constructor(prefix: Uint8Array, rest: Body, without: number) {
    this.prefix = prefix
    this.rest = rest
    this.shift = prefix.length - without
    this.size = rest.size + this.shift
  }

  async *read(range: ByteRange = { start: 0, end: this.size }): AsyncGenerator<Uint8Array> {
    const { prefix, shift } = this
    const { length } = prefix
    if (range.start < Math.min(range.end, length)) yield prefix.subarray(range.start, Math.min(range.end, length))
    if (range.end > length) yield* this.rest.read({ start: Math.max(length, range.start) - shift, end: range.end - shift })
  }
}

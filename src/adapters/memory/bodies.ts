import type { BodyStore, BodyWriter, ByteRange, StoredBody } from '../../contracts/bodies.ts'
import { joinedOctets } from '../../protocol/bytes/joined.ts'
import { MailError } from '../../protocol/session/errors.ts'

/** Bodies in memory: the reference for what a body store does. */
export function memoryBodies(): BodyStore {
  return new MemoryBodies()
}

class MemoryBodies implements BodyStore {
  readonly traits = { durability: 'none' } as const
  readonly #bodies = new Map<string, StoredBody>()
  #next = 1
  #closed = false

  create(): BodyWriter {
    this.#check()
    return new MemoryWriter((bytes) => {
      this.#check()
      const body = memoryBody(String(this.#next++), bytes)
      this.#bodies.set(body.id, body)
      return body
    })
  }

  async open(id: string): Promise<StoredBody | undefined> {
    this.#check()
    return this.#bodies.get(id)
  }

  async remove(ids: readonly string[]): Promise<void> {
    this.#check()
    for (const id of ids) this.#bodies.delete(id)
  }

  async *list(): AsyncGenerator<string, void, undefined> {
    this.#check()
    for (const id of [...this.#bodies.keys()]) yield id
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #check(): void {
    if (this.#closed) throw new MailError('closed', 'The store was closed')
  }
}

class MemoryWriter implements BodyWriter {
  readonly #keep: (bytes: Uint8Array) => StoredBody
  #chunks: Uint8Array[] | undefined = []

  constructor(keep: (bytes: Uint8Array) => StoredBody) {
    this.#keep = keep
  }

  write(bytes: Uint8Array): void {
    this.#open().push(bytes)
  }

  async commit(): Promise<StoredBody> {
    const chunks = this.#open()
    this.#chunks = undefined
    return this.#keep(joinedOctets(chunks))
  }

  async discard(): Promise<void> {
    this.#chunks = undefined
  }

  #open(): Uint8Array[] {
    if (!this.#chunks) throw new MailError('misuse', 'The body was committed or discarded already')
    return this.#chunks
  }
}

/** A stored body over octets in memory. */
export function memoryBody(id: string, bytes: Uint8Array): StoredBody {
  return {
    id,
    size: bytes.length,
    bytes,
    async *read({ start, end }: ByteRange = { start: 0, end: bytes.length }) {
      if (start < end) yield bytes.subarray(start, end)
    },
  }
}

import type { Body, BodyStore, BodyWriter } from '../../contracts/bodies.ts'
import type { NewMessage } from '../../contracts/store.ts'
import { createIndexer } from '../../message/indexer.ts'

/** A message as it goes to a store. */
export interface Gathered {
  readonly body: Body
  readonly facts: NewMessage['facts']
  /** The first octets, as many as flags may be in. */
  readonly head: Uint8Array
}

/** Messages above this many octets go through a file. */
const MOST_HELD = 262_144
const MOST_HEAD = 65_536
const [LF, CR] = [10, 13]

/** Gathers a message from chunks: in memory while it is small, in a file of the spool from then on. Its facts come by the way. */
export class Gathering {
  readonly #spool: BodyStore
  readonly #normalise: boolean
  readonly #indexer = createIndexer()
  #chunks: Uint8Array[] = []
  #octets = 0
  #writer: BodyWriter | undefined
  #head: Uint8Array[] = []
  #headOctets = 0
  #last = 0

  /** `normalise`: LF alone becomes CRLF. */
  constructor(spool: BodyStore, normalise = false) {
    this.#spool = spool
    this.#normalise = normalise
  }

  async push(given: Uint8Array): Promise<void> {
    const chunk = this.#normalise ? this.#withCrlf(given) : given
    if (chunk.length === 0) return
    this.#indexer.push(chunk)
    this.#octets += chunk.length
    if (this.#headOctets < MOST_HEAD) {
      this.#head.push(chunk.subarray(0, MOST_HEAD - this.#headOctets))
      this.#headOctets += Math.min(chunk.length, MOST_HEAD - this.#headOctets)
    }
    if (this.#writer) {
      await this.#writer.write(chunk)
      return
    }
    this.#chunks.push(chunk)
    if (this.#octets <= MOST_HELD) return
    this.#writer = this.#spool.create()
    for (const held of this.#chunks.splice(0)) await this.#writer.write(held)
  }

  /** Gives the message to one who takes it; then it is gone. */
  async give<T>(take: (message: Gathered) => Promise<T>): Promise<T> {
    const facts = this.#indexer.end()
    const head = Buffer.concat(this.#head)
    if (!this.#writer) return take({ body: bodyOf(Buffer.concat(this.#chunks)), facts, head })
    const body = await this.#writer.commit()
    try {
      return await take({ body, facts, head })
    } finally {
      await this.#spool.remove([body.id])
    }
  }

  #withCrlf(chunk: Uint8Array): Uint8Array {
    const all = new Uint8Array(2 * chunk.length)
    let used = 0
    for (const octet of chunk) {
      if (octet === LF && this.#last !== CR) all[used++] = CR
      all[used++] = this.#last = octet
    }
    return all.subarray(0, used)
  }
}

function bodyOf(bytes: Uint8Array): Body {
  return {
    size: bytes.length,
    bytes,
    async *read({ start, end } = { start: 0, end: bytes.length }) {
      if (start < end) yield bytes.subarray(start, end)
    },
  }
}

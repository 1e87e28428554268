import type { Body } from '../../contracts/bodies.ts'
import type { NewMessage } from '../../contracts/store.ts'

/** What is kept once: a body, and what it says. */
export type Content = Pick<NewMessage, 'body' | 'facts'>

/**
 * What is known of a message that is appended, perhaps to many: it is kept once. Same body, same message: by identity, since
 * that is free; large ones also by a hash, where there is more to win than to lose. For a message of 10 KB a hash of the
 * octets with its index costs 9 to 15 µs more than the 25 of the whole append (SHA-256 of 10 KB is 6, and each hash dirties a
 * page of its own), and finds nothing: deliveries differ in their `Received:` lines.
 */
export class Shared {
  readonly facts: NewMessage['facts']
  /** Its row, once that is committed. It may be gone again. */
  committed: number | undefined
  /** Its row in the transaction `serial`. */
  row = 0
  serial = 0
  /** The name of the file, where the body is too large for a row. */
  file: Promise<string> | undefined
  /** How many appends are using the file. */
  users = 0
  /** Whether a committed row names the file. */
  isFileKept = false
  /** Of octets and facts, where it was computed. */
  hash: Uint8Array | undefined

  constructor(facts: NewMessage['facts']) {
    this.facts = facts
  }
}

/** Messages that are remembered, at most, and octets of bodies held for it. Few: what is remembered survives collections. */
const MOST_RECENT = 8
const MOST_HELD = 1024 * 1024

/**
 * What is known of the messages that were appended last. Neither a WeakMap nor a Map: with an entry that comes and goes for each
 * message, either makes the collector work as much as the appends do (a Map's outgrown tables keep their successors alive).
 */
export class Recent {
  readonly #bodies: (Body | undefined)[] = new Array<undefined>(MOST_RECENT).fill(undefined)
  readonly #known: (Shared | undefined)[] = new Array<undefined>(MOST_RECENT).fill(undefined)
  #next = 0
  #held = 0

  get(body: Body): Shared | undefined {
    const at = this.#bodies.indexOf(body)
    return at < 0 ? undefined : this.#known[at]
  }

  set(body: Body, shared: Shared): void {
    const at = this.#bodies.indexOf(body)
    if (at >= 0) {
      this.#known[at] = shared
      return
    }
    // Room for one, and for its octets: the oldest go first.
    this.#forget(this.#next)
    for (let gone = 1; gone < MOST_RECENT && this.#held + body.size > MOST_HELD; gone++) {
      this.#forget((this.#next + gone) % MOST_RECENT)
    }
    this.#bodies[this.#next] = body
    this.#known[this.#next] = shared
    this.#held += body.size
    this.#next = (this.#next + 1) % MOST_RECENT
  }

  #forget(at: number): void {
    this.#held -= this.#bodies[at]?.size ?? 0
    this.#bodies[at] = this.#known[at] = undefined
  }
}

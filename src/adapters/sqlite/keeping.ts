import type { NewMessage } from '../../contracts/store.ts'
import { packFacts } from '../../message/packed-facts.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Appending } from './append.ts'
import { hasFile } from './files.ts'
import type { Content, Shared } from './recent.ts'

/** A message that is to be kept, once: what an append does to the database before anything has a place. */
export class Keeping {
  /** Octets of the body that are to be written. */
  readonly octets: number
  readonly shared: Shared
  readonly #of: Content
  readonly #content: Uint8Array | string | undefined
  readonly #with: Appending
  /** A message that is there and the same. */
  #known: number | undefined
  #facts = ''
  #inserted = false

  /** `content`: the octets of the body, the name of the file that holds them, or `undefined`: the message is there already. */
  constructor(of: Content, content: Uint8Array | string | undefined, appending: Appending, shared: Shared) {
    this.octets = typeof content === 'object' ? content.length : 0
    this.shared = shared
    this.#of = of
    this.#content = content
    this.#with = appending
  }

  /** Throws the MailError that stands in the way, and writes nothing. */
  check(): void {
    if (this.shared.serial === this.#with.serial) return
    this.#known = this.#find()
    if (this.#known !== undefined) return
    const content = this.#content
    // Looked at under the write lock, which the sweep of another process also takes: what is there now stays.
    if (content === undefined || (typeof content === 'string' && !hasFile(this.#with.folder, content))) {
      throw new MailError('temporary', 'The body was removed meanwhile')
    }
    this.#facts = factsText(this.#of.facts)
  }

  /** The row of the message, counted once more: of this transaction, of an earlier one, or a new one. */
  row(): number {
    const { shared } = this
    const { serial } = this.#with
    // What another transaction inserted counts only once it is committed: after a rollback its row may be someone else's.
    const known = shared.serial === serial ? shared.row : this.#known
    this.#inserted = known === undefined
    if (known === undefined) {
      shared.row = this.#with.insertMessage(this.#of.body.size, this.#content as Uint8Array | string, this.#facts, shared.hash)
    } else {
      this.#with.again(known)
      shared.row = known
    }
    shared.serial = serial
    return shared.row
  }

  /** The transaction is on disk. */
  committed(): void {
    this.shared.committed = this.shared.row
    if (this.#inserted && typeof this.#content === 'string') this.shared.isFileKept = true
  }

  /** An earlier transaction's row, if it is still there: by identity, or by hash. */
  #find(): number | undefined {
    const { committed, hash } = this.shared
    if (committed !== undefined && this.#with.exists(committed)) return committed
    return hash && this.#with.find(hash, this.#of.body.size)
  }
}

/** Facts as they are kept. Throws `misuse` where they are no plain data. */
export function factsText(facts: NewMessage['facts']): string {
  try {
    return packFacts(facts)
  } catch (cause) {
    throw new MailError('misuse', 'facts: give plain JSON data', { cause })
  }
}

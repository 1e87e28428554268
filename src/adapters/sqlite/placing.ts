import type { MailboxId } from '../../contracts/mailbox.ts'
import type { Append as AppendTo, StoredMessage } from '../../contracts/store.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Appending } from './append.ts'
import type { Write } from './commit.ts'
import { type FlagSet, givenFlags } from './flags.ts'
import type { Keeping } from './keeping.ts'
import { LAST_UID } from './uid-set.ts'

/** The two ends of a promise. */
export interface Settle<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

/** How many messages of how many octets are to be added to an account by the same appends. */
type Pending = Map<string, { messages: number; octets: number }>

/** One message and where it goes: what an append does to the database. */
export class Placing {
  readonly octets: number
  readonly #to: AppendTo
  readonly #keeping: Keeping
  readonly #flags: FlagSet
  readonly #with: Appending
  #stored: StoredMessage | undefined

  constructor(to: AppendTo, keeping: Keeping, appending: Appending) {
    this.octets = keeping.octets
    this.#to = to
    this.#keeping = keeping
    this.#flags = givenFlags(to.message.flags)
    this.#with = appending
  }

  /** Throws `permanent` where there is no such mailbox. */
  checkMailbox(): void {
    this.#with.counters.existing(this.#to.mailbox)
  }

  /**
   * Throws the MailError that stands in the way, and writes nothing. `pending`: what those before it will add. `instead`: octets
   * of a message whose place it takes.
   */
  check(pending?: Pending, instead?: number): void {
    const { mailbox, message: { received, body }, quota } = this.#to
    const { counters } = this.#with
    const numbers = counters.existing(mailbox)
    const before = pending?.get(numbers.account)
    if (numbers.uid + (before?.messages ?? 0) > LAST_UID) throw usedUp(mailbox)
    if (!Number.isSafeInteger(received)) throw new MailError('misuse', 'received: give whole milliseconds')
    const messages = (before?.messages ?? 0) + (instead === undefined ? 1 : 0)
    const octets = (before?.octets ?? 0) + body.size - (instead ?? 0)
    if (quota) counters.check(numbers.account, messages, octets, quota)
    pending?.set(numbers.account, { messages, octets })
    this.#keeping.check()
  }

  write(): void {
    const { mailbox, message: { received, facts, body } } = this.#to
    const { counters } = this.#with
    const numbers = counters.existing(mailbox)
    const message = this.#keeping.row()
    const { size } = body
    const { text, flags, seen, deleted } = this.#flags
    const { uid } = numbers
    const modSeq = ++numbers.modSeq
    this.#with.insertEntry(numbers, message, received, text, size)
    numbers.uid++
    counters.count(numbers, { messages: 1, unseen: seen ? 0 : 1, deleted: deleted ? 1 : 0, octets: size })
    this.#stored = { id: String(message), mailbox, uid, modSeq, received, saved: this.#with.time, flags, octets: size, facts }
  }

  committed(): StoredMessage {
    this.#keeping.committed()
    return this.#stored as StoredMessage
  }
}

/** One append, waiting for its transaction. */
export class Append implements Write {
  readonly octets: number
  readonly #placing: Placing
  readonly #settle: Settle<StoredMessage>

  constructor(placing: Placing, settle: Settle<StoredMessage>) {
    this.octets = placing.octets
    this.#placing = placing
    this.#settle = settle
  }

  apply(): void {
    this.#placing.check()
    this.#placing.write()
  }

  committed(): void {
    this.#settle.resolve(this.#placing.committed())
  }

  failed(error: MailError): void {
    this.#settle.reject(error)
  }
}

/** Several appends that belong together, waiting for their transaction. */
export class AppendAll implements Write {
  readonly octets: number
  readonly #all: readonly Placing[]
  readonly #settle: Settle<readonly StoredMessage[]>

  constructor(all: readonly Placing[], settle: Settle<readonly StoredMessage[]>) {
    this.octets = all.reduce((sum, { octets }) => sum + octets, 0)
    this.#all = all
    this.#settle = settle
  }

  apply(): void {
    const pending: Pending = new Map()
    // What will never be comes before what might be later: `permanent` before `quota`.
    for (const one of this.#all) one.checkMailbox()
    for (const one of this.#all) one.check(pending)
    for (const one of this.#all) one.write()
  }

  committed(): void {
    this.#settle.resolve(this.#all.map((one) => one.committed()))
  }

  failed(error: MailError): void {
    this.#settle.reject(error)
  }
}

/** Says that a mailbox can take no more. */
export function usedUp(mailbox: MailboxId): MailError {
  return new MailError('permanent', `Mailbox ${mailbox} has used up its UIDs`)
}

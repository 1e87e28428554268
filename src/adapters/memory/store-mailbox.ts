import type { Mailbox, MailboxId, SpecialUse, UidSet } from '../../contracts/mailbox.ts'
import type { Changes, Entry, FlagChange, Flagged, Selection } from '../../contracts/store.ts'
import { canonicalFlags, changedFlags } from '../../contracts/flag-change.ts'
import type { Message } from './store-messages.ts'
import { among, indexFrom } from '../../contracts/uid-list.ts'
import { setOf } from '../../protocol/bytes/number-set.ts'

/** A message in one mailbox. Never changed, only replaced. */
export interface Held {
  readonly uid: number
  readonly modSeq: number
  readonly message: Message
  readonly received: number
  readonly saved: number
  readonly flags: readonly string[]
}

/** UIDs that were expunged together. */
interface Expunged {
  readonly modSeq: number
  readonly first: number
  readonly last: number
}

const everything: UidSet = [{ first: 1, last: Number.MAX_SAFE_INTEGER }]

/** One mailbox: what is in it by ascending UID, what was expunged from it by ascending mod-sequence, and its counters. */
export class Box {
  readonly id: MailboxId
  readonly account: string
  path: readonly string[]
  uidValidity: number
  readonly #use: SpecialUse | undefined
  readonly #remembered: number
  #uidNext = 1
  #modSeq = 1
  #recentFrom = 1
  #held: Held[] = []
  #unseen = 0
  #deleted = 0
  #octets = 0
  #expunged: Expunged[] = []
  /** The highest mod-sequence of what is no longer in `#expunged`. */
  #forgotten = 0

  /** `remembered`: how many ranges of expunged UIDs. */
  constructor(of: Pick<Mailbox, 'id' | 'account' | 'path' | 'uidValidity'>, use: SpecialUse | undefined, remembered: number) {
    this.id = of.id
    this.account = of.account
    this.path = of.path
    this.uidValidity = of.uidValidity
    this.#use = use
    this.#remembered = remembered
  }

  /** The mailbox as it is now. */
  mailbox(): Mailbox {
    return {
      id: this.id,
      account: this.account,
      path: [...this.path],
      uidValidity: this.uidValidity,
      uidNext: this.#uidNext,
      modSeq: this.#modSeq,
      messages: this.#held.length,
      unseen: this.#unseen,
      deleted: this.#deleted,
      octets: this.#octets,
      ...(this.#use === undefined ? {} : { use: this.#use }),
      recentFrom: this.#recentFrom,
    }
  }

  get use(): SpecialUse | undefined {
    return this.#use
  }

  /** All that is in it. */
  all(): readonly Held[] {
    return this.#held
  }

  /** Of those whose UID is above `after`, the first `most` that are selected. */
  select({ uids = everything, since = 0 }: Selection, after: number, most: number): Held[] {
    const found: Held[] = []
    for (const { first, last } of uids) {
      for (let at = indexFrom(this.#held, Math.max(first, after + 1)); at < this.#held.length; at++) {
        const held = this.#held[at] as Held
        if (held.uid > last) break
        if (held.modSeq > since && found.push(held) === most) return found
      }
    }
    return found
  }

  /** Those whose UIDs are in the set and there. */
  find(uids: UidSet): readonly Held[] {
    return among(this.#held, uids)
  }

  /** Adds a message under the next UID. */
  add({ message, received, saved, flags }: Omit<Held, 'uid' | 'modSeq'>): Held {
    const held = { uid: this.#uidNext++, modSeq: ++this.#modSeq, message, received, saved, flags: canonicalFlags(flags) }
    this.#held.push(held)
    this.#count(held, 1)
    return held
  }

  flag(uids: UidSet, change: FlagChange, unchangedSince = Infinity): Flagged {
    const changed: Held[] = []
    const modified: number[] = []
    for (const held of this.find(uids)) {
      if (held.modSeq > unchangedSince) {
        modified.push(held.uid)
        continue
      }
      const flags = changedFlags(held.flags, change)
      if (flags) changed.push(this.#replace(held, { ...held, flags, modSeq: ++this.#modSeq }))
    }
    return {
      changed: changed.map(({ uid, modSeq, flags }) => ({ uid, modSeq, flags: [...flags] })),
      modified: setOf(modified.map((uid) => ({ first: uid, last: uid }))),
    }
  }

  /** Removes those that are there, and gives them. */
  expunge(uids: UidSet): readonly Held[] {
    const found = this.find(uids)
    const gone = new Set(found)
    this.#held = this.#held.filter((held) => !gone.has(held))
    for (const held of found) this.#count(held, -1)
    for (const { first, last } of setOf(found.map(({ uid }) => ({ first: uid, last: uid })))) {
      this.#expunged.push({ modSeq: ++this.#modSeq, first, last })
    }
    const over = this.#expunged.splice(0, Math.max(0, this.#expunged.length - this.#remembered))
    this.#forgotten = over.at(-1)?.modSeq ?? this.#forgotten
    return found
  }

  /** Every message that was added or changed, and every range that was expunged, took a mod-sequence of its own. */
  changes(since: number, most: number): Changes {
    const changed = this.#held.filter(({ modSeq }) => modSeq > since)
    const expunged = this.#expunged.filter(({ modSeq }) => modSeq > since)
    const sequence = [...changed, ...expunged].map(({ modSeq }) => modSeq).sort((a, b) => a - b)
    const more = sequence.length > most
    const modSeq = more ? sequence[most - 1] as number : this.#modSeq
    return {
      modSeq,
      changed: changed.filter((held) => held.modSeq <= modSeq).sort((a, b) => a.modSeq - b.modSeq).map(entryOf),
      vanished: setOf(expunged.filter((range) => range.modSeq <= modSeq)),
      more,
      complete: since >= this.#forgotten,
    }
  }

  /** The UID from which no reader had claimed any. */
  claim(): number {
    const from = this.#recentFrom
    this.#recentFrom = this.#uidNext
    return from
  }

  recount(): void {
    this.#unseen = this.#deleted = this.#octets = 0
    for (const held of this.#held) this.#count(held, 1)
  }

  #replace(before: Held, after: Held): Held {
    this.#held[indexFrom(this.#held, before.uid)] = after
    this.#count(before, -1)
    this.#count(after, 1)
    return after
  }

  #count({ message, flags }: Held, by: 1 | -1): void {
    this.#octets += by * message.bytes.length
    if (!flags.includes('\\Seen')) this.#unseen += by
    if (flags.includes('\\Deleted')) this.#deleted += by
  }
}

/** What a store tells of it. */
export function entryOf({ message, uid, modSeq, received, saved, flags }: Held): Entry {
  return { id: message.id, uid, modSeq, received, saved, flags: [...flags], octets: message.bytes.length }
}

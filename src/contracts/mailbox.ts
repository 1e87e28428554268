import type { NumberRange, NumberSet } from '../protocol/bytes/number-set.ts'

/** Opaque; the store's own name for a mailbox, stable across renames and never given to another one. */
export type MailboxId = string

/** What a mailbox is for (RFC 6154 §2); each at most once an account. */
export type SpecialUse = '\\All' | '\\Archive' | '\\Drafts' | '\\Flagged' | '\\Junk' | '\\Sent' | '\\Trash'

/** A mailbox as it stood when the promise resolved. Numbers up to `modSeq` only grow. */
export interface Mailbox {
  readonly id: MailboxId
  readonly account: string
  /** The names from the top down, in Unicode: `['INBOX']`, `['Archive', '2026']`. */
  readonly path: readonly string[]
  /**
   * 1 to 2^32 - 1, kept across restarts; changes only if UIDs could not be kept (RFC 9051 §2.3.1.1). Under a path that another
   * mailbox has had, whether that was removed or renamed, it is greater than any before: so a mailbox that is created there or
   * renamed to there may get another.
   */
  readonly uidValidity: number
  /** Greater than every UID that was ever given out here. */
  readonly uidNext: number
  /**
   * The highest mod-sequence given out here (RFC 7162 §3.1), every change giving one out; at least 1 where nothing has happened
   * yet, so that whoever knows an empty mailbox by it hears of the first change.
   */
  readonly modSeq: number
  /** Messages in it, those without `\Seen`, those with `\Deleted`. Counted, not searched for: cheap to ask. */
  readonly messages: number
  readonly unseen: number
  readonly deleted: number
  /** The sizes of its messages together. */
  readonly octets: number
  readonly use?: SpecialUse
  /** Messages from this UID on have been claimed by no reader yet; only from stores that have `claim`. */
  readonly recentFrom?: number
}

/** UIDs from `first` to `last`, both included; not all of them need be there. */
export type UidRange = NumberRange

/** UIDs as ranges that ascend and do not touch. */
export type UidSet = NumberSet

/** What an account holds. */
export interface Usage {
  readonly messages: number
  /** Sizes of messages, with the store's `traits.overhead` for each; a message in two mailboxes counts twice. */
  readonly octets: number
}

/** What an account may hold at most: `Infinity` for no bound. */
export type Quota = Usage

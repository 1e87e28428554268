import type { MessageFacts } from '../../message/facts.ts'

/** A mailbox as it stands. */
export interface ImapMailbox {
  /** The host's own name for it, stable across renames. */
  readonly id: string
  readonly path: readonly string[]
  readonly uidValidity: number
  readonly uidNext: number
  /** The highest mod-sequence, 0 where there was none. */
  readonly modSeq: number
  readonly messages: number
  readonly unseen: number
  readonly deleted: number
  readonly octets: number
  readonly use?: string
  readonly recentFrom?: number
}

/** A message in a mailbox, without what it says. */
export interface ImapEntry {
  /** The host's own name for the message, the same in every mailbox. */
  readonly id: string
  readonly uid: number
  readonly modSeq: number
  /** Milliseconds since the Unix epoch. */
  readonly received: number
  readonly saved: number
  readonly flags: readonly string[]
  readonly octets: number
}

/** A message with what it says. */
export interface ImapMessage extends ImapEntry {
  readonly facts: MessageFacts
}

import type { MessageFacts } from '../message/facts.ts'
import type { Body, StoredBody } from './bodies.ts'
import type { Durability } from './durability.ts'

/** Opaque; the store's own name for a mailbox, stable across renames. */
export type MailboxId = string

/** Opaque; the store's own name for a message, the same in every mailbox it was copied to. */
export type MessageId = string

export interface Mailbox {
  readonly id: MailboxId
  readonly account: string
  /** The names from the top down, in Unicode: `['INBOX']`, `['Archive', '2026']`. */
  readonly path: readonly string[]
  /** Non-zero, 32 bits; changes only if UIDs could not be kept (RFC 9051 §2.3.1.1). */
  readonly uidValidity: number
  /** Greater than every UID that was ever given out here. */
  readonly uidNext: number
  /** The highest mod-sequence given out here (RFC 7162). */
  readonly modSeq: number
}

/** What `append` takes. The caller has checked and normalised all of it. */
export interface NewMessage {
  /** The octets, CRLF line ends, never to be rewritten. The store makes them its own before it resolves. */
  readonly body: Body
  /** Computed once from the body; kept opaque and given back. Plain JSON data. */
  readonly facts: MessageFacts
  /** When the message was received, milliseconds since the Unix epoch (IMAP's INTERNALDATE). */
  readonly received: number
  /** Flags and keywords: `\Seen`, `$Junk`. */
  readonly flags?: readonly string[]
}

export interface StoredMessage {
  readonly id: MessageId
  readonly mailbox: MailboxId
  /** Ascending in its mailbox, never used twice. */
  readonly uid: number
  readonly modSeq: number
  readonly received: number
  readonly flags: readonly string[]
  readonly octets: number
  readonly facts: MessageFacts
}

/**
 * Where mail rests. UIDs and mod-sequences are the store's; sequence numbers never reach it.
 *
 * Every promise resolves only when the effect is as safe as `traits.durability` says, and effects of one mailbox become
 * visible in the order in which they resolved.
 */
export interface MailStore {
  readonly traits: { readonly durability: Durability }
  /** All mailboxes of an account, parents before children; empty for an account the store has never seen. */
  mailboxes(account: string): Promise<readonly Mailbox[]>
  /** Creates a mailbox, or gives back the one that has this path. */
  create(account: string, path: readonly string[]): Promise<Mailbox>
  /** Adds a message. Rejects with a `temporary` or `permanent` MailError, and then nothing was added. */
  append(mailbox: MailboxId, message: NewMessage): Promise<StoredMessage>
  /** Messages whose mod-sequence is above `since` (default 0: all), in ascending UID order. */
  list(mailbox: MailboxId, since?: number): AsyncIterable<StoredMessage>
  /** The octets of a message, or `undefined` when the store has none by that id. */
  body(message: MessageId): Promise<StoredBody | undefined>
  close?(): Promise<void>
}

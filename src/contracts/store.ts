import type { MessageFacts } from '../message/facts.ts'
import type { Body, StoredBody } from './bodies.ts'
import type { Durability } from './durability.ts'

/** Opaque; the store's own name for a mailbox, stable across renames and never given to another one. */
export type MailboxId = string

/** Opaque; the store's own name for a message, the same in every mailbox it was copied to and never given to another one. */
export type MessageId = string

/** A mailbox as it stood when the promise resolved. Numbers only grow. */
export interface Mailbox {
  readonly id: MailboxId
  readonly account: string
  /** The names from the top down, in Unicode: `['INBOX']`, `['Archive', '2026']`. */
  readonly path: readonly string[]
  /**
   * 1 to 2^32 - 1, kept across restarts; changes only if UIDs could not be kept (RFC 9051 §2.3.1.1). A mailbox that is
   * created anew under the path of a removed one gets another.
   */
  readonly uidValidity: number
  /** Greater than every UID that was ever given out here. */
  readonly uidNext: number
  /** The highest mod-sequence given out here, 0 when there was none (RFC 7162 §3.1). */
  readonly modSeq: number
}

/** What `append` takes. The caller has checked and normalised all of it. */
export interface NewMessage {
  /** The octets, CRLF line ends, never to be rewritten. The store makes them its own before it resolves. */
  readonly body: Body
  /** Computed once from the body; kept opaque and given back. Plain JSON data. */
  readonly facts: MessageFacts
  /** When the message was received, whole milliseconds since the Unix epoch (IMAP's INTERNALDATE). */
  readonly received: number
  /** Flags and keywords, each once, as IMAP spells them, so without spaces: `\Seen`, `$Junk`. */
  readonly flags?: readonly string[]
}

/** A message in one mailbox. */
export interface StoredMessage {
  readonly id: MessageId
  readonly mailbox: MailboxId
  /** 1 to 2^32 - 1, ascending in its mailbox in the order of appends, never used twice. Gaps may be left. */
  readonly uid: number
  /** Above every mod-sequence given out in this mailbox before. */
  readonly modSeq: number
  readonly received: number
  readonly flags: readonly string[]
  /** The size of the body. */
  readonly octets: number
  readonly facts: MessageFacts
}

/**
 * Where mail rests. UIDs and mod-sequences are the store's; sequence numbers never reach it.
 *
 * Every promise resolves only when the effect is as safe as `traits.durability` says; who asks after that sees it. Effects
 * of one mailbox become visible in the order in which they resolved: a reader who has seen a UID will never see a lower one
 * appear. UIDs, mod-sequences and UIDVALIDITY survive whatever the messages survive; an append that a crash cut short is
 * there entirely or not at all, and its UID is not given out again once anyone has seen it.
 *
 * Errors are MailErrors: `temporary` (try again: disk full, locked), `permanent` (no such mailbox, too large for this store),
 * `misuse` (broken data), `closed`. Whatever the store cannot explain is `temporary`: mail is never bounced for a fault of ours.
 */
export interface MailStore {
  readonly traits: { readonly durability: Durability }
  /** All mailboxes of an account, parents before children; empty for an account the store has never seen. */
  mailboxes(account: string): Promise<readonly Mailbox[]>
  /**
   * Creates a mailbox, or gives back the one that has this path, also to several who ask at once. Creates no parents. Paths
   * are compared octet by octet: the caller has normalised them (RFC 9051 §5.1: INBOX in any case is `INBOX`).
   */
  create(account: string, path: readonly string[]): Promise<Mailbox>
  /**
   * Adds a message; when it rejects, nothing was added. One of many appends at once failing does not touch the others.
   * Appending the same `body` and `facts` objects to several mailboxes is how a message to many is stored once: a store that
   * can keeps one copy, under one id.
   */
  append(mailbox: MailboxId, message: NewMessage): Promise<StoredMessage>
  /**
   * Messages whose mod-sequence is above `since` (default 0: all), in ascending UID order; none for a mailbox it does not
   * have. Reads in pages and holds no lock between them: a message that is appended meanwhile may be among them or not. To
   * resume later without a gap, remember the `modSeq` that `mailboxes` gave *before* listing.
   */
  list(mailbox: MailboxId, since?: number): AsyncIterable<StoredMessage>
  /** The octets of a message, or `undefined` when the store has none by that id. */
  body(message: MessageId): Promise<StoredBody | undefined>
  /** Finishes the appends it has, rejects later calls with `closed`, and may be called again. */
  close?(): Promise<void>
}

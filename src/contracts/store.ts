import type { MessageFacts } from '../message/facts.ts'
import type { Body, ByteRange, StoredBody } from './bodies.ts'
import type { Durability } from './durability.ts'
import type { Mailbox, MailboxId, Quota, SpecialUse, UidSet, Usage } from './mailbox.ts'

/** Opaque; the store's own name for a message, the same in every mailbox it was copied to and never given to another one. */
export type MessageId = string

/** What `append` takes. The caller has checked and normalised all of it. */
export interface NewMessage {
  /** The octets, CRLF line ends, never to be rewritten. The store makes them its own before it resolves. */
  readonly body: Body
  /**
   * Computed once from the body; kept opaque and given back. Plain JSON data, or a view of them that another store gave:
   * `JSON.stringify` takes either, and so does `packFacts` (`posthorn/message`), whose line makes lists fast.
   */
  readonly facts: MessageFacts
  /** When the message was received, whole milliseconds since the Unix epoch (IMAP's INTERNALDATE). */
  readonly received: number
  /** Flags and keywords, each once, as IMAP spells them, so without spaces: `\Seen`, `$Junk`. */
  readonly flags?: readonly string[]
}

/** What there is to know of a message in one mailbox without a look into it. */
export interface Entry {
  readonly id: MessageId
  /** 1 to 2^32 - 1, ascending in its mailbox in the order of appends, never used twice. Gaps may be left. */
  readonly uid: number
  /** Of its last change; above every mod-sequence given out in this mailbox before that. */
  readonly modSeq: number
  readonly received: number
  /** When it came into this mailbox, milliseconds since the Unix epoch by the store's clock (RFC 8514). */
  readonly saved: number
  /** Each once, in no particular order; system flags in the spelling of RFC 9051 §2.3.2. */
  readonly flags: readonly string[]
  /** The size of the body. */
  readonly octets: number
}

/** A message in one mailbox. */
export interface StoredMessage extends Entry {
  readonly mailbox: MailboxId
  /** What was appended, by value: plain JSON data, or the view that `unpackFacts` gives of it. */
  readonly facts: MessageFacts
}

/** Which messages of a mailbox: all, unless told otherwise; both where both are given. */
export interface Selection {
  readonly uids?: UidSet
  /** Only those with a mod-sequence above this. */
  readonly since?: number
}

/** What is done to flags. Compared without case where they begin with `\`, octet by octet otherwise. */
export interface FlagChange {
  readonly kind: 'add' | 'remove' | 'replace'
  readonly flags: readonly string[]
}

/** What became of a flag change. */
export interface Flagged {
  /** Those that the change made different, ascending, with their new mod-sequence. */
  readonly changed: readonly Pick<Entry, 'uid' | 'modSeq' | 'flags'>[]
  /** Those that are there and were left alone because they had changed after `unchangedSince` (RFC 7162 §3.1.3); no others. */
  readonly modified: UidSet
}

/** What happened in a mailbox after a mod-sequence. */
export interface Changes {
  /** All changes up to this one are told: what to ask from next. */
  readonly modSeq: number
  /** Messages that were added or whose flags were changed, as they stand now, by mod-sequence. */
  readonly changed: readonly Entry[]
  /** Messages that were expunged. May name UIDs that the asker has never seen. */
  readonly vanished: UidSet
  /** There is more: ask again from `modSeq`. */
  readonly more: boolean
  /**
   * `false`: the store has forgotten some of what was expunged since then; `vanished` is not all, and who wants all compares the
   * UIDs he knows with those that are there (RFC 7162 §3.2.5.2).
   */
  readonly complete: boolean
}

/** Where a message went: its UID there, by its UID here, in ascending order of the latter. */
export interface Copied {
  readonly from: number
  readonly to: number
}

/** How much the account of the mailbox may hold; `append`, `copy` reject with `quota` rather than leave it with more. */
export interface Room {
  readonly quota?: Quota
}

/** Octets of a message. */
export interface MessageRange extends ByteRange {
  readonly message: MessageId
}

/** An append as a whole: one of several that belong together, or one that takes another message's place. */
export interface Append extends Room {
  readonly mailbox: MailboxId
  readonly message: NewMessage
}

/**
 * Where mail rests. UIDs and mod-sequences are the store's; sequence numbers never reach it.
 *
 * Every promise resolves only when the effect is as safe as `traits.durability` says; who asks after that sees it. Effects
 * of one mailbox become visible in the order in which they resolved: a reader who has seen a UID or a mod-sequence will never
 * see a lower one appear. UIDs, mod-sequences and UIDVALIDITY survive whatever the messages survive; a change that a crash cut
 * short is there entirely or not at all, and its UIDs are not given out again once anyone has seen them.
 *
 * The change log is the truth: what `watch` tells is a hint, and whoever wants to know asks `changes`.
 *
 * Errors are MailErrors: `temporary` (try again: disk full, locked), `permanent` (no such mailbox, a path that is taken, too
 * large for this store), `quota` (the account would hold more than it may), `misuse` (broken data), `closed`. Whatever the
 * store cannot explain is `temporary`: mail is never bounced for a fault of ours. What rejects has changed nothing.
 */
export interface MailStore {
  readonly traits: {
    readonly durability: Durability
    /** Octets that each message is counted for in `usage` beside its size. */
    readonly overhead: number
  }
  /** All mailboxes of an account, parents before children; empty for an account the store has never seen. */
  mailboxes(account: string): Promise<readonly Mailbox[]>
  /** The one that has this path, as `mailboxes` has it, where that costs less than all of them. */
  mailbox?(account: string, path: readonly string[]): Promise<Mailbox | undefined>
  /**
   * Creates a mailbox, or gives back the one that has this path, also to several who ask at once; that one keeps the use it has.
   * Creates no parents. Paths are compared octet by octet: the caller has normalised them (RFC 9051 §5.1: INBOX in any case is
   * `INBOX`). `permanent` where it has to be made and another mailbox of the account has that use.
   */
  create(account: string, path: readonly string[], use?: SpecialUse): Promise<Mailbox>
  /**
   * Gives a mailbox another path, and all below it theirs, in one step. UIDs and subscriptions stay. `permanent` where any of the
   * new paths is taken by one that is not moved, or the new path lies below the old one; the path it has changes nothing.
   */
  rename(mailbox: MailboxId, path: readonly string[]): Promise<void>
  /** Removes a mailbox with its messages; those below it stay. No error where there is none. */
  remove(mailbox: MailboxId): Promise<void>
  /**
   * Adds a message. One of many appends at once failing does not touch the others. Appending the same `body` and `facts` objects
   * to several mailboxes is how a message to many is stored once: a store that can keeps one copy, under one id.
   */
  append(mailbox: MailboxId, message: NewMessage, room?: Room): Promise<StoredMessage>
  /**
   * Adds a message and expunges another one, of `mailbox`, in one step; between mailboxes of one account, or in one (RFC 8508).
   * Room is judged by what the account then holds: what takes no more of it than the other did is never too much. `undefined`,
   * and nothing added, where the other is not there.
   */
  replace?(mailbox: MailboxId, uid: number, by: Append): Promise<StoredMessage | undefined>
  /** Adds all of them or none, each to its mailbox; UIDs ascend in the order given. */
  appendAll?(appends: readonly Append[]): Promise<readonly StoredMessage[]>
  /**
   * Messages in ascending UID order, in pages of the store's choice, none of them empty; none for a mailbox it does not have.
   * Holds no lock between pages: what changes meanwhile may be among them or not. To resume later without a gap, ask `changes`
   * from the `modSeq` that `mailboxes` gave *before* listing.
   */
  entries(mailbox: MailboxId, which?: Selection): AsyncIterable<readonly Entry[]>
  /**
   * The same with what the messages say. A page has no more than a megabyte of facts, or one message: what is made of a page is
   * made in one turn of the event loop, and parts by the thousand are cheap to send.
   */
  list(mailbox: MailboxId, which?: Selection): AsyncIterable<readonly StoredMessage[]>
  /**
   * What happened after a mod-sequence, at one moment; `most` (default 1000) bounds how many changes come at a time, where those
   * of one mod-sequence count as one. 0 tells all that is there. `permanent` for a mailbox it does not have.
   */
  changes(mailbox: MailboxId, since: number, most?: number): Promise<Changes>
  /**
   * Changes flags, of all the UIDs that are there, in one step. `unchangedSince`: only of those whose mod-sequence is not above.
   */
  flag(mailbox: MailboxId, uids: UidSet, change: FlagChange, unchangedSince?: number): Promise<Flagged>
  /** Removes messages from the mailbox for good, in one step. Gives the UIDs that were there, and no others. */
  expunge(mailbox: MailboxId, uids: UidSet): Promise<UidSet>
  /** Copies messages with their flags and dates, all or none, in UID order; the mailbox may be the same. */
  copy(mailbox: MailboxId, uids: UidSet, to: MailboxId, room?: Room): Promise<readonly Copied[]>
  /** Copies and expunges in one step; between mailboxes of one account. The mailbox may be the same: then they get new UIDs. */
  move?(mailbox: MailboxId, uids: UidSet, to: MailboxId): Promise<readonly Copied[]>
  /** The octets of a message, or `undefined` when the store has none by that id. */
  body(message: MessageId): Promise<StoredBody | undefined>
  /**
   * Octets of several messages, in the order asked for, where that costs less than a `body` for each. `undefined` where they are
   * not at hand: they lie in a file, or there is no such message; `body` tells. The ranges lie within their messages and are
   * 1 MiB in all at most: the caller guarantees it. What comes is the reader's to keep, not to write to.
   */
  octets?(ranges: readonly MessageRange[]): Promise<readonly (Uint8Array | undefined)[]>
  /** What an account holds. */
  usage(account: string): Promise<Usage>
  /** Counts anew what an account holds and what its mailboxes say of themselves, and mends what has drifted. */
  recount?(account: string): Promise<Usage>
  /** Removes all that an account has, bodies that no other account has too. No error where there is nothing. */
  erase(account: string): Promise<void>
  /** The accounts that have mailboxes, in no particular order. */
  accounts?(): AsyncIterable<string>
  /** The paths that an account has subscribed to, whether or not there are such mailboxes (RFC 9051 §6.3.7). */
  subscriptions?(account: string): Promise<readonly (readonly string[])[]>
  /** Remembers or forgets a subscription. */
  subscribe?(account: string, path: readonly string[], wanted: boolean): Promise<void>
  /** Claims what no reader has claimed, for one: the UID from which it was unclaimed (IMAP4rev1's `\Recent`). */
  claim?(mailbox: MailboxId): Promise<number>
  /**
   * Messages whose text may contain the words: in the decoded body, or (`text`) there or in the header. A superset, without
   * regard to case: never one too few. `undefined`: the index cannot tell (too short); then all may.
   */
  search?(mailbox: MailboxId, words: string, where: 'body' | 'text'): Promise<UidSet | undefined>
  /**
   * Tells of mailboxes in which something may have changed, soon after it did; by whomever, if the store can know. A hint: it
   * may be lost, doubled or late. Gives the function that ends it.
   */
  watch?(told: (mailbox: MailboxId) => void): () => void
  /**
   * Tells when something may have changed in what `mailboxes` and `subscriptions` say of an account: numbers, names, uses,
   * subscriptions; soon after it did, by whomever, if the store can know. The account need not have anything yet. A hint, as
   * with `watch`. Gives the function that ends it.
   */
  watchAccount?(account: string, told: () => void): () => void
  /** Finishes the writes it has, rejects later calls with `closed`, and may be called again. */
  close?(): Promise<void>
}

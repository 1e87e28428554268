import type { Account } from './directory.ts'
import type { SpecialUse } from './mailbox.ts'
import type { Awaitable } from './policy.ts'
import type { ReceivedMessage, Recipient } from './received.ts'
import type { Address } from '../message/address.ts'

/**
 * Something that a filter has decided to do with a message. `edits`: the header as it was edited by then, where it was edited
 * again later (RFC 5293 §7); without them, those of the filter hold.
 */
export type FilterAction =
  /** Into INBOX. */
  | { readonly kind: 'keep'; readonly flags?: readonly string[]; readonly edits?: readonly HeaderEdit[] }
  /** Into a mailbox of the account. `use`: into the one with that special use, where there is one; else into `path`. */
  | {
    readonly kind: 'file'
    readonly path: readonly string[]
    readonly use?: SpecialUse
    /** Make the mailbox where it is missing; without it, INBOX gets what has no mailbox. */
    readonly create: boolean
    readonly flags?: readonly string[]
    readonly edits?: readonly HeaderEdit[]
  }
  /** To another address, in the name of the sender as forwarded mail is. */
  | { readonly kind: 'redirect'; readonly to: Address; readonly edits?: readonly HeaderEdit[] }
  /** Not taken, and the sender is told so: at SMTP time where that is possible, otherwise by a report. Comes alone. */
  | { readonly kind: 'reject'; readonly reason: string }
  /** An answer that a machine gives (RFC 3834), once in a while to each sender; who answers and whom is checked already. */
  | {
    readonly kind: 'reply'
    readonly to: Address
    /** The account's own address, or one of its others that the message was addressed to. */
    readonly from: { readonly name?: string; readonly address: Address }
    readonly subject: string
    /** Text, its lines ended by LF; with `mime`, a MIME entity with its header. */
    readonly text: string
    readonly mime: boolean
  }
  /** Tells a program of the host's, by HTTP. */
  | { readonly kind: 'webhook'; readonly url: string }
  /** A word to find the message by: a keyword wherever it is stored. */
  | { readonly kind: 'tag'; readonly tag: string }

/**
 * A change of a message's header. Spans are those of the message that the filter was given, each of one of its fields; others
 * are passed over. Of two fields that are added first, the later one stands above (RFC 5293 §4).
 */
export type HeaderEdit =
  | { readonly kind: 'add'; readonly name: string; readonly value: string; readonly last: boolean }
  | { readonly kind: 'remove'; readonly start: number; readonly end: number }

/** What one part of a filter did: for whoever asks why a message is where it is. */
export interface FilterStep {
  /** Line and column in a script, or the name of a rule. */
  readonly at: string
  /** `fileinto "Lists"`, `if: true`. */
  readonly what: string
}

/**
 * What a filter has decided. No action that keeps, files, redirects or rejects the message: it is dropped, and that is recorded.
 */
export interface Filtered {
  readonly actions: readonly FilterAction[]
  /** They hold for whatever is stored or redirected; a rejection and an answer tell of the message as it came. */
  readonly edits: readonly HeaderEdit[]
  readonly steps: readonly FilterStep[]
  /** What went wrong; the actions are then to keep the message in INBOX. */
  readonly error?: { readonly at: string; readonly text: string }
  /**
   * Called once all of it is safe: only now it is remembered which messages have been seen and who was answered (RFC 7352 §3,
   * RFC 5230 §4.2). Without the call nothing is: the message was not taken, and comes again.
   */
  readonly done?: () => Promise<void>
}

/** Whose mail is filtered. */
export interface FilterSubject {
  readonly account: Account
  /** By which recipient of the envelope the message came to the account. */
  readonly recipient: Recipient
  /** Whether the account has a mailbox. */
  hasMailbox(path: readonly string[]): Promise<boolean>
  /** Whether it has one with that special use. */
  hasUse(use: SpecialUse): Promise<boolean>
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  readonly signal: AbortSignal
}

/**
 * Decides for one account what is done with a message: Sieve, rules as data. `undefined`: the account has none, and the message
 * goes where it would go anyway. It never loses mail: what fails in it, and a rejection, keeps the message in INBOX.
 */
export interface MailFilter {
  /** What is done with the message for the account. */
  filter(message: ReceivedMessage, subject: FilterSubject): Awaitable<Filtered | undefined>
}

import type { Credentials, SaslLookUp, SaslSecret } from '../sasl/exchange.ts'
import type { AbandonedEvent, BodyRange, CompressEvent, Question, StartTlsEvent } from '../session/session.ts'
import type { CommandRefusalEvent, LineEvent } from '../session/told.ts'
import type { AnnotationChange } from './annotations.ts'
import type { NumberSet } from '../bytes/number-set.ts'
import type { Column, ColumnKind } from './columns.ts'
import type { ImapEntry, ImapMailbox, ImapMessage } from './mailbox.ts'

/**
 * What comes out of an IMAP server session.
 *
 * Any question may be answered with a {@link Refusal}: the command ends with NO. No answer, and a failure, mean NO [UNAVAILABLE].
 */
export type ImapServerEvent =
  | ConnectQuestion
  | SecretQuestion
  | AuthQuestion
  | IdQuestion
  | MailboxesQuestion
  | MailboxQuestion
  | CreateQuestion
  | RenameQuestion
  | RemoveQuestion
  | SubscribeQuestion
  | OpenQuestion
  | ClaimQuestion
  | UnselectedEvent
  | WatchEvent
  | EntriesQuestion
  | MessagesQuestion
  | ColumnsQuestion
  | OctetsQuestion
  | ChangesQuestion
  | FlagQuestion
  | ExpungeQuestion
  | CopyQuestion
  | UploadEvent
  | BodyEvent
  | AppendQuestion
  | ReplaceQuestion
  | CandidatesQuestion
  | ClockQuestion
  | QuotaQuestion
  | AnnotationsQuestion
  | AnnotateQuestion
  | UnauthenticatedEvent
  | LineEvent
  | CommandRefusalEvent
  | StartTlsEvent
  | CompressEvent
  | AbandonedEvent
  | ClosedEvent

/** Why a command ends with NO. */
export interface Refusal {
  /** A response code (RFC 5530) without its brackets: `OVERQUOTA`, `NOPERM`. */
  readonly code?: string
  /** For people; printable ASCII. */
  readonly refused: string
  /** The bound that was reached, for those who watch. */
  readonly limit?: string
}

/** A client has connected. A refusal is said in a BYE. */
export type ConnectQuestion = Question<'connect', Refusal>

/** A SASL exchange cannot go on without a secret. */
export interface SecretQuestion extends Question<'secret', SaslSecret | AuthRefusal> {
  readonly lookUp: SaslLookUp
}

/** Why nobody logs in. What is not `temporary` counts as a failed attempt, and is said after a while. */
export interface AuthRefusal extends Refusal {
  readonly temporary?: boolean
  /** Milliseconds before it is said, where that is longer than the session would wait. */
  readonly delay?: number
}

/** LOGIN or the end of a SASL exchange: to whom the connection belongs from now on, or why not. No answer refuses. */
export interface AuthQuestion extends Question<'auth', { readonly account: string } | AuthRefusal> {
  readonly credentials: Credentials
}

/** UNAUTHENTICATE (RFC 8437): the connection belongs to nobody any more. */
export interface UnauthenticatedEvent {
  readonly kind: 'unauthenticated'
}

/** ID (RFC 2971): what the client says of itself; the answer is what it is told of the server. */
export interface IdQuestion extends Question<'id', ReadonlyMap<string, string>> {
  /** Keys in lower case. */
  readonly client: ReadonlyMap<string, string | undefined>
}

/** All that the account has. */
export type MailboxesQuestion = Question<'mailboxes', Mailboxes | Refusal>

/** Mailboxes, parents before children, and the paths that are subscribed to, whether or not there is such a mailbox. */
export interface Mailboxes {
  readonly mailboxes: readonly ImapMailbox[]
  readonly subscribed: readonly (readonly string[])[]
}

/** The mailbox at a path, as it stands; `null` where there is none. */
export interface MailboxQuestion extends Question<'mailbox', ImapMailbox | null | Refusal> {
  readonly path: readonly string[]
}

/** CREATE, with what it is for. There is none at the path; parents are there. The answer is the new one. */
export interface CreateQuestion extends Question<'create', ImapMailbox | Refusal> {
  readonly path: readonly string[]
  readonly use: string | undefined
}

/** RENAME: of the mailbox and all below it. */
export interface RenameQuestion extends Question<'rename', true | Refusal> {
  readonly mailbox: string
  readonly path: readonly string[]
}

/** DELETE. */
export interface RemoveQuestion extends Question<'remove', true | Refusal> {
  readonly mailbox: string
}

/** SUBSCRIBE, or not `wanted`: UNSUBSCRIBE. */
export interface SubscribeQuestion extends Question<'subscribe', true | Refusal> {
  readonly path: readonly string[]
  readonly wanted: boolean
}

/**
 * SELECT, or `readOnly` EXAMINE. From an answer that does not refuse on, `changed` is to be called when something may have
 * happened in the mailbox, until `unselected`.
 */
export interface OpenQuestion extends Question<'open', Opened | Refusal> {
  readonly mailbox: string
  readonly readOnly: boolean
}

/** A mailbox and its messages at one moment. */
export interface Opened {
  readonly mailbox: ImapMailbox
  readonly uids: NumberSet
  /** The UID of the first message without `\\Seen`, where there is one. */
  readonly firstUnseen: number | undefined
  /** Keywords that its messages bear. */
  readonly keywords: readonly string[]
  /** Messages that this session is the first to see, where it is told of them (RFC 3501 §2.3.2). */
  readonly recent: NumberSet
}

/**
 * Messages have come into a mailbox that is selected to be written to: the UID from which this session is the first to see them
 * (RFC 3501 §2.3.2); `null`: that is not kept here.
 */
export interface ClaimQuestion extends Question<'claim', number | null | Refusal> {
  readonly mailbox: string
}

/** It is selected no more. */
export interface UnselectedEvent {
  readonly kind: 'unselected'
  readonly mailbox: string
}

/**
 * NOTIFY: from now on, or no longer, `changedAnywhere` is to be called when something may have happened in any mailbox of the
 * account, and `noted` when others have changed annotations. Where it is wanted anew it goes on.
 */
export interface WatchEvent {
  readonly kind: 'watch'
  readonly wanted: boolean
}

/** What can be said of messages without a look at them: of the first of those that are there, as many as suit the host. */
export interface EntriesQuestion extends Question<'entries', Page<ImapEntry> | Refusal> {
  readonly mailbox: string
  readonly uids: NumberSet
  /** Only those with a mod-sequence above this. */
  readonly since: number
}

/** The same with what the messages say. */
export interface MessagesQuestion extends Question<'messages', Page<ImapMessage> | Refusal> {
  readonly mailbox: string
  readonly uids: NumberSet
  readonly since: number
}

/** Some of what was asked for, in ascending UID order. */
export interface Page<Item> {
  readonly items: readonly Item[]
  /** Nothing is left behind the last of them. */
  readonly last: boolean
}

/**
 * What is looked at of messages, of the first of those that are there, as many as suit the host: what `columnOf` makes of them,
 * which a host that keeps it makes but once. There may be more messages in it than were asked for. `null`: it is not at hand;
 * where it may be made, this means that the host keeps none, and the messages themselves are asked for.
 */
export interface ColumnsQuestion extends Question<'columns', ColumnsPage | null | Refusal> {
  readonly mailbox: string
  /** With which the UIDs are meant: what was kept under another is of other messages. */
  readonly uidValidity: number
  readonly of: ColumnKind
  readonly uids: NumberSet
  /**
   * It must not be made now: only all of it is of use, and only where it is kept already. No columns, and not the last: it is
   * not, but this is asked so often that it should be made, which is to ask without this.
   */
  readonly atHand: boolean
}

/** Columns of ascending UIDs that do not overlap. */
export interface ColumnsPage {
  readonly columns: readonly Column[]
  /** Nothing that was asked for is left behind the last of them. */
  readonly last: boolean
}

/** Octets of messages, in the order asked; `null` where the message is no more. Those of one question are not many together. */
export interface OctetsQuestion extends Question<'octets', readonly (Uint8Array | null)[] | Refusal> {
  readonly ranges: readonly BodyRange[]
}

/** What has happened in a mailbox after a mod-sequence. */
export interface ChangesQuestion extends Question<'changes', MailboxChanges | Refusal> {
  readonly mailbox: string
  readonly since: number
}

/** Changes up to a mod-sequence. */
export interface MailboxChanges {
  readonly modSeq: number
  readonly changed: readonly ImapEntry[]
  readonly vanished: NumberSet
  readonly more: boolean
  /** Not all that was expunged since then is known: compare the UIDs. */
  readonly complete: boolean
}

/** STORE. */
export interface FlagQuestion extends Question<'flag', Flagged | Refusal> {
  readonly mailbox: string
  readonly uids: NumberSet
  readonly change: 'add' | 'remove' | 'replace'
  readonly flags: readonly string[]
  readonly unchangedSince: number | undefined
}

/** What became of STORE. */
export interface Flagged {
  readonly changed: readonly Pick<ImapEntry, 'uid' | 'modSeq' | 'flags'>[]
  /** Left alone because of UNCHANGEDSINCE. */
  readonly modified: NumberSet
}

/** EXPUNGE: the answer tells which were there. */
export interface ExpungeQuestion extends Question<'expunge', NumberSet | Refusal> {
  readonly mailbox: string
  readonly uids: NumberSet
}

/** COPY, or with `move` MOVE. The answer has the new UIDs, in the order of the old ones. */
export interface CopyQuestion extends Question<'copy', readonly Copied[] | Refusal> {
  readonly mailbox: string
  readonly uids: NumberSet
  readonly to: string
  readonly move: boolean
}

/** A message's UID here, and there. */
export interface Copied {
  readonly from: number
  readonly to: number
}

/** A message begins to come in; `body` events follow. */
export interface UploadEvent {
  readonly kind: 'upload'
  /** How long it will be, where that is known. */
  readonly octets: number | undefined
}

/** Octets of it: a view of the input. */
export interface BodyEvent {
  readonly kind: 'body'
  readonly bytes: Uint8Array
}

/** APPEND: all messages that came since the command began, or none. The answer has a UID for each. */
export interface AppendQuestion extends Question<'append', { readonly uids: readonly number[] } | Refusal> {
  readonly mailbox: string
  readonly messages: readonly Upload[]
}

/**
 * REPLACE (RFC 8508): the message that came goes into a mailbox, and another one out of one, in one step. The answer has the UID
 * of the new one; `null`: the other is not there any more, and nothing was done.
 */
export interface ReplaceQuestion extends Question<'replace', { readonly uid: number } | null | Refusal> {
  readonly mailbox: string
  readonly uid: number
  readonly to: string
  readonly message: Upload
}

/** One of the messages, in the order of their uploads. */
export interface Upload {
  readonly flags: readonly string[]
  /** Milliseconds since the Unix epoch; `undefined`: now. */
  readonly received: number | undefined
}

/** Which messages may contain the words; `null`: all may, there is no index that could tell. */
export interface CandidatesQuestion extends Question<'candidates', NumberSet | null | Refusal> {
  readonly mailbox: string
  readonly words: string
  readonly where: 'body' | 'text'
}

/** The time: milliseconds since the Unix epoch. */
export type ClockQuestion = Question<'clock', number>

/** What the account holds and may hold; `null`: quotas are not kept here. */
export type QuotaQuestion = Question<'quota', QuotaFacts | null | Refusal>

/** Octets and messages; `Infinity` for no bound. */
export interface QuotaFacts {
  readonly used: { readonly octets: number; readonly messages: number }
  readonly limit: { readonly octets: number; readonly messages: number }
}

/** GETMETADATA (RFC 5464): all that is noted, octets by entry; entries are in lower case. No mailbox: of the server. */
export interface AnnotationsQuestion extends Question<'annotations', ReadonlyMap<string, string> | Refusal> {
  readonly mailbox: string | undefined
}

/** SETMETADATA: all changes or none. No value removes an entry. */
export interface AnnotateQuestion extends Question<'annotate', true | Refusal> {
  readonly mailbox: string | undefined
  readonly changes: readonly AnnotationChange[]
}

/** The last event. */
export interface ClosedEvent {
  readonly kind: 'closed'
  readonly why: ImapCloseReason
}

/** Why a session has ended. `protocol`: something after which the connection cannot be trusted. */
export type ImapCloseReason = 'logout' | 'end' | 'timeout' | 'errors' | 'limit' | 'refused' | 'drained' | 'protocol'

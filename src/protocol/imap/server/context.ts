import type { SaslChannel } from '../../sasl/channel.ts'
import type { ImapServerConfig } from '../config.ts'
import type { ImapCloseReason, ImapServerEvent } from '../events.ts'
import type { FetchItem } from '../fetch-items.ts'
import type { Announced } from '../fragments.ts'
import type { ImapEntry } from '../mailbox.ts'
import type { NameForm } from '../mailbox-name.ts'
import type { NumberSet } from '../../bytes/number-set.ts'
import type { Reader } from '../reader.ts'
import type { Result, Run } from '../run.ts'
import type { SearchKey } from '../search-keys.ts'
import type { View } from '../view.ts'
import type { SpareMap, SpareSet } from './spare.ts'
import type { Notified } from './notified.ts'

/** What a client can ENABLE (RFC 5161), and what other commands enable by the way. */
export type Enabled = 'CONDSTORE' | 'QRESYNC' | 'UTF8=ACCEPT' | 'IMAP4REV2' | 'UIDONLY'

/** The mailbox that is selected, as far as the client has been told of it. */
export interface Selected {
  /** The host's own name for the mailbox. */
  readonly mailbox: string
  readonly readOnly: boolean
  readonly uidValidity: number
  readonly view: View
  /** Greater than every UID that the client may know of. */
  uidNext: number
  /** Of what happened up to this mod-sequence the client knows, or what is still to be told of it is noted here. */
  modSeq: number
  /** Something may have happened since. */
  changed: boolean
  /** Messages that are gone and that the client has not been told of. */
  gone: NumberSet
  /** Messages that are `\Recent` for this session. */
  recent: NumberSet
  /** Keywords that the client has been told of, in lower case, and as they are spelt. */
  readonly keywords: SpareMap<string, string>
  /** The result of the last search that was to be saved (RFC 5182). */
  saved: NumberSet
  /** By UID, mod-sequences of flag changes that the client knows of, being its own. */
  readonly own: SpareMap<number, number>
  /** What has been learnt and is still to be told, beside `gone`. */
  readonly news: News
  /**
   * Where `gone` is not empty: a mod-sequence before that of any of them. A client that resumes from a higher one would never
   * hear of them (RFC 7162 §3.2).
   */
  held: number | undefined
  /** The client has been told of `held`. */
  heldTold: boolean
  /** Flag changes after this mod-sequence have been passed over, the client not wanting to hear of any (RFC 5465). */
  unsaid?: number | undefined
  /** Searches whose results the client wants to hear of as they change (RFC 5267), by their tags. */
  readonly followed: SpareMap<string, Followed>
  /** UIDs of messages that have come or changed since those searches were looked at; none where there is none. */
  touched: readonly number[]
}

/** A search that is followed. */
export interface Followed {
  readonly byUid: boolean
  readonly key: SearchKey
  /** What it has found, as far as the client knows. */
  found: NumberSet
  /** What is to be told of new messages that it finds (RFC 5465 §7), and those of which it is not told yet. */
  readonly items?: readonly FetchItem[] | undefined
  came?: NumberSet
}

/** What is to be told of a mailbox. */
export interface News {
  added: NumberSet
  /** By UID, the latest last: several changes of one message become one. */
  readonly flagged: SpareMap<number, ImapEntry>
}

/** What a command may see and do: the session without its input and its clockwork. */
export interface ImapContext {
  readonly config: ImapServerConfig
  /** Milliseconds; the time of the latest input. */
  readonly now: number
  readonly channel: SaslChannel
  /** What the client said of itself by ID, keys in lower case. */
  client: ReadonlyMap<string, string | undefined>
  account: string | undefined
  selected: Selected | undefined
  readonly enabled: SpareSet<Enabled>
  /** What the client wants to be told, once it has given NOTIFY. */
  notify: Notified | undefined
  /** Something may have changed in any of the account's mailboxes, or their names. */
  accountChanged: boolean
  /** What is new could not be learnt: it is asked for again then. */
  quietUntil: number
  /** COMPRESS was given. */
  compressed: boolean
  failedAuth: number
  /** Log-ins that the host was asked to judge. */
  logIns: number
  /** How names of mailboxes are written. */
  readonly nameForm: NameForm
  /** Says a line; its CRLF is added. */
  say(line: string): void
  /** Says octets as they are: part of a line that goes on. */
  write(octets: string | Uint8Array): void
  /** Says octets of a message, which the driver fetches from the host. */
  writeBody(message: string, start: number, end: number): void
  /** Hands an event to the host. */
  emit(event: ImapServerEvent): void
  /** So much was said that it should be taken before more is made: wait for `room`. */
  readonly full: boolean
  /** Ends the conversation: BYE and this text, unless it is empty. `limit`: the bound that was reached, for those who watch. */
  close(why: ImapCloseReason, text: string, limit?: string): void
  /** Nobody has logged in any more; nothing is enabled. */
  forgetAccount(): void
  /** The capabilities that this connection is told of. */
  capabilities(): string
}

/** Where in a conversation a command may be given (RFC 9051 §3). */
export type State = 'not authenticated' | 'authenticated' | 'selected'

/** A command. */
export interface Command {
  /** In upper case: `NOOP`, `UID FETCH`. */
  readonly name: string
  /** The states it is valid in. */
  readonly states: readonly State[]
  /** It names messages by sequence numbers, or tells them: not once UIDONLY is enabled. */
  readonly bySequence?: boolean
  /** No EXPUNGE may be said at its end: it uses sequence numbers and may not hear of one (RFC 9051 §7.5.1). */
  readonly holdsExpunge?: boolean
  /** It may take long: now and then the client hears that it is at work. */
  readonly isLong?: boolean
  /** It begins as soon as its first literal is announced, and takes the rest of itself in. */
  readonly streams?: boolean
  /** What follows in the input is not what it was: nothing may have been sent behind it that was not waited for. */
  readonly endsInput?: boolean
  /**
   * Reads its arguments, which may throw Malformed, and runs. Nothing: it has said its tagged response by itself. `announced`, of
   * one that streams: the literal that its first line ends in.
   */
  run(context: ImapContext, reader: Reader, invocation: Invocation): Run<Result | undefined>
}

/** How a command was given. */
export interface Invocation {
  readonly tag: string
  readonly announced: Announced | undefined
}

/** In every state. */
export const ANY: readonly State[] = ['not authenticated', 'authenticated', 'selected']

/** After log-in. */
export const AUTHENTICATED: readonly State[] = ['authenticated', 'selected']

/** With a mailbox selected. */
export const SELECTED: readonly State[] = ['selected']

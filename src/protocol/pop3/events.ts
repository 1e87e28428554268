import type { Credentials, SaslLookUp, SaslSecret } from '../sasl/exchange.ts'
import type { AbandonedEvent, Question, StartTlsEvent } from '../session/session.ts'
import type { CommandRefusalEvent, LineEvent } from '../session/told.ts'

/**
 * What comes out of a POP3 server session.
 *
 * Any question may be answered with a {@link Pop3Refusal}: the command ends with -ERR. No answer, and a failure, mean
 * -ERR [SYS/TEMP].
 */
export type Pop3ServerEvent =
  | ConnectQuestion
  | SecretQuestion
  | AuthQuestion
  | OpenQuestion
  | OctetsQuestion
  | ExpungeQuestion
  | LineEvent
  | CommandRefusalEvent
  | StartTlsEvent
  | AbandonedEvent
  | Pop3ClosedEvent

/** Why a command ends with -ERR. */
export interface Pop3Refusal {
  /** A response code (RFC 2449 §8) without its brackets: `IN-USE`, `SYS/TEMP`, `SYS/PERM`. */
  readonly code?: string
  /** For people; printable ASCII. */
  readonly refused: string
  /** The bound that was reached, for those who watch. */
  readonly limit?: string
}

/** A client has connected. A refusal is said instead of the greeting, and ends the connection. */
export type ConnectQuestion = Question<'connect', Pop3Refusal>

/** A SASL exchange cannot go on without a secret. */
export interface SecretQuestion extends Question<'secret', SaslSecret | Pop3AuthRefusal> {
  readonly lookUp: SaslLookUp
}

/** Why nobody logs in. What is not `temporary` counts as a failed attempt, and is said after a while. */
export interface Pop3AuthRefusal extends Pop3Refusal {
  readonly temporary?: boolean
  /** Milliseconds before it is said, where that is longer than the session would wait. */
  readonly delay?: number
}

/** PASS or the end of a SASL exchange: to whom the connection belongs from now on, or why not. No answer refuses. */
export interface AuthQuestion extends Question<'auth', { readonly account: string } | Pop3AuthRefusal> {
  readonly credentials: Credentials
}

/**
 * Somebody has logged in: the maildrop as it stands, for this session alone until its `closed` event. `IN-USE` where another
 * session has it (RFC 1939 §3, RFC 2449 §8.1.1). A refusal ends the connection.
 */
export type OpenQuestion = Question<'open', OpenedMaildrop | Pop3Refusal>

/** A maildrop: its messages in order, two lists of the same length. */
export interface OpenedMaildrop {
  /** 1 to 2^32 - 1; changes where UIDs could not be kept. */
  readonly uidValidity: number
  /** 1 to 2^32 - 1, ascending. */
  readonly uids: readonly number[]
  /** Octets of each. */
  readonly sizes: readonly number[]
}

/** Octets of a message, `start` to `end` (exclusive), exactly as many; not written to again. `null`: it is gone. */
export interface OctetsQuestion extends Question<'octets', Uint8Array | null | Pop3Refusal> {
  readonly uid: number
  readonly start: number
  readonly end: number
}

/** QUIT after DELE: removes messages for good (the UPDATE state of RFC 1939 §6). Never asked where the connection drops. */
export interface ExpungeQuestion extends Question<'expunge', true | Pop3Refusal> {
  /** As ranges that ascend and do not touch; all of them were among those of the maildrop. */
  readonly uids: readonly UidRange[]
}

/** UIDs from `first` to `last`, both included. */
export interface UidRange {
  readonly first: number
  readonly last: number
}

/** The last event. Nothing of the maildrop is used any more. */
export interface Pop3ClosedEvent {
  readonly kind: 'closed'
  readonly why: Pop3CloseReason
}

/**
 * Why a session has ended. `protocol`: something after which the connection cannot be trusted; `fault`: a message broke off while
 * it was being sent.
 */
export type Pop3CloseReason = 'quit' | 'end' | 'timeout' | 'errors' | 'limit' | 'refused' | 'drained' | 'protocol' | 'fault'

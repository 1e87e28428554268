import type { TlsFacts } from '../../session/tls.ts'
import type { Reply } from '../reply.ts'
import type { SmtpCapabilities } from './capabilities.ts'
import type { SmtpClientConfig, SmtpClientTimeouts } from './config.ts'
import type { ContentWriter } from './content.ts'
import type { ClientPhase, ClientReason, OutcomeEvent, SmtpClientEvent } from './events.ts'
import type { Login } from './login.ts'
import type { ClientMessage, ContentNeeds } from './message.ts'

/** A reply that is owed to us, in the order of the commands. */
export interface Slot {
  /** What it means. */
  readonly settle: (context: ClientContext, reply: Reply, slot: Slot) => void
  readonly phase: ClientPhase
  /** How long it may take. */
  readonly patience: keyof SmtpClientTimeouts
  /** The message that it is about. */
  readonly transaction?: Transaction
  /** The recipient that it is about: its place among the message's. */
  readonly recipient?: number
  /** 3xx is an answer to it. */
  readonly goesOn?: boolean
}

/** A RCPT to be sent, and whom it names. */
export interface Rcpt {
  readonly recipient: number
  readonly line: string
}

/** The commands that a message is sent with. */
export interface Plan {
  readonly mail: string
  readonly rcpt: readonly Rcpt[]
  /** By BDAT. */
  readonly chunked: boolean
}

/** Content on its way. */
export interface Sending {
  readonly writer: ContentWriter
  /** What the host gave and was not written yet. */
  pending: Uint8Array | undefined
  at: number
  /** The host has given the last of it. */
  last: boolean
  /** Octets that wait to become a chunk. */
  gathered: Uint8Array[]
  octets: number
}

/** A message that was handed over, up to its `done`. */
export interface Transaction {
  readonly id: number
  readonly message: ClientMessage
  readonly began: number
  /** What its content needs: as the host said, or after conversion. */
  needs: ContentNeeds
  /** The host was asked to convert it. */
  converted: boolean
  plan: Plan | undefined
  /** Commands are still to be sent; or all are, and replies awaited. */
  stage: 'sending' | 'waiting'
  mailSent: boolean
  rcptSent: number
  sender: 'unknown' | 'accepted' | 'refused'
  /** Recipients that RCPT accepted, in order. */
  readonly accepted: number[]
  sending: Sending | undefined
  /** What ends the content was said; it has left the session. */
  end: 'unsaid' | 'said' | 'taken'
  /** By recipient. */
  readonly results: (OutcomeEvent['result'] | undefined)[]
}

/** Why the connection, or a message, came to nothing. */
export interface Failure {
  readonly phase: ClientPhase
  readonly reason: ClientReason
  readonly reply?: Reply | undefined
}

/** A question that waits for its answer. */
export type Open = Extract<SmtpClientEvent, { readonly id: number }>

/** What a command may see and do: the session without its clockwork. */
export interface ClientContext {
  readonly config: SmtpClientConfig
  readonly secure: boolean
  readonly tls: TlsFacts | undefined
  /** Milliseconds; the time of the latest input. */
  readonly now: number
  /** The message whose commands or content are sent. */
  readonly transaction: Transaction | undefined
  capabilities: SmtpCapabilities
  /** The SASL mechanism that we have logged in by. */
  mechanism: string | undefined
  login: Login | undefined
  /** The server may still hold a transaction that came to nothing. */
  unclean: boolean
  /** Domains of recipients that were named on this connection. */
  readonly domains: Set<string>
  /** Several commands may be sent before the reply to the first is there (RFC 2920). */
  readonly pipelines: boolean
  /** Replies that are owed. */
  readonly owed: number
  /** Octets have come that were not looked at. */
  readonly hasInput: boolean
  /** More commands may be sent now. */
  readonly mayWrite: boolean
  /** MAIL commands that were sent. */
  mails: number
  id(): number
  /** Sends a command line, and waits for its reply. */
  say(line: string, slot: Slot): void
  /** Sends octets. */
  write(octets: Uint8Array | string): void
  /** Waits for one more reply. */
  expect(slot: Slot): void
  emit(event: SmtpClientEvent): void
  /** Puts a question to the host; there is one at a time. */
  ask(question: Open): void
  /** The question that is open has its answer. */
  answered(): void
  /** The question that is open is void. */
  withdraw(why: 'end' | 'timeout' | 'refused'): void
  enter(phase: SessionPhase): void
  /** The connection is good for nothing any more: all that is open ends with this. */
  breakOff(failure: Failure): void
  /** The server is not what we want: takes leave of it. */
  giveUp(failure: Failure): void
  /** A message was handed over. */
  begin(transaction: Transaction): void
  /** All of a message is said. */
  sent(transaction: Transaction): void
  /** Nothing more will be heard of the message. */
  finish(transaction: Transaction): void
}

/** What the session is about; see session.ts. */
export type SessionPhase = 'greeting' | 'hello' | 'handshake' | 'idle' | 'envelope' | 'content' | 'leaving' | 'closed'

/** Whether a reply says yes: 2xx. */
export const says = (reply: Reply): boolean => reply.code < 300

/** Whether it refuses: 4xx or 5xx. */
export const refuses = (reply: Reply): boolean => reply.code >= 400

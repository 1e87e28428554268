import { MailError } from '../../session/errors.ts'
import type { SaslExchange } from '../../sasl/exchange.ts'
import type { SmtpServerConfig } from '../config.ts'
import type { ContentReader } from '../content.ts'
import type { CloseReason, SmtpServerEvent } from '../events.ts'
import type { HeaderWatch } from '../header-watch.ts'
import type { MailParameters } from '../parameters.ts'
import { encodeReply, type Reply } from '../reply.ts'

/** A mail transaction: from an accepted MAIL to its end. */
export interface Transaction {
  readonly parameters: MailParameters
  /** Recipients that were accepted. */
  accepted: number
  /** A RCPT has been refused. */
  refused: boolean
  /** DATA or BDAT has begun. */
  content?: Content
}

/** The content of a transaction while it comes in. */
export interface Content {
  readonly reader: ContentReader
  readonly header: HeaderWatch
  /** By BDAT. */
  readonly chunked: boolean
  /** Octets that are still to come of this chunk. */
  remaining: number
  /** This is the last chunk. */
  last: boolean
  /** Why the message is refused at its end, as a reply on the wire. */
  refusal: string | undefined
  /** When it began. */
  readonly began: number
}

/** An AUTH exchange under way. */
export interface SaslState {
  readonly exchange: SaslExchange
}

/** What a command may see and do: the session without its input and its clockwork. */
export interface ServerContext {
  readonly config: SmtpServerConfig
  readonly secure: boolean
  /** The peer may use XCLIENT and XFORWARD. */
  readonly trusted: boolean
  /** Milliseconds; the time of the latest input. */
  readonly now: number
  hello: 'EHLO' | 'HELO' | 'LHLO' | undefined
  account: string | undefined
  transaction: Transaction | undefined
  sasl: SaslState | undefined
  /** A refused BDAT whose octets are still to pass, and what to say then. */
  swallowing: { left: number; readonly wire: string } | undefined
  refusedRecipients: number
  failedAuth: number
  /** Messages that were accepted or refused at their end. */
  messages: number
  /** The id for the next question. */
  id(): number
  /** Says something in order. */
  say(wire: string): void
  /** Says something in order, and counts it as an error of the peer's. */
  complain(wire: string): void
  /** Puts a question to the host: later replies wait for its answer. */
  ask(question: SmtpServerEvent & { readonly id: number }, patience?: number): SmtpServerEvent
  /** Hands an event to the host. */
  emit(event: SmtpServerEvent): void
  /** Says something after a while. */
  sayLater(wire: string, delay: number): void
  /** Ends the transaction, if there is one, and tells the host. */
  abandon(why: 'reset' | 'end' | 'timeout' | 'refused'): void
  /** Ends the conversation, after these last words. */
  close(why: CloseReason, wire?: string): undefined
  /** What comes next is a command, content of DATA, a chunk of BDAT, octets to swallow, a line of a SASL exchange, or a TLS handshake. */
  expect(what: 'command' | 'content' | 'chunk' | 'swallow' | 'sasl' | 'handshake'): void
  /** Only QUIT is heard from now on. */
  refuseConnection(): void
  /** The connection is somebody else's now: greets anew. */
  restart(): void
}

/** Runs a command: `argument` is what follows its verb and one space. The event it leads to, or nothing when it has said all itself. */
export type Command = (context: ServerContext, argument: string) => SmtpServerEvent | undefined

/** Whether an answer refuses. */
export const refuses = (answer: Reply | undefined): boolean => answer !== undefined && answer.code >= 400

/** The reply on the wire that an answer means: its own, or the default one. Answers of 3xx are the session's to give, never the host's. */
export function wireOf(answer: Reply | undefined, fallback: string): string {
  if (answer === undefined) return fallback
  if (answer.code >= 300 && answer.code < 400) throw new MailError('misuse', `An answer cannot be ${answer.code}: accept with 2xx, refuse with 4xx or 5xx.`)
  return encodeReply(answer)
}

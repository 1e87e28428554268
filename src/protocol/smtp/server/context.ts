import type { SaslExchange } from '../../sasl/exchange.ts'
import { MailError } from '../../session/errors.ts'
import type { AbandonedEvent } from '../../session/session.ts'
import type { TlsFacts } from '../../session/tls.ts'
import type { SmtpServerConfig } from '../config.ts'
import type { ContentReader } from '../content.ts'
import type { CloseReason, SmtpServerEvent } from '../events.ts'
import type { HeaderWatch } from '../header-watch.ts'
import type { MailParameters } from '../parameters.ts'
import { encodeReply, type Reply } from '../reply.ts'
import { replies } from './replies.ts'

/** A mail transaction, from an accepted MAIL to its end: for the host a `message` question or one `abandoned`. */
export interface Transaction {
  readonly parameters: MailParameters
  /** When MAIL was accepted. */
  readonly began: number
  /** Recipients that were accepted. */
  accepted: number
  /** A RCPT has been refused. */
  refused: boolean
  /** The host knows that nothing will come of it. */
  void: boolean
  /** DATA or BDAT has begun. */
  content: Content | undefined
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
  /** The host has refused it: what else is wrong does not matter. */
  refusedByHost: boolean
  /** When it began; between chunks the time stands still. */
  began: number
  /** When the latest chunk ended. */
  paused: number
}

/** Octets of a refused BDAT that are still to pass. */
export interface Swallowing {
  left: number
  readonly octets: number
  readonly began: number
  /** What to say then. */
  readonly wire: string
  /** The peer could have known better. */
  readonly fault: boolean
}

/** An AUTH exchange under way. */
export interface SaslState {
  readonly exchange: SaslExchange
  /** The credentials were refused, and the client has been told why: what to say behind its answer, and after how long. */
  readonly refusal: { readonly wire: string; readonly delay: number } | undefined
}

/** What a command may see and do: the session without its input and its clockwork. */
export interface ServerContext {
  readonly config: SmtpServerConfig
  readonly secure: boolean
  /** What is known of TLS with this client. */
  readonly tls: TlsFacts | undefined
  /** The peer may use XCLIENT and XFORWARD. */
  readonly trusted: boolean
  /** Milliseconds; the time of the latest input. */
  readonly now: number
  /** Only QUIT is heard. */
  refused: boolean
  hello: 'EHLO' | 'HELO' | 'LHLO' | undefined
  account: string | undefined
  transaction: Transaction | undefined
  sasl: SaslState | undefined
  swallowing: Swallowing | undefined
  /** The latest MAIL was refused: a client that pipelines could not know (RFC 2920 §3.1). */
  senderRefused: boolean
  /** The latest command was a DATA, and was refused: what comes next may be a message that was never asked for. */
  dataRefused: boolean
  refusedRecipients: number
  failedAuth: number
  /** MAIL commands that were accepted. */
  transactions: number
  /** Commands since the last accepted message. */
  commands: number
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
  /** Ends the transaction, if there is one, and tells the host unless it knows. */
  abandon(why: AbandonedEvent['why']): void
  /** Ends the conversation, after these last words. */
  close(why: CloseReason, wire?: string): undefined
  /** What comes next: a command, content of DATA, a chunk of BDAT, octets to swallow, a line of SASL, or a TLS handshake. */
  expect(what: 'command' | 'content' | 'chunk' | 'swallow' | 'sasl' | 'handshake'): void
  /** The connection is somebody else's now: greets anew. The facts of TLS are the proxy's, and prove nothing of the client. */
  restart(): void
}

/** Runs a command; `argument` is what follows its verb and one space. The event it leads to, or nothing if all has been said. */
export type Command = (context: ServerContext, argument: string) => SmtpServerEvent | undefined

/** Whether an answer refuses. */
export const refuses = (answer: Reply | undefined): boolean => answer !== undefined && answer.code >= 400

/**
 * The reply on the wire that an answer means: its own, or the default one. Throws a `misuse` MailError for what is no answer;
 * replies of 3xx are the session's to give, never the host's.
 */
export function wireOf(answer: Reply | undefined, fallback: string): string {
  if (answer === undefined) return fallback
  if (answer.code >= 300 && answer.code < 400) {
    throw new MailError('misuse', `An answer cannot be ${answer.code}: accept with 2xx, refuse with 4xx or 5xx.`)
  }
  return encodeReply(answer)
}

/** Says why a command cannot be now: an error of the peer's, unless it pipelined and could not know what was refused before. */
export function outOfOrder(context: ServerContext, wire: string, excused: boolean): void {
  if (excused) context.say(wire)
  else context.complain(wire)
}

/** What must come before mail and its like, or nothing. */
export function locked({ config, secure, account }: ServerContext): string | undefined {
  // RFC 3207 §4, RFC 4954 §6.
  if (config.tlsRequired && !secure) return replies.tlsFirst
  return config.authRequired && account === undefined ? replies.authFirst : undefined
}

import type { Credentials, SaslLookUp, SaslSecret } from '../sasl/exchange.ts'
import type { AbandonedEvent, Question, StartTlsEvent } from '../session/session.ts'
import type { LineEvent } from '../session/told.ts'
import type { MailParameters, RecipientParameters } from './parameters.ts'
import type { Path } from './path.ts'
import type { Reply } from './reply.ts'

/**
 * What comes out of an SMTP or LMTP server session.
 *
 * To most questions the answer is a reply or nothing: nothing, or a 2xx, accepts; 4xx and 5xx refuse; 421 ends the connection.
 */
export type SmtpServerEvent =
  | ConnectQuestion
  | HelloQuestion
  | SecretQuestion
  | AuthQuestion
  | SenderQuestion
  | RecipientQuestion
  | ContentQuestion
  | MessageQuestion
  | VerifyQuestion
  | ExpandQuestion
  | CommandQuestion
  | XclientQuestion
  | XforwardEvent
  | BodyEvent
  | LineEvent
  | RefusalEvent
  | StartTlsEvent
  | AbandonedEvent
  | ClosedEvent

/** A peer has connected. A 2xx's text becomes the greeting's. Refused with 5xx, it may only QUIT (RFC 5321 §3.1). */
export type ConnectQuestion = Question<'connect', Reply>

/** EHLO, HELO or LHLO. */
export interface HelloQuestion extends Question<'hello', Reply> {
  readonly verb: 'EHLO' | 'HELO' | 'LHLO'
  /** What the client calls itself, unverified: a domain, a literal, or anything without spaces and control characters. */
  readonly name: string
}

/** Why nobody logs in. 5xx counts as a failed attempt, and is said after a while; 4xx says nothing about the credentials. */
export interface AuthRefusal extends Reply {
  /** Milliseconds before a 5xx is said, where that is longer than the session would wait. */
  readonly delay?: number
}

/** The secret, or why the exchange ends here. No answer: there is none, and the client does not learn that before its proof. */
export type SecretAnswer = SaslSecret | AuthRefusal

/** A SASL exchange cannot go on without a secret. */
export interface SecretQuestion extends Question<'secret', SecretAnswer> {
  readonly lookUp: SaslLookUp
}

/** To whom the connection belongs from now on, or why not. No answer refuses. */
export type AuthAnswer = { readonly account: string } | AuthRefusal

/** A SASL exchange has come to its question: once for each that was not given up. */
export interface AuthQuestion extends Question<'auth', AuthAnswer> {
  readonly credentials: Credentials
}

/** MAIL FROM. */
export interface SenderQuestion extends Question<'sender', Reply> {
  /** `null`: the null sender `<>`. */
  readonly sender: Path | null
  readonly parameters: MailParameters
}

/** RCPT TO. Several may be open at a time; replies go out in order. */
export interface RecipientQuestion extends Question<'recipient', Reply> {
  /** The domain is empty for the bare `<postmaster>`. */
  readonly recipient: Path
  readonly parameters: RecipientParameters
}

/** DATA or the first BDAT: may the content come? */
export type ContentQuestion = Question<'content', Reply>

/** What was noticed while the content passed. */
export interface ContentFacts {
  /** Octets of the content as the body events gave it. */
  readonly octets: number
  /** An octet above 127, whatever BODY said (S8). Taken for granted in BINARYMIME content, which is not looked at. */
  readonly eightBit: boolean
  /** An octet 0; like `eightBit` otherwise. */
  readonly nul: boolean
  /** Octets of the longest line, its CRLF included (S7); 0 where all are shorter than 64, or in BINARYMIME content. */
  readonly longestLine: number
  /** Bare CR and LF that were made CRLF; only where the session normalises (S1). */
  readonly bareLineEnds: number
  /** Lines that began with a single, unstuffed dot (S4). */
  readonly loneDots: number
  /** `Received:` fields in the header. */
  readonly hops: number
}

/**
 * The content is complete. A 2xx says that it is safe. Over LMTP the answer may be a reply for each accepted recipient, in the
 * order of RCPT (RFC 2033 §4.2); a single one is given to all.
 */
export interface MessageQuestion extends Question<'message', Reply | readonly Reply[]> {
  readonly facts: ContentFacts
  /** How many recipients were accepted. */
  readonly recipients: number
}

/** VRFY. The default answer is 252. */
export interface VerifyQuestion extends Question<'verify', Reply> {
  readonly text: string
}

/** EXPN. The default answer is 502. */
export interface ExpandQuestion extends Question<'expand', Reply> {
  readonly text: string
}

/** A verb that the host registered. The default answer is 250. */
export interface CommandQuestion extends Question<'command', Reply> {
  readonly verb: string
  readonly text: string
}

/** What a trusted proxy or filter says of the client it speaks for (Postfix's XCLIENT and XFORWARD). Keys in upper case. */
export type ClientAttributes = ReadonlyMap<string, string | undefined>

/**
 * XCLIENT: once accepted, the connection is the named client's and begins anew, with a `connect` question; `LOGIN` makes it its
 * account's, as AUTH does.
 */
export interface XclientQuestion extends Question<'xclient', Reply> {
  readonly attributes: ClientAttributes
}

/** XFORWARD: for the log. `undefined` values were given as unavailable. */
export interface XforwardEvent {
  readonly kind: 'xforward'
  readonly attributes: ClientAttributes
}

/** Octets of the content: a view of the input, transparency dots removed. */
export interface BodyEvent {
  readonly kind: 'body'
  readonly bytes: Uint8Array
}

/** The session refuses something of its own accord. Only where the options say `tell`. */
export interface RefusalEvent {
  readonly kind: 'refusal'
  readonly code: number
  readonly enhanced: string
  /** Empty where the reply may repeat what the client has sent. */
  readonly text: string
  /** The limit that was reached, by its name among `SmtpLimits`; `timeout` and `total` for times. */
  readonly limit: string | undefined
}

/** The last event. */
export interface ClosedEvent {
  readonly kind: 'closed'
  readonly why: CloseReason
}

/**
 * Why a session has ended. `protocol`: something after which the connection cannot be trusted, such as plaintext behind
 * STARTTLS.
 */
export type CloseReason = 'quit' | 'end' | 'timeout' | 'errors' | 'limit' | 'refused' | 'drained' | 'protocol'

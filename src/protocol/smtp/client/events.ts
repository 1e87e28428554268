import type { ScramHash } from '../../sasl/crypto.ts'
import type { AbandonedEvent, Question, StartTlsEvent } from '../../session/session.ts'
import type { TlsFacts } from '../../session/tls.ts'
import type { Reply } from '../reply.ts'
import type { SmtpCapabilities } from './capabilities.ts'
import type { ClientMessage, ContentNeeds } from './message.ts'

/**
 * What comes out of an SMTP or LMTP client session.
 *
 * Every recipient of every message that was handed over gets exactly one `outcome`, every message one `done` behind the last of
 * them, whatever the server and the connection do. What is wrong with the connection as a whole is told once, by `failed`.
 */
export type SmtpClientEvent =
  | DeriveQuestion
  | ReadyQuestion
  | ConvertQuestion
  | ContentQuestion
  | OutcomeEvent
  | DoneEvent
  | FailedEvent
  | StartTlsEvent
  | AbandonedEvent
  | ClientClosedEvent

/** SCRAM wants a key: `SaslCrypto.pbkdf2` of all that. No answer gives the log-in up. */
export interface DeriveQuestion extends Question<'derive', Uint8Array> {
  readonly hash: ScramHash
  readonly password: Uint8Array
  readonly salt: Uint8Array
  readonly iterations: number
}

/**
 * The server takes messages: the next one, or nothing, which ends the conversation with QUIT. Asked before the outcome of the
 * message before is known where the server takes commands behind one another; whoever wants to know first answers later. As long
 * as there is no answer the connection is idle; where the server closes it meanwhile, the question is withdrawn by `abandoned`.
 */
export interface ReadyQuestion extends Question<'ready', ClientMessage> {
  /** What the server offers on this connection as it is now. */
  readonly capabilities: SmtpCapabilities
  /** The connection is encrypted. */
  readonly secure: boolean
  /** What is known of TLS. */
  readonly tls: TlsFacts | undefined
  /** The mechanism we have logged in by. */
  readonly mechanism: string | undefined
  /** Recipients that a message may have here; those beyond get a temporary outcome at once. */
  readonly recipients: number
  /** Messages that were handed over before on this connection. */
  readonly messages: number
}

/**
 * The server cannot take the content as it is. What the content will need once the host has converted it; no answer: its
 * recipients fail with 5.6.3 (5.6.1 where what is binary cannot go).
 */
export interface ConvertQuestion extends Question<'convert', ContentNeeds> {
  /** The `id` of the `ready` question that the message was the answer to. */
  readonly message: number
  /** The most that the server takes. */
  readonly to: '7bit' | '8bit'
}

/** Some of a message's octets, and whether they are the last. */
export interface ContentChunk {
  /** As long as it pleases the host, even empty. Nobody writes to them any more. */
  readonly bytes: Uint8Array
  readonly last: boolean
}

/**
 * The next octets of a message's content, as they are stored: line ends are made CRLF and dots are stuffed by the session, in any
 * split. No answer, or one that comes too late, breaks the connection off: half a message must not be taken for a whole one.
 */
export interface ContentQuestion extends Question<'content', ContentChunk> {
  /** The `id` of the `ready` question that the message was the answer to. */
  readonly message: number
}

/**
 * How far a conversation, or a message, had come: `connect` (the greeting), `hello`, `tls`, `auth`, `idle` (between messages),
 * `sender` (MAIL), `recipient` (RCPT), `data` (DATA before its content), `content` (the content and what is said of it).
 */
export type ClientPhase = 'connect' | 'hello' | 'tls' | 'auth' | 'idle' | 'sender' | 'recipient' | 'data' | 'content'

/**
 * Why something came to nothing.
 *
 * - `refused`: the server says so in its reply
 * - `timeout`: the server took longer than it may
 * - `lost`: the connection has ended or broken
 * - `protocol`: what the server says makes no sense, is too much, or cannot be trusted
 * - `tls-not-offered`, `auth-not-offered`: what is required is not there (or no mechanism fits); `auth-failed`: the server has
 *   not proven to know the password, or the exchange came to nothing on our side
 * - `host`: the host did not answer what it was asked
 * - `size`, `8bitmime`, `binarymime`, `smtputf8`, `requiretls`, `deliverby`, `futurerelease`: the server does not offer what the
 *   message needs
 * - `recipients`: more recipients, or other domains, than one connection takes: they may be given again
 */
export type ClientReason =
  | 'refused'
  | 'timeout'
  | 'lost'
  | 'protocol'
  | 'tls-not-offered'
  | 'auth-not-offered'
  | 'auth-failed'
  | 'host'
  | 'size'
  | '8bitmime'
  | 'binarymime'
  | 'smtputf8'
  | 'requiretls'
  | 'deliverby'
  | 'futurerelease'
  | 'recipients'

/** What has become of one recipient. */
export interface OutcomeEvent {
  readonly kind: 'outcome'
  /** The `id` of the `ready` question that the message was the answer to. */
  readonly message: number
  /** The place among the message's recipients. */
  readonly recipient: number
  /**
   * `accepted`: the server has taken it over. `unknown`: all was sent and no reply seen; to try again may make a duplicate, not
   * to may lose it.
   */
  readonly result: 'accepted' | 'temporary' | 'permanent' | 'unknown'
  readonly phase: ClientPhase
  /** Absent where it is accepted. */
  readonly reason: ClientReason | undefined
  /** What the server said; `undefined` where it said nothing to this. */
  readonly reply: Reply | undefined
  /** The reply's code, as it counts; or the one that says the same of what was no reply. */
  readonly code: number
  /** RFC 3463, likewise; of a reply without one that of its class, such as `5.0.0`. */
  readonly status: string
}

/** Nothing more will be heard of a message. */
export interface DoneEvent {
  readonly kind: 'done'
  /** The `id` of the `ready` question that the message was the answer to. */
  readonly message: number
  /** How many recipients came to what. */
  readonly accepted: number
  readonly temporary: number
  readonly permanent: number
  readonly unknown: number
  /** Octets of content that were sent, as they were on the wire but for stuffed dots. */
  readonly octets: number
  /** DSN parameters were told to the server: reports of success are its duty now. */
  readonly dsn: boolean
}

/** The connection as a whole came to nothing, or to its end before it was to. Messages under way have been told of before. */
export interface FailedEvent {
  readonly kind: 'failed'
  readonly phase: ClientPhase
  readonly reason: ClientReason
  readonly reply: Reply | undefined
  readonly code: number
  readonly status: string
}

/** The last event. */
export interface ClientClosedEvent {
  readonly kind: 'closed'
  /** `failed` was told before; or the conversation was ended by us. */
  readonly why: 'quit' | 'failed'
}

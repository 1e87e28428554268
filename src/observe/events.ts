import type { AttemptFacts, ReportFacts, SiteFacts } from '../contracts/delivery.ts'
import type { BouncedFacts } from '../contracts/bounced.ts'
import type { FilterStep } from '../contracts/filter.ts'
import type { Explanation } from '../contracts/explanation.ts'
import type { JunkMarks } from '../contracts/junk.ts'

/*
 * What a server tells those who watch it. Plain data, and by its shape never a secret: no event has a field for a password, a
 * token, the arguments of a command or the text of a message. A new kind of event keeps to that.
 */

/** What a server tells those who watch it, told apart by `kind`. */
export type ServerEvent =
  | ListeningEvent
  | ConnectedEvent
  | ProxiedEvent
  | TurnedAwayEvent
  | SecuredEvent
  | CompressedEvent
  | AuthenticatedEvent
  | DeniedEvent
  | GuessingEvent
  | CommandEvent
  | RefusedEvent
  | LimitedEvent
  | AcceptedEvent
  | ExplainedEvent
  | FilteredEvent
  | MarkedEvent
  | AttemptEvent
  | ReportedEvent
  | SiteEvent
  | BouncedEvent
  | QuotaEvent
  | CertificateExpiryEvent
  | CertificatesReloadedEvent
  | KeysReloadedEvent
  | UnsignedEvent
  | ScannerStateEvent
  | FailedEvent
  | ClosedEvent
  | StoppedEvent

/** When something happened. */
export interface Timed {
  /** Milliseconds since the Unix epoch. */
  readonly at: number
}

/** Where a connection's event comes from. What is not known is `undefined`. */
export interface Whence extends Timed {
  /** The id of the connection. */
  readonly connection: string
  /** Which session of the connection it is: 1, and one more whenever it begins anew (STARTTLS, XCLIENT). */
  readonly session: number
  /** The client's address, as a proxy has told it where there is one. */
  readonly address: string | undefined
  readonly port: number | undefined
  /** The name of the listener. */
  readonly listener: string | undefined
  /** The account that has logged in. */
  readonly account: string | undefined
}

/** A listener is up. */
export interface ListeningEvent extends Timed {
  readonly kind: 'listening'
  readonly listener: string | undefined
  readonly protocol: 'smtp' | 'lmtp' | 'imap' | 'pop3'
  /** Where: an address and a TCP port, or the path of a unix socket. */
  readonly address: string | undefined
  readonly port: number | undefined
  readonly path: string | undefined
  readonly tls: 'none' | 'starttls' | 'implicit'
}

/** A client has connected. */
export interface ConnectedEvent extends Whence {
  readonly kind: 'connected'
  /** The port it came to. */
  readonly localPort: number | undefined
  /** The address of the proxy that has told of it by a PROXY header; `unix` for one behind a unix socket. */
  readonly proxy: string | undefined
}

/** A trusted proxy or filter has told, inside the conversation, whom it speaks for. */
export interface ProxiedEvent extends Whence {
  readonly kind: 'proxied'
  /** After XCLIENT the connection is that client's, and `address` and `port` are too; XFORWARD only tells of it. */
  readonly by: 'XCLIENT' | 'XFORWARD'
  /** Who says so. */
  readonly proxy: string | undefined
  /** The client before that, as it was told. */
  readonly client: string | undefined
}

/**
 * A connection ended for what came before the conversation: no PROXY header where one must come, too many; or for a TLS handshake
 * that failed, of STARTTLS too, which alone has an id.
 */
export interface TurnedAwayEvent extends Timed, Partial<Omit<Whence, 'at' | 'address'>> {
  readonly kind: 'turnedAway'
  /** The other end of the socket: a proxy's, where there is one. */
  readonly address: string | undefined
  readonly reason: 'untrusted-proxy' | 'proxy-header' | 'handshake' | 'too-many-pending'
  readonly error: unknown
}

/** TLS is up: by STARTTLS, or from the start. */
export interface SecuredEvent extends Whence {
  readonly kind: 'secured'
  /** `TLSv1.3`; empty where a proxy ended TLS and told no more. */
  readonly protocol: string
  /** The IANA name of the suite. */
  readonly cipher: string
  /** The name that the client asked for (SNI). */
  readonly serverName: string | undefined
  /** The subject of the client's certificate, and whether a configured CA has signed it. */
  readonly clientCertificate: { readonly subject: string; readonly authorized: boolean } | undefined
}

/** Both sides compress from here on. */
export interface CompressedEvent extends Whence {
  readonly kind: 'compressed'
  readonly mechanism: 'DEFLATE'
}

/** Somebody has logged in; `account` says who. */
export interface AuthenticatedEvent extends Whence {
  readonly kind: 'authenticated'
  readonly account: string
  readonly mechanism: string
  /** As it was given. */
  readonly username: string
}

/** Somebody could not log in. */
export interface DeniedEvent extends Whence {
  readonly kind: 'denied'
  readonly mechanism: string
  readonly username: string
  /** The reply of SMTP, and what it would be of IMAP and POP3: 535 for wrong credentials, 454 where they could not be judged. */
  readonly code: number
}

/** Somebody seems to guess passwords: a bound of the guard was reached. Told once for each time. */
export interface GuessingEvent extends Timed {
  readonly kind: 'guessing'
  /**
   * Failures of one client (`address`), for one name (`account`, or `known`: from where it usually logs in), or the `names` that
   * one client has tried.
   */
  readonly limit: 'address' | 'account' | 'known' | 'names'
  /** The address (of IPv6 its /64), or the name. */
  readonly of: string
  readonly count: number
}

/** A command has come. Told only to observers that say `commands`. */
export interface CommandEvent extends Whence {
  readonly kind: 'command'
  /**
   * In upper case, of IMAP with what makes it another command (`UID FETCH`); `undefined` for what is no command: whatever it is,
   * it may be a password that went astray.
   */
  readonly verb: string | undefined
  /** Of the whole line; of an IMAP command with its literals, but those of messages. */
  readonly octets: number
}

/** The reply that was given. */
export interface Replied {
  /** That of SMTP; `undefined` for IMAP and POP3. */
  readonly code: number | undefined
  readonly enhanced: string | undefined
  /** Only of IMAP and POP3: how the response began, `NO [OVERQUOTA]`, `BAD`, `BYE`, `-ERR [IN-USE]`; empty: without a word. */
  readonly response?: string
  /** Empty, or cut off, where it would repeat what the client has sent. */
  readonly text: string
}

/** Mail, or what comes before it, was refused; or the conversation did not go by its rules. */
export interface RefusedEvent extends Whence, Replied {
  readonly kind: 'refused'
  readonly stage: RefusalStage
  /**
   * Who refused: the name of the policy, or `accepts`, `deliver`, `quota`, `maxConnections`, `maildrop` (another session has it);
   * `undefined` for the rules of the protocol.
   */
  readonly policy: string | undefined
  readonly sender?: string
  readonly recipient?: string
}

/** A bound was reached. */
export interface LimitedEvent extends Whence, Replied {
  readonly kind: 'limited'
  /**
   * Its name among the limits (`recipients`, `messageOctets`, `errors` …); `timeout` for any time-out but `total`. Of what IMAP
   * bounds without an option: `messages` of one APPEND, `parts` of one message in it, `annotations`, `notify`.
   */
  readonly limit: string
}

/** A message was taken over. */
export interface AcceptedEvent extends Whence {
  readonly kind: 'accepted'
  /** The id of the message, which the client was told. */
  readonly message: string
  /** `<>` for the null sender. */
  readonly sender: string
  readonly recipients: readonly string[]
  readonly octets: number
  /** From the end of the content to the answer, in milliseconds. */
  readonly took: number
  /** A policy had it dropped. */
  readonly discarded: boolean
  /** Which policies said to drop it, for all recipients or for one of them, and why; absent where none did. */
  readonly discards?: readonly { readonly policy: string; readonly why: string }[]
}

/** Why something became of a message, step by step; told of each message and each refusal, where `explain` is set. */
export interface ExplainedEvent extends Whence {
  readonly kind: 'explained'
  readonly explanation: Explanation
}

/** Somebody's filter has decided about a message, and it was done; once for each account that has a filter. */
export interface FilteredEvent extends Timed {
  readonly kind: 'filtered'
  /** The id of the message. */
  readonly message: string
  readonly account: string
  /** By which the message came to the account. */
  readonly recipient: string
  /** `<>` for the null sender. */
  readonly sender: string
  /** What was done, in words: `keep`, `file into Lists`, `redirect to joe@other.test`, `discard`. */
  readonly done: readonly string[]
  readonly tags: readonly string[]
  /** Which part of the filter did what. */
  readonly steps: readonly FilterStep[]
  /** What went wrong in the filter. */
  readonly error: { readonly at: string; readonly text: string } | undefined
}

/**
 * Somebody has marked messages of their own as junk, or as not junk, with their mail program: see {@link JunkMarks}. Of many
 * messages there are several events.
 */
export interface MarkedEvent extends Whence, JunkMarks {
  readonly kind: 'marked'
  readonly account: string
}

/** A message was tried to be delivered; once for each recipient. */
export interface AttemptEvent extends Timed, AttemptFacts {
  readonly kind: 'attempt'
}

/** A sender is told what has become of a message. */
export interface ReportedEvent extends Timed, ReportFacts {
  readonly kind: 'reported'
}

/** A message has come back, or what has become of it: a bounce was matched to it. */
export interface BouncedEvent extends Timed, BouncedFacts {
  readonly kind: 'bounced'
}

/** The servers of a destination cannot be reached any more, or can again. */
export interface SiteEvent extends Timed, SiteFacts {
  readonly kind: 'site'
}

/** An account's mail has come to a share of what it may keep. Once for each crossing. */
export interface QuotaEvent extends Timed {
  readonly kind: 'quota'
  readonly account: string
  /** The mark that was crossed: 80, 90, 95. */
  readonly percent: number
  /** What there is, and what there may be: octets or messages, whichever is nearer to its bound. */
  readonly of: 'octets' | 'messages'
  readonly used: number
  readonly limit: number
}

/** How long a certificate is good: told when it is loaded, once a day, and when 30, 14, 7 days, 1 and none are left. */
export interface CertificateExpiryEvent extends Timed {
  readonly kind: 'certificate'
  /** The file. */
  readonly source: string
  readonly names: readonly string[]
  /** Milliseconds since the Unix epoch. */
  readonly expires: number
  /** Whole days that are left; negative when it is over. */
  readonly days: number
  /** The mark that was reached: 30, 14, 7, 1 or 0 days; `undefined` where none was, now. */
  readonly within: number | undefined
}

/** New certificates are in use for new connections; or they are no good (`error`), and the old ones stay. */
export interface CertificatesReloadedEvent extends Timed {
  readonly kind: 'certificatesReloaded'
  readonly error: unknown
}

/** New keys of DKIM are in use; or they are no good (`error`), and the old ones stay. */
export interface KeysReloadedEvent extends Timed {
  readonly kind: 'keysReloaded'
  readonly error: unknown
}

/** A message of ours goes out without a signature of DKIM. */
export interface UnsignedEvent extends Timed {
  readonly kind: 'unsigned'
  /** `no-from`, `several-domains`, `no-key`, `unsound-header` or `header-too-large`. */
  readonly reason: string
  readonly messageId: string | undefined
}

/** A scanner has failed so often in a row that it is not asked for a while (`error`: the last time); or it answers again. */
export interface ScannerStateEvent extends Timed {
  readonly kind: 'scanner'
  /** `clamd`, `spamd`, `rspamd`. */
  readonly scanner: string
  readonly error: unknown
}

/** Something of ours went wrong. */
export interface FailedEvent extends Timed, Partial<Omit<Whence, 'at'>> {
  readonly kind: 'failed'
  /** In words: `deliver`, `policy greylist at recipient`, `listen`. */
  readonly what: string
  readonly error: unknown
}

/** A connection is over. */
export interface ClosedEvent extends Whence {
  readonly kind: 'closed'
  /** `quit`, `logout`, `end`, `timeout`, `errors`, `limit`, `refused`, `drained`, `protocol` or `reset`. */
  readonly why: string
  /** Milliseconds. */
  readonly lasted: number
}

/** A listener has stopped. */
export interface StoppedEvent extends Timed {
  readonly kind: 'stopped'
  readonly listener: string | undefined
  /** Of the conversations that were open: those that came to their own end, and those that were cut off. */
  readonly completed: number
  readonly cut: number
  /** Milliseconds that it took. */
  readonly took: number
}

/** Where in a conversation something was refused; `protocol`: by the rules of the conversation itself. */
export type RefusalStage = 'connect' | 'hello' | 'auth' | 'sender' | 'recipient' | 'message' | 'protocol'

/** Watches. Called at once and in order; what it throws or rejects with is dropped, and nobody waits for it. */
export interface Observer {
  (event: ServerEvent): void
  /** Tell it of every command, too. Looked at once, when the server is made. */
  readonly commands?: boolean
}

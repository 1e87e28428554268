import type { OptionKinds } from '../session/options.ts'
import { aNumber } from '../session/options.ts'

/** Bounds of one IMAP connection. Octets and counts. Each default is argued in docs/limits.md. */
export interface ImapLimits {
  /** Octets of a command without its literals, before and after log-in. */
  readonly lineOctetsBefore: number
  readonly lineOctets: number
  /** Octets of the literals of a command together, messages aside, before and after log-in. */
  readonly literalOctetsBefore: number
  readonly literalOctets: number
  /** Octets of a message; what APPENDLIMIT announces (RFC 7889). */
  readonly messageOctets: number
  /** Octets of all messages of one APPEND (RFC 3502). */
  readonly appendOctets: number
  /** Mailboxes of an account, and names that it subscribes to. */
  readonly mailboxes: number
  /** Keywords of a mailbox that are told, and that STORE may bring it to. */
  readonly keywords: number
  /** Commands that broke the protocol. */
  readonly errors: number
  /** Commands before log-in. */
  readonly commandsBefore: number
  /** Failed log-ins. */
  readonly authAttempts: number
  /** Log-ins that the host is asked to judge, whatever becomes of them. */
  readonly logIns: number
}

/** Milliseconds. */
export interface ImapTimeouts {
  /** From the greeting to a log-in. */
  readonly greeting: number
  /** From the first octet of a command to its end, and between two octets of a message. */
  readonly command: number
  /** Between commands, and in IDLE (RFC 9051 §5.4: at least 30 minutes). */
  readonly idle: number
  /** Between two signs of life in IDLE. */
  readonly alive: number
  /** For the host's answers. */
  readonly answer: number
  /** For a TLS handshake. */
  readonly handshake: number
  /** Before a failed log-in is answered; doubles with each further one, up to sixteen times. */
  readonly authDelay: number
}

/** Octets of a literal that is sent unasked where LITERAL- is offered (RFC 7888 §5). */
export const MOST_UNASKED = 4096

/** The bounds unless told otherwise. */
export const defaultImapLimits: ImapLimits = {
  lineOctetsBefore: 8192,
  lineOctets: 65_536,
  literalOctetsBefore: 4096,
  literalOctets: 65_536,
  messageOctets: 50 * 1024 * 1024,
  appendOctets: 200 * 1024 * 1024,
  mailboxes: 10_000,
  keywords: 1000,
  errors: 10,
  commandsBefore: 100,
  authAttempts: 5,
  logIns: 10,
}

/** The times unless told otherwise. */
export const defaultImapTimeouts: ImapTimeouts = {
  greeting: 60_000,
  command: 60_000,
  idle: 30 * 60_000,
  alive: 2 * 60_000,
  answer: 60_000,
  handshake: 30_000,
  authDelay: 1000,
}

/** What may be given for each bound. */
export const imapLimitKinds: OptionKinds<Partial<ImapLimits>> = {
  lineOctetsBefore: aNumber,
  lineOctets: aNumber,
  literalOctetsBefore: aNumber,
  literalOctets: aNumber,
  messageOctets: aNumber,
  appendOctets: aNumber,
  mailboxes: aNumber,
  keywords: aNumber,
  errors: aNumber,
  commandsBefore: aNumber,
  authAttempts: aNumber,
  logIns: aNumber,
}

/** What may be given for each time. */
export const imapTimeoutKinds: OptionKinds<Partial<ImapTimeouts>> = {
  greeting: aNumber,
  command: aNumber,
  idle: aNumber,
  alive: aNumber,
  answer: aNumber,
  handshake: aNumber,
  authDelay: aNumber,
}

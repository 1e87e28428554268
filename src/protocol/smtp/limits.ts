/** Bounds of one SMTP connection. Octets and counts; `Infinity` lifts a bound. Each default is argued in docs/limits.md. */
export interface SmtpLimits {
  /** Octets of a message; also what SIZE announces. */
  readonly messageOctets: number
  /** Accepted recipients of a transaction. */
  readonly recipients: number
  /** Octets of a command line, CRLF included. */
  readonly commandOctets: number
  /** Octets of AUTH and of the lines of its exchange. */
  readonly authOctets: number
  /** Octets of an over-long line that are skipped before the connection is given up. */
  readonly skippedOctets: number
  /** Octets that a text line may have, CRLF included (RFC 5321 §4.5.3.1.6); at least 64. */
  readonly textLineOctets: number
  /** Octets of the whole header. */
  readonly headerOctets: number
  /** Octets of one header field. */
  readonly headerFieldOctets: number
  /** `Received:` fields; more are a loop (RFC 5321 §6.3). */
  readonly hops: number
  /** Commands since the last accepted message. */
  readonly commands: number
  /** Commands of a connection that broke the protocol; those that pipelining sent in vain do not count. */
  readonly errors: number
  /** Refused recipients of a connection. */
  readonly refusedRecipients: number
  /** Transactions of a connection: accepted MAIL commands. */
  readonly transactions: number
  /** Failed AUTH attempts of a connection. */
  readonly authAttempts: number
  /** RCPT questions open at a time. */
  readonly window: number
}

/** Milliseconds, but where said otherwise. */
export interface SmtpTimeouts {
  /** From the greeting to an accepted EHLO. */
  readonly greeting: number
  /** From the first octet of a command to its line end. */
  readonly command: number
  /** Between commands. */
  readonly idle: number
  /** Without an octet of content. */
  readonly data: number
  /** Octets a second that content must keep up over its whole length, after the `data` time-out as grace. */
  readonly dataRate: number
  /** Of the connection, checked between commands; a transaction that has begun by then gets as long again. */
  readonly total: number
  /** For the host's answers but the last. */
  readonly answer: number
  /** For the host's answer to a complete message. */
  readonly message: number
  /** For a TLS handshake. */
  readonly handshake: number
  /** For a peer to leave after it was told to. */
  readonly farewell: number
  /** Before a failed AUTH is answered; doubles with each further one, up to sixteen times. */
  readonly authDelay: number
}

/** The limits of a server that sets none. */
export const defaultLimits: SmtpLimits = {
  messageOctets: 50 * 1024 * 1024,
  recipients: 1000,
  commandOctets: 4096,
  authOctets: 12_288,
  skippedOctets: 65_536,
  textLineOctets: 1000,
  headerOctets: 2 * 1024 * 1024,
  headerFieldOctets: 256 * 1024,
  hops: 50,
  commands: 2000,
  errors: 10,
  refusedRecipients: 100,
  transactions: Infinity,
  authAttempts: 3,
  window: 20,
}

/** The time-outs of a server that sets none. */
export const defaultTimeouts: SmtpTimeouts = {
  greeting: 60_000,
  command: 30_000,
  idle: 300_000,
  data: 180_000,
  dataRate: 500,
  total: 3_600_000,
  answer: 60_000,
  message: 300_000,
  handshake: 30_000,
  farewell: 10_000,
  authDelay: 1000,
}

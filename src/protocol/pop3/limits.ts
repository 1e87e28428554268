import { aNumber, aNumberAboveZero, type OptionKinds } from '../session/options.ts'

/** Bounds of one POP3 connection. Octets and counts. */
export interface Pop3Limits {
  /** Octets of a command with its line end. RFC 2449 §4 has every server take 255. */
  readonly lineOctets: number
  /** Octets of AUTH with an initial response, and of each further response: tokens are longer than any other argument. */
  readonly authOctets: number
  /** Octets of a message that are asked for at a time, and so what a client that does not read makes us hold. */
  readonly pieceOctets: number
  /** Commands that broke the protocol. */
  readonly errors: number
  /** Commands before log-in. */
  readonly commandsBefore: number
  /** Failed log-ins. */
  readonly authAttempts: number
}

/** Milliseconds. */
export interface Pop3Timeouts {
  /** From the greeting to a log-in. */
  readonly greeting: number
  /** From the first octet of a line to its end. */
  readonly command: number
  /** Between commands, and for a client to take a piece of a message (RFC 1939 §3: at least ten minutes). */
  readonly idle: number
  /** For the host's answers. */
  readonly answer: number
  /** For a TLS handshake. */
  readonly handshake: number
  /** Before a failed log-in is answered; doubles with each further one, up to sixteen times. */
  readonly authDelay: number
}

/** The bounds unless told otherwise. */
export const defaultPop3Limits: Pop3Limits = {
  lineOctets: 512,
  authOctets: 12_288,
  pieceOctets: 256 * 1024,
  errors: 10,
  commandsBefore: 100,
  authAttempts: 5,
}

/** The times unless told otherwise. */
export const defaultPop3Timeouts: Pop3Timeouts = {
  greeting: 60_000,
  command: 60_000,
  idle: 10 * 60_000,
  answer: 60_000,
  handshake: 30_000,
  authDelay: 1000,
}

/** What may be given for each bound. */
export const pop3LimitKinds: OptionKinds<Partial<Pop3Limits>> = {
  lineOctets: { takes: 'a number from 255 on (RFC 2449 §4)', is: (value) => typeof value === 'number' && value >= 255 },
  authOctets: { takes: 'a number from 255 on (RFC 2449 §4)', is: (value) => typeof value === 'number' && value >= 255 },
  pieceOctets: { takes: 'a whole number above 0', is: (value) => Number.isInteger(value) && (value as number) > 0 },
  errors: aNumberAboveZero,
  commandsBefore: aNumber,
  authAttempts: aNumberAboveZero,
}

/** What may be given for each time. */
export const pop3TimeoutKinds: OptionKinds<Partial<Pop3Timeouts>> = {
  greeting: aNumber,
  command: aNumber,
  idle: aNumber,
  answer: aNumber,
  handshake: aNumber,
  authDelay: aNumber,
}

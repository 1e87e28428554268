import { isAscii } from '../../bytes/text.ts'
import type { SaslIdentity } from '../../sasl/client/exchange.ts'
import type { SaslCrypto } from '../../sasl/crypto.ts'
import { MailError } from '../../session/errors.ts'
import {
  aCountAboveZero,
  aNumber,
  anObject,
  aSwitch,
  aText,
  checkOptions,
  having,
  oneOf,
  type OptionKinds,
  required,
  texts,
} from '../../session/options.ts'
import { isDomain } from '../path.ts'

/** As whom a client logs in. */
export interface SmtpClientAuth {
  readonly identity: SaslIdentity
  readonly crypto: SaslCrypto
  /** Only these mechanisms, in this order. Default: all, strongest first. */
  readonly mechanisms?: readonly string[]
  /** Send nothing without having logged in. Default true. */
  readonly required?: boolean
  /** Log in without TLS too, by any mechanism: whoever listens may learn the password. Default false. */
  readonly withoutTls?: boolean
}

/** Bounds of one connection of a client, whatever the server does. */
export interface SmtpClientLimits {
  /** Octets of a line of a reply that are kept; those beyond are dropped (RFC 5321 §4.5.3.1.5 asks for 512). */
  readonly replyLineOctets: number
  /** Lines of a reply. */
  readonly replyLines: number
  /** Octets of a reply, dropped ones too. */
  readonly replyOctets: number
  /** Commands that are sent before the reply to the first is there (RFC 2920). */
  readonly window: number
  /** Recipients of a message. */
  readonly recipients: number
  /** Messages of a connection. */
  readonly messages: number
  /** Octets of a chunk (RFC 3030); a connection holds no more than that of a message. */
  readonly chunkOctets: number
}

/** How long anything may take, in milliseconds. Those of RFC 5321 §4.5.3.2 are the defaults where it has one. */
export interface SmtpClientTimeouts {
  /** For the greeting. */
  readonly greeting: number
  /** For the reply to EHLO, HELO or LHLO. */
  readonly hello: number
  /** For the reply to STARTTLS, RSET or NOOP. */
  readonly command: number
  /** For the TLS handshake. */
  readonly handshake: number
  /** For each reply to AUTH. */
  readonly auth: number
  readonly sender: number
  readonly recipient: number
  readonly data: number
  /** For the server to take what is sent of the content. */
  readonly block: number
  /** For what it says of the content in the end. */
  readonly final: number
  /** From MAIL to the last reply, as a whole. */
  readonly transaction: number
  /** For the reply to QUIT. */
  readonly quit: number
  /** For the host's answers, but for the next message. */
  readonly answer: number
  /** For the host's next message, before the conversation is ended. */
  readonly idle: number
  /** For the host's next message, before the connection is kept open with NOOP; and again. */
  readonly keepAlive: number
}

/** What a client of SMTP or LMTP can be told; {@link smtpClientConfig} checks it. */
export interface SmtpClientOptions {
  /** Default `smtp`. */
  readonly protocol?: 'smtp' | 'lmtp'
  /** What we call ourselves: a domain, or an address literal. */
  readonly hello: string
  /**
   * STARTTLS: not at all, where it is offered, or else not at all; `implicit`: the connection is secured from the start. Default
   * `opportunistic`.
   */
  readonly tls?: 'never' | 'opportunistic' | 'required' | 'implicit'
  readonly auth?: SmtpClientAuth
  /** Send by BDAT (RFC 3030) what is binary, or all where the server takes it. Default `binary`. */
  readonly chunking?: 'binary' | 'always'
  readonly limits?: Partial<SmtpClientLimits>
  readonly timeouts?: Partial<SmtpClientTimeouts>
}

/** Options, checked and with their defaults: made once, shared by all sessions. */
export interface SmtpClientConfig {
  readonly lmtp: boolean
  readonly hello: string
  readonly tls: 'never' | 'opportunistic' | 'required' | 'implicit'
  readonly auth: SmtpClientAuth | undefined
  readonly chunking: 'binary' | 'always'
  readonly limits: SmtpClientLimits
  readonly timeouts: SmtpClientTimeouts
}

/** The limits of a client that sets none. */
export const defaultClientLimits: SmtpClientLimits = {
  replyLineOctets: 2048,
  replyLines: 200,
  replyOctets: 65_536,
  window: 100,
  recipients: 100,
  messages: 100,
  chunkOctets: 262_144,
}

/** The time-outs of a client that sets none. */
export const defaultClientTimeouts: SmtpClientTimeouts = {
  greeting: 300_000,
  hello: 300_000,
  command: 120_000,
  handshake: 60_000,
  auth: 120_000,
  sender: 300_000,
  recipient: 300_000,
  data: 120_000,
  block: 180_000,
  final: 600_000,
  transaction: 7_200_000,
  quit: 5_000,
  answer: 60_000,
  idle: 60_000,
  keepAlive: Infinity,
}

const kinds: OptionKinds<SmtpClientOptions> = {
  protocol: oneOf('smtp', 'lmtp'),
  hello: required(aText),
  tls: oneOf('never', 'opportunistic', 'required', 'implicit'),
  auth: anObject,
  chunking: oneOf('binary', 'always'),
  limits: anObject,
  timeouts: anObject,
}

const authKinds: OptionKinds<SmtpClientAuth> = {
  identity: required(anObject),
  crypto: required(having('cryptography for SASL', 'hash', 'hmac', 'pbkdf2', 'random')),
  mechanisms: texts,
  required: aSwitch,
  withoutTls: aSwitch,
}

/** Checks options and fills in their defaults. Throws a `config` MailError that names what is wrong. */
export function smtpClientConfig(options: SmtpClientOptions): SmtpClientConfig {
  checkOptions('smtp client', options, kinds)
  if (options.auth !== undefined) checkOptions('auth', options.auth, authKinds)
  // RFC 6531 §3.7.1: in EHLO, A-labels only.
  if (!isDomain(options.hello) || !isAscii(options.hello)) {
    const given = JSON.stringify(options.hello)
    throw new MailError('config', `hello: ${given} is neither a domain name in ASCII nor an address literal.`)
  }
  return {
    lmtp: options.protocol === 'lmtp',
    hello: options.hello,
    tls: options.tls ?? 'opportunistic',
    auth: options.auth,
    chunking: options.chunking ?? 'binary',
    limits: { ...defaultClientLimits, ...numbers('limits', defaultClientLimits, options.limits, aCountAboveZero) },
    timeouts: { ...defaultClientTimeouts, ...numbers('timeouts', defaultClientTimeouts, options.timeouts, aNumber) },
  }
}

/** Numbers by the names that the defaults have; only those that are given. */
function numbers<T extends object>(option: string, defaults: T, given: Partial<T> = {}, kind = aNumber): Partial<T> {
  checkOptions(option, given, Object.fromEntries(Object.keys(defaults).map((name) => [name, kind])))
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>
}

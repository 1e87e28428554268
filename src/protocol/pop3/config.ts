import type { SaslChannel } from '../sasl/channel.ts'
import type { SaslMechanism } from '../sasl/exchange.ts'
import type { Tell } from '../session/told.ts'
import {
  aList,
  anObject,
  aSwitch,
  aText,
  checkOptions,
  oneOf,
  type OptionKind,
  type OptionKinds,
  orFalse,
  required,
} from '../session/options.ts'
import {
  defaultPop3Limits,
  defaultPop3Timeouts,
  type Pop3Limits,
  pop3LimitKinds,
  type Pop3Timeouts,
  pop3TimeoutKinds,
} from './limits.ts'

/** What a server of POP3 can be told; {@link pop3ServerConfig} checks it. */
export interface Pop3ServerOptions {
  /** The server's own name, in the greeting. */
  readonly hostname: string
  /** Offer STLS: the transport can be secured. */
  readonly startTls?: boolean
  readonly auth: {
    /** In the order in which they are offered; each of them to connections that can use it. */
    readonly mechanisms: readonly SaslMechanism[]
    /** Offer USER and plaintext mechanisms without TLS. Default false. */
    readonly withoutTls?: boolean
  }
  /** Days for which messages are kept at least (EXPIRE of RFC 2449 §6.7). Default: the server deletes none. */
  readonly expire?: number
  /** What clients are told of the server (IMPLEMENTATION of RFC 2449 §6.9); default `posthorn`. `false`: nothing. */
  readonly implementation?: string | false
  /**
   * What becomes of a message with octets above 127 in its header while the client has not said UTF8: it is sent as it is, or
   * refused with `[UTF8]`. RFC 6856 §2.1 has it refused, or changed; but hardly a client says UTF8, nearly all can show such a
   * header, and many stop for good at the first message they cannot have: so a stranger could close a mailbox with one
   * message, and what is changed is lost once the client has deleted it here. Default `send`.
   */
  readonly utf8Headers?: 'send' | 'refuse'
  readonly limits?: Partial<Pop3Limits>
  readonly timeouts?: Partial<Pop3Timeouts>
  /** Events for whoever watches: what the session refuses of its own accord; with `commands` each command too. */
  readonly tell?: Tell
}

/** Options, checked and with their defaults: made once, shared by all sessions of a listener. */
export interface Pop3ServerConfig {
  readonly hostname: string
  readonly startTls: boolean
  readonly authWithoutTls: boolean
  readonly mechanisms: ReadonlyMap<string, SaslMechanism>
  readonly expire: number | undefined
  readonly implementation: string | undefined
  readonly refusesUtf8: boolean
  readonly limits: Pop3Limits
  readonly timeouts: Pop3Timeouts
  readonly tell: Tell | undefined
}

const visible: OptionKind = {
  takes: 'a text of visible ASCII without spaces, of at most 200 octets',
  is: (value) => typeof value === 'string' && /^[!-~]{1,200}$/.test(value),
}

const kinds: OptionKinds<Pop3ServerOptions> = {
  hostname: required({ ...aText, takes: "this server's name, such as 'mail.example.org'" }),
  startTls: aSwitch,
  auth: required({ ...anObject, takes: 'mechanisms to log in with, such as { mechanisms: [plain] }' }),
  expire: { takes: 'a whole number of days', is: (value) => Number.isInteger(value) && (value as number) >= 0 },
  implementation: orFalse(visible),
  utf8Headers: oneOf('send', 'refuse'),
  limits: anObject,
  timeouts: anObject,
  tell: oneOf('refusals', 'commands'),
}

const authKinds: OptionKinds<Pop3ServerOptions['auth']> = { mechanisms: required(aList), withoutTls: aSwitch }

/** Checks options and fills in defaults. Throws a `config` MailError that names what cannot be. */
export function pop3ServerConfig(options: Pop3ServerOptions): Pop3ServerConfig {
  checkOptions('pop3ServerConfig', options, kinds)
  checkOptions('auth', options.auth, authKinds)
  checkOptions('limits', options.limits ?? {}, pop3LimitKinds)
  checkOptions('timeouts', options.timeouts ?? {}, pop3TimeoutKinds)
  const { implementation = 'posthorn' } = options
  return {
    hostname: options.hostname,
    startTls: options.startTls ?? false,
    authWithoutTls: options.auth.withoutTls ?? false,
    mechanisms: new Map(options.auth.mechanisms.map((mechanism) => [mechanism.name, mechanism])),
    expire: options.expire,
    implementation: implementation === false ? undefined : implementation,
    refusesUtf8: options.utf8Headers === 'refuse',
    limits: { ...defaultPop3Limits, ...options.limits },
    timeouts: { ...defaultPop3Timeouts, ...options.timeouts },
    tell: options.tell,
  }
}

/** Whether names and passwords may cross this channel as they are. */
export function allowsPlaintext(config: Pop3ServerConfig, channel: SaslChannel): boolean {
  return channel.secure || config.authWithoutTls
}

/** Whether a connection may use the mechanism: the channel is safe enough for it, and has what it takes. */
export function isOffered(config: Pop3ServerConfig, mechanism: SaslMechanism, channel: SaslChannel): boolean {
  const isSafe = !mechanism.plaintext || allowsPlaintext(config, channel)
  return isSafe && (mechanism.usable === undefined || mechanism.usable(channel))
}

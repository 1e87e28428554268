import type { SaslChannel } from '../sasl/channel.ts'
import type { SaslMechanism } from '../sasl/exchange.ts'
import type { Tell } from '../session/told.ts'
import {
  aFunction,
  aList,
  anObject,
  aSwitch,
  aText,
  checkOptions,
  oneOf,
  type OptionKinds,
  required,
} from '../session/options.ts'
import {
  defaultImapLimits,
  defaultImapTimeouts,
  type ImapLimits,
  imapLimitKinds,
  type ImapTimeouts,
  imapTimeoutKinds,
} from './limits.ts'

/** What a host may look at to hide capabilities from a client that they would break. */
export interface CapabilityFacts {
  readonly secure: boolean
  readonly account: string | undefined
  /** COMPRESS was given (RFC 4978). */
  readonly compressed: boolean
  /** What the client said of itself by ID, keys in lower case. */
  readonly client: ReadonlyMap<string, string | undefined>
}

/** What the host's store and composition can do, beyond what is always there. Nothing is advertised that is not honoured. */
export interface ImapAbilities {
  /** MOVE in one step. */
  readonly move: boolean
  /** Subscriptions are kept. */
  readonly subscriptions: boolean
  /** Special uses are kept (RFC 6154). */
  readonly specialUse: boolean
  /** A message takes the place of another in one step (RFC 8508). */
  readonly replace: boolean
  /** Several messages are appended all or none (RFC 3502). */
  readonly multiAppend: boolean
  /** Quotas are kept (RFC 9208). */
  readonly quota: boolean
  /** The transport compresses when it is told to (RFC 4978). */
  readonly compress: boolean
  /** What clients note of mailboxes is kept (RFC 5464). */
  readonly metadata: boolean
  /** Changes in any mailbox of an account are told (RFC 5465). */
  readonly notify: boolean
}

/** What a server of IMAP can be told; {@link imapServerConfig} checks it. */
export interface ImapServerOptions {
  /** The server's own name, in the greeting. */
  readonly hostname: string
  /** Offer STARTTLS: the transport can be secured. */
  readonly startTls?: boolean
  readonly auth: {
    /** In the order in which they are offered; each of them to connections that can use it. */
    readonly mechanisms: readonly SaslMechanism[]
    /** Offer LOGIN and plaintext mechanisms without TLS. Default false. */
    readonly withoutTls?: boolean
  }
  readonly abilities?: Partial<ImapAbilities>
  readonly limits?: Partial<ImapLimits>
  readonly timeouts?: Partial<ImapTimeouts>
  /** Literals that the client may send without being asked (RFC 7888): of any size (`+`, the default), or up to 4096 octets. */
  readonly literals?: '+' | '-'
  /** Capabilities that are not shown to this client. What is hidden works all the same. */
  readonly hide?: (capability: string, facts: CapabilityFacts) => boolean
  /** Events for whoever watches: what the session refuses of its own accord; with `commands` each command too. */
  readonly tell?: Tell
}

/** Options, checked and with their defaults: made once, shared by all sessions of a listener. */
export interface ImapServerConfig {
  readonly hostname: string
  readonly startTls: boolean
  readonly authWithoutTls: boolean
  readonly mechanisms: ReadonlyMap<string, SaslMechanism>
  readonly abilities: ImapAbilities
  readonly limits: ImapLimits
  readonly timeouts: ImapTimeouts
  readonly literals: '+' | '-'
  /** As in {@link ImapServerOptions}. */
  readonly hide: ((capability: string, facts: CapabilityFacts) => boolean) | undefined
  readonly tell: Tell | undefined
}

const kinds: OptionKinds<ImapServerOptions> = {
  hostname: required({ ...aText, takes: "this server's name, such as 'mail.example.org'" }),
  startTls: aSwitch,
  auth: required({ ...anObject, takes: 'mechanisms to log in with, such as { mechanisms: [plain] }' }),
  abilities: anObject,
  limits: anObject,
  timeouts: anObject,
  literals: oneOf('+', '-'),
  hide: aFunction,
  tell: oneOf('refusals', 'commands'),
}

const authKinds: OptionKinds<ImapServerOptions['auth']> = { mechanisms: required(aList), withoutTls: aSwitch }

const abilityKinds: OptionKinds<Partial<ImapAbilities>> = {
  move: aSwitch,
  subscriptions: aSwitch,
  specialUse: aSwitch,
  replace: aSwitch,
  multiAppend: aSwitch,
  quota: aSwitch,
  compress: aSwitch,
  metadata: aSwitch,
  notify: aSwitch,
}

/** Checks options and fills in defaults. Throws a `config` MailError that names what cannot be. */
export function imapServerConfig(options: ImapServerOptions): ImapServerConfig {
  checkOptions('imapServerConfig', options, kinds)
  checkOptions('auth', options.auth, authKinds)
  checkOptions('abilities', options.abilities ?? {}, abilityKinds)
  checkOptions('limits', options.limits ?? {}, imapLimitKinds)
  checkOptions('timeouts', options.timeouts ?? {}, imapTimeoutKinds)
  const none: ImapAbilities = {
    move: false, subscriptions: false, specialUse: false, replace: false, multiAppend: false, quota: false, compress: false,
    metadata: false, notify: false,
  }
  return {
    hostname: options.hostname,
    startTls: options.startTls ?? false,
    authWithoutTls: options.auth.withoutTls ?? false,
    mechanisms: new Map(options.auth.mechanisms.map((mechanism) => [mechanism.name, mechanism])),
    abilities: { ...none, ...options.abilities },
    limits: { ...defaultImapLimits, ...options.limits },
    timeouts: { ...defaultImapTimeouts, ...options.timeouts },
    literals: options.literals ?? '+',
    hide: options.hide,
    tell: options.tell,
  }
}

/** Whether a connection may use the mechanism: the channel is safe enough for it, and has what it takes. */
export function isOffered(config: ImapServerConfig, mechanism: SaslMechanism, channel: SaslChannel): boolean {
  const safe = channel.secure || config.authWithoutTls || !mechanism.plaintext
  return safe && (mechanism.usable === undefined || mechanism.usable(channel))
}

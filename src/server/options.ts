import type { Authentication } from '../accounts/authenticate.ts'
import type { BodyStore } from '../contracts/bodies.ts'
import type { Policy } from '../contracts/policy.ts'
import type { Resolver } from '../contracts/resolver.ts'
import type { MaxConnectionsOptions } from '../inbound/checks/max-connections.ts'
import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { MailError } from '../protocol/session/errors.ts'
import {
  aCount,
  aFunction,
  aList,
  anObject,
  aSwitch,
  aText,
  checkOptions,
  having,
  oneOf,
  type OptionKinds,
  orFalse,
  required,
  texts,
} from '../protocol/session/options.ts'
import type { Profile, SmtpServerOptions } from '../protocol/smtp/index.ts'
import type { Accepts, Authenticate, Deliver } from './reception.ts'

/** What of the conversation can be set: limits, time-outs, rules, extensions, words of the host's own. */
export type ConversationOptions = Omit<SmtpServerOptions, 'hostname' | 'profile' | 'startTls' | 'auth' | 'tell'>

/** What {@link receiver} is made of. */
export interface ReceiverOptions {
  /** This server's name, in greeting and trace. */
  readonly hostname: string
  /** Claims recipients. Whom nobody claims is refused: a receiver cannot relay. */
  readonly accepts: Accepts
  /**
   * Takes a message over. The client hears 250 when it resolves, `451 4.3.0` when it throws, and what a returned `reject`
   * or `defer` says otherwise. The message's octets are there until then; a larger one's lie in a file that is removed
   * afterwards.
   */
  readonly deliver: Deliver
  /** How strict to be (default `mx`; `lmtp` speaks LMTP, `test` forgives). */
  readonly profile?: Profile
  readonly policies?: readonly Policy[]
  /**
   * Offer AUTH. A function judges names and passwords (PLAIN, LOGIN); what `authenticate()` gives serves every mechanism of its
   * directory. Absent: no AUTH.
   */
  readonly authenticate?: Authenticate | Authentication
  /** Take mail only from clients that have logged in (default false): others hear `530 5.7.0`. */
  readonly authRequired?: boolean
  /**
   * Offer AUTH without TLS too (default false), and do not insist on TLS where that is required. For tests and trusted networks;
   * `loopback`: only for clients on this machine.
   */
  readonly plaintextAuth?: boolean | 'loopback'
  /** Connections at a time (default: 100 in all, 20 of one address). `false`: no bound. */
  readonly connections?: MaxConnectionsOptions | false
  /** Octets of a message that stay in memory (default 256 KiB); a larger one goes to `bodies` while it comes in. */
  readonly inMemory?: number
  /** Where larger messages wait to be delivered (default: a folder among the system's temporary files). */
  readonly bodies?: BodyStore
  /**
   * Put a `Received:` field before each message (default true; RFC 5321 §4.4 asks for it). `final`: a `Return-Path:` field
   * before that, as whoever delivers for good has to, and between them `Delivered-To:` where there is a single recipient.
   */
  readonly trace?: boolean | 'final'
  /** Name in `Received:` neither the address of the client nor what it calls itself (default false). */
  readonly hideClient?: boolean
  /** Addresses and CIDRs that may use XCLIENT and XFORWARD; `unix` for whoever reaches a unix socket. */
  readonly trusted?: readonly string[]
  readonly smtp?: ConversationOptions
  /** Watches: connections, log-ins, refusals, acceptance, failures. `logger(log)` writes them down. */
  readonly observe?: Observer
  /**
   * Tell the observer of each message and each refusal, in an event `explained`, what every policy decided and why (default
   * false).
   */
  readonly explain?: boolean
  /** What policies ask. Default: the system's resolvers. */
  readonly resolver?: Resolver
  /** Default: the platform's. */
  readonly clock?: Clock
  /** Draws so many random octets (default: the platform's generator). */
  readonly random?: (octets: number) => Uint8Array
}

const aSasl = having('an authentication', 'secret', 'judge')

const kinds: OptionKinds<ReceiverOptions> = {
  hostname: required({ ...aText, takes: "this server's name, such as 'mx.example.org'" }),
  accepts: required({ ...aFunction, takes: 'a function that claims recipients' }),
  deliver: required({ ...aFunction, takes: 'a function that takes a message over' }),
  profile: oneOf('mx', 'submission', 'lmtp', 'test'),
  policies: { ...aList, takes: 'a list of policies' },
  authenticate: {
    takes: 'a function that judges credentials, or what authenticate() gives',
    is: (value) => aFunction.is(value) || aSasl.is(value),
  },
  authRequired: aSwitch,
  plaintextAuth: { takes: "true, false or 'loopback'", is: (value) => typeof value === 'boolean' || value === 'loopback' },
  connections: orFalse({ ...anObject, takes: 'bounds such as { server: 100, address: 20 }' }),
  inMemory: { ...aCount, takes: 'octets, a whole number from 0 on' },
  bodies: having('a body store', 'create'),
  trace: { takes: "true, false or 'final'", is: (value) => typeof value === 'boolean' || value === 'final' },
  hideClient: aSwitch,
  trusted: { ...texts, takes: "a list of addresses and CIDRs, such as ['10.0.0.0/8'], and 'unix'" },
  smtp: anObject,
  observe: aFunction,
  explain: aSwitch,
  resolver: having('a resolver', 'resolve'),
  clock: having('a clock', 'now', 'ticks', 'alarm'),
  random: aFunction,
}

/** What the receiver sets by itself, and where it takes that from. */
const elsewhere: Readonly<Record<string, string>> = {
  hostname: 'hostname',
  profile: 'profile',
  startTls: 'tls of listen()',
  auth: 'authenticate',
  tell: 'observe',
}

/** Looks at the options of a receiver. Throws a `config` MailError that names the one that cannot be, and says what it takes. */
export function checkReceiverOptions(options: ReceiverOptions): void {
  checkOptions('receiver', options, kinds)
  if (options.authRequired === true && options.authenticate === undefined) {
    throw new MailError('config', 'receiver: authRequired is set, and nobody could log in: give it authenticate.')
  }
  for (const name of Object.keys(options.smtp ?? {})) {
    if (!Object.hasOwn(elsewhere, name)) continue
    throw new MailError('config', `smtp: ${name} is not set here but by ${elsewhere[name]!}.`)
  }
}

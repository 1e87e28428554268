import type { AuthenticateOptions } from '../accounts/authenticate.ts'
import type { CertificateSource } from '../adapters/node/index.ts'
import type { BodyStore } from '../contracts/bodies.ts'
import type { Directory } from '../contracts/directory.ts'
import type { LearnJunk } from '../contracts/junk.ts'
import type { MailFilter } from '../contracts/filter.ts'
import type { KeyValue } from '../contracts/key-value.ts'
import type { Policy } from '../contracts/policy.ts'
import type { Dispatch } from '../contracts/dispatch.ts'
import type { MailQueue } from '../contracts/queue.ts'
import type { Resolver } from '../contracts/resolver.ts'
import type { MailStore } from '../contracts/store.ts'
import type { MaxConnectionsOptions } from '../inbound/checks/max-connections.ts'
import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { MailError } from '../protocol/session/errors.ts'
import {
  aFunction,
  aList,
  aNumber,
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
import type { Profile } from '../protocol/smtp/index.ts'
import type { WebhookOptions } from './filtering/webhooks.ts'
import type { ImapServerOptions } from './imap/options.ts'
import type { ConversationOptions, ReceiverOptions } from './options.ts'
import type { OutgoingOptions } from './outgoing/options.ts'
import type { Pop3ServerOptions } from './pop3/options.ts'
import type { ServerListenOptions } from './server.ts'

/**
 * A listener of a mail server.
 *
 * - `mx`: mail from other servers, for those who are here (port 25). No AUTH, STARTTLS where there is TLS
 * - `submission`: mail from those who are here (port 587). STARTTLS, then AUTH, then mail (RFC 6409)
 * - `submissions`: the same over TLS from the start (port 465, RFC 8314)
 * - `lmtp`: mail from a server of ours that has taken it already, with an answer for each recipient (RFC 2033)
 * - `imap`: people read their mail (port 143). STARTTLS, then log-in (RFC 9051)
 * - `imaps`: the same over TLS from the start (port 993, RFC 8314)
 * - `pop3`, `pop3s`: people fetch it (ports 110 and 995)
 */
export type ListenerName = SmtpListenerName | ReadingListenerName

/** Listeners that take mail. */
export type SmtpListenerName = 'mx' | 'submission' | 'submissions' | 'lmtp'

/** Listeners that give it to read. */
export type ReadingListenerName = 'imap' | 'imaps' | 'pop3' | 'pop3s'

/** Where a listener for reading is. */
export interface ReadingListenerOptions extends Omit<ServerListenOptions, 'name' | 'tls'> {
  /** Default: that of the server. `false`: none. */
  readonly tls?: CertificateSource | false
}

/** What is common to the listeners of POP3. */
export type Pop3Settings = Pick<Pop3ServerOptions, 'connections'> & NonNullable<Pop3ServerOptions['pop3']>

/** What is common to the listeners of IMAP. */
export type ImapSettings = Pick<ImapServerOptions, 'connections' | 'id'> & NonNullable<ImapServerOptions['imap']>

/** Where one listener is, and what is its own. */
export interface MailListenerOptions extends Omit<ServerListenOptions, 'name' | 'tls'> {
  /** Default: that of the server, for LMTP none. `false`: none. */
  readonly tls?: CertificateSource | false
  /** How strict to be; default: as the listener's name says. */
  readonly profile?: Profile
  /** For mail that comes in here; default: those of the server for `mx`, none for the others. */
  readonly policies?: readonly Policy[]
  /** Connections at a time (default: 100, and 20 of one address but over LMTP). `false`: no bound. */
  readonly connections?: MaxConnectionsOptions | false
  /** Limits, time-outs, rules, extensions that differ from those of the server. */
  readonly smtp?: ConversationOptions
}

/** What can be said of how people log in; the rest is the server's. */
export type LoginOptions = Omit<AuthenticateOptions, 'directory' | 'crypto' | 'right' | 'hostname'>

/** What {@link mailServer} is made of. */
export interface MailServerOptions {
  /** This server's name, in greeting, trace and message ids. */
  readonly hostname: string
  /** Who is here. */
  readonly directory: Directory
  /** Where their mail is kept. */
  readonly store: MailStore
  /**
   * Where mail waits that goes to other servers: what people submit, and what aliases lead there; `outgoing` says how it gets
   * there. Or whatever else takes such mail. Default: none; then recipients elsewhere are refused with `550 5.7.1`.
   */
  readonly queue?: MailQueue | Dispatch
  /** How mail goes out that waits in `queue`. */
  readonly outgoing?: OutgoingOptions
  /** Tell the observer of each message that arrives why it became what: see {@link ReceiverOptions.explain}. */
  readonly explain?: boolean
  /** What policies ask, and whoever delivers to other servers. Default: the system's resolvers. */
  readonly resolver?: Resolver
  /**
   * Where failed log-ins are counted, for all servers that share it (default: in memory), and what IMAP clients note of mailboxes
   * is kept (RFC 5464; default: not at all).
   */
  readonly keyValue?: KeyValue
  /** For mail from other servers. */
  readonly policies?: readonly Policy[]
  /**
   * Decides for each account what is done with mail that comes to a mailbox here, wherever it comes from: Sieve, rules. What
   * policies have set apart goes to the mailbox for junk, and no filter is asked. Default: all mail goes to INBOX.
   */
  readonly filter?: MailFilter
  /** How filters tell programs of mail. Needed where one does. */
  readonly webhooks?: WebhookOptions
  /** How people log in: mechanisms, guard, OAuth. Default: all that the directory can serve, guarded by `loginGuard`. */
  readonly login?: LoginOptions
  /** At least one. */
  readonly listen: { readonly [Name in SmtpListenerName]?: MailListenerOptions } & {
    readonly [Name in ReadingListenerName]?: ReadingListenerOptions
  }
  /** Limits, time-outs and capabilities of IMAP, connections at a time, what it says of the server. */
  readonly imap?: ImapSettings
  /** The same of POP3. */
  readonly pop3?: Pop3Settings
  /** Certificates for all listeners but LMTP. */
  readonly tls?: CertificateSource
  /** The store or the queue may lose mail: `traits.durability` is `none`, and that is wanted. */
  readonly volatile?: boolean
  /** The address that mail for `postmaster` goes to where the directory has no such address (RFC 5321 §4.5.1). */
  readonly postmaster?: string
  /** Name in the `Received:` field of what people submit neither their address nor what their program calls itself. */
  readonly hideClient?: boolean
  /**
   * Let people log in without TLS (default false). For tests and trusted networks; `loopback`: only from this machine.
   */
  readonly plaintextAuth?: boolean | 'loopback'
  /** Limits, time-outs, rules and extensions of all listeners. */
  readonly smtp?: ConversationOptions
  /** Octets of a message that stay in memory (default 256 KiB); a larger one goes to `bodies` while it comes in. */
  readonly inMemory?: number
  /** Learns what people mark as junk, and as not junk, with their mail programs: for a spam filter. */
  readonly learn?: LearnJunk
  /** Where larger messages wait to be delivered (default: a folder among the system's temporary files). */
  readonly bodies?: BodyStore
  /** Addresses and CIDRs that may use XCLIENT and XFORWARD. */
  readonly trusted?: readonly string[]
  readonly observe?: Observer
  /** Default: the platform's. */
  readonly clock?: Clock
  /** Draws so many random octets (default: the platform's generator). */
  readonly random?: (octets: number) => Uint8Array
}

const aCertificateSource = having('what certificates() gives', 'expires', 'reload')
const aListener = { ...anObject, takes: 'an object such as { port: 25 }' }
const policies = { ...aList, takes: 'a list of policies' }

const kinds: OptionKinds<MailServerOptions> = {
  hostname: required({ ...aText, takes: "this server's name, such as 'mail.example.org'" }),
  directory: required(having('a directory', 'resolve', 'account', 'verify', 'maySendAs', 'named')),
  store: required(having('a mail store', 'append', 'mailboxes', 'create', 'usage')),
  queue: having('a queue', 'enqueue'),
  outgoing: anObject,
  explain: aSwitch,
  resolver: having('a resolver', 'resolve'),
  keyValue: having('a key-value store', 'get', 'set', 'swap', 'add'),
  policies,
  filter: having('a filter', 'filter'),
  webhooks: anObject,
  login: anObject,
  listen: required({ ...anObject, takes: 'listeners, such as { mx: { port: 25 } }' }),
  tls: aCertificateSource,
  volatile: aSwitch,
  postmaster: aText,
  hideClient: aSwitch,
  plaintextAuth: { takes: "true, false or 'loopback'", is: (value) => typeof value === 'boolean' || value === 'loopback' },
  imap: anObject,
  pop3: anObject,
  smtp: anObject,
  inMemory: { ...aNumber, takes: 'octets, a number from 0 on' },
  learn: aFunction,
  bodies: having('a body store', 'create'),
  trusted: { ...texts, takes: "a list of addresses and CIDRs, such as ['10.0.0.0/8']" },
  observe: aFunction,
  clock: having('a clock', 'now', 'ticks', 'alarm'),
  random: aFunction,
}

const listenerKinds: OptionKinds<MailServerOptions['listen']> = {
  mx: aListener,
  submission: aListener,
  submissions: aListener,
  lmtp: aListener,
  imap: aListener,
  imaps: aListener,
  pop3: aListener,
  pop3s: aListener,
}

const ownKinds: Readonly<Record<string, OptionKinds<MailListenerOptions>[keyof MailListenerOptions]>> = {
  tls: orFalse(aCertificateSource),
  profile: oneOf('mx', 'submission', 'lmtp', 'test'),
  policies,
  connections: orFalse({ ...anObject, takes: 'bounds such as { server: 100, address: 20 }' }),
  smtp: anObject,
}

/** Where a listener is: looked at by whoever listens. */
const places: readonly string[] = ['port', 'host', 'path', 'mode', 'backlog', 'proxy']

/** Looks at the options of a mail server. Throws a `config` MailError that names the one that cannot be. */
export function checkMailServerOptions(options: MailServerOptions): void {
  checkOptions('mailServer', options, kinds)
  checkOptions('listen', options.listen, listenerKinds)
  const listeners = Object.entries(options.listen).filter(([, listener]) => listener !== undefined)
  if (listeners.length === 0) throw new MailError('config', 'mailServer: listen names no listener, such as { mx: { port: 25 } }.')
  const anything = { takes: '', is: () => true }
  const all = { ...Object.fromEntries(places.map((name) => [name, anything])), ...ownKinds }
  const reading = { ...Object.fromEntries(places.map((name) => [name, anything])), tls: ownKinds['tls']! }
  for (const [name, listener] of listeners) checkOptions(`listen.${name}`, listener, isForReading(name) ? reading : all)
  checkDurability(options)
}

/** Whether the listener is for reading. */
export function isForReading(name: string): name is ReadingListenerName {
  return name === 'imap' || name === 'imaps' || name === 'pop3' || name === 'pop3s'
}

/** 250 means safe: whoever does not mind must say so. */
function checkDurability({ store, queue, volatile }: MailServerOptions): void {
  if (volatile === true) return
  const losing = store.traits.durability === 'none' ? 'store' : queue?.traits.durability === 'none' ? 'queue' : undefined
  if (losing === undefined) return
  const why = `the ${losing} forgets all mail when the process ends`
  throw new MailError('config', `mailServer: ${why}. Give it one that does not, or say volatile: true.`)
}

import type { AuthenticateOptions } from '../../accounts/authenticate.ts'
import type { BodyStore } from '../../contracts/bodies.ts'
import type { Directory } from '../../contracts/directory.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import type { MailStore } from '../../contracts/store.ts'
import type { Observer } from '../../observe/events.ts'
import type { ImapServerOptions as SessionOptions } from '../../protocol/imap/index.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import {
  aCount,
  aFunction,
  anObject,
  aText,
  checkOptions,
  having,
  type OptionKinds,
  orFalse,
  required,
} from '../../protocol/session/options.ts'
import type { SeatsOptions } from './seats.ts'

/** What {@link imapServer} is made of. */
export interface ImapServerOptions {
  /** This server's name, in the greeting. */
  readonly hostname: string
  /** Who is here. */
  readonly directory: Directory
  /** Where their mail is kept. */
  readonly store: MailStore
  /** How people log in: mechanisms, who counts failures, OAuth. Default: what the directory can serve. */
  readonly login?: Omit<AuthenticateOptions, 'directory' | 'crypto' | 'right' | 'hostname'>
  /** Let people log in without TLS (default false). For tests and trusted networks; `loopback`: only from this machine. */
  readonly plaintextAuth?: boolean | 'loopback'
  /** Connections at a time (default: 200 in all, 20 of one address, 20 of one account there). `false`: no bound. */
  readonly connections?: SeatsOptions | false
  /** Limits, time-outs, and capabilities to hide from clients that they would break. */
  readonly imap?: Pick<SessionOptions, 'limits' | 'timeouts' | 'literals' | 'hide'>
  /** What clients are told of the server by ID (RFC 2971), such as `{ name: 'posthorn' }`. */
  readonly id?: Readonly<Record<string, string>>
  /** Octets of an appended message that stay in memory (default 256 KiB); a larger one goes to `bodies` while it comes in. */
  readonly inMemory?: number
  /** Where larger messages wait to be appended (default: a folder among the system's temporary files). */
  readonly bodies?: BodyStore
  /**
   * Where clients may note things of mailboxes (RFC 5464), kept as long as it keeps anything. Without it they cannot.
   */
  readonly keyValue?: KeyValue
  readonly observe?: Observer
  /** Default: the platform's. */
  readonly clock?: Clock
  /** Draws so many random octets (default: the platform's generator). */
  readonly random?: (octets: number) => Uint8Array
}

const kinds: OptionKinds<ImapServerOptions> = {
  hostname: required({ ...aText, takes: "this server's name, such as 'mail.example.org'" }),
  directory: required(having('a directory', 'resolve', 'account', 'verify', 'named')),
  store: required(having('a mail store', 'mailboxes', 'entries', 'list', 'changes', 'flag')),
  login: anObject,
  plaintextAuth: { takes: "true, false or 'loopback'", is: (value) => typeof value === 'boolean' || value === 'loopback' },
  connections: orFalse({ ...anObject, takes: 'bounds such as { server: 200, account: 20 }' }),
  imap: anObject,
  id: anObject,
  inMemory: aCount,
  bodies: having('a body store', 'create'),
  keyValue: having('a key-value store', 'get', 'set', 'swap', 'add'),
  observe: aFunction,
  clock: having('a clock', 'now', 'ticks', 'alarm'),
  random: aFunction,
}

/** Looks at the options. Throws a `config` MailError that names the one that cannot be. */
export function checkImapServerOptions(options: ImapServerOptions): void {
  checkOptions('imapServer', options, kinds)
}

import type { AuthenticateOptions } from '../../accounts/authenticate.ts'
import type { Directory } from '../../contracts/directory.ts'
import type { MailStore } from '../../contracts/store.ts'
import type { Observer } from '../../observe/events.ts'
import type { Pop3ServerOptions as SessionOptions } from '../../protocol/pop3/index.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import {
  aFunction,
  anObject,
  aText,
  checkOptions,
  having,
  type OptionKinds,
  orFalse,
  required,
} from '../../protocol/session/options.ts'
import type { SeatsOptions } from '../imap/seats.ts'

/** What {@link pop3Server} is made of. */
export interface Pop3ServerOptions {
  /** This server's name, in the greeting. */
  readonly hostname: string
  /** Who is here. Whoever may read mail by IMAP may do so by POP3. */
  readonly directory: Directory
  /** Where their mail is kept: what they get to see is INBOX. */
  readonly store: MailStore
  /** How people log in: mechanisms, who counts failures, OAuth. Default: what the directory can serve. */
  readonly login?: Omit<AuthenticateOptions, 'directory' | 'crypto' | 'right' | 'hostname'>
  /** Let people log in without TLS (default false). For tests and trusted networks; `loopback`: only from this machine. */
  readonly plaintextAuth?: boolean | 'loopback'
  /** Connections at a time (default: 200 in all, 20 of one address, 20 of one account there). `false`: no bound. */
  readonly connections?: SeatsOptions | false
  /** Limits, time-outs, what clients are told. */
  readonly pop3?: Pick<SessionOptions, 'limits' | 'timeouts' | 'expire' | 'implementation' | 'utf8Headers'>
  readonly observe?: Observer
  /** Default: the platform's. */
  readonly clock?: Clock
  /** Draws so many random octets (default: the platform's generator). */
  readonly random?: (octets: number) => Uint8Array
}

const kinds: OptionKinds<Pop3ServerOptions> = {
  hostname: required({ ...aText, takes: "this server's name, such as 'mail.example.org'" }),
  directory: required(having('a directory', 'resolve', 'account', 'verify', 'named')),
  store: required(having('a mail store', 'mailboxes', 'entries', 'body', 'expunge')),
  login: anObject,
  plaintextAuth: { takes: "true, false or 'loopback'", is: (value) => typeof value === 'boolean' || value === 'loopback' },
  connections: orFalse({ ...anObject, takes: 'bounds such as { server: 200, account: 20 }' }),
  pop3: anObject,
  observe: aFunction,
  clock: having('a clock', 'now', 'ticks', 'alarm'),
  random: aFunction,
}

/** Looks at the options. Throws a `config` MailError that names the one that cannot be. */
export function checkPop3ServerOptions(options: Pop3ServerOptions): void {
  checkOptions('pop3Server', options, kinds)
}

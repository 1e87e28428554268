import type { BodyStore } from '../../contracts/bodies.ts'
import type { LearnJunk } from '../../contracts/junk.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import type { ImapServerOptions as SessionOptions } from '../../protocol/imap/index.ts'
import { aCount, aFunction, anObject, checkOptions, having, type OptionKinds, required } from '../../protocol/session/options.ts'
import { readerKinds, type ReaderOptions } from '../reader-options.ts'

/** What {@link imapServer} is made of. */
export interface ImapServerOptions extends ReaderOptions {
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
  /** Learns what people mark as junk, and as not junk. */
  readonly learn?: LearnJunk
}

const kinds: OptionKinds<ImapServerOptions> = {
  ...readerKinds,
  store: required(having('a mail store', 'mailboxes', 'entries', 'list', 'changes', 'flag')),
  imap: anObject,
  id: anObject,
  inMemory: aCount,
  bodies: having('a body store', 'create'),
  keyValue: having('a key-value store', 'get', 'set', 'swap', 'add'),
  learn: aFunction,
}

/** Looks at the options. Throws a `config` MailError that names the one that cannot be. */
export function checkImapServerOptions(options: ImapServerOptions): void {
  checkOptions('imapServer', options, kinds)
}

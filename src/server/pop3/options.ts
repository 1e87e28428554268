import type { Pop3ServerOptions as SessionOptions } from '../../protocol/pop3/index.ts'
import { anObject, checkOptions, having, type OptionKinds, required } from '../../protocol/session/options.ts'
import { readerKinds, type ReaderOptions } from '../reader-options.ts'

/** What {@link pop3Server} is made of. What people get to see of the store is INBOX. */
export interface Pop3ServerOptions extends ReaderOptions {
  /** Limits, time-outs, what clients are told. */
  readonly pop3?: Pick<SessionOptions, 'limits' | 'timeouts' | 'expire' | 'implementation' | 'utf8Headers'>
}

const kinds: OptionKinds<Pop3ServerOptions> = {
  ...readerKinds,
  store: required(having('a mail store', 'mailboxes', 'entries', 'body', 'expunge')),
  pop3: anObject,
}

/** Looks at the options. Throws a `config` MailError that names the one that cannot be. */
export function checkPop3ServerOptions(options: Pop3ServerOptions): void {
  checkOptions('pop3Server', options, kinds)
}

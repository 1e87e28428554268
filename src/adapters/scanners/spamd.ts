import type { Scanner, ScanSubject } from '../../contracts/scanner.ts'
import { checkOptions, type OptionKind } from '../../protocol/session/options.ts'
import { Asking } from './asking.ts'
import { exchange } from './connection.ts'
import { placeKinds, placeOf, scannerKinds, type ScannerOptions, type ScannerPlace, termsOf } from './options.ts'
import { checkSize, contentOf } from './pour.ts'
import { MOST_ANSWER, readSpamdAnswer, spamdHead } from './spamd-codec.ts'

/** Where spamd listens (default: `127.0.0.1` port 783), and how it is asked. */
export interface SpamdOptions extends ScannerPlace, ScannerOptions {
  /** In whose name the message is looked at: whose rules and Bayes database count. */
  readonly user?: string
  /** Octets of the largest message that it is given (default 52,428,800). Large ones are slow: `spamc` gives it 512,000. */
  readonly maxSize?: number
  /** Messages that it is given at a time (default 5, spamd's own `--max-children`); others wait. */
  readonly connections?: number
}

const aUser: OptionKind = {
  takes: 'a name, of printable ASCII without blanks',
  is: (value) => typeof value === 'string' && /^[!-~]{1,200}$/.test(value),
}

/**
 * SpamAssassin's spamd, over TCP or a unix socket: counts points, and names the rules that they come from. What it takes for spam
 * asks for `quarantine`. The message is streamed (SYMBOLS of SPAMC/1.5), over a connection of its own.
 *
 * @throws MailError `config` for options that make no sense
 */
export function spamd(options: SpamdOptions = {}): Required<Scanner> {
  checkOptions('spamd', options, { ...placeKinds, ...scannerKinds, user: aUser })
  const place = placeOf('spamd', options, 783)
  const terms = termsOf('spamd', options, { maxSize: 50 * 1024 * 1024, connections: 5 })
  const asking = new Asking('spamd', terms)
  return {
    name: 'spamd',
    scan: async (message: ScanSubject, signal: AbortSignal) => {
      checkSize('spamd', message, terms.maxSize)
      return asking.ask(signal, async (bounded) => {
        const request = requested(message, options.user)
        const { timeouts } = terms
        // spamd reads line by line: of a message whose last line does not end, it waits for more until nothing more can come.
        return readSpamdAnswer(await exchange(request, { place, timeouts, most: MOST_ANSWER, signal: bounded }))
      })
    },
    close: () => asking.close(),
  }
}

async function* requested(message: ScanSubject, user: string | undefined): AsyncGenerator<Uint8Array> {
  yield spamdHead(message.octets, user)
  yield* contentOf(message)
}

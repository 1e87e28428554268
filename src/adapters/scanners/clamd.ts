import type { Scanner, ScanSubject } from '../../contracts/scanner.ts'
import { checkOptions } from '../../protocol/session/options.ts'
import { Asking } from './asking.ts'
import { ANSWER_END, MOST_ANSWER, readClamdAnswer, readClamdText, streamed, VERSION } from './clamd-codec.ts'
import { exchange } from './connection.ts'
import { placeKinds, placeOf, scannerKinds, type ScannerOptions, type ScannerPlace, termsOf } from './options.ts'
import { checkSize, contentOf } from './pour.ts'

/** Where clamd listens (default: `127.0.0.1` port 3310), and how it is asked. */
export interface ClamdOptions extends ScannerPlace, ScannerOptions {
  /** Octets of the largest message that it is given (default 26,214,400): set it to clamd's own `StreamMaxLength`. */
  readonly maxSize?: number
  /** Messages that it is given at a time (default 10, clamd's own `MaxThreads`); others wait. */
  readonly connections?: number
}

/** A {@link Scanner} that can be asked for more. */
export interface Clamd extends Required<Scanner> {
  /** `ClamAV 1.4.3/27650/…`: the versions of the program and of its signatures. Rejects as `scan` does. */
  version(): Promise<string>
}

/** Octets of the largest message, as Debian sets `StreamMaxLength`. */
const MOST = 25 * 1024 * 1024

/**
 * ClamAV's clamd, over TCP or a unix socket: finds viruses. What it finds asks for `reject`, under the name of the signature. The
 * message is streamed (INSTREAM), over a connection of its own.
 *
 * @throws MailError `config` for options that make no sense
 */
export function clamd(options: ClamdOptions = {}): Clamd {
  checkOptions('clamd', options, { ...placeKinds, ...scannerKinds })
  const place = placeOf('clamd', options, 3310)
  const terms = termsOf('clamd', options, { maxSize: MOST, connections: 10 })
  const asking = new Asking('clamd', terms)
  const say = (content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Uint8Array> =>
    exchange(content, { place, timeouts: terms.timeouts, most: MOST_ANSWER, ends: ANSWER_END, signal })
  return {
    name: 'clamd',
    scan: async (message: ScanSubject, signal: AbortSignal) => {
      checkSize('clamd', message, terms.maxSize)
      return asking.ask(signal, async (bounded) => readClamdAnswer(await say(streamed(contentOf(message)), bounded)))
    },
    version: () =>
      asking.ask(new AbortController().signal, async (bounded) => readClamdText(await say(versionAsked(), bounded))),
    close: () => asking.close(),
  }
}

async function* versionAsked(): AsyncGenerator<Uint8Array> {
  yield VERSION
}

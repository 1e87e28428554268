import type { Scanner, ScanSubject } from '../../contracts/scanner.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { aText, checkOptions, type OptionKind } from '../../protocol/session/options.ts'
import { Asking } from './asking.ts'
import { post } from './http.ts'
import { scannerKinds, type ScannerOptions, termsOf } from './options.ts'
import { checkSize, contentOf } from './pour.ts'
import { MOST_ANSWER, readRspamdAnswer, requestFields } from './rspamd-codec.ts'

/** Where rspamd listens, and how it is asked. */
export interface RspamdOptions extends ScannerOptions {
  /** Of its normal worker, or of its proxy (default `http://127.0.0.1:11333`). */
  readonly url?: string
  /** What opens it. */
  readonly password?: string
  /** What this server is called, for rules that ask (`MTA-Name`). */
  readonly hostname?: string
  /** Octets of the largest message that it is given (default 52,428,800, rspamd's own `max_message`). */
  readonly maxSize?: number
  /** Messages that it is given at a time (default 20); others wait. */
  readonly connections?: number
}

const isUrl = (value: unknown): boolean =>
  typeof value === 'string' && URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol)
const aUrl: OptionKind = { takes: 'a URL, http or https', is: isUrl }

/**
 * rspamd, over HTTP: counts points, names the symbols that they come from, and says what it would do. `soft reject`, which is its
 * word for greylisting that is due, asks for `defer`; `add header` and `rewrite subject` for `tag`, the latter with another
 * Subject. The message is streamed (`POST /checkv2`), over a connection of its own.
 *
 * @throws MailError `config` for options that make no sense
 */
export function rspamd(options: RspamdOptions = {}): Required<Scanner> {
  checkOptions('rspamd', options, { ...scannerKinds, url: aUrl, password: aText, hostname: aText })
  const terms = termsOf('rspamd', options, { maxSize: 50 * 1024 * 1024, connections: 20 })
  const url = checkUrl(options.url ?? 'http://127.0.0.1:11333')
  const { hostname, password } = options
  const asking = new Asking('rspamd', terms)
  return {
    name: 'rspamd',
    scan: async (message: ScanSubject, signal: AbortSignal) => {
      checkSize('rspamd', message, terms.maxSize)
      return asking.ask(signal, async (bounded) => {
        const content = contentOf(message)
        const fields = requestFields(message, { hostname, password })
        const sent = { url, fields, content, size: message.octets }
        const { status, body } = await post(sent, { timeouts: terms.timeouts, most: MOST_ANSWER, signal: bounded })
        return readRspamdAnswer(status, body)
      })
    },
    close: () => asking.close(),
  }
}

/** `/checkv2` of the server that is meant. */
function checkUrl(text: string): URL {
  const url = new URL(text)
  if (url.search !== '' || url.hash !== '') throw new MailError('config', `rspamd: url is ${url.href}; give it without ? and #.`)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/checkv2`
  return url
}

import type { Announced } from '../fragments.ts'
import { MOST_UNASKED } from '../limits.ts'
import { parseMessageUrl } from '../message-url.ts'
import { Malformed, Reader } from '../reader.ts'
import { ask, type Heard, type Run, wait } from '../run.ts'
import { Refused } from '../../session/refusal.ts'
import { locate } from '../section.ts'
import type { ImapContext } from './context.ts'

/** Parts of one message. */
const MOST_PARTS = 200

/** Octets of a message that are fetched at a time. */
const CHUNK = 256 * 1024

/** Where reading goes on behind a message: on this line, which may announce a literal. */
export interface Behind {
  readonly reader: Reader
  readonly announced: Announced | undefined
  /** The size of the message. */
  readonly octets: number
}

/**
 * Takes in a message that is put together of texts and of parts of messages that are here (RFC 4469): what stands behind
 * `CATENATE (`. It may have so many octets.
 */
export function* catenate(context: ImapContext, line: Pick<Behind, 'reader' | 'announced'>, most: number): Run<Behind> {
  let { reader, announced } = line
  let octets = 0
  const grow = (by: number): void => {
    octets += by
    if (octets > most) throw new Refused('TOOBIG', 'Message too large', 'messageOctets')
  }
  for (let parts = 1; ; parts++) {
    if (parts > MOST_PARTS) throw new Refused('LIMIT', 'Too many parts', 'parts')
    const word = reader.word()
    reader.space()
    if (word === 'TEXT' || word === 'UTF8') {
      // RFC 6855 §4: `UTF8 (~{n}…)`.
      const utf8 = word === 'UTF8'
      if (utf8) reader.expect('(')
      if (!reader.done || announced === undefined) throw new Malformed('A text is missing')
      if (utf8 && !announced.binary) throw new Malformed('UTF8 takes a literal8')
      const { literals } = context.config
      if (!announced.waits && literals === '-' && announced.octets > MOST_UNASKED) throw new Malformed('Literal too large')
      grow(announced.octets)
      yield* wait<undefined>({ kind: 'stream', announced })
      ;({ reader, announced } = yield* restOfLine())
      if (utf8) reader.expect(')')
    } else if (word === 'URL') {
      let url: string
      if (reader.done && announced !== undefined) {
        if (announced.octets > context.config.limits.literalOctets) {
          throw new Malformed('Literal too large', { limit: 'literalOctets' })
        }
        url = yield* wait<string>({ kind: 'literal', announced })
        ;({ reader, announced } = yield* restOfLine())
      } else url = reader.astring()
      yield* takeIn(context, url, grow)
    } else throw new Malformed('TEXT, UTF8 or URL')
    if (reader.maybe(')')) break
    reader.space()
  }
  if (octets === 0) throw new Malformed('An empty message')
  return { reader, announced, octets }
}

function* restOfLine(): Run<Pick<Behind, 'reader' | 'announced'>> {
  const { text, announced, broken } = yield* wait<Heard>({ kind: 'rest' })
  if (broken) throw new Malformed('Nothing that can follow a literal')
  return { reader: new Reader([text]), announced }
}

/** Hands what a URL names to the host, as if the client had sent it. */
function* takeIn(context: ImapContext, url: string, grow: (by: number) => void): Run<void> {
  const named = parseMessageUrl(url)
  const mailbox = named && (yield* ask({ kind: 'mailbox', path: named.path }))
  if (!named || !mailbox || (named.uidValidity ?? mailbox.uidValidity) !== mailbox.uidValidity) throw badUrl(url)
  const uids = [{ first: named.uid, last: named.uid }]
  const { items } = yield* ask({ kind: 'messages', mailbox: mailbox.id, uids, since: 0 })
  const message = items[0]
  const where = message && locate(message.facts.structure, named.section)
  if (!message || !where) throw badUrl(url)
  grow(where.end - where.start)
  for (let start = where.start; start < where.end; start += CHUNK) {
    const range = { message: message.id, start, end: Math.min(start + CHUNK, where.end) }
    const [bytes] = yield* ask({ kind: 'octets', ranges: [range] })
    if (!bytes) throw badUrl(url)
    context.emit({ kind: 'body', bytes })
  }
}

/** RFC 4469 §4: with the URL, of which nothing may be said that would end the code. */
function badUrl(url: string): Refused {
  let shown = ''
  for (let at = 0; at < url.length && at < 500; at++) {
    const unit = url.charCodeAt(at)
    shown += unit > 32 && unit < 127 && !'"\\]'.includes(url[at]!) ? url[at]! : '?'
  }
  return new Refused(`BADURL "${shown}"`, 'There is nothing by that name')
}

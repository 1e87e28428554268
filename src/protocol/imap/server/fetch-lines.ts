import { bodyStructureText, envelopeText } from '../../../message/imap-text.ts'
import { octetString, utf8Octets } from '../../bytes/text.ts'
import { encodeDateTime, encodeLiteral, encodeString } from '../encode.ts'
import type { FetchItem, SectionItem } from '../fetch-items.ts'
import { formatFlags } from '../flags.ts'
import type { ImapEntry, ImapMessage } from '../mailbox.ts'
import { contains } from '../ranges.ts'
import { ask, type Run } from '../run.ts'
import { cut, locate, type Octets, selectFields } from '../section.ts'
import type { BodyRange } from '../../session/session.ts'
import { type Measured, measure, sayBinary } from './binary.ts'
import type { ImapContext, Selected } from './context.ts'
import { objectId, threadId } from './object-id.ts'
import { tellKeywords } from './synchronise.ts'

/** Octets of headers that are asked for at a time. */
const MOST_OCTETS = 1024 * 1024

const ofEntries: ReadonlySet<FetchItem['kind']> = new Set<FetchItem['kind']>([
  'FLAGS', 'UID', 'INTERNALDATE', 'RFC822.SIZE', 'MODSEQ', 'SAVEDATE', 'EMAILID',
])

/** Whether reading the item gives the message `\Seen`. */
export const setsSeen = (item: FetchItem): boolean => (item.kind === 'SECTION' || item.kind === 'BINARY') && !item.peek

/** A message that has just become `\Seen` by being read. */
type Shown = ImapEntry & { readonly marked?: boolean }

/** Says what FETCH asks for, a line a message. */
export class Lines {
  readonly needsFacts: boolean
  private readonly context: ImapContext
  private readonly selected: Selected
  private readonly items: readonly FetchItem[]
  private readonly fields: readonly SectionItem[]
  private readonly binaries: readonly Extract<FetchItem, { kind: 'BINARY' | 'BINARY.SIZE' }>[]
  private readonly saysFlags: boolean

  constructor(context: ImapContext, selected: Selected, items: readonly FetchItem[]) {
    this.context = context
    this.selected = selected
    this.items = items
    this.needsFacts = items.some(({ kind }) => !ofEntries.has(kind))
    this.saysFlags = items.some(({ kind }) => kind === 'FLAGS')
    this.binaries = items.filter((item) => item.kind === 'BINARY' || item.kind === 'BINARY.SIZE')
    this.fields = items.filter((item): item is SectionItem => item.kind === 'SECTION' && item.part.startsWith('HEADER.FIELDS'))
  }

  /** Says a page of messages. */
  *say(page: readonly Shown[]): Run<void> {
    if (this.saysFlags) for (const { flags } of page) tellKeywords(this.context, this.selected, flags)
    if (this.fields.length === 0) for (const message of page) yield* this.message(message, undefined)
    else yield* this.withHeaders(page as readonly (Shown & ImapMessage)[])
  }

  /** Says messages of which fields of headers are wanted, fetching those some at a time. */
  private *withHeaders(page: readonly (Shown & ImapMessage)[]): Run<void> {
    for (let at = 0; at < page.length;) {
      const ranges: BodyRange[] = []
      let octets = 0
      const from = at
      for (; at < page.length && (octets < MOST_OCTETS || at === from); at++) {
        const { id, facts } = page[at]!
        for (const item of this.fields) {
          const { start, end } = locate(facts.structure, item) ?? { start: 0, end: 0 }
          ranges.push({ message: id, start, end })
          octets += end - start
        }
      }
      const headers = yield* ask({ kind: 'octets', ranges })
      const each = this.fields.length
      for (let index = from; index < at; index++) {
        yield* this.message(page[index]!, headers.slice((index - from) * each, (index - from + 1) * each))
      }
    }
  }

  private *message(message: Shown, headers: readonly (Uint8Array | null)[] | undefined): Run<void> {
    const { context, selected } = this
    const sequence = selected.view.sequenceOf(message.uid)
    if (sequence === 0) return
    const measured: (Measured | undefined)[] = []
    for (const item of this.binaries) measured.push(yield* measure(message as ImapMessage, item))
    context.write(`* ${sequence} FETCH (`)
    let between = ''
    let header = 0
    for (const item of this.items) {
      context.write(between)
      between = ' '
      if (item.kind === 'SECTION') {
        const fields = item.part.startsWith('HEADER.FIELDS')
        this.section(message as ImapMessage, item, fields ? headers?.[header++] : undefined)
      } else if (item.kind === 'BINARY') yield* sayBinary(context, message as ImapMessage, item, measured.shift())
      else if (item.kind === 'BINARY.SIZE') context.write(`${item.label} ${measured.shift()?.octets ?? 0}`)
      else context.write(this.simple(item.kind, message))
    }
    // I48: it is told in the same answer.
    if (message.marked === true && !this.saysFlags) context.write(`${between}${this.simple('FLAGS', message)}`)
    context.write(')\r\n')
  }

  private simple(kind: FetchItem['kind'], message: Shown): string {
    const facts = (message as ImapMessage).facts
    switch (kind) {
      case 'UID':
        return `UID ${message.uid}`
      case 'FLAGS': {
        const { recent } = this.selected
        return `FLAGS ${formatFlags(message.flags, recent.length > 0 && contains(recent, message.uid))}`
      }
      case 'INTERNALDATE':
        return `INTERNALDATE ${encodeDateTime(message.received)}`
      case 'RFC822.SIZE':
        return `RFC822.SIZE ${message.octets}`
      case 'MODSEQ':
        return `MODSEQ (${message.modSeq})`
      case 'ENVELOPE':
        return `ENVELOPE ${envelopeText(facts.envelope)}`
      case 'BODYSTRUCTURE':
        return `BODYSTRUCTURE ${bodyStructureText(facts.structure, { global: this.context.enabled.has('IMAP4REV2') })}`
      case 'BODY':
        return `BODY ${bodyStructureText(facts.structure, { extended: false })}`
      case 'PREVIEW':
        return `PREVIEW ${encodeString(utf8Octets(facts.preview))}`
      case 'SAVEDATE':
        return `SAVEDATE ${encodeDateTime(message.saved)}`
      case 'EMAILID':
        return `EMAILID (${objectId('M', message.id)})`
      default:
        return `THREADID ${written(threadId(facts))}`
    }
  }

  private section(message: ImapMessage, item: SectionItem, header: Uint8Array | null | undefined): void {
    const { context } = this
    const where = locate(message.facts.structure, item)
    context.write(`${item.label} `)
    if (where === undefined) return context.write('NIL')
    if (header === undefined) return this.range(message.id, cut(where, item.partial))
    if (header === null) return context.write('NIL')
    const text = selectFields(octetString(header), item.fields, item.part === 'HEADER.FIELDS.NOT')
    const { start, end } = cut({ start: 0, end: text.length }, item.partial)
    context.write(encodeLiteral(text.slice(start, end)))
  }

  private range(message: string, { start, end }: Octets): void {
    this.context.write(`{${end - start}}\r\n`)
    this.context.writeBody(message, start, end)
  }
}

/** In parentheses, or NIL (RFC 8474 §5.3). */
const written = (id: string | undefined): string => (id === undefined ? 'NIL' : `(${id})`)

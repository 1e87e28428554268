import { bodyStructureText } from '../../../message/imap-text.ts'
import { bodyStructureTextOf, envelopeTextOf } from '../../../message/packed-facts.ts'
import { octetString, utf8Octets } from '../../bytes/text.ts'
import { encodeDateTime, encodeLiteral, encodeString } from '../encode.ts'
import type { FetchItem, SectionItem } from '../fetch-items.ts'
import type { ImapEntry, ImapMessage } from '../mailbox.ts'
import { ask, flow, type Run } from '../run.ts'
import { cut, locate, type Octets, selectFields } from '../section.ts'
import type { BodyRange } from '../../session/session.ts'
import { type Measured, measure, sayBinary } from './binary.ts'
import type { ImapContext, Selected } from './context.ts'
import { objectId, threadId } from './object-id.ts'
import { flagsText, messageText, tellKeywords, wantsUid } from './synchronise.ts'
import { look, type Looked } from './looked.ts'

/** Octets of headers that are asked for at a time. */
const MOST_OCTETS = 1024 * 1024

const ofEntries: ReadonlySet<FetchItem['kind']> = new Set<FetchItem['kind']>([
  'FLAGS', 'UID', 'INTERNALDATE', 'RFC822.SIZE', 'MODSEQ', 'SAVEDATE', 'EMAILID',
])

/** What is made of the structure of a message, rather than copied. */
const ofStructure: ReadonlySet<FetchItem['kind']> = new Set<FetchItem['kind']>(['SECTION', 'BINARY', 'BINARY.SIZE', 'BODY'])

/** Characters of a BODYSTRUCTURE from which on it counts as work, and octets of other work that a character is worth. */
const LONG_STRUCTURE = 8192
const STRUCTURE_WORK = 16

/** All of a message: where it ends its entry tells. */
const isWhole = (item: FetchItem): boolean => item.kind === 'SECTION' && item.part === 'ALL' && item.path.length === 0

/** Whether reading the item gives the message `\Seen`. */
export const setsSeen = (item: FetchItem): boolean => (item.kind === 'SECTION' || item.kind === 'BINARY') && !item.peek

/** A message that has just become `\Seen` by being read. */
type Shown = ImapEntry & { readonly marked?: boolean }

/** Headers of a message by where they begin; `null` where the message is gone. */
type Headers = Map<number, Uint8Array | null>

/** Says what FETCH asks for, a line a message. */
export class Lines {
  readonly needsFacts: boolean
  private readonly context: ImapContext
  private readonly selected: Selected
  private readonly items: readonly FetchItem[]
  private readonly fields: readonly SectionItem[]
  private readonly binaries: readonly Extract<FetchItem, { kind: 'BINARY' | 'BINARY.SIZE' }>[]
  private readonly saysFlags: boolean
  private readonly needsStructure: boolean
  private readonly work: Looked = { looked: 0 }

  constructor(context: ImapContext, selected: Selected, items: readonly FetchItem[]) {
    this.context = context
    this.selected = selected
    this.items = items.filter(isFirst)
    this.needsFacts = items.some((item) => !ofEntries.has(item.kind) && !isWhole(item))
    const rev2 = context.enabled.has('IMAP4REV2')
    this.needsStructure = items.some((item) =>
      (ofStructure.has(item.kind) && !isWhole(item)) || (rev2 && item.kind === 'BODYSTRUCTURE'))
    this.saysFlags = items.some(({ kind }) => kind === 'FLAGS')
    this.binaries = items.filter((item) => item.kind === 'BINARY' || item.kind === 'BINARY.SIZE')
    this.fields = items.filter((item): item is SectionItem => item.kind === 'SECTION' && item.part.startsWith('HEADER.FIELDS'))
  }

  /**
   * Says a page of messages. Loops over thousands of them stand outside of generators, which are dear to compile with all that is
   * called in them, and half of what the first FETCH of a process costs is the compiling of code.
   */
  *say(page: readonly Shown[]): Run<void> {
    this.tellNewKeywords(page)
    if (this.fields.length > 0) yield* this.withHeaders(page as readonly (Shown & ImapMessage)[])
    else if (this.binaries.length > 0) for (const message of page) yield* this.withBinaries(message, undefined)
    else if (this.needsStructure) {
      for (const message of page) {
        yield* this.lookInto(message as Shown & ImapMessage)
        this.message(message, undefined)
        if (this.context.full) yield* flow(this.context)
      }
    } else {
      for (let at = 0; at < page.length;) {
        at = this.messagesFrom(page, at)
        if (this.context.full) yield* flow(this.context)
      }
    }
  }

  private tellNewKeywords(page: readonly Shown[]): void {
    let known: readonly string[] | undefined
    for (const { flags, marked } of page) {
      if (flags === known || !(this.saysFlags || marked === true)) continue
      tellKeywords(this.context, this.selected, flags)
      known = flags
    }
  }

  /**
   * Says messages for as long as there is room, and gives where it ended: what clients ask of ten thousand messages at a time.
   * Nothing is asked of the host for them, so none has to be able to wait.
   */
  private messagesFrom(page: readonly Shown[], from: number): number {
    let at = from
    do this.message(page[at++]!, undefined)
    while (at < page.length && !this.context.full)
    return at
  }

  /** Before what is said of a message is made of its structure: one of thousands of parts is much work (I65). */
  private *lookInto({ facts }: ImapMessage): Run<void> {
    const { length } = bodyStructureTextOf(facts)
    if (length <= LONG_STRUCTURE) return
    yield* look(this.work, length * STRUCTURE_WORK)
    // It is read once, and what is then made of it takes as long again.
    void facts.structure
    yield* look(this.work, length * STRUCTURE_WORK)
  }

  /** Says messages of which fields of headers are wanted, fetching those some at a time. */
  private *withHeaders(page: readonly (Shown & ImapMessage)[]): Run<void> {
    for (let at = 0; at < page.length;) {
      const ranges: BodyRange[] = []
      let octets = 0
      const from = at
      for (; at < page.length && (octets < MOST_OCTETS || at === from); at++) {
        yield* this.lookInto(page[at]!)
        for (const range of this.headersOf(page[at]!)) {
          ranges.push(range)
          octets += range.end - range.start
        }
      }
      const fetched = yield* ask({ kind: 'octets', ranges })
      let next = 0
      for (const message of page.slice(from, at)) {
        const headers: Headers = new Map()
        for (; ranges[next]?.message === message.id; next++) {
          headers.set(ranges[next]!.start, fetched[next] ?? null)
          yield* look(this.work, fetched[next]?.length ?? 0)
        }
        if (this.binaries.length > 0) yield* this.withBinaries(message, headers)
        else this.message(message, headers)
        yield* flow(this.context)
      }
    }
  }

  /** The headers of a message of which fields are wanted, each once. */
  private headersOf({ id, facts }: ImapMessage): BodyRange[] {
    const ranges = new Map<number, BodyRange>()
    for (const item of this.fields) {
      const where = locate(facts.structure, item)
      if (where) ranges.set(where.start, { message: id, ...where })
    }
    return [...ranges.values()]
  }

  private message(message: Shown, headers: Headers | undefined): void {
    const { context } = this
    // In one piece, as far as no octets of the message come between.
    let text = this.beginning(message)
    if (text === '') return
    let between = ''
    for (const item of this.items) {
      text += between
      between = ' '
      if (item.kind !== 'SECTION') text += this.simple(item.kind, message)
      else {
        context.write(text)
        text = ''
        this.section(message, item, headers)
      }
    }
    context.write(`${text}${this.ending(message)}`)
  }

  /** The same where parts have to be decoded, and so to be fetched, first. */
  private *withBinaries(message: Shown, headers: Headers | undefined): Run<void> {
    const { context } = this
    const measured: (Measured | undefined)[] = []
    yield* this.lookInto(message as ImapMessage)
    for (const item of this.binaries) measured.push(yield* measure(message as ImapMessage, item))
    const beginning = this.beginning(message)
    if (beginning === '') return
    context.write(beginning)
    let between = ''
    for (const item of this.items) {
      context.write(between)
      between = ' '
      if (item.kind === 'SECTION') this.section(message, item, headers)
      else if (item.kind === 'BINARY') yield* sayBinary(context, message as ImapMessage, item, measured.shift())
      else if (item.kind === 'BINARY.SIZE') context.write(`${item.label} ${measured.shift()?.octets ?? 0}`)
      else context.write(this.simple(item.kind, message))
    }
    context.write(this.ending(message))
    yield* flow(context)
  }

  /** Empty where the client knows of no such message. */
  private beginning({ uid, modSeq, marked }: Shown): string {
    const { selected } = this
    const sequence = selected.view.sequenceOf(uid)
    if (sequence === 0) return ''
    // What the client hears here it need not hear again.
    if ((this.saysFlags || marked === true) && modSeq > selected.modSeq) selected.own.set(uid, modSeq)
    return messageText(this.context, sequence, uid)
  }

  /** I48: that it is seen now is told in the same answer. */
  private ending(message: Shown): string {
    if (message.marked !== true || this.saysFlags) return ')\r\n'
    return `${this.items.length > 0 ? ' ' : ''}${this.unasked(message)})\r\n`
  }

  /** The flags of a message that reading it has changed, with what belongs to flags (RFC 7162 §3.1). */
  private unasked(message: Shown): string {
    const { context, items } = this
    const parts = [this.simple('FLAGS', message)]
    const add = (kind: 'UID' | 'MODSEQ', wanted: boolean): void => {
      if (wanted && !items.some((item) => item.kind === kind)) parts.push(this.simple(kind, message))
    }
    add('UID', wantsUid(context))
    add('MODSEQ', context.enabled.has('CONDSTORE'))
    return parts.join(' ')
  }

  private simple(kind: FetchItem['kind'], message: Shown): string {
    const facts = (message as ImapMessage).facts
    switch (kind) {
      case 'UID':
        return `UID ${message.uid}`
      case 'FLAGS':
        return `FLAGS ${flagsText(this.context, this.selected, message.uid, message.flags)}`
      case 'INTERNALDATE':
        return `INTERNALDATE ${encodeDateTime(message.received)}`
      case 'RFC822.SIZE':
        return `RFC822.SIZE ${message.octets}`
      case 'MODSEQ':
        return `MODSEQ (${message.modSeq})`
      case 'ENVELOPE':
        return `ENVELOPE ${envelopeTextOf(facts)}`
      case 'BODYSTRUCTURE':
        return `BODYSTRUCTURE ${this.structureText(facts)}`
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

  /** IMAP4rev2 shows a `message/global` as a message, where IMAP4rev1 knows no such thing. */
  private structureText(facts: ImapMessage['facts']): string {
    const text = bodyStructureTextOf(facts)
    if (!this.context.enabled.has('IMAP4REV2') || !/"global"/i.test(text)) return text
    return bodyStructureText(facts.structure, { global: true })
  }

  private section(message: Shown, item: SectionItem, headers: Headers | undefined): void {
    const { context } = this
    const where = isWhole(item) ? { start: 0, end: message.octets } : locate((message as ImapMessage).facts.structure, item)
    context.write(`${item.label} `)
    if (where === undefined) return context.write('NIL')
    if (!item.part.startsWith('HEADER.FIELDS')) return this.range(message.id, cut(where, item.partial))
    const header = headers?.get(where.start)
    if (!header) return context.write('NIL')
    const text = selectFields(octetString(header), item.fields, item.part === 'HEADER.FIELDS.NOT')
    const { start, end } = cut({ start: 0, end: text.length }, item.partial)
    context.write(encodeLiteral(text.slice(start, end)))
  }

  private range(message: string, { start, end }: Octets): void {
    this.context.write(`{${end - start}}\r\n`)
    this.context.writeBody(message, start, end)
  }
}

/** Whether nothing before it asks for the same: what is asked for twice is told once. */
function isFirst(item: FetchItem, at: number, items: readonly FetchItem[]): boolean {
  const same = (other: FetchItem): boolean => {
    if (!('label' in item)) return other.kind === item.kind
    return 'label' in other && other.label === item.label && lengthOf(other) === lengthOf(item)
  }
  return items.findIndex(same) === at
}

const lengthOf = (item: FetchItem): number | undefined => ('partial' in item ? item.partial?.length : undefined)

/** In parentheses, or NIL (RFC 8474 §5.3). */
const written = (id: string | undefined): string => (id === undefined ? 'NIL' : `(${id})`)

import type { Disposition, PartParameter } from './content-fields.ts'
import type { EnvelopeAddress } from './envelope-addresses.ts'
import type { Envelope } from './envelope.ts'
import type { OctetString } from './octet-string.ts'

const QUOTE = 34
const OPEN = 40
const CLOSE = 41
const SPACE = 32
const BACKSLASH = 92

/** The fields of an envelope in their order, and whether they are lists of addresses. */
const FIELDS: readonly (readonly [name: keyof Envelope, isList: boolean])[] = [
  ['date', false], ['subject', false], ['from', true], ['sender', true], ['replyTo', true], ['to', true], ['cc', true],
  ['bcc', true], ['inReplyTo', false], ['messageId', false],
]

/** Reads back the texts that `imap-text.ts` writes, of those that are printable: no others are ever given to it. */
export class ImapTextReader {
  private readonly text: string
  private at: number

  constructor(text: string, at: number) {
    this.text = text
    this.at = at
  }

  /** What `envelopeText` wrote; `sender` and `replyTo` are what it showed for them. */
  envelope(): Envelope {
    const envelope: Envelope = {}
    this.open()
    const date = this.nstring()
    const subject = this.nstring()
    if (date !== null) envelope.date = date
    if (subject !== null) envelope.subject = subject
    for (const name of ['from', 'sender', 'replyTo', 'to', 'cc', 'bcc'] as const) {
      const list = this.addresses()
      if (list) envelope[name] = list
    }
    const inReplyTo = this.nstring()
    const messageId = this.nstring()
    if (inReplyTo !== null) envelope.inReplyTo = inReplyTo
    if (messageId !== null) envelope.messageId = messageId
    return envelope
  }

  /** One field of what `envelopeText` wrote; those before it are passed over. */
  envelopeField(name: keyof Envelope): OctetString | EnvelopeAddress[] | undefined {
    this.open()
    for (const [before, isList] of FIELDS) {
      if (before === name) return isList ? this.addresses() : this.nstring() ?? undefined
      this.pass()
    }
    return undefined
  }

  /** Whether a list begins here. */
  get atList(): boolean {
    return this.unit() === OPEN
  }

  /** Passes a parenthesis that opens. */
  open(): void {
    if (!this.maybeOpen()) throw new SyntaxError(`a list was expected at ${this.at}`)
  }

  /** Passes a parenthesis that closes, if one is here. */
  maybeClose(): boolean {
    if (this.unit() !== CLOSE) return false
    this.at++
    return true
  }

  /** A string, or null for NIL. */
  nstring(): OctetString | null {
    if (this.unit() === QUOTE) return this.string()
    if (!this.text.startsWith('NIL', this.at)) throw new SyntaxError(`a string was expected at ${this.at}`)
    this.at += 3
    return null
  }

  /** Passes digits. */
  number(): void {
    this.unit()
    while (this.text.charCodeAt(this.at) >= 48 && this.text.charCodeAt(this.at) <= 57) this.at++
  }

  /** Names and values in a list, or nothing for NIL. */
  parameters(): PartParameter[] {
    const list: PartParameter[] = []
    if (!this.maybeList()) return list
    while (!this.maybeClose()) list.push([this.string(), this.string()])
    return list
  }

  /** body-fld-dsp. */
  disposition(): Disposition | undefined {
    if (!this.maybeList()) return undefined
    const disposition = { type: this.string(), params: this.parameters() }
    this.maybeClose()
    return disposition
  }

  /** body-fld-lang. */
  strings(): OctetString[] | undefined {
    if (!this.maybeList()) return undefined
    const list: OctetString[] = []
    while (!this.maybeClose()) list.push(this.string())
    return list
  }

  /** Passes a string, NIL, or a list of them, however deep. */
  private pass(): void {
    for (let depth = 0; ; ) {
      const unit = this.unit()
      if (unit === QUOTE) this.passString()
      else if (unit === OPEN || unit === CLOSE) {
        depth += unit === OPEN ? 1 : -1
        this.at++
      } else this.nstring()
      if (depth <= 0) return
    }
  }

  private passString(): void {
    const { text } = this
    for (this.at++; ; this.at++) {
      const unit = text.charCodeAt(this.at)
      if (unit === BACKSLASH) this.at++
      else if (unit === QUOTE) return void this.at++
      else if (Number.isNaN(unit)) throw new SyntaxError('a string has no end')
    }
  }

  private addresses(): EnvelopeAddress[] | undefined {
    if (!this.maybeList()) return undefined
    const list: EnvelopeAddress[] = []
    while (this.maybeOpen()) {
      list.push([this.nstring(), this.nstring(), this.nstring(), this.nstring()])
      this.maybeClose()
    }
    this.maybeClose()
    return list
  }

  /** The list that begins here, or NIL. */
  private maybeList(): boolean {
    return this.maybeOpen() || this.nstring() !== null
  }

  private maybeOpen(): boolean {
    if (this.unit() !== OPEN) return false
    this.at++
    return true
  }

  /** The code unit here, behind blanks. */
  private unit(): number {
    while (this.text.charCodeAt(this.at) === SPACE) this.at++
    return this.text.charCodeAt(this.at)
  }

  private string(): OctetString {
    const { text } = this
    if (this.unit() !== QUOTE) throw new SyntaxError(`a string was expected at ${this.at}`)
    let value = ''
    let from = ++this.at
    for (;; this.at++) {
      const unit = text.charCodeAt(this.at)
      if (unit === QUOTE) return value + text.slice(from, this.at++)
      if (Number.isNaN(unit)) throw new SyntaxError('a string has no end')
      if (unit !== BACKSLASH) continue
      value += text.slice(from, this.at++)
      from = this.at
    }
  }
}

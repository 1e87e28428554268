import { parameterOf, type PartParameter } from './content-fields.ts'
import type { OctetString } from './octet-string.ts'
import type { Content, PartHeader } from './part-header.ts'
import type { Part } from './structure.ts'

/** What a part holds: nothing that has a header, parts between delimiters, or a message. */
export type Holding = 'nothing' | 'parts' | 'message'

/** Octets of a boundary that count; RFC 2046 §5.1.1 allows 70. */
export const MOST_BOUNDARY = 80

const nothing: Content = {}

/** A part whose end has not come yet. */
export class OpenPart {
  /** The part that holds it; undefined for the message itself. */
  readonly holder: OpenPart | undefined
  /** It belongs to a message in the message. */
  readonly isEmbedded: boolean
  /** Where its header begins, and its body. */
  readonly header: number
  body = 0
  /** LFs of the message before its body. */
  linesBefore = 0
  holding: Holding = 'nothing'
  type: OctetString = 'text'
  subtype: OctetString = 'plain'
  /** Both in lower case: `text/plain`. */
  media = 'text/plain'
  /** Of a multipart that names one. */
  boundary: OctetString | undefined
  opaque = false
  /** Delimiters of its own were seen; the last of them said that it was the last. */
  delimited = false
  ended = false
  /** Of a message: its envelope, that of the message it holds, the fields that name messages. */
  envelope: PartHeader['envelope']
  inner: PartHeader['envelope']
  ids: PartHeader['ids']
  #content: Content = nothing
  #parts: Part[] | undefined

  constructor(holder: OpenPart | undefined, header: number) {
    this.holder = holder
    this.header = header
    this.isEmbedded = holder !== undefined && (holder.isEmbedded || holder.holding === 'message')
  }

  /** It begins a message: the message itself, or one that a part holds. */
  get isMessage(): boolean {
    return this.holder === undefined || this.holder.holding === 'message'
  }

  get content(): Content {
    return this.#content
  }

  /** Takes in what its header says. */
  describe({ content, mime, envelope, ids }: PartHeader): void {
    this.envelope = envelope
    this.ids = ids
    // Without MIME-Version and Content-Type, the fields of a message are not MIME's (RFC 2045 §4); of a part they are.
    if (mime || !this.isMessage) this.#content = content
    const { type } = this.#content
    if (type) {
      this.type = type.type
      this.subtype = type.subtype
      this.media = `${type.type}/${type.subtype}`.toLowerCase()
      if (type.valid) this.#classify(type.params)
    } else if (this.holder?.media === 'multipart/digest') {
      // RFC 2046 §5.1.5
      this.type = 'message'
      this.subtype = 'rfc822'
      this.media = 'message/rfc822'
      this.holding = 'message'
    }
  }

  #classify(params: readonly PartParameter[]): void {
    if (this.media.startsWith('multipart/')) {
      this.holding = 'parts'
      this.boundary = parameterOf(params, 'boundary')?.slice(0, MOST_BOUNDARY)
    } else if (this.media === 'message/rfc822' || this.media === 'message/global') this.holding = 'message'
  }

  /** A budget ran out: it is left in one piece. */
  seal(): void {
    this.opaque = true
    this.holding = 'nothing'
  }

  /** It ends at `end`, behind `lines` LFs of the message; joins its holder. */
  close(end: number, lines: number, eightBit: boolean, nul: boolean): Part {
    const { id, description, encoding, md5, disposition, language, location, type } = this.#content
    const { header, body } = this
    const part: Part = { type: this.type, subtype: this.subtype, header, body, end, lines: lines - this.linesBefore }
    if (type && type.params.length > 0) part.params = type.params
    if (id !== undefined) part.id = id
    if (description !== undefined) part.description = description
    if (encoding !== undefined) part.encoding = encoding
    if (md5 !== undefined) part.md5 = md5
    if (disposition) part.disposition = disposition
    if (language) part.language = language
    if (location !== undefined) part.location = location
    if (eightBit) part.eightBit = true
    if (nul) part.nul = true
    if (this.opaque) part.opaque = true
    if (this.holding !== 'nothing') part.parts = this.#parts ?? []
    const { holder } = this
    if (holder) {
      if (holder.#parts) holder.#parts.push(part)
      else holder.#parts = [part]
      if (holder.holding === 'message') holder.inner = this.envelope
    }
    if (this.holding === 'message') part.envelope = this.inner ?? {}
    return part
  }

}

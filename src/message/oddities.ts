import type { MessageOddity, OddityNote } from './facts.ts'
import type { OpenPart } from './open-part.ts'
import type { PartHeader } from './part-header.ts'

/** Collects oddities, each kind once with its first place and how often it came: bounded whatever the message holds. */
export class Oddities {
  /** Made for the first one: most messages have none. */
  #notes: Map<MessageOddity, { kind: MessageOddity; at: number; count: number }> | undefined

  note(kind: MessageOddity, at: number, count = 1): void {
    this.#notes ??= new Map()
    const known = this.#notes.get(kind)
    if (known) known.count += count
    else this.#notes.set(kind, { kind, at, count })
  }

  /** What is odd about the header of `part`, which has taken in what it says. */
  noteHeader(header: PartHeader, part: OpenPart): void {
    const at = part.header
    if (header.mboxFrom) this.note('mbox-from', at)
    if (header.strays > 0) this.note('stray-line', at, header.strays)
    if (header.repeats > 0) this.note('repeated-field', at, header.repeats)
    if (header.cuts > 0) this.note('over-field', at, header.cuts)
    const { type, encoding } = part.content
    if (type && !type.valid) this.note('content-type', at)
    if (part.holding === 'nothing') return
    if (encoding !== undefined && !/^(?:7bit|8bit|binary)$/i.test(encoding)) this.note('encoded-container', at)
    if (part.holding === 'message') return
    const { boundary } = part
    if (boundary === undefined) this.note('no-boundary', at)
    else if (boundary === '' || boundary.length > 70 || boundary.endsWith(' ')) this.note('boundary', at)
  }

  /** What is odd about the way in which `part` ended. */
  noteEnd(part: OpenPart): void {
    if (part.holding !== 'parts' || part.boundary === undefined) return
    if (!part.delimited) this.note('empty-multipart', part.header)
    else if (!part.ended) this.note('unended-multipart', part.header)
  }

  /** In the order in which they were first noticed. */
  list(): OddityNote[] {
    return this.#notes ? [...this.#notes.values()] : []
  }
}

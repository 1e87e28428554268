import { parameterOf } from './content-fields.ts'
import type { OpenPart } from './open-part.ts'
import { previewOf, type TextSample } from './preview.ts'

/** Octets kept of a part: markup needs more of them to come to its text. */
const MOST_PLAIN = 2048
const MOST_HTML = 8192

const nothing = new Uint8Array(0)

/** The beginning of a part, taken in as the octets come by. */
class Sample implements TextSample {
  readonly html: boolean
  readonly encoding: string | undefined
  readonly charset: string | undefined
  whole = false
  #buffer: Uint8Array = nothing
  #length = 0
  /** Where it begins in the message, and how far it may go. */
  readonly from: number
  to: number

  constructor(part: OpenPart, html: boolean, from: number) {
    this.html = html
    this.encoding = part.content.encoding
    this.charset = parameterOf(part.content.type?.params ?? [], 'charset')
    this.from = from
    this.to = from + (html ? MOST_HTML : MOST_PLAIN)
  }

  get octets(): Uint8Array {
    // Octets may have been taken that belong to the delimiter.
    return this.#buffer.subarray(0, Math.min(this.#length, this.to - this.from))
  }

  /** The part ends at `end`. */
  end(end: number): void {
    this.whole = end <= this.to
    if (this.whole) this.to = end
  }

  /** Takes what `window`, which begins at `base` in the message, adds; a view of it, if it is the last one. */
  take(window: Uint8Array, base: number, final: boolean): void {
    const next = this.from + this.#length
    const to = Math.min(this.to, base + window.length)
    if (next >= to) return
    const length = to - this.from
    if (final && this.#length === 0) this.#buffer = window.subarray(next - base, to - base)
    else {
      if (length > this.#buffer.length) this.#grow(length)
      this.#buffer.set(window.subarray(next - base, to - base), this.#length)
    }
    this.#length = length
  }

  #grow(length: number): void {
    const larger = new Uint8Array(Math.min(this.to - this.from, this.#length === 0 ? length : length * 2))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}

/**
 * Keeps the beginnings of the first plain text and the first HTML of a message, for its preview. Text of an attachment or of a
 * message in the message is not its own.
 */
export class TextSamples {
  #plain: Sample | undefined
  #html: Sample | undefined
  /** The part at hand is sampled. */
  #open: Sample | undefined

  /** The body of `part`, which holds no others, begins at `at`. */
  begin(part: OpenPart, at: number): void {
    if (part.isEmbedded || part.content.disposition?.type.toLowerCase() === 'attachment') return
    const { media } = part
    // RFC 2045 §5.2: a type that makes no sense is best taken for plain text.
    const plain = media === 'text/plain' || media === 'text/' || media === '/'
    if (plain && !this.#plain) this.#open = this.#plain = new Sample(part, false, at)
    else if (media === 'text/html' && !this.#html) this.#open = this.#html = new Sample(part, true, at)
  }

  /** The part at hand ends at `at`. */
  end(at: number): void {
    this.#open?.end(at)
    this.#open = undefined
  }

  /** The octets at hand go, unless they are the last ones. */
  take(window: Uint8Array, base: number, final: boolean): void {
    this.#plain?.take(window, base, final)
    this.#html?.take(window, base, final)
  }

  /** The preview; plain text counts unless nobody can read it. */
  preview(): string {
    const plain = this.#plain ? previewOf(this.#plain) : ''
    return plain !== '' || !this.#html ? plain : previewOf(this.#html)
  }
}

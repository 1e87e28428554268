import { octets } from '../protocol/bytes/text.ts'
import { asciiField } from './ascii-field.ts'
import { Base64LineEncoder } from './base64.ts'
import { parseTransferEncoding } from './content.ts'
import type { MessageFacts } from './facts.ts'
import { type HeaderBlock, type HeaderField, parseHeaderBlock } from './headers.ts'
import { LeafScan } from './leaf-scan.ts'
import { QuotedPrintableEncoder } from './quoted-printable.ts'
import { isMessage, type Part } from './structure.ts'
import { type TransferEncoding, transferDecoder } from './transfer.ts'

/** Octets that can be read from anywhere. */
export interface OctetSource {
  readonly size: number
  /** Octets `start` (inclusive) to `end` (exclusive), in pieces. */
  read(range: { readonly start: number; readonly end: number }): AsyncIterable<Uint8Array>
}

/** A message in another form, made anew each time that it is read. */
export interface Converted {
  /** Octets. */
  readonly size: number
  read(): AsyncGenerator<Uint8Array, void, undefined>
}

/** What a converted message is put together from: octets as they are, others instead, or octets in another encoding. */
type Step =
  | { readonly start: number; readonly end: number }
  | { readonly text: string }
  | { readonly start: number; readonly end: number; readonly from: TransferEncoding; readonly to: Encoding }

type Encoding = 'base64' | 'quoted-printable'

/** What nobody can convert without breaking it, found where it stands. */
class Unconvertible extends Error {}

/** What is odd enough that programs would disagree about what the parts are. */
const obstacles = new Set([
  'encoded-container', 'over-depth', 'over-parts', 'over-parameters', 'over-field', 'over-headers', 'over-work',
])

/** Fields that sign what is behind them. */
const signatures = ['dkim-signature', 'arc-seal', 'arc-message-signature']

/** Octets of a header that is rewritten. */
const MOST_HEADER = 1024 * 1024

/**
 * A message in 7 bits, in lines of at most 998 octets that end in CRLF: each part that is not is written in quoted-printable or
 * base64 (RFC 6152 §3, RFC 2045 §6), and decodes to the same octets. Header fields are written anew only where they hold octets
 * above 127.
 *
 * `undefined` where there is no such form that says the same: what would be changed is signed (DKIM, ARC, multipart/signed), it
 * may have no encoding (RFC 2046 §5.2), or the message is too odd to tell. Rejects as `source` does.
 */
export async function sevenBit(source: OctetSource, { structure, oddities }: MessageFacts): Promise<Converted | undefined> {
  if (oddities.some(({ kind }) => obstacles.has(kind))) return undefined
  const conversion = new Conversion(source)
  try {
    await conversion.visit(structure, true, false)
  } catch (error) {
    if (error instanceof Unconvertible) return undefined
    throw error
  }
  conversion.copy(source.size)
  const { steps } = conversion
  const read = (): AsyncGenerator<Uint8Array, void, undefined> => written(source, steps)
  // Whatever was overlooked, a line before the first part for one, is found here.
  const scan = await scanned(read())
  return scan.isFit ? { size: scan.octets, read } : undefined
}

class Conversion {
  readonly steps: Step[] = []
  /** Up to where the message has been written. */
  #at = 0
  readonly #source: OctetSource

  constructor(source: OctetSource) {
    this.#source = source
  }

  /** Everything up to `to` stays. */
  copy(to: number): void {
    if (to > this.#at) this.steps.push({ start: this.#at, end: to })
    this.#at = to
  }

  /** Goes over a part and what it holds, in the order of their octets; as deep as the structure, which has a bound. */
  async visit(part: Part, isTop: boolean, isSigned: boolean): Promise<void> {
    const header = await this.#header(part)
    // Where nothing else says that it is MIME, some programs heed this field, others do not (RFC 2045 §4).
    const declared = parseTransferEncoding(part.encoding ?? header.value('content-transfer-encoding'))
    const isWide = declared === '8bit' || declared === 'binary'
    if (isTop && part.header === 0 && signatures.some((name) => header.has(name))) throw new Unconvertible()
    if (part.parts) {
      const type = part.type.toLowerCase()
      const signed = isSigned || (type === 'multipart' && part.subtype.toLowerCase() === 'signed')
      // What it holds will be in 7 bits, and it must not claim more (RFC 2045 §6.4).
      this.#rewrite(part, header, isWide && !signed ? '7bit' : undefined, isTop, isSigned)
      for (const child of part.parts) await this.visit(child, isMessage(part), signed)
      return
    }
    const scan = await scanned(this.#source.read({ start: part.body, end: part.end }))
    const to = scan.isFit ? undefined : this.#encodingOf(part, declared, scan, isSigned)
    this.#rewrite(part, header, to ?? (isWide && !isSigned ? '7bit' : undefined), isTop, isSigned)
    if (to === undefined) return
    this.copy(part.body)
    this.steps.push({ start: part.body, end: part.end, from: declared, to })
    this.#at = part.end
  }

  async #header({ header, body }: Part): Promise<HeaderBlock> {
    if (body - header > MOST_HEADER) throw new Unconvertible()
    const bytes = new Uint8Array(body - header)
    let to = 0
    for await (const piece of this.#source.read({ start: header, end: body })) {
      bytes.set(piece, to)
      to += piece.length
    }
    return parseHeaderBlock(bytes, 0, to, header)
  }

  /** How a part's body is to be encoded that cannot stay as it is. */
  #encodingOf(part: Part, declared: TransferEncoding, scan: LeafScan, isSigned: boolean): Encoding {
    const type = part.type.toLowerCase()
    // RFC 2046 §5.2: other messages have no encoding; those of RFC 6532 may have.
    const isBound = type === 'multipart' || (type === 'message' && !part.subtype.toLowerCase().startsWith('global'))
    if (isSigned || isBound || part.opaque || declared === 'uuencode' || declared === 'unknown') throw new Unconvertible()
    if (declared === 'base64' || declared === 'quoted-printable') {
      if (part.encoding === undefined) throw new Unconvertible()
      return declared
    }
    return type === 'text' || type === '' ? scan.encoding : 'base64'
  }

  /** Writes a header anew where it has to be, with the encoding it is to name; `undefined`: the one that it names. */
  #rewrite(part: Part, header: HeaderBlock, encoding: string | undefined, isTop: boolean, isSigned: boolean): void {
    const isEncoding = (field: HeaderField): boolean => encoding !== undefined && field.is('content-transfer-encoding')
    const changed = header.fields.filter((field) => isEncoding(field) || field.oddities.includes('8bit'))
    if (changed.length === 0 && encoding === undefined) return
    if (isSigned) throw new Unconvertible()
    for (const field of changed) {
      this.copy(field.start)
      if (!isEncoding(field)) this.#write(asciiField(field))
      this.#at = field.end
    }
    if (encoding === undefined) return
    const last = header.fields.at(-1)
    if (!header.complete) throw new Unconvertible()
    this.copy(last?.end ?? part.header)
    // Without it nobody need look at the encoding (RFC 2045 §4).
    if (isTop && !header.has('mime-version')) this.#write('MIME-Version: 1.0\r\n')
    this.#write(`Content-Transfer-Encoding: ${encoding}\r\n`)
  }

  #write(text: string | undefined): void {
    if (text === undefined) throw new Unconvertible()
    this.steps.push({ text })
  }
}

async function scanned(pieces: AsyncIterable<Uint8Array>): Promise<LeafScan> {
  const scan = new LeafScan()
  for await (const piece of pieces) scan.push(piece)
  scan.end()
  return scan
}

async function* written(source: OctetSource, steps: readonly Step[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const step of steps) {
    if ('text' in step) yield octets(step.text)
    else if (step.start === step.end) continue
    else if ('to' in step) yield* encoded(source, step)
    else yield* source.read(step)
  }
}

async function* encoded(
  source: OctetSource, { from, to, ...range }: Extract<Step, { to: Encoding }>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = transferDecoder(from)
  const encoder = to === 'base64' ? new Base64LineEncoder() : new QuotedPrintableEncoder(true)
  const bytesOf = (coded: string | Uint8Array): Uint8Array => (typeof coded === 'string' ? octets(coded) : coded)
  for await (const piece of source.read(range)) {
    const bytes = bytesOf(encoder.push(decoder.push(piece)))
    if (bytes.length > 0) yield bytes
  }
  for (const coded of [encoder.push(decoder.end()), encoder.end()]) if (coded.length > 0) yield bytesOf(coded)
}

import type { HeaderBlock, HeaderField } from '../../message/headers.ts'
import { octetString } from '../../protocol/bytes/text.ts'
import type { FieldRow, ReadSignature } from './package.ts'

/** Octets of a field that holds a signature. */
const MOST_SIGNATURE = 16 * 1024
/** Blanks in a row in such a field: what reads it tries again from each of them. */
const MOST_BLANKS = 200
/** Names that a signature says it covers. */
const MOST_NAMES = 500
/** Octets of the fields that all signatures of a message together cover. */
const MOST_SIGNED = 512 * 1024

/** A field as a line. An LF that lost its CR has it again, as everywhere else in a message. */
export function rowOf(header: HeaderBlock, field: HeaderField): FieldRow {
  const { start, end, name } = field
  const octets = header.raw.subarray(start - header.start, end - header.start)
  const line = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
  const isMended = field.oddities.includes('bare-lf')
  return { key: asciiLower(name), casedKey: name, line: isMended ? mended(line) : withoutEnd(line) }
}

function withoutEnd(line: Buffer): Buffer {
  const { length } = line
  if (line[length - 1] !== 10) return line
  return line.subarray(0, length - (line[length - 2] === 13 ? 2 : 1))
}

function mended(line: Buffer): Buffer {
  return withoutEnd(Buffer.from(octetString(line).replaceAll('\r\n', '\n').replaceAll('\n', '\r\n'), 'latin1'))
}

/** Whether a signature is none that takes longer to read than it is worth. */
export function isReadable({ line }: FieldRow): boolean {
  if (line.length > MOST_SIGNATURE) return false
  let blanks = 0
  for (const octet of line) {
    blanks = octet === 32 || (octet >= 9 && octet <= 13) ? blanks + 1 : 0
    if (blanks > MOST_BLANKS) return false
  }
  return true
}

/** What signatures say they cover: how many fields of each name, counted from the end of the header (RFC 6376 §5.4.2). */
export class SignedFields {
  readonly #wanted = new Map<string, number>()

  /** A signature was read; `false` where it names more than anybody would. */
  add({ parsed }: ReadSignature): boolean {
    const names = String(parsed?.h?.value ?? 'from').split(':', MOST_NAMES + 1)
    if (names.length > MOST_NAMES) return false
    const own = new Map<string, number>()
    for (const name of names) {
      const key = asciiLower(name.trim())
      const count = (own.get(key) ?? 0) + 1
      own.set(key, count)
      if (count > (this.#wanted.get(key) ?? 0)) this.#wanted.set(key, count)
    }
    return true
  }

  /** Those fields, in order, and no other; `undefined` where they are too much to be looked at. */
  rows(header: HeaderBlock): readonly FieldRow[] | undefined {
    const rows: FieldRow[] = []
    let octets = 0
    for (let at = header.fields.length - 1; at >= 0; at--) {
      const field = header.fields[at]!
      const key = asciiLower(field.name)
      const left = this.#wanted.get(key) ?? 0
      if (left === 0) continue
      this.#wanted.set(key, left - 1)
      octets += field.end - field.start
      if (octets > MOST_SIGNED) return undefined
      rows.push(rowOf(header, field))
    }
    return rows.reverse()
  }
}

/** RFC 6376 §3.4.2 means the letters of ASCII. */
function asciiLower(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

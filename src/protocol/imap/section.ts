import { isMessage, type Part, partAt } from '../../message/structure.ts'
import type { Partial, SectionItem } from './fetch-items.ts'

/** Octets of a message, `start` to `end` (exclusive). */
export interface Octets {
  readonly start: number
  readonly end: number
}

/**
 * Where in the message a section lies (RFC 9051 §6.4.5); of HEADER.FIELDS the whole header. `undefined`: there is no such
 * section.
 */
export function locate(root: Part, { path, part: piece }: Pick<SectionItem, 'path' | 'part'>): Octets | undefined {
  const part = partAt(root, path)
  if (part === undefined) return undefined
  if (path.length === 0 && piece === 'ALL') return { start: root.header, end: root.end }
  if (piece === 'ALL') return { start: part.body, end: part.end }
  if (piece === 'MIME') return { start: part.header, end: part.body }
  // HEADER and TEXT are those of a message: the one it all is, or one that is a part of it.
  const message = path.length === 0 ? root : isMessage(part) ? part.parts?.[0] : undefined
  if (message === undefined) return undefined
  return piece === 'TEXT' ? { start: message.body, end: message.end } : { start: message.header, end: message.body }
}

/** The octets of a range that a partial fetch asks for; none where it begins beyond the end (I47). */
export function cut({ start, end }: Octets, partial: Partial | undefined): Octets {
  if (partial === undefined) return { start, end }
  const from = Math.min(start + partial.origin, end)
  return { start: from, end: Math.min(from + partial.length, end) }
}

const CR = 13
const LF = 10
const COLON = 58

/**
 * The fields of a header, as octets, whose names are in the set (`not`: are not), in the order of the message and with the empty
 * line at the end (I49). Stray lines that are no fields belong to none and are left out.
 */
export function selectFields(header: string, names: ReadonlySet<string>, not: boolean): string {
  let out = ''
  let keep = false
  for (let at = 0; at < header.length;) {
    const feed = header.indexOf('\n', at)
    const end = feed < 0 ? header.length : feed + 1
    const first = header.charCodeAt(at)
    if (first === LF || (first === CR && header.charCodeAt(at + 1) === LF)) break
    if (first !== 32 && first !== 9) {
      const name = fieldName(header, at, end)
      keep = name !== undefined && names.has(name) !== not
    }
    if (keep) out += header.slice(at, end)
    at = end
  }
  if (out !== '' && !out.endsWith('\n')) out += '\r\n'
  return `${out}\r\n`
}

/** In lower case, without blanks before the colon (RFC 5322 §4.5.1). */
function fieldName(header: string, from: number, to: number): string | undefined {
  const colon = header.indexOf(':', from)
  if (colon < 0 || colon >= to || header.charCodeAt(from) === COLON) return undefined
  return header.slice(from, colon).trimEnd().toLowerCase()
}

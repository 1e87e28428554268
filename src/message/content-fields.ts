import { BROKEN, END, FieldCursor, MORE } from './field-cursor.ts'
import type { OctetString } from './octet-string.ts'

/**
 * A parameter as IMAP shows it: the name as written, the value without quotes. The pieces of RFC 2231 §3 are put together
 * under one name; a value that has a charset or percent escapes (§4) keeps them and its name ends in `*`.
 */
export type PartParameter = readonly [name: OctetString, value: OctetString]

/** What a Content-Type field says. Type and subtype as written, empty where they make no sense. */
export interface TypeField {
  readonly type: OctetString
  readonly subtype: OctetString
  /** `false`: the field breaks RFC 2045 §5.1; there are no parameters then. */
  readonly valid: boolean
  readonly params: PartParameter[]
}

/** What a Content-Disposition field says (RFC 2183). */
export interface Disposition {
  readonly type: OctetString
  readonly params: readonly PartParameter[]
}

/** The value of the first parameter of that name, which is given in lower case. */
export function parameterOf(params: readonly PartParameter[], name: string): OctetString | undefined {
  for (let index = 0; index < params.length; index++) {
    const parameter = params[index]!
    if (parameter[0].length === name.length && parameter[0].toLowerCase() === name) return parameter[1]
  }
  return undefined
}

/** How many more parameters a message may have, and whether it had more. */
export interface ParameterAllowance {
  left: number
  exceeded: boolean
}

const QUOTE = 34
const COMMA = 44
const SLASH = 47
const SEMICOLON = 59
const EQUALS = 61

/** Reads a Content-Type field body in octets [from, to) of `text`. */
export function readTypeField(text: OctetString, from: number, to: number, allowance: ParameterAllowance): TypeField {
  const cursor = new FieldCursor(text, from, to)
  const none = (type: string): TypeField => ({ type, subtype: '', valid: false, params: [] })
  if (cursor.skip() !== MORE) return none('')
  const outcome = cursor.token()
  const type = cursor.value
  if (outcome !== MORE || type === '') return none(type)
  if (cursor.peek() !== SLASH) return none('')
  cursor.at++
  if (cursor.skip() !== MORE || cursor.token() === BROKEN || cursor.value === '') return none('')
  if (cursor.peek() !== SEMICOLON && cursor.peek() >= 0) return none('')
  return { type, subtype: cursor.value, valid: true, params: readParameters(cursor, allowance) }
}

/** Reads a Content-Disposition field body; undefined where it begins with a broken comment. */
export function readDisposition(
  text: OctetString,
  from: number,
  to: number,
  allowance: ParameterAllowance,
): Disposition | undefined {
  const cursor = new FieldCursor(text, from, to)
  cursor.skip()
  if (cursor.token() === BROKEN) return undefined
  return { type: cursor.value, params: readParameters(cursor, allowance) }
}

/** Reads a Content-Transfer-Encoding field body: one token and nothing else. */
export function readEncoding(text: OctetString, from: number, to: number): OctetString | undefined {
  const cursor = new FieldCursor(text, from, to)
  cursor.skip()
  return cursor.token() === END && cursor.value !== '' ? cursor.value : undefined
}

/** Reads a Content-Language field body (RFC 3282): the tags before the first thing that is none. */
export function readLanguages(text: OctetString, from: number, to: number): OctetString[] {
  const cursor = new FieldCursor(text, from, to)
  const tags: OctetString[] = []
  cursor.skip()
  while (cursor.atom() !== BROKEN) {
    tags.push(cursor.value)
    if (cursor.peek() !== COMMA) break
    cursor.at++
    cursor.skip()
  }
  return tags
}

/** `*( ";" attribute "=" value )` (RFC 2045 §5.1); what is broken is passed over up to the next semicolon. */
function readParameters(cursor: FieldCursor, allowance: ParameterAllowance): PartParameter[] {
  const found: PartParameter[] = []
  let pieces = false
  while (cursor.peek() >= 0) {
    const parameter = readParameter(cursor)
    if (!parameter) {
      cursor.at++
      continue
    }
    if (allowance.left === 0) {
      allowance.exceeded = true
      break
    }
    allowance.left--
    found.push(parameter)
    if (!pieces && parameter[0].includes('*')) pieces = true
  }
  return pieces ? joinPieces(found) : found
}

function readParameter(cursor: FieldCursor): PartParameter | undefined {
  if (cursor.peek() !== SEMICOLON) return undefined
  cursor.at++
  if (cursor.skip() !== MORE || cursor.token() !== MORE || cursor.peek() !== EQUALS) return undefined
  const name = cursor.value
  cursor.at++
  const outcome = cursor.skip()
  if (outcome === BROKEN) return undefined
  if (outcome === END) return [name, '']
  if (cursor.peek() === EQUALS) return [name, untilBlank(cursor)]
  return (cursor.peek() === QUOTE ? cursor.quoted() : cursor.token()) === BROKEN ? undefined : [name, cursor.value]
}

/** A value that begins with `=`, which is none: `name==?utf-8?b?…?=` by broken software. Up to a blank or a semicolon. */
function untilBlank(cursor: FieldCursor): string {
  const from = cursor.at
  for (; cursor.at < cursor.end; cursor.at++) {
    const unit = cursor.peek()
    if (unit === SEMICOLON || unit === 32 || unit === 9 || unit === 13 || unit === 10) break
  }
  return cursor.text.slice(from, cursor.at)
}

interface Piece {
  readonly key: string
  readonly index: number
  /** Percent escapes (RFC 2231 §4): the name ended in `*`. */
  readonly extended: boolean
  readonly value: string
}

/** Parameters in pieces (RFC 2231 §3) put together and last, sorted by name; where a piece is missing, each stays as it is. */
function joinPieces(found: readonly PartParameter[]): PartParameter[] {
  const whole: PartParameter[] = []
  const pieces: Piece[] = []
  for (const parameter of found) {
    const piece = pieceOf(parameter)
    if (piece) pieces.push(piece)
    else whole.push(parameter)
  }
  pieces.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.index - b.index))
  for (let from = 0, to = 0; from < pieces.length; from = to) {
    const key = pieces[from]!.key.toLowerCase()
    while (to < pieces.length && pieces[to]!.key.toLowerCase() === key) to++
    whole.push(...joined(pieces.slice(from, to)))
  }
  return whole
}

/** `name*`, `name*0`, `name*0*`. */
function pieceOf([name, value]: PartParameter): Piece | undefined {
  const star = name.indexOf('*')
  if (star < 0) return undefined
  let at = star + 1
  let index = 0
  for (; at < name.length; at++) {
    const digit = name.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) break
    index = index * 10 + digit
  }
  const bare = at === star + 1 && at === name.length
  const extended = bare || name[at] === '*'
  if (extended && !bare) at++
  return at === name.length ? { key: name.slice(0, star), index, extended, value } : undefined
}

function joined(pieces: readonly Piece[]): PartParameter[] {
  const [first] = pieces
  if (!first) return []
  if (pieces.some(({ index }, at) => index !== at)) {
    return pieces.map(({ key, index, extended, value }) => [`${key}*${index}${extended ? '*' : ''}`, value])
  }
  if (!pieces.some(({ extended }) => extended)) return [[first.key, pieces.map(({ value }) => value).join('')]]
  // Pieces without escapes stand among pieces with them: their own percent signs are to be taken as such.
  const values = pieces.map(({ extended, value }) => (extended ? value : value.replaceAll('%', '%25')))
  return [[`${first.key}*`, (first.extended ? '' : "''") + values.join('')]]
}

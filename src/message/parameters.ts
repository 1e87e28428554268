import { encodeUtf8, hasControl, isAscii } from '../protocol/bytes/text.ts'
import { decodeText } from './charset.ts'
import { decodeEncodedWords } from './encoded-words.ts'
import { FieldLexer } from './field-lexer.ts'
import { isBlank, quoted, skipBlanks, trimBlanks } from './lexemes.ts'
import { hexValue } from './quoted-printable.ts'

/** A field body of the form `value; name=value; …` (RFC 2045 §5.1, RFC 2183 §2). */
export interface Parameterised {
  /** What stands before the first parameter, without blanks and comments, its case kept. */
  readonly value: string
  /** By name in lower case. Of two with one name, the first counts. */
  readonly parameters: ReadonlyMap<string, string>
}

/** Parameters that {@link parseParameterised} reads; what follows is left out. */
export const MOST_PARAMETERS = 1_000

/**
 * Reads a value with parameters, continuations and charsets of RFC 2231 included. Total, linear time. What is widespread
 * is understood though it is wrong: encoded words in values, values with blanks and specials but no quotes, lone quotes,
 * pieces out of order, a missing semicolon behind the value. A value in RFC 2231's form wins over a plain one.
 */
export function parseParameterised(text: string): Parameterised {
  const lexer = new FieldLexer(text)
  const value = readValue(lexer)
  const plain = new Map<string, string>()
  const pieces = new Map<string, Piece[]>()
  for (let count = 0; count < MOST_PARAMETERS; count++) {
    const parameter = readParameter(lexer)
    if (!parameter) break
    const star = parameter.name.indexOf('*')
    if (star > 0) addPiece(pieces, parameter.name, star, parameter.value)
    else if (parameter.name !== '' && !plain.has(parameter.name)) plain.set(parameter.name, parameter.value)
  }
  const parameters = new Map<string, string>()
  // A boundary is octets to be compared; anything else may be an encoded word, which RFC 2047 §5 forbids and many send.
  for (const [name, one] of plain) parameters.set(name, name === 'boundary' ? one : decodeEncodedWords(one))
  for (const [name, list] of pieces) {
    const joined = join(list)
    if (joined !== undefined) parameters.set(name, joined)
  }
  return { value, parameters }
}

/** A piece of a value (RFC 2231 §3): which one, and whether it is percent-encoded (§4). */
interface Piece {
  readonly index: number
  readonly coded: boolean
  readonly text: string
}

/** `name*`, `name*0`, `name*0*`. Others with a star in the name are nothing known. */
function addPiece(pieces: Map<string, Piece[]>, name: string, star: number, text: string): void {
  const coded = name.endsWith('*')
  const alone = star === name.length - 1
  const digits = name.slice(star + 1, coded ? -1 : undefined)
  if (!alone && !/^\d{1,4}$/.test(digits)) return
  const base = name.slice(0, star)
  const list = pieces.get(base) ?? []
  list.push({ index: alone ? 0 : Number(digits), coded, text })
  pieces.set(base, list)
}

/**
 * Pieces in their order up to the first that is missing; the first of all may have any number, the first of each number counts.
 */
function join(list: Piece[]): string | undefined {
  list.sort((one, other) => one.index - other.index)
  let next = list[0]!.index
  let charset: string | undefined
  let text = ''
  let octets: number[] = []
  const flush = (): void => {
    text += octets.length === 0 ? '' : decodeText(Uint8Array.from(octets), charset ?? 'utf-8')
    octets = []
  }
  for (const [at, piece] of list.entries()) {
    if (piece.index < next) continue
    if (piece.index > next) break
    next++
    if (!piece.coded) {
      flush()
      text += at === 0 ? decodeEncodedWords(piece.text) : piece.text
      continue
    }
    const start = at === 0 ? charsetEnd(piece.text) : 0
    if (start > 0) charset = piece.text.slice(0, piece.text.indexOf("'"))
    // Octets of neighbouring pieces belong together: some senders cut inside a character.
    percentDecode(piece.text, start, octets)
  }
  flush()
  return hasControl(text) ? text.replace(/[\0\r\n]/g, ' ') : text
}

/** Behind `charset'language'`; 0 where it is missing. */
function charsetEnd(text: string): number {
  const first = text.indexOf("'")
  return first < 0 ? 0 : text.indexOf("'", first + 1) + 1
}

function percentDecode(text: string, from: number, octets: number[]): void {
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    const high = unit === 0x25 && at + 2 < text.length ? hexValue(text.charCodeAt(at + 1)) : -1
    const low = high < 0 ? -1 : hexValue(text.charCodeAt(at + 2))
    if (low >= 0) {
      octets.push((high << 4) | low)
      at += 2
    } else if (unit < 128) octets.push(unit)
    else {
      const pair = text.codePointAt(at)!
      if (pair > 0xffff) at++
      for (const octet of encodeUtf8(String.fromCodePoint(pair))) octets.push(octet)
    }
  }
}

const QUOTE = 34
const OPEN = 40
const SLASH = 47
const SEMICOLON = 59
const EQUALS = 61

/** Up to the semicolon, or to a blank: what follows is then read as a parameter. Blanks around a slash count for nothing. */
function readValue(lexer: FieldLexer): string {
  let value = ''
  let behindSlash = false
  lexer.skip()
  while (!lexer.done) {
    const word = lexer.run((unit) => unit === SEMICOLON || unit === OPEN || isBlank(unit))
    value += word
    if (word !== '') behindSlash = word.endsWith('/')
    lexer.skip()
    if (lexer.peek() === SEMICOLON || (!behindSlash && lexer.peek() !== SLASH)) break
    // A parenthesis without its partner.
    if (lexer.peek() === OPEN && word === '') lexer.at++
  }
  return value
}

/** The next parameter; the name is empty where a piece has none. `undefined` at the end. */
function readParameter(lexer: FieldLexer): { name: string; value: string } | undefined {
  lexer.skip()
  while (lexer.peek() === SEMICOLON) {
    lexer.at++
    lexer.skip()
  }
  if (lexer.done) return undefined
  const name = trimBlanks(lexer.run((unit) => unit === EQUALS || unit === SEMICOLON)).toLowerCase()
  if (lexer.peek() !== EQUALS) return { name: '', value: '' }
  lexer.at++
  lexer.skip()
  const inQuotes = lexer.peek() === QUOTE ? lexer.quoted() : undefined
  if (inQuotes === undefined) return { name, value: readPlain(lexer) }
  lexer.run((unit) => unit === SEMICOLON)
  return { name, value: inQuotes }
}

/** Up to the semicolon, for the senders who forget quotes; without a comment at its end. */
function readPlain(lexer: FieldLexer): string {
  const { text, at: from } = lexer
  let end = -1
  while (!lexer.done && lexer.peek() !== SEMICOLON) {
    const at = lexer.at
    const isComment = lexer.peek() === OPEN && (at === from || isBlank(text.charCodeAt(at - 1))) && lexer.comment() !== undefined
    if (!isComment) {
      lexer.at++
      continue
    }
    const next = skipBlanks(text, lexer.at)
    if (next === text.length || text.charCodeAt(next) === SEMICOLON) end = at
  }
  return trimBlanks(text.slice(from, end < 0 ? lexer.at : end))
}

/** Octets of a value that fit on a line with its name (RFC 2231 §3 is there because lines have 76). */
const MOST_PIECE = 50

/**
 * Writes what {@link parseParameterised} reads. Values are quoted where they have to be; those that are not ASCII, or too long
 * for a line, take the form of RFC 2231. Parameters are parted by `; `, a blank to fold at. One whose name is no token, or has a
 * star in it, is left out.
 */
export function formatParameterised(value: string, parameters: Iterable<readonly [string, string]>): string {
  const parts = [value]
  for (const [name, text] of parameters) {
    if (isToken(name) && !name.includes('*')) for (const part of formatParameter(name, text)) parts.push(part)
  }
  return parts.join('; ')
}

function formatParameter(name: string, value: string): string[] {
  const plain = isAscii(value) && !hasControl(value) && !value.includes('=?')
  if (plain && value.length <= MOST_PIECE) return [`${name}=${isToken(value) ? value : quoted(value)}`]
  const pieces: string[] = []
  let piece = "UTF-8''"
  for (const character of value) {
    const coded = percentEncode(character)
    if (piece.length + coded.length > MOST_PIECE) {
      pieces.push(piece)
      piece = ''
    }
    piece += coded
  }
  pieces.push(piece)
  return pieces.length === 1 ? [`${name}*=${piece}`] : pieces.map((text, index) => `${name}*${index}*=${text}`)
}

/** RFC 2231 §7: attribute-char stands for itself. */
function percentEncode(character: string): string {
  if (character.length === 1 && isToken(character) && !"*'%".includes(character)) return character
  let coded = ''
  for (const octet of encodeUtf8(character)) coded += `%${octet.toString(16).toUpperCase().padStart(2, '0')}`
  return coded
}

/** RFC 2045 §5.1: ASCII but control characters, blanks and tspecials. */
export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit <= 32 || unit >= 127 || '()<>@,;:\\"/[]?='.includes(text[at]!)) return false
  }
  return text.length > 0
}

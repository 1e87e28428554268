import { encodeBase64 } from '../protocol/bytes/base64.ts'
import { joinedOctets } from '../protocol/bytes/joined.ts'
import { encodeUtf8, hasControl, isAscii } from '../protocol/bytes/text.ts'
import { decodeBase64Text } from './base64.ts'
import { decodeText } from './charset.ts'
import { escapeOctet, hexValue } from './quoted-printable.ts'

/** Longer charset names do not exist; the bound keeps the search for the first `?` short. */
const MOST_CHARSET = 64
/** RFC 2047 §2: an encoded word has at most 75 characters; 12 of them frame UTF-8 text. */
const MOST_CONTENT = 75 - 12

interface Word {
  /** Lower case, without the language of RFC 2231 §5. */
  readonly charset: string
  readonly bytes: Uint8Array
  /** Behind its last character. */
  readonly end: number
}

/**
 * A field's text with its encoded words (RFC 2047) decoded; never throws, linear time.
 *
 * Wider than the RFC where mail is: words may touch other text, hold blanks, lack base64 padding, name a language
 * (RFC 2231 §5). Octets of neighbouring words are put together before they are decoded, for senders that cut inside a character.
 * What is no encoded word stays as it is. CR, LF and NUL out of a word become blanks: a name or subject is one line.
 */
export function decodeEncodedWords(text: string): string {
  let at = text.indexOf('=?')
  if (at < 0) return text
  const closes = new Finder(text, '?=')
  const opens = new Finder(text, '=?')
  const run = new Run()
  let out = ''
  let done = 0
  for (; at >= 0; at = opens.from(at)) {
    const word = readWord(text, at, opens, closes)
    if (!word) {
      at += 1
      continue
    }
    // RFC 2047 §6.2: blanks between two encoded words are not part of the text.
    if (run.empty || !isBlank(text, done, at)) out += run.flush() + text.slice(done, at)
    out += run.add(word)
    at = done = word.end
  }
  return out + run.flush() + text.slice(done)
}

/** Finds occurrences from ascending positions, looking at each character once. */
class Finder {
  readonly #text: string
  readonly #sought: string
  #found = -2

  constructor(text: string, sought: string) {
    this.#text = text
    this.#sought = sought
  }

  /** The first occurrence at `at` or behind it, or -1. */
  from(at: number): number {
    if (this.#found !== -1 && this.#found < at) this.#found = this.#text.indexOf(this.#sought, at)
    return this.#found
  }
}

/** Neighbouring words of one charset, whose octets belong together. */
class Run {
  #charset = ''
  #pieces: Uint8Array[] = []

  get empty(): boolean {
    return this.#pieces.length === 0
  }

  /** Takes a word; returns the text of what came before, if the charset changed. */
  add(word: Word): string {
    const before = word.charset === this.#charset ? '' : this.flush()
    this.#charset = word.charset
    this.#pieces.push(word.bytes)
    return before
  }

  flush(): string {
    if (this.#pieces.length === 0) return ''
    const text = decodeText(this.#pieces.length === 1 ? this.#pieces[0]! : joinedOctets(this.#pieces), this.#charset)
    this.#pieces = []
    return hasControl(text) ? text.replace(/[\0\r\n]/g, ' ') : text
  }
}

/** The encoded word that begins at `at`, where `=?` stands. */
function readWord(text: string, at: number, opens: Finder, closes: Finder): Word | undefined {
  let mark = at + 2
  const limit = Math.min(text.length, mark + MOST_CHARSET)
  while (mark < limit && text.charCodeAt(mark) > 0x20 && text[mark] !== '?' && text[mark] !== '=') mark++
  if (mark === at + 2 || text[mark] !== '?' || text[mark + 2] !== '?') return undefined
  const encoding = text[mark + 1]!
  const isBase64 = encoding === 'B' || encoding === 'b'
  if (!isBase64 && encoding !== 'Q' && encoding !== 'q') return undefined
  const from = mark + 3
  const to = closes.from(from)
  if (to < 0) return undefined
  // A word that was cut off must not swallow the next one; `=` right before the end is text.
  const next = opens.from(from)
  if (next >= 0 && next + 1 < to) return undefined
  const content = text.slice(from, to)
  const bytes = isBase64 ? decodeBase64Text(content) : decodeQ(content)
  return { charset: charsetOf(text.slice(at + 2, mark)), bytes, end: to + 2 }
}

function charsetOf(name: string): string {
  const language = name.indexOf('*')
  return (language < 0 ? name : name.slice(0, language)).toLowerCase()
}

/** RFC 2047 §4.2: `_` is a blank, `=XX` an octet. Characters that should have been encoded count as their UTF-8. */
function decodeQ(content: string): Uint8Array {
  const source = encodeUtf8(content)
  const bytes = new Uint8Array(source.length)
  let to = 0
  for (let at = 0; at < source.length; at++) {
    const octet = source[at]!
    if (octet === 0x5f) {
      bytes[to++] = 0x20
      continue
    }
    const high = octet === 0x3d && at + 2 < source.length ? hexValue(source[at + 1]!) : -1
    const low = high < 0 ? -1 : hexValue(source[at + 2]!)
    if (low >= 0) at += 2
    bytes[to++] = low < 0 ? octet : (high << 4) | low
  }
  return bytes.subarray(0, to)
}

function isBlank(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at)
    if (unit !== 0x20 && unit !== 0x09 && unit !== 0x0d && unit !== 0x0a) return false
  }
  return true
}

/** Whether the text cannot stand in a header as it is: not ASCII, a control character, or it would read as an encoded word. */
export function needsEncoding(text: string): boolean {
  return !isAscii(text) || hasControl(text) || text.includes('=?')
}

/**
 * Text as encoded words in UTF-8 (RFC 2047), as many as it takes, with a blank between them to fold at; the shorter of the
 * two encodings. Text that needs none comes back unchanged. Decoding it gives the text back, but for
 * lone surrogates (U+FFFD) and CR, LF and NUL (blanks).
 */
export function encodeWords(text: string): string {
  if (!needsEncoding(text)) return text
  const size = (plain: string): number => encodedQ(plain).length
  const inQ = size(text) <= Math.ceil(encodeUtf8(text).length / 3) * 4
  const words: string[] = []
  let piece = ''
  let used = 0
  for (const character of text) {
    const cost = inQ ? size(character) : encodeUtf8(character).length
    if (used + cost > (inQ ? MOST_CONTENT : 45)) {
      words.push(framed(piece, inQ))
      piece = ''
      used = 0
    }
    piece += character
    used += cost
  }
  words.push(framed(piece, inQ))
  return words.join(' ')
}

function framed(piece: string, inQ: boolean): string {
  return inQ ? `=?UTF-8?Q?${encodedQ(piece)}?=` : `=?UTF-8?B?${encodeBase64(encodeUtf8(piece))}?=`
}

/** The characters of RFC 2047 §5 (3), which may stand for themselves even in a phrase; a blank is `_`. */
function encodedQ(text: string): string {
  let out = ''
  for (const octet of encodeUtf8(text)) {
    const isWord = (octet >= 0x30 && octet <= 0x39) || ((octet | 0x20) >= 0x61 && (octet | 0x20) <= 0x7a && octet < 0x80)
    const isPlain = isWord || octet === 0x21 || octet === 0x2a || octet === 0x2b || octet === 0x2d || octet === 0x2f
    if (isPlain) out += String.fromCharCode(octet)
    else out += octet === 0x20 ? '_' : escapeOctet(octet)
  }
  return out
}

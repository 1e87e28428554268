import { decodeUtf8, octets, octetString } from '../protocol/bytes/text.ts'
import { charsetName, decodeText } from './charset.ts'
import { hexValue } from './quoted-printable.ts'
import { foldText, headerText } from './search-text.ts'
import { decodeTransfer, type TransferEncoding } from './transfer.ts'

/** Letters of the words that are looked for before anything is decoded. */
const MOST_LETTERS = 16

/** Characters of which is remembered where they can stand among the letters, and runs of octets of which what they say. */
const MOST_KNOWN = 4096

/** Octets of such a run. */
const MOST_RUN = 32

/** Charsets, beside UTF-8, whose first half is ASCII and in which each octet is a character. */
const SINGLE = /^(windows-125[0-8]|iso-8859-([2-9]|1[0-6])|koi8-[ru])$/

const HIGH = /[\x80-\xff]/

const EQUALS = 61

/** An octet of which is not known what it stands for. */
const UNKNOWN = -1

/** Where the text of a character can stand among the letters: which must come right before and behind it, 0 for none. */
interface Place {
  readonly before: number
  readonly behind: number
}

/**
 * Looks for words in texts as they are stored, and decodes only those that may have them.
 *
 * What has the words has their letters, one behind the other, in any case: as they are, or in quoted-printable as escapes and
 * with soft line breaks between them. Or some of them come of characters that are not ASCII (`ß`, `ř`, `ﬁ`): each of those is
 * looked at together with the letters beside it. Whatever cannot be told in this way is decoded.
 */
export class WordFinder {
  private readonly words: string
  /** Letters of the words: printable ASCII in upper case, without blanks, which may be line ends where they are written. */
  private readonly letters: string
  /** They are all of the words. */
  private readonly isAll: boolean
  /** Neither looks at an octet for more than one letter at a time. */
  private readonly plain: RegExp
  private readonly quoted: RegExp
  private readonly places = new Map<number, readonly Place[]>()
  private readonly texts = new Map<string, string>()

  /** `words` as `foldText` has them. */
  constructor(words: string) {
    const longest = (words.match(/[!-~]+/g) ?? []).reduce((most, one) => (one.length > most.length ? one : most), '')
    this.words = words
    this.letters = longest.slice(0, MOST_LETTERS)
    this.isAll = this.letters === words
    this.plain = new RegExp([...this.letters].map(written).join(''), 'i')
    this.quoted = new RegExp([...this.letters].map(quoted).join('(?:=[ \\t]{0,998}(?:\\r\\n?|\\n))*'), 'i')
  }

  /** Whether the header of a message or a part has them. */
  inHeader(bytes: Uint8Array): boolean {
    if (this.letters !== '') {
      const raw = octetString(bytes)
      if (!raw.includes('=?') && !HIGH.test(raw)) {
        const has = this.plain.test(raw)
        if (!has || this.isAll) return has
      }
    }
    return foldText(headerText(bytes)).includes(this.words)
  }

  /** Whether the body of a part has them; `bytes` are all of it. */
  inPart(bytes: Uint8Array, encoding: TransferEncoding, charset: string | undefined): boolean {
    const isQuoted = encoding === 'quoted-printable'
    const said = isQuoted ? bytes : decodeTransfer(bytes, encoding)
    const has = this.letters === '' ? undefined : this.inOctets(said, isQuoted, charset)
    if (has !== undefined) return has
    return foldText(decodeText(isQuoted ? decodeTransfer(said, encoding) : said, charset)).includes(this.words)
  }

  /** `undefined`: that takes decoding them. */
  private inOctets(said: Uint8Array, isQuoted: boolean, charset: string | undefined): boolean | undefined {
    const name = charsetName(charset)
    if (name !== undefined && name !== 'utf-8' && !SINGLE.test(name)) return undefined
    const raw = octetString(said)
    const found = (isQuoted ? this.quoted : this.plain).exec(raw)
    if (found) return this.isAll && !(isQuoted && this.mayBeEscape(raw, found.index)) ? true : undefined
    const may = isQuoted ? this.mayBeEscaped(raw, name) : HIGH.test(raw) && this.mayBeHigh(raw, name ?? guessed(said))
    return may ? undefined : false
  }

  /** Whether letters that were found at `at` may be an escape, or a part of one. */
  private mayBeEscape(raw: string, at: number): boolean {
    return this.letters.includes('=') || isInEscape(raw, at)
  }

  /** Whether the letters may come of octets above 127. */
  private mayBeHigh(raw: string, charset: string): boolean {
    const runs = /[\x80-\xff]+/g
    for (let run = runs.exec(raw); run; run = runs.exec(raw)) {
      if (this.mayBeAt(this.textOf(run[0], charset), raw.charCodeAt(run.index - 1), raw.charCodeAt(runs.lastIndex))) return true
    }
    return false
  }

  /** Whether they may come of escaped octets above 127. */
  private mayBeEscaped(raw: string, charset: string | undefined): boolean {
    // What should have been escaped is rare.
    if (HIGH.test(raw)) return true
    for (let at = raw.indexOf('='); at >= 0; at = raw.indexOf('=', at)) {
      let octet = highAt(raw, at)
      if (octet < 0) {
        at++
        continue
      }
      if (charset === undefined) return true
      const before = octetBefore(raw, at)
      let run = ''
      while (octet >= 0) {
        run += String.fromCharCode(octet)
        at = behindBreaks(raw, at + 3)
        octet = highAt(raw, at)
      }
      const behind = raw.charCodeAt(at)
      if (this.mayBeAt(this.textOf(run, charset), before, behind === EQUALS ? UNKNOWN : behind)) return true
    }
    return false
  }

  /** What octets above 127 say. Most letters come again and again. */
  private textOf(run: string, charset: string): string {
    const key = `${charset} ${run}`
    let text = this.texts.get(key)
    if (text === undefined) {
      text = decodeText(octets(run), charset)
      if (run.length <= MOST_RUN && this.texts.size < MOST_KNOWN) this.texts.set(key, text)
    }
    return text
  }

  /** Whether the letters may overlap with a run of characters between two octets, NaN for the beginning and the end. */
  private mayBeAt(run: string, before: number, behind: number): boolean {
    for (let at = 0; at < run.length;) {
      const code = run.codePointAt(at)!
      const end = at + (code > 0xffff ? 2 : 1)
      for (const place of this.places.get(code) ?? this.placesOf(code)) {
        const fits = (at > 0 || mayBe(before, place.before)) && (end < run.length || mayBe(behind, place.behind))
        if (fits) return true
      }
      at = end
    }
    return false
  }

  private placesOf(code: number): readonly Place[] {
    const { letters } = this
    const text = foldText(String.fromCodePoint(code))
    const places: Place[] = []
    for (let from = 1 - text.length; from < letters.length; from++) {
      const end = Math.min(letters.length, from + text.length)
      let at = Math.max(0, from)
      while (at < end && letters[at] === text[at - from]) at++
      if (at < end) continue
      const behind = from + text.length < letters.length ? letters.charCodeAt(from + text.length) : 0
      places.push({ before: from > 0 ? letters.charCodeAt(from - 1) : 0, behind })
    }
    if (this.places.size < MOST_KNOWN) this.places.set(code, places)
    return places
  }
}

/** The charset in which `decodeText` reads octets that come without one. */
const guessed = (said: Uint8Array): string => (decodeUtf8(said) === undefined ? 'windows-1252' : 'utf-8')

/** Whether an octet may be the letter that is wanted, 0 for none. */
function mayBe(octet: number, wanted: number): boolean {
  if (wanted === 0 || octet === UNKNOWN) return true
  return (octet >= 97 && octet <= 122 ? octet - 32 : octet) === wanted
}

/** A letter in a regular expression. */
const written = (letter: string): string => (/[A-Z0-9]/.test(letter) ? letter : `\\x${hex(letter)}`)

/** A letter, or its escape: in upper or in lower case. */
function quoted(letter: string): string {
  const [upper, lower] = [hex(letter), hex(letter.toLowerCase())]
  return `(?:${written(letter)}|=${upper}${lower === upper ? '' : `|=${lower}`})`
}

const hex = (letter: string): string => letter.charCodeAt(0).toString(16).padStart(2, '0')

/** The octet above 127 that is escaped at `at`, or -1. */
function highAt(raw: string, at: number): number {
  if (raw.charCodeAt(at) !== EQUALS) return -1
  const high = hexValue(raw.charCodeAt(at + 1))
  const low = hexValue(raw.charCodeAt(at + 2))
  return high >= 8 && low >= 0 ? high * 16 + low : -1
}

/** The octet that stands right before an escape, where it stands for itself. */
function octetBefore(raw: string, escape: number): number {
  let at = escape
  while (at >= 3 && raw.startsWith('=\r\n', at - 3)) at -= 3
  const octet = raw.charCodeAt(at - 1)
  // The end of a line may be a soft one; and two hex digits may be an escape.
  return octet === 10 || octet === 13 || octet === EQUALS || raw.charCodeAt(at - 3) === EQUALS ? UNKNOWN : octet
}

/** Behind the soft line breaks at `at`. */
function behindBreaks(raw: string, at: number): number {
  for (;;) {
    if (raw.charCodeAt(at) !== EQUALS) return at
    let end = at + 1
    while (raw.charCodeAt(end) === 32 || raw.charCodeAt(end) === 9) end++
    const unit = raw.charCodeAt(end)
    if (unit === 10) at = end + 1
    else if (unit === 13) at = end + (raw.charCodeAt(end + 1) === 10 ? 2 : 1)
    else return at
  }
}

/** Whether what stands at `at` belongs to an escape that began before. */
function isInEscape(raw: string, at: number): boolean {
  const isHex = (index: number): boolean => hexValue(raw.charCodeAt(index)) >= 0
  if (raw.charCodeAt(at - 1) === EQUALS) return isHex(at) && isHex(at + 1)
  return raw.charCodeAt(at - 2) === EQUALS && isHex(at - 1) && isHex(at)
}

import { decodeUtf8, octetString } from '../protocol/bytes/text.ts'
import { charsetName, decodeText } from './charset.ts'
import { hexValue } from './quoted-printable.ts'
import { foldText, headerText } from './search-text.ts'
import { decodeTransfer, type TransferEncoding } from './transfer.ts'

/** Letters of the words that are looked for before anything is decoded. */
const MOST_LETTERS = 16

/** Letters that are looked for first: so short a text is looked for at the speed of memory, by its first letter. */
const MOST_CORE = 6

/** Letters by how often they are written. */
const OFTEN = 'etaoinsrhldcumfpgwybvkxjqz'

/** Characters of which is remembered where they can stand among the letters. */
const MOST_KNOWN = 4096

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
  /** In lower case; and of these some, the rarest first. */
  private readonly small: string
  private readonly core: string
  /** For an octet behind which letters are broken up, how many of them may come before: a bit for each number. */
  private readonly splits = new Uint32Array(256)
  private readonly places = new Map<number, readonly Place[]>()
  /** By charset the characters of the octets above 127. */
  private readonly upper = new Map<string, string>()
  /** Octets of a run of escapes. */
  private run = new Uint8Array(64)

  /** `words` as `foldText` has them. */
  constructor(words: string) {
    const longest = (words.match(/[!-~]+/g) ?? []).reduce((most, one) => (one.length > most.length ? one : most), '')
    this.words = words
    this.letters = longest.slice(0, MOST_LETTERS)
    this.isAll = this.letters === words
    this.small = this.letters.toLowerCase()
    this.core = coreOf(this.small)
    for (let at = 1; at < this.small.length; at++) this.splits[this.small.charCodeAt(at - 1)]! |= 1 << at
  }

  /** Whether the header of a message or a part has them. */
  inHeader(bytes: Uint8Array): boolean {
    if (this.letters !== '') {
      const raw = octetString(bytes)
      if (!raw.includes('=?') && !HIGH.test(raw)) {
        const has = this.indexIn(raw.toLowerCase()) >= 0
        if (!has || this.isAll) return has
      }
    }
    return foldText(headerText(bytes)).includes(this.words)
  }

  /**
   * Whether the body of a part has them; `bytes` are all of it. `eightBit`: not so where it is known that no octet is above 127,
   * as they are encoded.
   */
  inPart(bytes: Uint8Array, encoding: TransferEncoding, charset: string | undefined, eightBit = true): boolean {
    const isQuoted = encoding === 'quoted-printable'
    const said = isQuoted ? bytes : decodeTransfer(bytes, encoding)
    const mayBeHigh = eightBit || (said !== bytes && !isQuoted)
    const has = this.letters === '' ? undefined : this.inOctets(said, isQuoted, charset, mayBeHigh)
    if (has !== undefined) return has
    return foldText(decodeText(isQuoted ? decodeTransfer(said, encoding) : said, charset)).includes(this.words)
  }

  /** `undefined`: that takes decoding them. */
  private inOctets(said: Uint8Array, isQuoted: boolean, charset: string | undefined, eightBit: boolean): boolean | undefined {
    const name = charsetName(charset)
    if (name !== undefined && name !== 'utf-8' && !SINGLE.test(name)) return undefined
    // Of octets above 127 it makes others, which are not looked at.
    const lower = octetString(said).toLowerCase()
    const at = this.indexIn(lower)
    if (at >= 0) return this.isAll && !(isQuoted && this.mayBeEscape(lower, at)) ? true : undefined
    if (isQuoted) return this.mayBeEscaped(lower, name) || (eightBit && HIGH.test(lower)) ? undefined : false
    return eightBit && HIGH.test(lower) && this.mayBeHigh(said, name ?? guessed(said)) ? undefined : false
  }

  /** Where the letters stand as they are in octets in lower case, or -1. */
  private indexIn(lower: string): number {
    return lower.includes(this.core) ? lower.indexOf(this.small) : -1
  }

  /** Whether letters that were found at `at` may be an escape, or a part of one. */
  private mayBeEscape(lower: string, at: number): boolean {
    return this.letters.includes('=') || isInEscape(lower, at)
  }

  /** Whether the letters may come of octets above 127. */
  private mayBeHigh(said: Uint8Array, charset: string): boolean {
    for (let at = 0; at < said.length; at++) {
      // Most are not.
      while (at + 3 < said.length && (said[at]! | said[at + 1]! | said[at + 2]! | said[at + 3]!) < 128) at += 4
      if (at >= said.length || said[at]! < 128) continue
      const from = at
      while (at < said.length && said[at]! > 127) at++
      if (this.mayBeIn(said, from, at, charset, said[from - 1] ?? 0, said[at] ?? 0)) return true
    }
    return false
  }

  /** Whether they may come of escapes, or be broken up by soft line breaks. */
  private mayBeEscaped(lower: string, charset: string | undefined): boolean {
    if (this.letters.includes('=')) return true
    for (let at = lower.indexOf('='); at >= 0; at = lower.indexOf('=', at)) {
      let octet = escapedAt(lower, at)
      if (octet < 128) {
        if ((octet >= 0 && this.goesOn(lower, at, 0)) || this.isBrokenAt(lower, at)) return true
        at += octet < 0 ? 1 : 3
        continue
      }
      if (charset === undefined) return true
      const before = octetBefore(lower, at)
      let length = 0
      while (octet > 127) {
        if (length === this.run.length) this.run = grown(this.run)
        this.run[length++] = octet
        at = behindBreaks(lower, at + 3)
        octet = escapedAt(lower, at)
      }
      const behind = lower.charCodeAt(at)
      if (this.mayBeIn(this.run, 0, length, charset, before, behind === EQUALS ? UNKNOWN : behind)) return true
    }
    return false
  }

  /** Whether the first of them stand right before `at`, and the others go on there behind an escape or a soft line break. */
  private isBrokenAt(lower: string, at: number): boolean {
    for (let splits = this.splits[lower.charCodeAt(at - 1)] ?? 0; splits !== 0; splits &= splits - 1) {
      const before = 31 - Math.clz32(splits & -splits)
      if (this.goesOn(lower, at, before) && lower.startsWith(this.small.slice(0, before), at - before)) return true
    }
    return false
  }

  /** Whether the letters from `from` on are written at `at`. */
  private goesOn(lower: string, at: number, from: number): boolean {
    const { small } = this
    for (let letter = from; letter < small.length; letter++) {
      at = behindBreaks(lower, at)
      const wanted = small.charCodeAt(letter)
      const isEscape = lower.charCodeAt(at) === EQUALS
      const octet = isEscape ? escapedAt(lower, at) : lower.charCodeAt(at)
      if (octet !== wanted && !(isEscape && octet >= 65 && octet <= 90 && octet + 32 === wanted)) return false
      at += isEscape ? 3 : 1
    }
    return true
  }

  /** Whether they may come of a run of octets above 127 between two other octets, 0 or NaN for the beginning and the end. */
  private mayBeIn(run: Uint8Array, from: number, end: number, charset: string, before: number, behind: number): boolean {
    const upper = charset === 'utf-8' ? undefined : this.upperOf(charset)
    for (let at = from; at < end;) {
      const code = upper === undefined ? codeAt(run, at, end) : upper.charCodeAt(run[at]! - 128)
      // What is not UTF-8 is read in one way or another.
      if (code < 0) return true
      const next = at + (upper === undefined ? octetsOf(code) : 1)
      for (const place of this.places.get(code) ?? this.placesOf(code)) {
        if ((at > from || mayBe(before, place.before)) && (next < end || mayBe(behind, place.behind))) return true
      }
      at = next
    }
    return false
  }

  private upperOf(charset: string): string {
    let upper = this.upper.get(charset)
    if (upper === undefined) {
      upper = Array.from({ length: 128 }, (_, octet) => decodeText(Uint8Array.of(octet + 128), charset)).join('')
      this.upper.set(charset, upper)
    }
    return upper
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

/** A few of the letters, the rarest of them first. */
function coreOf(small: string): string {
  let first = 0
  for (let at = 1; at < small.length; at++) if (rarity(small, at) > rarity(small, first)) first = at
  return small.slice(first, first + MOST_CORE)
}

/** What is no letter is as rare as the rarest, but for digits. */
function rarity(small: string, at: number): number {
  const index = OFTEN.indexOf(small[at]!)
  return index >= 0 ? index : /\d/.test(small[at]!) ? OFTEN.length / 2 : OFTEN.length
}

/** The charset in which `decodeText` reads octets that come without one. */
const guessed = (said: Uint8Array): string => (decodeUtf8(said) === undefined ? 'windows-1252' : 'utf-8')

/** Whether an octet may be the letter that is wanted, 0 for none. */
function mayBe(octet: number, wanted: number): boolean {
  if (wanted === 0 || octet === UNKNOWN) return true
  return (octet >= 97 && octet <= 122 ? octet - 32 : octet) === wanted
}

/** The character at `at`, or -1 where it is not UTF-8. */
function codeAt(run: Uint8Array, at: number, end: number): number {
  const lead = run[at]!
  const more = lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1
  if (more < 0 || at + more >= end) return -1
  let code = lead & (0x3f >> more)
  for (let index = at + 1; index <= at + more; index++) {
    if ((run[index]! & 0xc0) !== 0x80) return -1
    code = (code << 6) | (run[index]! & 0x3f)
  }
  return octetsOf(code) === more + 1 ? code : -1
}

/** Octets that a character takes in UTF-8; 0 where there is none of that number. */
const octetsOf = (code: number): number =>
  (code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : code < 0x11_0000 ? 4 : 0)

function grown(run: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * run.length)
  larger.set(run)
  return larger
}

/** The octet that is escaped at `at`, or -1. */
function escapedAt(lower: string, at: number): number {
  if (lower.charCodeAt(at) !== EQUALS) return -1
  const high = hexValue(lower.charCodeAt(at + 1))
  const low = hexValue(lower.charCodeAt(at + 2))
  return high >= 0 && low >= 0 ? high * 16 + low : -1
}

/** The octet that stands right before an escape, where it stands for itself. */
function octetBefore(lower: string, escape: number): number {
  let at = escape
  while (at >= 3 && lower.startsWith('=\r\n', at - 3)) at -= 3
  const octet = lower.charCodeAt(at - 1)
  // The end of a line may be a soft one; and two hex digits may be an escape.
  return octet === 10 || octet === 13 || octet === EQUALS || lower.charCodeAt(at - 3) === EQUALS ? UNKNOWN : octet
}

/** Behind the soft line breaks at `at`. */
function behindBreaks(lower: string, at: number): number {
  for (;;) {
    if (lower.charCodeAt(at) !== EQUALS) return at
    let end = at + 1
    while (lower.charCodeAt(end) === 32 || lower.charCodeAt(end) === 9) end++
    const unit = lower.charCodeAt(end)
    if (unit === 10) at = end + 1
    else if (unit === 13) at = end + (lower.charCodeAt(end + 1) === 10 ? 2 : 1)
    else return at
  }
}

/** Whether what stands at `at` belongs to an escape that began before. */
function isInEscape(lower: string, at: number): boolean {
  const isHex = (index: number): boolean => hexValue(lower.charCodeAt(index)) >= 0
  if (lower.charCodeAt(at - 1) === EQUALS) return isHex(at) && isHex(at + 1)
  return lower.charCodeAt(at - 2) === EQUALS && isHex(at - 1) && isHex(at)
}

import { decodeUtf8 } from '../protocol/bytes/text.ts'
import { asciiDomain } from './domain.ts'
import { withoutEntities } from './preview.ts'
import { hexValue } from './quoted-printable.ts'

/** Characters of what stands between `//` and the path: a host has 253 at most; credentials before it are there to hide it. */
const MOST_AUTHORITY = 1000

const TAB = 9
const LF = 10
const CR = 13
const QUOTE = 0x22
const PERCENT = 0x25
const APOSTROPHE = 0x27
const SLASH = 0x2f
const COLON = 0x3a
const BACKSLASH = 0x5c

/** What ends an authority: where the path begins, and what people put around links. */
const ENDS = new Set([...'/?#\\"\'<>`{}|^()[],;'].map((mark) => mark.charCodeAt(0)))

/**
 * The hosts of the links in a text, as browsers and mail programs would find them: behind `http://` and the like (one slash or
 * many, of either kind), after `www.`, and in HTML behind `//` in an attribute, with credentials, ports, escapes and character
 * references taken off. In A-labels and lower case, in the order in which they come, each once; names with two labels or more,
 * no addresses. At most `most`. Never throws; linear time.
 */
export function linkHosts(text: string, isHtml: boolean, most = 100): readonly string[] {
  const found = new Set<string>()
  const shown = isHtml ? withoutEntities(text) : text
  for (let at = 0; at < shown.length && found.size < most; at++) {
    const start = authorityAt(shown, at, isHtml)
    if (start < 0) continue
    const { host, end } = hostAt(shown, start, isHtml && isQuote(quoteBefore(shown, at)))
    if (host !== undefined) found.add(host)
    at = Math.max(at, end - 1)
  }
  return [...found]
}

/** Where the authority begins of a link that begins here, or whose scheme ends here; -1 where none does. */
function authorityAt(text: string, at: number, isHtml: boolean): number {
  const unit = text.charCodeAt(at)
  const before = text.charCodeAt(at - 1)
  if (unit === COLON) return isSlash(text.charCodeAt(at + 1)) && isLetter(before) ? behindSlashes(text, at + 1) : -1
  if (isSlash(unit)) {
    // What begins with two slashes has the scheme of the page it stands on.
    const isRelative = isHtml && isSlash(text.charCodeAt(at + 1)) && (isQuote(before) || before === 0x3d || before === 0x28)
    return isRelative ? behindSlashes(text, at) : -1
  }
  if ((unit | 0x20) !== 0x77 || isLabel(before) || before === 0x2e || before === 0x40) return -1
  return text.slice(at, at + 4).toLowerCase() === 'www.' ? at : -1
}

/** The mark before the scheme whose colon stands at `at`. */
function quoteBefore(text: string, at: number): number {
  let from = at
  while (from > 0 && at - from < 10 && isLetter(text.charCodeAt(from - 1))) from--
  return text.charCodeAt(from - 1)
}

function behindSlashes(text: string, from: number): number {
  let at = from
  while (isSlash(text.charCodeAt(at))) at++
  return at
}

/** The host that is written from `start` on, and where it ends. `isQuoted`: line ends in it count for nothing. */
function hostAt(text: string, start: number, isQuoted: boolean): { readonly host: string | undefined; readonly end: number } {
  let authority = ''
  let at = start
  for (; at < text.length && at - start < MOST_AUTHORITY; at++) {
    const unit = text.charCodeAt(at)
    if (isQuoted && (unit === TAB || unit === LF || unit === CR)) continue
    if (unit <= 0x20 || unit === 0x7f || ENDS.has(unit)) break
    authority += text[at]!
  }
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  const colon = host.indexOf(':')
  return { host: hostName(unescaped(colon < 0 ? host : host.slice(0, colon))), end: at }
}

/** With its percent escapes (RFC 3986 §2.1) undone. */
function unescaped(text: string): string {
  if (!text.includes('%')) return text
  const octets: number[] = []
  const encoder = new TextEncoder()
  for (let at = 0; at < text.length; at++) {
    const [high, low] = [hexValue(text.charCodeAt(at + 1)), hexValue(text.charCodeAt(at + 2))]
    if (text.charCodeAt(at) === PERCENT && high >= 0 && low >= 0) {
      octets.push(high * 16 + low)
      at += 2
    } else octets.push(...encoder.encode(text[at]))
  }
  return decodeUtf8(Uint8Array.from(octets)) ?? ''
}

/** The name as the DNS has it; `undefined` where it is none, or one that is known by itself alone, such as `localhost`. */
function hostName(given: string): string | undefined {
  let end = given.length
  // Dots behind it are those of the sentence.
  while (end > 0 && (given[end - 1] === '.' || given[end - 1] === '\u3002')) end--
  const name = asciiDomain(given.slice(0, end))
  const labels = name.split('.')
  if (name.length > 253 || labels.length < 2) return undefined
  const isSound = labels.every((label) => {
    if (label.length === 0 || label.length > 63) return false
    for (let at = 0; at < label.length; at++) if (!isLabel(label.charCodeAt(at))) return false
    return true
  })
  // RFC 3696 §2: no top level domain is a number; what looks so is an address.
  return isSound && [...labels.at(-1)!].some((character) => isLetter(character.charCodeAt(0))) ? name : undefined
}

const isSlash = (unit: number): boolean => unit === SLASH || unit === BACKSLASH
const isQuote = (unit: number): boolean => unit === QUOTE || unit === APOSTROPHE
const isLetter = (unit: number): boolean => (unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a
/** What labels are made of in practice: letters, digits, hyphens, underscores. */
const isLabel = (unit: number): boolean => isLetter(unit) || (unit >= 0x30 && unit <= 0x39) || unit === 0x2d || unit === 0x5f

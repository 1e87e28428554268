import { decodeText } from './charset.ts'
import { parseTransferEncoding } from './content.ts'
import { decodeTransfer } from './transfer.ts'

/** Characters of a preview: what clients show of it (RFC 8970 §2 allows 256). */
const MOST_PREVIEW = 200

/** Octets that are enough for most previews; where they are not, four times as many are tried, and so on. */
const FEW_OCTETS = 256

/** The beginning of a part that holds text. */
export interface TextSample {
  readonly octets: Uint8Array
  /** `false`: the part goes on. */
  readonly whole: boolean
  readonly html: boolean
  /** Content-Transfer-Encoding and charset as the header has them. */
  readonly encoding: string | undefined
  readonly charset: string | undefined
}

/** The first characters that people would read, on one line; empty where there are none. */
export function previewOf(sample: TextSample): string {
  const { octets, html } = sample
  for (let few = html ? octets.length : FEW_OCTETS; few < octets.length; few *= 4) {
    const text = readable(sample, octets.subarray(0, few), false)
    if (text.length >= MOST_PREVIEW) return cut(text)
  }
  return cut(readable(sample, octets, sample.whole))
}

function readable(sample: TextSample, octets: Uint8Array, whole: boolean): string {
  const decoded = decodeTransfer(octets, parseTransferEncoding(sample.encoding))
  const text = decodeText(whole ? decoded : withoutHalf(decoded), sample.charset)
  return collapsed(sample.html ? withoutMarkup(text) : text)
}

/** Without the beginning of a UTF-8 sequence at the end, which would make the text look like no UTF-8. */
function withoutHalf(bytes: Uint8Array): Uint8Array {
  let at = bytes.length
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const octet = bytes[bytes.length - back]!
    if (octet < 0x80) break
    if (octet < 0xc0) continue
    const needs = octet < 0xe0 ? 2 : octet < 0xf0 ? 3 : 4
    if (needs > back) at = bytes.length - back
    break
  }
  return bytes.subarray(0, at)
}

/** Blanks, line ends and control characters in a row become one blank; none at the ends. Reads no more than is shown. */
function collapsed(text: string): string {
  let out = ''
  let at = behindSpace(text, 0)
  while (at < text.length && out.length < MOST_PREVIEW) {
    const end = behindWords(text, at, Math.min(text.length, at + MOST_PREVIEW - out.length))
    out += out === '' ? text.slice(at, end) : ` ${text.slice(at, end)}`
    at = behindSpace(text, end)
  }
  return out
}

/** Behind words with one blank between them, which stay as they are. */
function behindWords(text: string, from: number, to: number): number {
  let at = from
  for (; at < to; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 0x20 && unit < 0x7f) continue
    if (unit === 0x20 ? at + 1 === text.length || isSpace(text.charCodeAt(at + 1)) : isSpace(unit)) break
  }
  return at
}

function behindSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && isSpace(text.charCodeAt(at))) at++
  return at
}

function isSpace(unit: number): boolean {
  if (unit > 0x20 && unit < 0x7f) return false
  return unit <= 0x20 || unit <= 0xa0 || unit === 0x200b || unit === 0x2028 || unit === 0x2029 || unit === 0xfeff
}

/** Not between the halves of a character beyond the basic plane, and not behind a blank. */
function cut(text: string): string {
  const last = text.charCodeAt(MOST_PREVIEW - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? MOST_PREVIEW - 1 : MOST_PREVIEW).trimEnd()
}

/** Elements whose content nobody reads. */
const SILENT = new Set(['head', 'style', 'script', 'title'])
const ENTITIES = new Map([
  ['amp', '&'], ['lt', '<'], ['gt', '>'], ['quot', '"'], ['apos', "'"], ['nbsp', ' '], ['zwnj', ''], ['shy', ''], ['copy', '©'],
  ['reg', '®'], ['hellip', '…'], ['ndash', '–'], ['mdash', '—'], ['rsquo', '’'], ['lsquo', '‘'], ['rdquo', '”'], ['ldquo', '“'],
  ['euro', '€'], ['auml', 'ä'], ['ouml', 'ö'], ['uuml', 'ü'], ['Auml', 'Ä'], ['Ouml', 'Ö'], ['Uuml', 'Ü'], ['szlig', 'ß'],
  ['eacute', 'é'],
])

/** Characters of an entity behind its `&`. */
const MOST_ENTITY = 9

/** What HTML shows, roughly: tags, comments and silent elements go, each leaves a blank. One pass. */
export function withoutMarkup(html: string): string {
  let out = ''
  let at = 0
  while (at < html.length) {
    const tag = html.indexOf('<', at)
    out += withoutEntities(tag < 0 ? html.slice(at) : html.slice(at, tag))
    if (tag < 0) break
    at = behindTag(html, tag)
    // A lone `<` in text is no tag.
    out += at === tag + 1 ? '<' : ' '
  }
  return out
}

function behindTag(html: string, tag: number): number {
  if (html.startsWith('<!--', tag)) return behind(html, '-->', tag + 4)
  let end = tag + 1
  while (end < html.length && end - tag < 8 && isLetter(html.charCodeAt(end))) end++
  const name = html.slice(tag + 1, end).toLowerCase()
  if (name === '' && html[tag + 1] !== '/' && html[tag + 1] !== '!' && html[tag + 1] !== '?') return tag + 1
  return SILENT.has(name) ? behindElement(html, name, end) : behind(html, '>', end)
}

/** Behind the end tag of a silent element. */
function behindElement(html: string, name: string, from: number): number {
  for (let at = html.indexOf('</', from); at >= 0; at = html.indexOf('</', at + 2)) {
    if (html.slice(at + 2, at + 2 + name.length).toLowerCase() === name) return behind(html, '>', at + 2)
  }
  return html.length
}

function behind(html: string, mark: string, from: number): number {
  const at = html.indexOf(mark, from)
  return at < 0 ? html.length : at + mark.length
}

function isLetter(unit: number): boolean {
  return (unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a
}

/** The text with its character references (`&amp;`, `&#x2e;`) as what they stand for; those of no known name stay. */
export function withoutEntities(text: string): string {
  let out = ''
  let from = 0
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1)) {
    const near = text.slice(at + 1, at + 1 + MOST_ENTITY)
    const shown = near.includes(';') ? entity(near.slice(0, near.indexOf(';'))) : undefined
    if (shown === undefined) continue
    out += text.slice(from, at) + shown
    from = at + near.indexOf(';') + 2
  }
  return from === 0 ? text : out + text.slice(from)
}

function entity(name: string): string | undefined {
  const hex = /^#x([0-9a-f]{1,6})$/i.exec(name)
  const decimal = /^#([0-9]{1,7})$/.exec(name)
  const code = hex ? Number.parseInt(hex[1]!, 16) : decimal ? Number(decimal[1]) : undefined
  if (code === undefined) return ENTITIES.get(name)
  return code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? '\ufffd' : String.fromCodePoint(code)
}

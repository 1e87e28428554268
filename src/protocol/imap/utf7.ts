import { hasControl, isAscii } from '../bytes/text.ts'

/* Modified UTF-7, in which IMAP4rev1 writes names of mailboxes (RFC 3501 §5.1.3). */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,'

/** The text in modified UTF-7. Surrogates that stand alone are written as they are. */
export function encodeUtf7(text: string): string {
  if (isAscii(text) && !text.includes('&') && !hasControl(text)) return text
  let out = ''
  for (let at = 0; at < text.length;) {
    const unit = text.charCodeAt(at)
    if (isPrintable(unit)) {
      out += unit === 38 ? '&-' : text[at]
      at++
      continue
    }
    let end = at + 1
    while (end < text.length && !isPrintable(text.charCodeAt(end))) end++
    out += `&${encoded(text, at, end)}-`
    at = end
  }
  return out
}

/**
 * The text that modified UTF-7 means, or `undefined` where it is none: octets above 127, base64 that is not, a shift that does
 * not end, printable ASCII that was shifted, shifts side by side (I42). So every text has one form, and nobody passes for
 * another.
 */
export function decodeUtf7(text: string): string | undefined {
  if (!isAscii(text)) return undefined
  if (!text.includes('&')) return text
  let out = ''
  for (let at = 0; at < text.length;) {
    if (text[at] !== '&') {
      out += text[at++]
      continue
    }
    const end = text.indexOf('-', at)
    if (end < 0) return undefined
    const shifted = end === at + 1 ? '&' : decoded(text, at + 1, end)
    if (shifted === undefined) return undefined
    // RFC 3501 §5.1.3: no superfluous shifts.
    if (end > at + 1 && text[end + 1] === '&' && text[end + 2] !== '-') return undefined
    out += shifted
    at = end + 1
  }
  return out
}

function isPrintable(unit: number): boolean {
  return unit >= 32 && unit < 127
}

function encoded(text: string, from: number, to: number): string {
  let out = ''
  let bits = 0
  let held = 0
  for (let at = from; at < to; at++) {
    held = ((held << 16) | text.charCodeAt(at)) >>> 0
    bits += 16
    for (; bits >= 6; bits -= 6) out += ALPHABET[(held >>> (bits - 6)) & 63]
    held &= (1 << bits) - 1
  }
  return bits > 0 ? out + ALPHABET[(held << (6 - bits)) & 63] : out
}

function decoded(text: string, from: number, to: number): string | undefined {
  let out = ''
  let bits = 0
  let held = 0
  for (let at = from; at < to; at++) {
    const value = ALPHABET.indexOf(text[at]!)
    if (value < 0) return undefined
    held = ((held << 6) | value) >>> 0
    bits += 6
    if (bits < 16) continue
    bits -= 16
    const unit = (held >>> bits) & 0xffff
    if (isPrintable(unit)) return undefined
    out += String.fromCharCode(unit)
    held &= (1 << bits) - 1
  }
  // What is left over is less than a character of base64, and nothing but zeros.
  return out === '' || bits >= 6 || held !== 0 || !isWellFormed(out) ? undefined : out
}

/** No surrogate stands alone. */
function isWellFormed(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0xd800 || unit > 0xdfff) continue
    const next = text.charCodeAt(++at)
    if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false
  }
  return true
}

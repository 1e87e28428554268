import { isAscii } from '../protocol/bytes/text.ts'

/** RFC 6533 §3: `\x{HEXPOINT}` has two to six digits. */
const MOST_DIGITS = 6
const BACKSLASH = 92
const PLUS = 43
const EQUALS = 61

/**
 * The 7-bit form of an address of type `utf-8` (RFC 6533 §3, utf-8-addr-xtext): what is not printable ASCII, and `\`, `+` and
 * `=`, as `\x{HEXPOINT}`.
 */
export function encodeUtf8Address(text: string): string {
  let out = ''
  for (const character of text) {
    const point = character.codePointAt(0)!
    const plain = point > 32 && point < 127 && point !== BACKSLASH && point !== PLUS && point !== EQUALS
    out += plain ? character : `\\x{${point.toString(16).toUpperCase().padStart(2, '0')}}`
  }
  return out
}

/** What an address of type `utf-8` means, in whichever of its three forms. What is no escape stands for itself. */
export function decodeUtf8Address(text: string): string {
  let out = ''
  let done = 0
  for (let at = text.indexOf('\\x{'); at >= 0; at = text.indexOf('\\x{', at + 1)) {
    const end = text.indexOf('}', at)
    if (end < 0) break
    const point = hexadecimal(text.slice(at + 3, Math.min(end, at + 4 + MOST_DIGITS)))
    if (point === undefined) continue
    out += text.slice(done, at) + String.fromCodePoint(point)
    done = end + 1
  }
  return out + text.slice(done)
}

/** The code point, or `undefined` for what is none, and for control characters, which no address has. */
function hexadecimal(digits: string): number | undefined {
  if (digits.length < 2 || digits.length > MOST_DIGITS || !isAscii(digits)) return undefined
  let point = 0
  for (let at = 0; at < digits.length; at++) {
    const unit = digits.charCodeAt(at)
    const value = unit >= 48 && unit <= 57 ? unit - 48 : (unit | 32) >= 97 && (unit | 32) <= 102 ? (unit | 32) - 87 : -1
    if (value < 0) return undefined
    point = point * 16 + value
  }
  const isCharacter = point >= 32 && point !== 127 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff)
  return isCharacter ? point : undefined
}

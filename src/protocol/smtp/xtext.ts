/** xtext (RFC 3461 §4): printable ASCII but `+` and `=`, everything else as `+` and two upper-case hex digits. */

const PLUS = 43
const EQUALS = 61
const HEX = '0123456789ABCDEF'

/** Octets (a string of octets) as xtext. */
export function encodeXtext(text: string): string {
  let out = ''
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at) & 255
    const plain = unit > 32 && unit < 127 && unit !== PLUS && unit !== EQUALS
    out += plain ? text.charAt(at) : `+${HEX[unit >> 4]!}${HEX[unit & 15]!}`
  }
  return out
}

/** The octets that an xtext means, or `undefined` where it is none. */
export function decodeXtext(text: string): string | undefined {
  let out = ''
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit <= 32 || unit >= 127 || unit === EQUALS) return undefined
    if (unit !== PLUS) {
      out += text.charAt(at)
      continue
    }
    const high = HEX.indexOf(text.charAt(at + 1))
    const low = HEX.indexOf(text.charAt(at + 2))
    if (at + 2 >= text.length || high < 0 || low < 0) return undefined
    out += String.fromCharCode(high * 16 + low)
    at += 2
  }
  return out
}

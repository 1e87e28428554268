/* What a server writes: one encoder for each construct. Strings are of octets. */

/** Quotes and backslashes up to which a quoted string is shorter than a literal. */
const MOST_ESCAPES = 4

/** A quoted string,
  or a literal where octets stand that must not be quoted. NUL cannot be written: `~{` in answers of BINARY is. */
export function encodeString(text: string): string {
  let escapes = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 127 || unit === 10 || unit === 13) return encodeLiteral(text)
    if ((unit === 34 || unit === 92) && ++escapes > MOST_ESCAPES) return encodeLiteral(text)
  }
  return escapes === 0 ? `"${text}"` : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** The same where 8-bit octets are valid UTF-8 and may be quoted (RFC 6855 §3, RFC 9051 §4.3). */
export function encodeUtf8String(text: string): string {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 10 || unit === 13) return encodeLiteral(text)
  }
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** A string or NIL. */
export function encodeNstring(text: string | undefined): string {
  return text === undefined ? 'NIL' : encodeString(text)
}

/** A literal. */
export function encodeLiteral(text: string): string {
  return `{${text.length}}\r\n${text}`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const two = (value: number): string => (value < 10 ? `0${value}` : String(value))

/** The last date that was written: many messages of a page were received in the same second. */
let last = { second: NaN, text: '' }

/** INTERNALDATE's date-time (RFC 9051 §9), in UTC: ` 1-Nov-2026 09:05:00 +0000`, quoted. */
export function encodeDateTime(epochMs: number): string {
  const second = Math.floor(epochMs / 1000)
  if (second === last.second) return last.text
  const date = new Date(second * 1000)
  const day = date.getUTCDate()
  const year = String(Math.min(Math.max(date.getUTCFullYear(), 0), 9999)).padStart(4, '0')
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
  const text = `"${day < 10 ? ' ' : ''}${day}-${MONTHS[date.getUTCMonth()]!}-${year} ${time} +0000"`
  last = { second, text }
  return text
}

/** The text of a response: printable ASCII, never empty (I9), nothing that could end the line. */
export function responseText(text: string): string {
  let out = ''
  for (let at = 0; at < text.length && at < 500; at++) {
    const unit = text.charCodeAt(at)
    out += unit >= 32 && unit < 127 ? text[at]! : '?'
  }
  // A text that began with a bracket would be taken for a response code.
  return out === '' || out.startsWith('[') ? `.${out}` : out
}

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

/** 00 to 59. */
const TWO = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'))

const DAY = 86_400

/** Days of which is remembered how they are written: asking a `Date` for its parts costs more than all else that is said here. */
const MOST_DAYS = 1000
const days = new Map<number, string>()

/** The last date that was written: many messages of a page were received in the same second. */
let last = { second: NaN, text: '' }

/** INTERNALDATE's date-time (RFC 9051 §9), in UTC: ` 1-Nov-2026 09:05:00 +0000`, quoted. */
export function encodeDateTime(epochMs: number): string {
  const second = Math.floor(epochMs / 1000)
  if (second === last.second) return last.text
  const day = Math.floor(second / DAY)
  const minute = Math.floor((second - day * DAY) / 60)
  const time = `${TWO[Math.floor(minute / 60)]!}:${TWO[minute % 60]!}:${TWO[second - day * DAY - minute * 60]!}`
  const text = `"${days.get(day) ?? remembered(day)} ${time} +0000"`
  last = { second, text }
  return text
}

function remembered(day: number): string {
  const date = new Date(day * DAY * 1000)
  const year = String(Math.min(Math.max(date.getUTCFullYear(), 0), 9999)).padStart(4, '0')
  const text = `${String(date.getUTCDate()).padStart(2, ' ')}-${MONTHS[date.getUTCMonth()]!}-${year}`
  if (days.size >= MOST_DAYS) days.clear()
  days.set(day, text)
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

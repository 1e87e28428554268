/**
 * The lexical pieces that structured field bodies share (RFC 5322 §3.2), over unfolded values; iterative, each character seen
 * once.
 */

const OPEN = 40
const CLOSE = 41
const QUOTE = 34
const BACKSLASH = 92

/** White space of a field body. CR and LF count, for values that were not unfolded. */
export function isBlank(unit: number): boolean {
  return unit === 32 || unit === 9 || unit === 13 || unit === 10
}

/** Without the blanks around it; unlike `trim` it leaves no-break spaces alone. */
export function trimBlanks(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return from === 0 && to === text.length ? text : text.slice(from, to)
}

/** The first position at `at` or behind it that holds no blank. */
export function skipBlanks(text: string, at: number): number {
  while (at < text.length && isBlank(text.charCodeAt(at))) at++
  return at
}

/** At `(`: the position behind the `)` that belongs to it, or -1 where there is none. */
export function commentEnd(text: string, at: number): number {
  let depth = 0
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === BACKSLASH) at++
    else if (unit === OPEN) depth++
    else if (unit === CLOSE && --depth === 0) return at + 1
  }
  return -1
}

/** At `"`: the position behind the closing `"`, or -1 where there is none. */
export function quotedEnd(text: string, at: number): number {
  for (at++; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === BACKSLASH) at++
    else if (unit === QUOTE) return at + 1
  }
  return -1
}

/**
 * What characters [from, to), the inside of a quoted string or comment, mean: quoted pairs undone, line ends gone, tabs blanks.
 */
export function unescaped(text: string, from: number, to: number): string {
  let out = ''
  let done = from
  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at)
    if (unit !== BACKSLASH && unit !== 9 && unit !== 10 && unit !== 13) continue
    out += text.slice(done, at)
    if (unit === 9) out += ' '
    done = at + 1
    if (unit === BACKSLASH) at++
  }
  return done === from ? text.slice(from, to) : out + text.slice(done, to)
}

/** The value with each comment replaced by a blank; what stands in quotes is left alone. An open comment ends the value. */
export function withoutComments(text: string): string {
  if (!text.includes('(')) return text
  let out = ''
  let done = 0
  let quotes = true
  for (let at = 0; at < text.length; ) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE && quotes) {
      const end = quotedEnd(text, at)
      quotes = end >= 0
      at = end < 0 ? at + 1 : end
    } else if (unit === OPEN) {
      out += `${text.slice(done, at)} `
      const end = commentEnd(text, at)
      if (end < 0) return out
      at = done = end
    } else at += unit === BACKSLASH ? 2 : 1
  }
  return out + text.slice(done)
}

/** Characters of an atom (RFC 5322 §3.2.3); those above 127 are atext too (RFC 6532 §3.2). */
const ATEXT = new Uint8Array(128)
ATEXT.fill(1, 33, 127)
for (const special of '()<>[]:;@\\,."') ATEXT[special.charCodeAt(0)] = 0

/** Whether the code unit may stand in an atom. */
export function isAtext(unit: number): boolean {
  return unit > 127 || ATEXT[unit] === 1
}

/** Atoms with single dots between them (RFC 5322 §3.2.3). */
export function isDotAtom(text: string): boolean {
  let dot = true
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 46) {
      if (dot) return false
      dot = true
    } else if (isAtext(unit)) dot = false
    else return false
  }
  return !dot
}

/** As a quoted string (RFC 5322 §3.2.4); control characters, which it cannot hold, become blanks. */
export function quoted(text: string): string {
  let out = '"'
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE || unit === BACKSLASH) out += '\\'
    out += unit < 32 || unit === 127 ? ' ' : text[at]!
  }
  return `${out}"`
}

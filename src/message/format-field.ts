/** RFC 5322 §2.1.1: what a line should have at most, without its line end. */
const WIDTH = 78

/**
 * A header field, folded at its blanks into lines of 78 characters where it has blanks enough, ended by CRLF. A value in
 * phrases, to be joined by blanks, is rather folded between them. Unfolding gives the value back. It is one field whatever the
 * strings hold: of the name only what can stand in one is kept, control characters in the value become blanks, blanks around it
 * go.
 */
export function formatField(name: string, value: string | readonly string[]): string {
  let out = ''
  let line = `${name.replace(/[^!-9;-~]/g, '')}:`
  let empty = true
  for (const phrase of typeof value === 'string' ? [value] : value) {
    const text = phrase.replace(/[\0-\x1f\x7f]/g, ' ')
    // A phrase that fits on a line is not cut: its first word needs room for all of it.
    let whole = text.length < WIDTH ? text.length + 1 : 0
    for (const { blanks, word } of words(text)) {
      const gap = empty || blanks === '' ? ' ' : blanks
      // Never right behind the colon: a line without any of the value is what some take for an empty field.
      if (!empty && line.length + Math.max(whole, gap.length + word.length) > WIDTH) {
        out += `${line}\r\n`
        line = ''
      }
      line += gap + word
      whole = 0
      empty = false
    }
  }
  return `${out}${line}\r\n`
}

/** Each word with the blanks before it. */
function* words(text: string): Generator<{ blanks: string; word: string }> {
  for (let at = 0; at < text.length; ) {
    const from = at
    while (at < text.length && text.charCodeAt(at) === 32) at++
    const start = at
    while (at < text.length && text.charCodeAt(at) !== 32) at++
    if (at > start) yield { blanks: text.slice(from, start), word: text.slice(start, at) }
  }
}

/** Text as a comment (RFC 5322 §3.2.2): parentheses and backslashes escaped, control characters turned into blanks. */
export function formatComment(text: string): string {
  return `(${text.replace(/[\0-\x1f\x7f]/g, ' ').replace(/[()\\]/g, '\\$&')})`
}

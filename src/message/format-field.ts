import { hasControl } from '../protocol/bytes/text.ts'
import { trimBlanks } from './lexemes.ts'

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
    const text = trimBlanks(withoutControls(phrase))
    if (text === '') continue
    // Never right behind the colon: a line without any of the value is what some take for an empty field.
    if (!empty && line.length + 1 + text.length > WIDTH) {
      out += `${line}\r\n`
      line = ''
    }
    empty = false
    if (line.length + 1 + text.length <= WIDTH) {
      line += ` ${text}`
      continue
    }
    const folded = foldWords(line, text)
    out += folded.out
    line = folded.line
  }
  return `${out}${line}\r\n`
}

/** Adds the words of a text to a line, which is folded before a word that does not fit; the first one always goes on the line. */
function foldWords(line: string, text: string): { out: string; line: string } {
  let out = ''
  for (let from = 0, gap = 0; from < text.length; ) {
    let end = text.indexOf(' ', from + gap)
    if (end < 0) end = text.length
    if (from > 0 && line.length + end - from > WIDTH) {
      out += `${line}\r\n`
      line = ''
    }
    line += from === 0 ? ` ${text.slice(0, end)}` : text.slice(from, end)
    // The blanks go with the word behind them.
    from = end
    gap = 0
    while (text.charCodeAt(from + gap) === 32) gap++
  }
  return { out, line }
}

function withoutControls(text: string): string {
  return !hasControl(text) ? text : text.replace(/[\0-\x1f\x7f]/g, ' ')
}

/** Text as a comment (RFC 5322 §3.2.2): parentheses and backslashes escaped, control characters turned into blanks. */
export function formatComment(text: string): string {
  return `(${withoutControls(text).replace(/[()\\]/g, '\\$&')})`
}

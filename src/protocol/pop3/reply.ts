import type { Result } from './run.ts'

/** Octets of a response line, its CRLF included (RFC 2449 §4). */
const MOST_OCTETS = 512

/** The line that tells how a command ended, with its CRLF. What came from elsewhere cannot break out of it. */
export function replyLine({ fine, code, text }: Result): string {
  const words = printable(text)
  // RFC 2449 §6.4: what begins with a bracket is a response code.
  const said = code === undefined ? words.replace(/^\[/, '(') : `[${printable(code).replaceAll(']', '')}] ${words}`
  const line = `${fine ? '+OK' : '-ERR'} ${said}`
  return `${line.length > MOST_OCTETS - 2 ? line.slice(0, MOST_OCTETS - 2) : line}\r\n`
}

/** The text in printable ASCII: any other character becomes a question mark. */
function printable(text: string): string {
  return text.replace(/[^ -~]/gu, '?')
}

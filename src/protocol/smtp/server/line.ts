import { copied, fromUtf8Octets } from '../../bytes/text.ts'
import type { SmtpServerConfig } from '../config.ts'
import { replies } from './replies.ts'

/** Octets of a line that may be kept for the sake of a word in it. */
const LONG = 512

/** A command line, or why it is not executed. */
export type CheckedLine = string | { readonly wire: string }

/**
 * Checks a line as it was cut: `octets` long with its LF, `text` without. Lines that hold controls, or end in a bare LF where
 * that is not allowed, are never executed: what looks harmless to us may look otherwise to the next server.
 */
export function checkLine(config: SmtpServerConfig, text: string, octets: number, sasl: boolean): CheckedLine {
  const { limits, rules } = config
  const auth = sasl || isAuth(text)
  if (octets > (auth ? limits.authOctets : limits.commandOctets)) {
    return { wire: auth ? replies.authLineTooLong : replies.lineTooLong }
  }
  let end = text.length
  if (text.charCodeAt(end - 1) === 13) end--
  else if (!rules.bareLineFeed) return { wire: replies.bareLineFeed }
  let high = false
  for (let at = 0; at < end; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 32 || unit === 127) return { wire: replies.badCharacter }
    if (unit > 127) high = true
  }
  // RFC 5321 §4.1.1: trailing white space is tolerated.
  if (!sasl) while (text.charCodeAt(end - 1) === 32) end--
  // A piece of a string holds on to the whole: a thousand recipients would keep a thousand lines of blanks.
  const whole = text.length > LONG ? copied(text.slice(0, end)) : text.slice(0, end)
  const line = high ? fromUtf8Octets(whole) : whole
  return line ?? { wire: replies.badUtf8 }
}

/**
 * Whether octets that are no commands follow a line, so that the conversation cannot go on where it is not executed: the chunk of
 * a BDAT (S31), or what a web page has led a browser to send to us.
 */
export function carriesMore(line: string): boolean {
  return line.slice(0, 4).toUpperCase() === 'BDAT' || requests.has(line.slice(0, Math.max(0, line.indexOf(' '))))
}

const requests: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'CONNECT'])

const isAuth = (text: string): boolean => (text.charCodeAt(0) | 32) === 97 && text.slice(0, 5).toUpperCase() === 'AUTH '

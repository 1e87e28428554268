import { hasControl, utf8Octets } from '../bytes/text.ts'
import { MailError } from '../session/errors.ts'

/** An answer of an SMTP or LMTP server. */
export interface Reply {
  /** 200–599. */
  readonly code: number
  /** RFC 3463: `5.7.1`. Its class is that of the code. Left out where it has no place: greeting, EHLO, 3xx. */
  readonly enhanced?: string
  /** One line of text, or several. No control characters. */
  readonly text: string | readonly string[]
}

/** Octets of text in a reply line that still fit 512 with code, enhanced code and CRLF (RFC 5321 §4.5.3.1.5). */
const MAX_TEXT = 490

/** A reply as one value. */
export function reply(code: number, enhanced: string | undefined, text: string | readonly string[]): Reply {
  return enhanced === undefined ? { code, text } : { code, enhanced, text }
}

/**
 * The reply as it goes over the wire, a string of octets with its CRLFs.
 * Throws a `misuse` MailError for what must never be sent: a code out of range, an enhanced code of another class, control
 * characters.
 */
export function encodeReply(reply: Reply): string {
  const { code, enhanced } = reply
  if (!Number.isInteger(code) || code < 200 || code > 599) {
    throw new MailError('misuse', `Reply code ${code} is not within 200–599.`)
  }
  if (enhanced !== undefined) checkEnhanced(code, enhanced)
  const lines = linesOf(reply.text)
  // RFC 2034 §4: each line of a multi-line reply carries the enhanced code.
  const prefix = enhanced === undefined ? '' : `${enhanced} `
  let out = ''
  for (let at = 0; at < lines.length; at++) {
    const text = lines[at]!
    if (hasControl(text)) throw new MailError('misuse', `Reply text ${JSON.stringify(text)} holds a control character.`)
    out += `${code}${at === lines.length - 1 ? ' ' : '-'}${prefix}${clip(utf8Octets(text))}\r\n`
  }
  return out
}

function linesOf(text: Reply['text']): readonly string[] {
  if (typeof text === 'string') return [text]
  if (!Array.isArray(text) || text.some((line) => typeof line !== 'string')) {
    throw new MailError('misuse', 'The text of a reply is a string, or several.')
  }
  return text.length === 0 ? [''] : text
}

function clip(text: string): string {
  if (text.length <= MAX_TEXT) return text
  let end = MAX_TEXT
  // Not in the middle of a UTF-8 character.
  while ((text.charCodeAt(end) & 0xc0) === 0x80) end--
  return text.slice(0, end)
}

function checkEnhanced(code: number, enhanced: string): void {
  const parts = enhanced.split('.')
  const sound = parts.length === 3 && parts.every((part) => part.length >= 1 && part.length <= 3 && isNumber(part))
  if (!sound) {
    throw new MailError('misuse', `Enhanced code ${JSON.stringify(enhanced)} is not class.subject.detail (RFC 3463 §2).`)
  }
  // RFC 2034 §4: its class matches the reply's first digit; replies of other classes have none.
  if (Number(parts[0]) !== Math.floor(code / 100) || parts[0] === '3') {
    throw new MailError('misuse', `Enhanced code ${enhanced} does not fit reply code ${code} (RFC 2034 §4).`)
  }
}

function isNumber(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 48 || text.charCodeAt(at) > 57) return false
  return text.length === 1 || text.charCodeAt(0) !== 48
}

/** One line of a reply: its code, whether more follow, and the text behind it; `undefined` where it is no reply line. */
export function parseReplyLine(line: string): { code: number; more: boolean; text: string } | undefined {
  const code = Number(line.slice(0, 3))
  if (line.length < 3 || !isNumber(line.slice(0, 3)) || code < 200 || code > 599) return undefined
  const mark = line.charAt(3)
  // RFC 5321 §4.2: a bare code without text or space is accepted too.
  if (mark !== '' && mark !== ' ' && mark !== '-') return undefined
  return { code, more: mark === '-', text: line.slice(4) }
}

/**
 * The reply of which these are all the lines (without CRLF), or `undefined` where they are none: mixed codes, a line too
 * many or too few.
 */
export function parseReply(lines: readonly string[]): Reply | undefined {
  const texts: string[] = []
  let code = 0
  for (let at = 0; at < lines.length; at++) {
    const line = parseReplyLine(lines[at]!)
    if (!line || line.more !== at < lines.length - 1 || (at > 0 && line.code !== code)) return undefined
    code = line.code
    texts.push(line.text)
  }
  return texts.length === 0 ? undefined : replyOf(code, texts)
}

/** The reply that has these texts behind its code; the enhanced code that begins them is taken off where it fits. */
export function replyOf(code: number, texts: readonly string[]): Reply {
  const enhanced = enhancedOf(code, texts[0] ?? '')
  const stripped =
    enhanced === undefined
      ? texts
      : texts.map((text) => (text.startsWith(`${enhanced} `) ? text.slice(enhanced.length + 1) : text))
  return reply(code, enhanced, stripped.length === 1 ? stripped[0]! : stripped)
}

/** The enhanced code that begins a reply's text, where it fits the code. */
function enhancedOf(code: number, text: string): string | undefined {
  const word = text.slice(0, Math.max(0, text.indexOf(' ')))
  const parts = word.split('.')
  if (parts.length !== 3 || code < 200 || (code >= 300 && code < 400)) return undefined
  if (!parts.every((part) => part.length >= 1 && part.length <= 3 && isNumber(part))) return undefined
  return Number(parts[0]) === Math.floor(code / 100) ? word : undefined
}

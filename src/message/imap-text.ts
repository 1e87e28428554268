import { parameterOf, type PartParameter } from './content-fields.ts'
import type { Envelope } from './envelope.ts'
import type { EnvelopeAddress } from './envelope-addresses.ts'
import type { OctetString } from './octet-string.ts'
import { isMessage, isMultipart, type Part } from './structure.ts'

/** How a body structure is written. */
export interface BodyStructureStyle {
  /** With the extension data: BODYSTRUCTURE; without: BODY. Default true. */
  readonly extended?: boolean
  /**
   * `message/global` with its envelope and body, as IMAP4rev2 has it (RFC 9051 §7.5.2); rev1 knows it only as a leaf.
   * Default false.
   */
  readonly global?: boolean
}

/** What IMAP's FETCH answers for ENVELOPE (RFC 3501 §7.4.2), an octet string. */
export function envelopeText(envelope: Envelope): OctetString {
  const { sender, replyTo } = envelope
  const from = addresses(envelope.from)
  return (
    `(${nstring(envelope.date)} ${nstring(envelope.subject)} ${from} ${sender ? addresses(sender) : from} ` +
    `${replyTo ? addresses(replyTo) : from} ${addresses(envelope.to)} ${addresses(envelope.cc)} ${addresses(envelope.bcc)} ` +
    `${nstring(envelope.inReplyTo)} ${nstring(envelope.messageId)})`
  )
}

function addresses(list: readonly EnvelopeAddress[] | undefined): string {
  if (!list || list.length === 0) return 'NIL'
  let text = '('
  for (const [name, route, local, domain] of list) {
    text += `(${nstring(name)} ${nstring(route)} ${nstring(local)} ${nstring(domain)})`
  }
  return `${text})`
}

/**
 * What IMAP's FETCH answers for BODYSTRUCTURE or BODY (RFC 3501 §7.4.2), an octet string. A multipart that holds nothing is
 * shown with an empty text, since the grammar wants a part; a part that a budget left in one piece is
 * `application/octet-stream`.
 */
export function bodyStructureText(root: Part, style: BodyStructureStyle = {}): OctetString {
  const { extended = true, global = false } = style
  let text = ''
  // What is still to be written, the next last: parts, and the text between and behind them. No recursion, whatever the depth.
  const waiting: (Part | string)[] = [root]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === 'string') text += next
    else if (isMultipart(next)) {
      text += '('
      waiting.push(multipartTail(next, extended))
      if (next.parts?.length) for (let at = next.parts.length - 1; at >= 0; at--) waiting.push(next.parts[at]!)
      else text += `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0${extended ? ' NIL NIL NIL NIL' : ''})`
    } else if (isMessage(next) && (global || !isGlobal(next))) {
      text += `("message" "${isGlobal(next) ? 'global' : 'rfc822'}" ${common(next, false)} ${envelopeText(next.envelope!)} `
      waiting.push(` ${next.lines}${extended ? leafExtension(next) : ''})`, next.parts![0]!)
    } else text += leaf(next, extended)
  }
  return text
}

function isGlobal(part: Part): boolean {
  return part.subtype.toLowerCase() === 'global'
}

function multipartTail(part: Part, extended: boolean): string {
  return ` ${string(part.subtype)}${extended ? ` ${parameters(part.params)}${extension(part)}` : ''})`
}

function leaf(part: Part, extended: boolean): string {
  const type = part.type.toLowerCase()
  const text = type === 'text' && !part.opaque
  const container = part.opaque || type === 'multipart'
  const media = container ? '"application" "octet-stream"' : `${string(part.type)} ${string(part.subtype)}`
  return `(${media} ${common(part, text)}${text ? ` ${part.lines}` : ''}${extended ? leafExtension(part) : ''})`
}

/** body-fields: parameters, id, description, encoding, octets. */
function common(part: Part, text: boolean): string {
  return (
    `${text ? textParameters(part.params ?? []) : parameters(part.params)} ${nstring(part.id)} ${nstring(part.description)} ` +
    `${string(part.encoding ?? '7bit')} ${part.end - part.body}`
  )
}

function textParameters(list: readonly PartParameter[]): string {
  // RFC 2045 §5.2
  if (parameterOf(list, 'charset') !== undefined) return parameters(list)
  return parameters([...list, ['charset', 'us-ascii']])
}

function parameters(list: readonly PartParameter[] | undefined): string {
  if (!list || list.length === 0) return 'NIL'
  let text = '('
  for (const [name, value] of list) text += `${text === '(' ? '' : ' '}${string(name)} ${string(value)}`
  return `${text})`
}

function leafExtension(part: Part): string {
  return ` ${nstring(part.md5)}${extension(part)}`
}

/** Disposition, language, location. */
function extension({ disposition, language, location }: Part): string {
  const shown = disposition ? `(${string(disposition.type)} ${parameters(disposition.params)})` : 'NIL'
  return ` ${shown} ${language ? `(${language.map(string).join(' ')})` : 'NIL'} ${nstring(location)}`
}

function nstring(text: string | null | undefined): string {
  return text === undefined || text === null ? 'NIL' : string(text)
}

/** Quotes and backslashes up to which a quoted string is shorter than a literal. */
const MOST_ESCAPES = 4

/** What a quoted string cannot hold as it stands. */
const UNPLAIN = /[^\t -!#-[\]-\x7f]/

/** A quoted string, or a literal where octets stand that must not be quoted. NUL may stand in neither: the facts hold none. */
function string(text: OctetString): string {
  if (!UNPLAIN.test(text)) return `"${text}"`
  let escapes = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 127 || unit === 10 || unit === 13) return literal(text)
    if ((unit === 34 || unit === 92) && ++escapes > MOST_ESCAPES) return literal(text)
  }
  return escapes === 0 ? `"${text}"` : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

function literal(text: OctetString): string {
  return `{${text.length}}\r\n${text}`
}

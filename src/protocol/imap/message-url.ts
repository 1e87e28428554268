import { parseSection, type SectionItem } from './fetch-items.ts'
import { pathOf } from './mailbox-name.ts'

/** A message of the user's own, or a part of it, as a URL names it (RFC 5092): `/INBOX;UIDVALIDITY=3/;UID=20/;SECTION=1.2`. */
export interface MessageUrl {
  readonly path: readonly string[]
  readonly uidValidity: number | undefined
  readonly uid: number
  readonly section: Pick<SectionItem, 'path' | 'part'>
}

const WHOLE: MessageUrl['section'] = { path: [], part: 'ALL' }

/** Octets of a URL. */
const MOST_OCTETS = 4000

/** Reads a URL relative to the server. `undefined`: it is none, or one of another server. */
export function parseMessageUrl(url: string): MessageUrl | undefined {
  // Two slashes would begin the name of a server.
  if (url.length > MOST_OCTETS || !url.startsWith('/') || url.startsWith('//')) return undefined
  const at = url.toUpperCase().indexOf('/;UID=')
  if (at < 0) return undefined
  const mailbox = mailboxOf(url.slice(1, at))
  const [message, section, ...more] = url.slice(at + 2).split('/;')
  const uid = numberOf(message!.slice(4))
  if (mailbox === undefined || uid === undefined || more.length > 0) return undefined
  if (section === undefined) return { ...mailbox, uid, section: WHOLE }
  const text = section.slice(0, 8).toUpperCase() === 'SECTION=' ? unescaped(section.slice(8)) : undefined
  const named = text === undefined ? undefined : parseSection(text)
  return named && { ...mailbox, uid, section: named }
}

function mailboxOf(text: string): Pick<MessageUrl, 'path' | 'uidValidity'> | undefined {
  const at = text.toUpperCase().indexOf(';UIDVALIDITY=')
  const uidValidity = at < 0 ? undefined : numberOf(text.slice(at + 13))
  if (at >= 0 && uidValidity === undefined) return undefined
  const name = unescaped(at < 0 ? text : text.slice(0, at))
  // RFC 5092 §8: names are UTF-8 in a URL, whatever they are elsewhere.
  const path = name === undefined ? undefined : pathOf(name, 'utf-8')
  return path && { path, uidValidity }
}

/** 1 to 2^32 - 1. */
function numberOf(text: string): number | undefined {
  if (text === '' || text.length > 10) return undefined
  let number = 0
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return undefined
    number = number * 10 + digit
  }
  return number === 0 || number > 0xffffffff ? undefined : number
}

/** Octets, with those that are written `%41`. */
function unescaped(text: string): string | undefined {
  let out = ''
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '%') {
      out += text[at]!
      continue
    }
    const value = hex(text.charCodeAt(at + 1)) * 16 + hex(text.charCodeAt(at + 2))
    if (!(value >= 0)) return undefined
    out += String.fromCharCode(value)
    at += 2
  }
  return out
}

function hex(unit: number): number {
  if (unit >= 48 && unit <= 57) return unit - 48
  const letter = unit | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : NaN
}

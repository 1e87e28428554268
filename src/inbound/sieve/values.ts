import type { Address } from '../../message/address.ts'
import { parseAddressList } from '../../message/addresses.ts'
import { asciiDomain } from '../../message/domain.ts'
import { isAscii, utf8Octets } from '../../protocol/bytes/text.ts'
import { pathOf } from '../../protocol/imap/mailbox-name.ts'
import { encodeMailbox, isDomain, parsePath } from '../../protocol/smtp/path.ts'

/*
 * What strings of scripts have to be: names of fields, mailboxes, addresses, flags, zones.
 */

/** Whether it can be the name of a header field (RFC 5322 §3.6.8). */
export function isFieldName(name: string): boolean {
  if (name === '' || name.length > 998) return false
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at)
    if (unit <= 32 || unit >= 127 || unit === 58) return false
  }
  return true
}

/** Header fields that hold addresses: those that `address` looks at (RFC 5228 §5.1). */
const addressFields = new Set([
  'from', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'resent-from', 'resent-sender', 'resent-reply-to', 'resent-to', 'resent-cc',
  'resent-bcc', 'return-path', 'delivered-to', 'envelope-to', 'x-original-to', 'x-original-from', 'apparently-to', 'errors-to',
  'disposition-notification-to', 'return-receipt-to', 'mail-followup-to', 'mail-reply-to', 'abuse-reports-to', 'approved',
  'x-envelope-to', 'x-envelope-from', 'x-forwarded-to', 'x-forwarded-for', 'x-sender', 'list-post', 'x-beenthere', 'author',
])

/** Whether a field of that name holds addresses. */
export function isAddressField(name: string): boolean {
  return addressFields.has(name.toLowerCase())
}

/** A mailbox address with its name: `joe@example.org`, `Joe <joe@example.org>` (RFC 5228 §2.4.2.3). */
export function readMailbox(text: string): { readonly name: string; readonly address: Address } | undefined {
  if (/[\p{Cc}\p{Cs}]/u.test(text)) return undefined
  const list = parseAddressList(text, 2)
  const [item] = list
  if (list.length !== 1 || item === undefined || 'members' in item || item.address === undefined) return undefined
  const domain = asciiDomain(item.address.domain)
  const address = { local: item.address.local, domain }
  // RFC 5321 §4.1.2 once more: what the envelope cannot say is no address to send to.
  const parsed = parsePath(`<${encodeMailbox(address)}>`, 0, { lenient: false, recipient: true })
  return 'path' in parsed && parsed.path !== null && isDomain(domain) ? { name: item.name, address } : undefined
}

/** The path of a mailbox by its name: names in one another with `/` between them; INBOX in any case. `undefined`: it is none. */
export function readMailboxName(text: string): readonly string[] | undefined {
  return pathOf(utf8Octets(text), 'utf-8')
}

const systemFlags = new Set(['\\answered', '\\deleted', '\\draft', '\\flagged', '\\seen'])

/** The flags of lists of them (RFC 5232 §2): each once, without those that are none and those that nobody can set. */
export function readFlags(texts: readonly string[]): readonly string[] {
  const found = new Map<string, string>()
  for (const flag of texts.flatMap((text) => text.split(' '))) {
    const key = flag.toLowerCase()
    if (!found.has(key) && (flag.startsWith('\\') ? systemFlags.has(key) : isKeyword(flag))) found.set(key, flag)
  }
  return [...found.values()]
}

/** An atom of RFC 9051 §9. */
function isKeyword(flag: string): boolean {
  return flag !== '' && flag.length <= 255 && isAscii(flag) && !/[\0-\x20(){%*"\\\]\x7f]/.test(flag)
}

/** Minutes that a zone is ahead of UTC: `+0130` (RFC 5260 §4.1). */
export function readZone(text: string): number | undefined {
  if (!/^[+-][0-9]{4}$/.test(text)) return undefined
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(3))
  return Number(text.slice(3)) > 59 || minutes >= 24 * 60 ? undefined : text[0] === '-' ? -minutes : minutes
}

/** The name of a script (RFC 5804 §1.6): 1 to 128 characters, none of them a control character or a line's end. */
export function isScriptName(name: string): boolean {
  return name !== '' && name.length <= 128 && !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(name) && name === name.normalize('NFC')
}

import type { Address } from './address.ts'
import type { AddressGroup, AddressItem } from './addresses.ts'
import { encodeWords, needsEncoding } from './encoded-words.ts'
import { isAtext, isDotAtom, quoted } from './lexemes.ts'

/**
 * `local@domain`, the local part quoted where it has to be (RFC 5322 §3.4.1). Whatever the strings hold, the result is one
 * address: control characters become blanks, and of the domain only what can stand in one is kept.
 */
export function formatAddress(address: Address): string {
  const local = isDotAtom(address.local) ? address.local : quoted(address.local)
  return `${local}@${domainText(address.domain)}`
}

/**
 * `Name <local@domain>`, or the address alone where there is no name. The name is quoted or encoded (RFC 2047) where it has to
 * be.
 */
export function formatMailbox(mailbox: { readonly name?: string; readonly address: Address }): string {
  const address = formatAddress(mailbox.address)
  return mailbox.name ? `${formatPhrase(mailbox.name)} <${address}>` : address
}

/** An address list as {@link parseAddressList} reads it. Entries that have no address and are no group are left out. */
export function formatAddressList(list: readonly (AddressItem | AddressGroup)[]): string {
  const entries: string[] = []
  for (const entry of list) {
    if ('members' in entry) entries.push(`${formatPhrase(entry.name)}: ${formatAddressList(entry.members)};`)
    else if (entry.address) entries.push(formatMailbox({ name: entry.name, address: entry.address }))
  }
  return entries.join(', ')
}

/** A display name (RFC 5322 §3.2.5 phrase): as it is, as a quoted string, or as encoded words. */
function formatPhrase(name: string): string {
  if (needsEncoding(name)) return encodeWords(name)
  return isWords(name) ? name : quoted(name)
}

/** Atoms with one blank between them. */
function isWords(text: string): boolean {
  let blank = true
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 32) {
      if (blank) return false
      blank = true
    } else if (isAtext(unit)) blank = false
    else return false
  }
  return !blank
}

function domainText(domain: string): string {
  const isLiteral = domain.startsWith('[') && domain.endsWith(']')
  const inside = isLiteral ? domain.slice(1, -1) : domain
  let out = ''
  for (let at = 0; at < inside.length; at++) {
    const unit = inside.charCodeAt(at)
    if (isAtext(unit) || unit === 46 || (isLiteral && unit === 58)) out += inside[at]!
  }
  return isLiteral ? `[${out}]` : out
}

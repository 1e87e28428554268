import type { Address } from '../message/address.ts'
import { asciiDomain } from '../message/domain.ts'
import { isAscii } from '../protocol/bytes/text.ts'
import { encodeMailbox, isDomain, parsePath } from '../protocol/smtp/path.ts'

/** Text without regard to letter case, in NFC. Letter by letter: a sigma at the end of a word is no letter of its own. */
export function foldCase(text: string): string {
  if (isAscii(text)) return text.toLowerCase()
  let folded = ''
  for (const character of text.normalize('NFC')) folded += character.toLowerCase()
  return folded.normalize('NFC')
}

/**
 * The normal form of an address, by which it is kept and looked up: the domain in lower case and A-labels; the local part in NFC,
 * in lower case unless its domain is case-sensitive, quoted only where it has to be (so `"a"@…` and `a@…` are one).
 */
export function addressKey({ local, domain }: Address, caseSensitive = false): string {
  return encodeMailbox({ local: caseSensitive ? local.normalize('NFC') : foldCase(local), domain: asciiDomain(domain) })
}

/**
 * Reads `local@domain` as people write it, without brackets, quoted where it has to be (RFC 5321 §4.1.2). The domain comes in
 * lower case and A-labels, the local part as it stands. `undefined`: it is no address.
 */
export function readAddress(text: string): Address | undefined {
  // No source route: that is for envelopes. Controls above ASCII and halves of characters are in no address that anybody has.
  if (text.startsWith('@') || /[\p{Cc}\p{Cs}]/u.test(text)) return undefined
  const parsed = parsePath(`<${text}>`, 0, { lenient: false, recipient: true })
  if (!('path' in parsed) || parsed.path === null || parsed.end !== text.length + 2) return undefined
  const domain = asciiDomain(parsed.path.domain)
  return isDomain(domain) ? { local: parsed.path.local, domain } : undefined
}

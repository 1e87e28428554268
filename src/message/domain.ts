import punycode from 'punycode.js'
import { isAscii } from '../protocol/bytes/text.ts'

/** Octets of a domain name (RFC 1035 §2.3.4), and how much of one is looked at: U-labels are longer or shorter than A-labels. */
const MOST = 255

/** What UTS 46 maps to nothing and people paste without seeing it: soft hyphen, zero width space, joiner of words, variation. */
const INVISIBLE = new Set([0xad, 0x200b, 0x2060, 0xfeff, ...Array.from({ length: 16 }, (_, at) => 0xfe00 + at)])

/**
 * A domain in the form in which it is compared and looked up: lower case, A-labels (RFC 5890 §2.3.2.1), no final dot. U-labels
 * are mapped as UTS 46 does in all that people type (letter case, full width, ideographic dots). An address literal
 * (`[IPv6:2001:db8::1]`) is only put into lower case. Total: what is no domain comes back as something that is none either.
 */
export function asciiDomain(domain: string): string {
  const name = domain.endsWith('.') ? domain.slice(0, -1) : domain
  if (isAscii(name) || name.length > MOST || name.startsWith('[')) return name.toLowerCase()
  let mapped = ''
  // One by one: as a whole, a sigma at the end of a word would become another letter.
  for (const character of name.normalize('NFKC')) {
    const point = character.codePointAt(0)!
    if (!INVISIBLE.has(point)) mapped += point === 0x3002 ? '.' : character.toLowerCase()
  }
  try {
    return punycode.toASCII(mapped.normalize('NFC'))
  } catch {
    return mapped
  }
}

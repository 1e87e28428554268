import { octets } from './text.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUES = new Int8Array(256).fill(-1)
for (let value = 0; value < 64; value++) VALUES[ALPHABET.charCodeAt(value)] = value
const PAD = 61

/** Bytes in base64, padded, on one line (RFC 4648 §4). */
export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at
    const group = (bytes[at]! << 16) | ((left > 1 ? bytes[at + 1]! : 0) << 8) | (left > 2 ? bytes[at + 2]! : 0)
    text += ALPHABET[group >> 18]! + ALPHABET[(group >> 12) & 63]!
    text += (left > 1 ? ALPHABET[(group >> 6) & 63]! : '=') + (left > 2 ? ALPHABET[group & 63]! : '=')
  }
  return text
}

/**
 * The bytes of a base64 text, or `undefined` where it is not exactly that: wrong length, an octet outside the alphabet, padding
 * missing or in the wrong place, unused bits that are not zero. Strict because a credential must have one spelling.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  const coded = octets(text)
  const end = coded.length
  const pads = end > 0 && text.charCodeAt(end - 1) === PAD ? (text.charCodeAt(end - 2) === PAD ? 2 : 1) : 0
  const bytes = new Uint8Array((end / 4) * 3 - pads)
  let to = 0
  for (let at = 0; at < end; at += 4) {
    const padded = at + 4 === end ? pads : 0
    let group = 0
    for (let i = 0; i < 4; i++) {
      const value = i >= 4 - padded ? 0 : text.charCodeAt(at + i) > 255 ? -1 : VALUES[coded[at + i]!]!
      if (value < 0) return undefined
      group = (group << 6) | value
    }
    if (padded > 0 && (group & (padded === 2 ? 0xffff : 0xff)) !== 0) return undefined
    bytes[to++] = group >> 16
    if (padded < 2) bytes[to++] = (group >> 8) & 255
    if (padded < 1) bytes[to++] = group & 255
  }
  return bytes
}

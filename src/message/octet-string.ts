/**
 * A string whose code units are octets (0–255): what stood in the message, not decoded. A charset or an encoded word in it
 * is for the one who shows it to people; what IMAP sends are these octets.
 */
export type OctetString = string

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Code units made at a time: as many arguments as every engine takes. */
const CHUNK = 4096

/** Octets [from, to) as a string if none of them is above 127, and by far the fastest way to find out. */
export function asciiString(bytes: Uint8Array, from: number, to: number): OctetString | undefined {
  const text = decoder.decode(bytes.subarray(from, to))
  // Of UTF-8, only ASCII has as many code units as octets; what is not UTF-8 leaves U+FFFD.
  return text.length === to - from && !text.includes('\ufffd') ? text : undefined
}

/** Octets [from, to) as a string. */
export function octetString(bytes: Uint8Array, from: number, to: number): OctetString {
  let text = ''
  for (let at = from; at < to; at += CHUNK) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(at + CHUNK, to)) as unknown as number[])
  }
  return text
}

/** The octets of an octet string. */
export function octetsOf(text: OctetString): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at)
  return bytes
}

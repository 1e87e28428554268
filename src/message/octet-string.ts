/**
 * A string whose code units are octets (0–255): what stood in the message, not decoded. A charset or an encoded word in it
 * is for the one who shows it to people; what IMAP sends are these octets.
 */
export type OctetString = string

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Octets [from, to) as a string if none of them is above 127, and by far the fastest way to find out. */
export function asciiString(bytes: Uint8Array, from: number, to: number): OctetString | undefined {
  const text = decoder.decode(bytes.subarray(from, to))
  // Of UTF-8, only ASCII has as many code units as octets; what is not UTF-8 leaves U+FFFD.
  return text.length === to - from && !text.includes('\ufffd') ? text : undefined
}

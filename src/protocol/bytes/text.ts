/** Octets and text. A "string of octets" has code units 0–255 only, one an octet. */

interface NativeSlice {
  latin1Slice?(from: number, to: number): string
}

interface NativeKind {
  allocUnsafe?(octets: number): Uint8Array
}

/** Room for octets that come of `bytes`, and of their kind: what short cuts that has is not lost. What is in it is left over. */
export function roomLike(bytes: Uint8Array, size: number): Uint8Array {
  return (bytes.constructor as NativeKind).allocUnsafe?.(size) ?? new Uint8Array(size)
}

/** Octets that become a string at a time: arguments go on the stack, which has an end. */
const PIECE = 4096

/** Octets [from, to) as a string of octets. */
export function octetString(bytes: Uint8Array, from = 0, to = bytes.length): string {
  // Platforms whose byte arrays know the short cut take a quarter of the time.
  const native = bytes as NativeSlice
  if (native.latin1Slice) return native.latin1Slice(from, to)
  if (to - from <= PIECE) return piece(bytes, from, to)
  let text = ''
  for (let at = from; at < to; at += PIECE) text += piece(bytes, at, Math.min(to, at + PIECE))
  return text
}

/** A string put together octet by octet weighs thirty times as much until it is read. */
function piece(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode.apply(null, bytes.subarray(from, to) as unknown as number[])
}

/** The octets of a string of octets; code units above 255 lose their high bits. */
export function octets(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at)
  return bytes
}

const encoder = new TextEncoder()
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Whether every code unit is below 128. */
export function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false
  return true
}

/**
 * The upper case of a protocol word. What is not ASCII stays as it is: `toUpperCase` would make "ı" an I and "ſ" an S, and a word
 * mean here what it means to nobody else.
 */
export function asciiUpper(text: string): string {
  return isAscii(text) ? text.toUpperCase() : text
}

/** Text as a string of its UTF-8 octets. */
export function utf8Octets(text: string): string {
  return isAscii(text) ? text : octetString(encoder.encode(text))
}

/** The text that a string of octets means in UTF-8, or `undefined` where it is not UTF-8 (RFC 3629, no surrogates). */
export function fromUtf8Octets(text: string): string | undefined {
  return isAscii(text) ? text : decodeUtf8(octets(text))
}

/** The text of UTF-8 bytes, or `undefined` where they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** The same text in memory of its own. */
export function copied(text: string): string {
  return decodeUtf8(encodeUtf8(text)) ?? text
}

/** The UTF-8 bytes of a text. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Whether the text holds a control character (below 32, or 127): what must never reach a line-based protocol. */
export function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 32 || unit === 127) return true
  }
  return false
}

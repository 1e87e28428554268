/** Whether two pieces of bytes are the same, in a time that tells nothing of where they differ. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false
  let difference = 0
  for (let at = 0; at < one.length; at++) difference |= one[at]! ^ other[at]!
  return difference === 0
}

/** Two pieces of bytes in a row. */
export function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}

/** One piece of bytes under another of the same length. */
export function xored(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((octet, at) => octet ^ other[at]!)
}

/** Bytes in lower-case hex. */
export function hexOf(bytes: Uint8Array): string {
  let text = ''
  for (const octet of bytes) text += (octet < 16 ? '0' : '') + octet.toString(16)
  return text
}

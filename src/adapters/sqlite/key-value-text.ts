/**
 * Text as octets that compare as its UTF-16 code units do: each unit as UTF-8 would write it, halves of surrogate pairs too
 * (CESU-8, Unicode TR 26). So nothing is lost, not even a lone surrogate, and all but characters beyond U+FFFF is plain UTF-8.
 */
export function octetsOf(text: string): Uint8Array {
  if (isAscii(text)) return Buffer.from(text, 'latin1')
  const octets = Buffer.allocUnsafe(text.length * 3)
  let end = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) octets[end++] = unit
    else {
      if (unit < 0x800) octets[end++] = 0xc0 | (unit >> 6)
      else {
        octets[end++] = 0xe0 | (unit >> 12)
        octets[end++] = 0x80 | ((unit >> 6) & 63)
      }
      octets[end++] = 0x80 | (unit & 63)
    }
  }
  return octets.subarray(0, end)
}

/** The text that {@link octetsOf} was given. Some drivers give a blob as an ArrayBuffer. */
export function textOf(blob: Uint8Array | ArrayBuffer): string {
  const octets = blob instanceof ArrayBuffer ? Buffer.from(blob) : Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength)
  const plain = octets.toString('latin1')
  if (isAscii(plain)) return plain
  let text = ''
  for (let i = 0; i < octets.length;) {
    const first = octets[i++]!
    if (first < 0x80) text += String.fromCharCode(first)
    else if (first < 0xe0) text += String.fromCharCode(((first & 31) << 6) | (octets[i++]! & 63))
    else text += String.fromCharCode(((first & 15) << 12) | ((octets[i++]! & 63) << 6) | (octets[i++]! & 63))
  }
  return text
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/*
 * UTF-7 (RFC 2152). Nobody needs to send it any more, and anybody may: a general converter takes a third of a second for a
 * megabyte of short shifts, in one go.
 *
 *   state    what has been read                     next
 *   DIRECT   octets that stand for themselves       `+`: SHIFTED
 *   SHIFTED  base64 of UTF-16, high octet first     any other octet: DIRECT, that octet included; `-` is swallowed
 */

const PLUS = 43
const MINUS = 45
const REPLACEMENT = 0xfffd

/** The value of each octet in base64; 255: none. */
const SIXTY_FOUR = new Uint8Array(256).fill(255)
for (let value = 0; value < 64; value++) {
  SIXTY_FOUR['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.charCodeAt(value)] = value
}

const utf16 = new TextDecoder('utf-16le')

/** The text of UTF-7, whatever is wrong with it: octets above 127 and halves of characters become U+FFFD. A BOM is dropped. */
export function decodeUtf7(bytes: Uint8Array): string {
  // A unit of UTF-16 takes an octet at least, and two octets each here.
  const units = new Uint8Array(2 * bytes.length)
  let used = 0
  const put = (unit: number): void => {
    units[used++] = unit & 255
    units[used++] = unit >> 8
  }
  for (let at = 0; at < bytes.length; at++) {
    const octet = bytes[at]!
    if (octet !== PLUS) {
      put(octet < 128 ? octet : REPLACEMENT)
      continue
    }
    const from = at + 1
    let bits = 0
    let held = 0
    let value = 0
    while (at + 1 < bytes.length && (value = SIXTY_FOUR[bytes[at + 1]!]!) < 64) {
      at++
      held = ((held << 6) | value) & 0x3fffff
      bits += 6
      if (bits < 16) continue
      bits -= 16
      put((held >> bits) & 0xffff)
    }
    if (bytes[at + 1] !== MINUS) continue
    at++
    // RFC 2152, rule 2: `+-` is a plus.
    if (at === from) put(PLUS)
  }
  return utf16.decode(units.subarray(0, used))
}

/** Enough of DER (ITU-T X.690) to write a certificate: each function gives one encoded value. */

/** Tag, length, contents (§8.1). */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const octets = contents.reduce((sum, part) => sum + part.length, 0)
  const long: number[] = []
  for (let rest = octets; rest > 0; rest = Math.floor(rest / 256)) long.unshift(rest % 256)
  const length = octets < 0x80 ? [octets] : [0x80 | long.length, ...long]
  return Buffer.concat([Buffer.from([tag, ...length]), ...contents])
}

/** SEQUENCE (§8.9). */
export const sequence = (...items: readonly Uint8Array[]): Buffer => der(0x30, ...items)

/** SET (§8.11); the caller sorts where there is more than one item. */
export const set = (...items: readonly Uint8Array[]): Buffer => der(0x31, ...items)

/** OCTET STRING (§8.7). */
export const octetString = (contents: Uint8Array): Buffer => der(0x04, contents)

/** UTF8String (§8.23). */
export const utf8String = (text: string): Buffer => der(0x0c, Buffer.from(text))

/** BOOLEAN true (§11.1). */
export const truth = der(0x01, Uint8Array.of(0xff))

/** An unsigned number, most significant octet first, shortest form, positive (§8.3). */
export function integer(magnitude: Uint8Array): Buffer {
  let start = 0
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++
  const shortest = magnitude.subarray(start)
  return ((shortest[0] ?? 0) & 0x80) === 0 ? der(0x02, shortest) : der(0x02, Uint8Array.of(0), shortest)
}

/** `unused`: bits at the end that do not count (§8.6). */
export const bitString = (bits: Uint8Array, unused = 0): Buffer => der(0x03, Uint8Array.of(unused), bits)

/** An object identifier in dotted form (§8.19). */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift(0x80 | left % 128)
    octets.push(...groups)
  }
  return der(0x06, Uint8Array.from(octets))
}

/** RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime from then on. Milliseconds since the Unix epoch. */
export function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)
  return Number(digits.slice(0, 4)) < 2050
    ? der(0x17, Buffer.from(`${digits.slice(2)}Z`, 'latin1'))
    : der(0x18, Buffer.from(`${digits}Z`, 'latin1'))
}

/** A context-specific tag; `constructed` where it holds further values (§8.1.2). */
export const tagged = (number: number, constructed: boolean, ...contents: readonly Uint8Array[]): Buffer =>
  der(0x80 | (constructed ? 0x20 : 0) | number, ...contents)

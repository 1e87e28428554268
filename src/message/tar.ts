import { decodeText } from './charset.ts'

/** A file in a tar archive. */
export interface TarEntry {
  readonly name: string
  readonly octets: number
  /** As far as the archive goes. */
  readonly content: Uint8Array
}

const BLOCK = 512

/** Lists a tar archive (POSIX.1 pax, ustar), up to so many files. Total: never throws, linear time. */
export function listTar(bytes: Uint8Array, most: number): { readonly entries: readonly TarEntry[]; readonly more: boolean } {
  const entries: TarEntry[] = []
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK)
    if (header[0] === 0) break
    const octets = octal(header.subarray(124, 136))
    const content = bytes.subarray(at + BLOCK, at + BLOCK + octets)
    if (entries.length === most) return { entries, more: true }
    entries.push({ name: text(header.subarray(0, 100)), octets, content })
    at += BLOCK + Math.ceil(octets / BLOCK) * BLOCK
  }
  return { entries, more: false }
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0)
  return decodeText(end < 0 ? field : field.subarray(0, end))
}

function octal(field: Uint8Array): number {
  let value = 0
  for (const octet of field) if (octet >= 48 && octet < 56) value = value * 8 + octet - 48
  return value
}

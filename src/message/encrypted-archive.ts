/** RAR 5: a header that says that all others are encrypted. */
const RAR5_ENCRYPTED = 4
const RAR5_FILE = 2
const RAR5_END = 5
/** The coder of 7z that encrypts: AES-256 and SHA-256. */
const AES_7Z = [0x06, 0xf1, 0x07, 0x01]
/** Headers that are read. */
const MOST_HEADERS = 10_000

/**
 * Whether files in an archive of RAR or 7z can be read by those alone who have a password, as far as its headers say. Those of 7z
 * are mostly compressed, and then they say so only where the headers are encrypted themselves.
 */
export function isEncryptedArchive(bytes: Uint8Array, format: 'rar' | '7z'): boolean {
  if (format === '7z') return is7zEncrypted(bytes)
  return bytes[6] === 1 ? isRar5Encrypted(bytes) : isRar4Encrypted(bytes)
}

function is7zEncrypted(bytes: Uint8Array): boolean {
  if (bytes.length < 32) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const from = 32 + Number(view.getBigUint64(12, true))
  const end = Math.min(bytes.length, from + Number(view.getBigUint64(20, true)))
  for (let at = bytes.indexOf(AES_7Z[0]!, from); at >= 0 && at < end; at = bytes.indexOf(AES_7Z[0]!, at + 1)) {
    if (AES_7Z.every((octet, index) => bytes[at + index] === octet)) return true
  }
  return false
}

function isRar4Encrypted(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 7
  for (let count = 0; count < MOST_HEADERS && at + 11 <= bytes.length; count++) {
    const type = bytes[at + 2]!
    const flags = view.getUint16(at + 3, true)
    const size = view.getUint16(at + 5, true)
    if (type === 0x73 && (flags & 0x80) !== 0) return true
    if (type === 0x74 && (flags & 0x04) !== 0) return true
    if (type === 0x7b || size < 7) return false
    at += size + ((flags & 0x8000) !== 0 || type === 0x74 ? view.getUint32(at + 7, true) : 0)
  }
  return false
}

function isRar5Encrypted(bytes: Uint8Array): boolean {
  let at = 8
  for (let count = 0; count < MOST_HEADERS && at + 7 < bytes.length; count++) {
    const size = vint(bytes, at + 4)
    const type = vint(bytes, size.next)
    if (type.value === RAR5_ENCRYPTED) return true
    if (type.value === RAR5_END || size.value === 0) return false
    const flags = vint(bytes, type.next)
    const extra = (flags.value & 1) !== 0 ? vint(bytes, flags.next) : { value: 0, next: flags.next }
    const data = (flags.value & 2) !== 0 ? vint(bytes, extra.next) : { value: 0, next: extra.next }
    const end = size.next + size.value
    if (type.value === RAR5_FILE && extra.value > 0 && hasEncryption(bytes, end - extra.value, end)) return true
    at = end + data.value
  }
  return false
}

/** Whether among the records of a file's header there is one about encryption. */
function hasEncryption(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = Math.max(0, from); at < end && at < bytes.length; ) {
    const size = vint(bytes, at)
    if (vint(bytes, size.next).value === 1) return true
    if (size.value === 0) return false
    at = size.next + size.value
  }
  return false
}

/** A number of seven bits an octet, the lowest ones first. */
function vint(bytes: Uint8Array, from: number): { readonly value: number; readonly next: number } {
  let value = 0
  for (let at = from, scale = 1; at < from + 8; at++, scale *= 128) {
    const octet = bytes[at] ?? 0
    value += (octet & 127) * scale
    if (octet < 128) return { value, next: at + 1 }
  }
  return { value, next: from + 8 }
}

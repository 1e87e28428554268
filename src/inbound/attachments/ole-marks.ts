/** Names as the directory of a compound file has them: UTF-16, the lower octet first. */
const wide = (text: string): Uint8Array => Uint8Array.from([...text].flatMap((character) => [character.charCodeAt(0), 0]))

const MACROS = [wide('_VBA_PROJECT')]
const ENCRYPTED = [wide('EncryptedPackage'), wide('EncryptedSummary')]
/** The class of an installer (MSI): {000C1084-0000-0000-C000-000000000046}. */
const INSTALLER = [Uint8Array.of(0x84, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46)]
/** Octets of a name at the most. */
const LONGEST = 32

/**
 * What an old document of Office holds, by names in its directory, which may lie anywhere in it. What looks like one of the names
 * in a text counts too: no document of the kind that matters has them by chance.
 */
export class OleMarks {
  hasMacros = false
  isEncrypted = false
  isInstaller = false
  #tail: Uint8Array = new Uint8Array(0)

  push(piece: Uint8Array): void {
    const bytes = new Uint8Array(this.#tail.length + piece.length)
    bytes.set(this.#tail)
    bytes.set(piece, this.#tail.length)
    this.hasMacros ||= MACROS.some((name) => holds(bytes, name))
    this.isEncrypted ||= ENCRYPTED.some((name) => holds(bytes, name))
    this.isInstaller ||= INSTALLER.some((name) => holds(bytes, name))
    this.#tail = bytes.subarray(Math.max(0, bytes.length - LONGEST))
  }
}

function holds(bytes: Uint8Array, wanted: Uint8Array): boolean {
  const [first = 0] = wanted
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + wanted.length > bytes.length) return false
    let length = 1
    while (length < wanted.length && bytes[at + length] === wanted[length]) length++
    if (length === wanted.length) return true
  }
  return false
}

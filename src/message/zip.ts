import { decodeText } from './charset.ts'

/** A file in a ZIP archive, as a header of it says. */
export interface ZipEntry {
  readonly name: string
  readonly encrypted: boolean
  /** 0: stored, 8: deflated. */
  readonly method: number
  /** Octets that it says it has. */
  readonly octets: number
  /** Its octets as they are stored, up to the end of the archive where their number is not known; absent where there are none. */
  readonly stored: Uint8Array | undefined
}

/** What an archive says that it holds. */
export interface ZipListing {
  readonly entries: readonly ZipEntry[]
  /** There are more than were read. */
  readonly more: boolean
}

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
/** Octets of a name. */
const MOST_NAME = 4096

/**
 * Lists a ZIP archive: every header of a file in it, wherever it lies. Programs differ in which of them they believe (those
 * before the files, or those at the end, which may tell of others), so both are read. Total: never throws, linear time.
 */
export function listZip(bytes: Uint8Array, most: number): ZipListing {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const central = new Map<number, ZipEntry & { readonly packed: number }>()
  const local: { readonly at: number; readonly entry: ZipEntry }[] = []
  let count = 0
  for (let at = bytes.indexOf(0x50); at >= 0 && at + 30 <= bytes.length; at = bytes.indexOf(0x50, at + 1)) {
    const signature = view.getUint32(at, true)
    if (signature !== LOCAL && signature !== CENTRAL) continue
    const found = signature === LOCAL ? readLocal(bytes, view, at) : readCentral(bytes, view, at)
    if (!found) continue
    if (++count > most) return { entries: merged(local, central), more: true }
    if (found.offset === undefined) local.push({ at, entry: found.entry })
    else central.set(found.offset, { ...found.entry, packed: found.packed })
  }
  return { entries: merged(local, central), more: false }
}

interface Found {
  readonly entry: ZipEntry
  readonly packed: number
  /** Where the header before the file is said to be. */
  readonly offset: number | undefined
}

function readLocal(bytes: Uint8Array, view: DataView, at: number): Found | undefined {
  const flags = view.getUint16(at + 6, true)
  const nameLength = view.getUint16(at + 26, true)
  const from = at + 30 + nameLength + view.getUint16(at + 28, true)
  const method = view.getUint16(at + 8, true)
  if (nameLength === 0 || nameLength > MOST_NAME || from > bytes.length || method > 100) return undefined
  const size = view.getUint32(at + 18, true)
  // APPNOTE 4.4.4: its size comes behind it.
  const end = (flags & 8) !== 0 || size === 0xffffffff ? bytes.length : Math.min(bytes.length, from + size)
  const entry = {
    name: nameOf(bytes.subarray(at + 30, at + 30 + nameLength), flags),
    encrypted: (flags & 1) !== 0,
    method,
    octets: known(view.getUint32(at + 22, true)),
    stored: bytes.subarray(from, end),
  }
  return { entry, packed: size, offset: undefined }
}

function readCentral(bytes: Uint8Array, view: DataView, at: number): Found | undefined {
  if (at + 46 > bytes.length) return undefined
  const flags = view.getUint16(at + 8, true)
  const nameLength = view.getUint16(at + 28, true)
  const method = view.getUint16(at + 10, true)
  if (nameLength === 0 || nameLength > MOST_NAME || at + 46 + nameLength > bytes.length || method > 100) return undefined
  const entry = {
    name: nameOf(bytes.subarray(at + 46, at + 46 + nameLength), flags),
    encrypted: (flags & 1) !== 0,
    method,
    octets: known(view.getUint32(at + 24, true)),
    stored: undefined,
  }
  return { entry, packed: view.getUint32(at + 20, true), offset: view.getUint32(at + 42, true) }
}

/** APPNOTE 4.4.9: a size that stands elsewhere counts as none. */
const known = (octets: number): number => (octets === 0xffffffff ? 0 : octets)

/** One entry for two headers that say the same of one file; two where they do not. */
function merged(
  local: readonly { readonly at: number; readonly entry: ZipEntry }[],
  central: ReadonlyMap<number, ZipEntry & { readonly packed: number }>,
): readonly ZipEntry[] {
  const left = new Map(central)
  const entries = local.map(({ at, entry }) => {
    const same = left.get(at)
    if (!same || same.name !== entry.name) return entry
    left.delete(at)
    const { packed, octets, encrypted } = same
    const stored = packed < 0xffffffff ? entry.stored?.subarray(0, Math.max(packed, 0)) : entry.stored
    return { ...entry, octets: Math.max(octets, entry.octets), encrypted: encrypted || entry.encrypted, stored }
  })
  return [...entries, ...left.values()]
}

function nameOf(octets: Uint8Array, flags: number): string {
  // APPNOTE appendix D: UTF-8 where bit 11 says so, else code page 437, which nobody's program takes seriously.
  return decodeText(octets, (flags & 0x800) !== 0 ? 'utf-8' : undefined)
}

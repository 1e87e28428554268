import { deflateRawSync } from 'node:zlib'

/** A file to be put into an archive. */
export interface Packed {
  readonly name: string
  readonly content: Uint8Array | string
  readonly stored?: boolean
  readonly encrypted?: boolean
  /** Sizes come behind it. */
  readonly streamed?: boolean
  /** Its name at the end of the archive. */
  readonly centralName?: string
  readonly octets?: number
}

/** A ZIP archive. */
export function zip(...files: readonly Packed[]): Buffer {
  const pieces: Buffer[] = []
  const central: Buffer[] = []
  let at = 0
  for (const { name, content, stored = false, encrypted = false, streamed = false, centralName = name, octets } of files) {
    const plain = Buffer.from(content as string)
    const data = stored ? plain : deflateRawSync(plain)
    const flags = (encrypted ? 1 : 0) | (streamed ? 8 : 0) | 0x800
    const size = octets ?? plain.length
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(20, 4)
    local.writeUInt16LE(flags, 6)
    local.writeUInt16LE(stored ? 0 : 8, 8)
    if (!streamed) {
      local.writeUInt32LE(data.length, 18)
      local.writeUInt32LE(size, 22)
    }
    local.writeUInt16LE(Buffer.byteLength(name), 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(flags, 8)
    entry.writeUInt16LE(stored ? 0 : 8, 10)
    entry.writeUInt32LE(data.length, 20)
    entry.writeUInt32LE(size, 24)
    entry.writeUInt16LE(Buffer.byteLength(centralName), 28)
    entry.writeUInt32LE(at, 42)
    central.push(entry, Buffer.from(centralName))
    const piece = Buffer.concat([local, Buffer.from(name), data])
    pieces.push(piece)
    at += piece.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  return Buffer.concat([...pieces, ...central, end])
}

/** A tar archive. */
export function tar(...files: readonly (readonly [name: string, content: string | Uint8Array])[]): Buffer {
  const pieces = files.flatMap(([name, content]) => {
    const plain = Buffer.from(content as string)
    const header = Buffer.alloc(512)
    header.write(name, 0)
    header.write(plain.length.toString(8).padStart(11, '0'), 124)
    header.write('ustar', 257)
    return [header, plain, Buffer.alloc((512 - (plain.length % 512)) % 512)]
  })
  return Buffer.concat([...pieces, Buffer.alloc(1024)])
}

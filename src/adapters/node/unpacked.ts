import { promisify } from 'node:util'
import { gunzip, inflateRaw } from 'node:zlib'

const gunzipped = promisify(gunzip)
const inflated = promisify(inflateRaw)

const STORED = 0
const DEFLATED = 8
/** The end of a ZIP file: its record, with the longest comment. */
const END_RECORD = 22
const MOST_END = END_RECORD + 65_535

/**
 * What is in a file that is compressed by gzip, or in the first file of a ZIP archive; the file itself where it is neither.
 * Nothing where that is more than `most` octets, or the file is broken.
 */
export async function unpacked(file: Uint8Array, most: number): Promise<Uint8Array | undefined> {
  try {
    if (file[0] === 0x1f && file[1] === 0x8b) return await gunzipped(file, { maxOutputLength: most })
    if (file[0] === 0x50 && file[1] === 0x4b) return await firstOf(file, most)
    return file.length <= most ? file : undefined
  } catch {
    return undefined
  }
}

/** The first file that the directory of an archive names. */
async function firstOf(file: Uint8Array, most: number): Promise<Uint8Array | undefined> {
  const octets = Buffer.from(file.buffer, file.byteOffset, file.length)
  const end = octets.subarray(Math.max(octets.length - MOST_END, 0)).lastIndexOf('PK\u0005\u0006', undefined, 'latin1')
  if (end < 0) return undefined
  const entry = octets.readUInt32LE(Math.max(octets.length - MOST_END, 0) + end + 16)
  if (octets.toString('latin1', entry, entry + 4) !== 'PK\u0001\u0002') return undefined
  const method = octets.readUInt16LE(entry + 10)
  const [packed, local] = [octets.readUInt32LE(entry + 20), octets.readUInt32LE(entry + 42)]
  const start = local + 30 + octets.readUInt16LE(local + 26) + octets.readUInt16LE(local + 28)
  const data = octets.subarray(start, start + packed)
  if (method === STORED) return data.length <= most ? data : undefined
  return method === DEFLATED ? inflated(data, { maxOutputLength: most }) : undefined
}

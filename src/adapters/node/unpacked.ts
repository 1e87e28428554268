import { listZip } from '../../message/zip.ts'
import { joinedOctets } from '../../protocol/bytes/joined.ts'
import { inflated } from './inflated.ts'

const STORED = 0
const DEFLATED = 8
/** Headers of an archive that are read: a report is the only file in its own. */
const MOST_HEADERS = 4

/**
 * What is in a file that is compressed by gzip, or in the first file of a ZIP archive; the file itself where it is neither.
 * Nothing where that is more than `most` octets, or the file is broken.
 */
export async function unpacked(file: Uint8Array, most: number): Promise<Uint8Array | undefined> {
  if (file[0] === 0x1f && file[1] === 0x8b) return whole(file, 'gzip', most)
  if (file[0] !== 0x50 || file[1] !== 0x4b) return bounded(file, most)
  const entry = listZip(file, MOST_HEADERS).entries.find(({ stored }) => stored !== undefined)
  if (!entry?.stored) return undefined
  if (entry.method === STORED) return bounded(entry.stored, most)
  return entry.method === DEFLATED ? whole(entry.stored, 'raw', most) : undefined
}

const bounded = (octets: Uint8Array, most: number): Uint8Array | undefined => (octets.length <= most ? octets : undefined)

/** All that is inflated; no more of it is made than is wanted. */
async function whole(octets: Uint8Array, format: 'raw' | 'gzip', most: number): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = []
  let made = 0
  try {
    for await (const piece of inflated(octets, format)) {
      made += piece.length
      if (made > most) return undefined
      pieces.push(piece)
    }
  } catch {
    return undefined
  }
  return joinedOctets(pieces)
}

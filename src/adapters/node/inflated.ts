import { createGunzip, createInflateRaw } from 'node:zlib'

/**
 * Inflates octets piece by piece, no further than is read. Throws where they are no such stream; what came before that has been
 * given.
 */
export async function* inflated(octets: Uint8Array, format: 'raw' | 'gzip'): AsyncGenerator<Uint8Array, void, undefined> {
  const stream = format === 'gzip' ? createGunzip() : createInflateRaw()
  stream.end(octets)
  try {
    for await (const piece of stream) yield piece as Uint8Array
  } finally {
    stream.destroy()
  }
}

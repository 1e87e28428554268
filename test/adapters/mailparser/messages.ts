import { indexMessage } from '../../../src/message/indexer.ts'
import type { Body, ByteRange } from '../../../src/contracts/bodies.ts'
import { type Content, readContent } from '../../../src/adapters/mailparser/index.ts'

/** A body that is read in pieces of `chunk` octets, as a file would be. */
export function piecewise(bytes: Uint8Array, chunk: number): Body {
  return {
    size: bytes.length,
    async *read({ start, end }: ByteRange = { start: 0, end: bytes.length }) {
      for (let at = start; at < end; at += chunk) yield bytes.subarray(at, Math.min(at + chunk, end))
    },
  }
}

/** The octets of a message written with `\n`. */
export const octets = (text: string): Uint8Array => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1')

/** What a message written with `\n`, its characters octets, holds. */
export async function contentOf(text: string | Uint8Array, chunk = 1000): Promise<Content> {
  const bytes = typeof text === 'string' ? octets(text) : text
  return readContent(piecewise(bytes, chunk), indexMessage(bytes).structure)
}

/** All octets of an attachment. */
export async function all(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const found: Uint8Array[] = []
  for await (const piece of pieces) found.push(piece)
  return Buffer.concat(found)
}

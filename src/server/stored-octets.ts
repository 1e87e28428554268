import type { StoredBody } from '../contracts/bodies.ts'

/** The octets of a stored body from `start` to `end` (exclusive) in one piece. Throws whatever its reading throws. */
export async function storedOctets(body: StoredBody, start: number, end: number): Promise<Uint8Array> {
  if (body.bytes) return body.bytes.subarray(start, end)
  const chunks: Uint8Array[] = []
  if (start < end) for await (const chunk of body.read({ start, end })) chunks.push(chunk)
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

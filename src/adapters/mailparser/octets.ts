import type { Body } from '../../contracts/bodies.ts'

/** Octets [start, end) of a body at once: a view where it is in memory. */
export async function octetsOf(body: Body, start: number, end: number): Promise<Uint8Array> {
  if (body.bytes) return body.bytes.subarray(start, end)
  const pieces: Uint8Array[] = []
  if (end > start) for await (const piece of body.read({ start, end })) pieces.push(piece)
  return Buffer.concat(pieces)
}

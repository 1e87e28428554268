import { joinedOctets } from '../protocol/bytes/joined.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { Body, ByteRange } from './bodies.ts'

/**
 * A copy of all octets of a body that a store was given, for stores that keep messages whole. Throws a `misuse` MailError where
 * they are not as many as the body says, and whatever its reading throws.
 */
export async function readBody(body: Body): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let octets = 0
  for await (const chunk of body.bytes ? [body.bytes] : body.read()) {
    chunks.push(chunk)
    octets += chunk.length
  }
  if (octets !== body.size) throw new MailError('misuse', `body: says ${body.size} octets, has ${octets}`)
  return joinedOctets(chunks)
}

/** The octets of a range of a body in one piece: a view of it where it is in memory. Throws whatever its reading throws. */
export async function readRange(body: Body, { start, end }: ByteRange): Promise<Uint8Array> {
  if (body.bytes) return body.bytes.subarray(start, end)
  const chunks: Uint8Array[] = []
  if (start < end) for await (const chunk of body.read({ start, end })) chunks.push(chunk)
  return chunks.length === 1 ? chunks[0]! : joinedOctets(chunks)
}

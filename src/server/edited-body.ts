import type { Body } from '../contracts/bodies.ts'
import { readRange } from '../contracts/read-body.ts'
import type { ReceivedMessage } from '../contracts/received.ts'
import type { MessageFacts } from '../message/facts.ts'
import { createIndexer } from '../message/indexer.ts'
import { prefixed } from './collector.ts'

/** The octets of a message, and what they say. */
export interface Content {
  readonly body: Body
  readonly facts: MessageFacts
}

/** One change: octets `from` to `to` go, `text` comes in their place. */
export interface Edit {
  readonly from: number
  readonly to: number
  readonly text: string
}

/**
 * A message whose header is changed; edits lie in it and do not overlap. What is put in at one and the same place comes in the
 * order given. Without edits it is the same.
 */
export async function edited(message: Pick<ReceivedMessage, 'body' | 'facts'>, edits: readonly Edit[]): Promise<Content> {
  const { body, facts } = message
  if (edits.length === 0) return { body, facts }
  // What is put in where something goes comes before it.
  const ascending = [...edits].sort((a, b) => a.from - b.from || a.to - b.to)
  const end = ascending.at(-1)!.to
  const old = await readRange(body, { start: 0, end })
  const pieces: Uint8Array[] = []
  let at = 0
  for (const { from, to, text } of ascending) {
    pieces.push(old.subarray(at, from), Buffer.from(text, 'utf8'))
    at = to
  }
  return contentOf(prefixed(Buffer.concat(pieces), body, end))
}

/** Everything has moved: the facts are gathered anew. */
async function contentOf(body: Body): Promise<Content> {
  const indexer = createIndexer()
  for await (const bytes of body.read()) indexer.push(bytes)
  return { body, facts: indexer.end() }
}

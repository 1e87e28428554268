import { createIndexer } from '../../message/indexer.ts'
import type { Body, ByteRange } from '../../contracts/bodies.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Facts } from './facts.ts'

const CR = 13
const LF = 10

/** Counts LFs that no CR stands before, as octets stream by. */
export class BareLfs {
  count = 0
  #last = 0

  push(chunk: Uint8Array): void {
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
      if ((at > 0 ? chunk[at - 1] : this.#last) !== CR) this.count++
    }
    this.#last = chunk[chunk.length - 1] ?? this.#last
  }
}

/** The octets with CRLF for each bare LF: other programs write mail as text files of their system. */
export async function* withCrlf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let last = 0
  for await (const chunk of chunks) {
    const bare = new BareLfs()
    if (last === CR) bare.push(Uint8Array.of(CR))
    bare.push(chunk)
    yield bare.count === 0 ? chunk : crlfOf(chunk, bare.count, last)
    last = chunk[chunk.length - 1] ?? last
  }
}

function crlfOf(chunk: Uint8Array, bare: number, last: number): Uint8Array {
  const all = new Uint8Array(chunk.length + bare)
  let used = 0
  let from = 0
  for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
    if ((at > 0 ? chunk[at - 1] : last) === CR) continue
    all.set(chunk.subarray(from, at), used)
    used += at - from
    all[used++] = CR
    from = at
  }
  all.set(chunk.subarray(from), used)
  return all
}

/** Octets `start` to `end` of those that stream by. */
export async function* sliceOf(
  chunks: AsyncIterable<Uint8Array>,
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0
  if (start >= end) return
  for await (const chunk of chunks) {
    const [from, to] = [Math.max(0, start - at), Math.min(chunk.length, end - at)]
    if (from < to) yield chunk.subarray(from, to)
    at += chunk.length
    if (at >= end) return
  }
}

/** All chunks of a body, counted: a `misuse` error where they are not as many octets as it says. `bare` counts bare LFs. */
export async function* counted(body: Body, bare: BareLfs): AsyncGenerator<Uint8Array, void, undefined> {
  let octets = 0
  for await (const chunk of body.bytes ? [body.bytes] : body.read()) {
    octets += chunk.length
    if (octets > body.size) break
    bare.push(chunk)
    yield chunk
  }
  if (octets !== body.size) throw new MailError('misuse', `body: says ${body.size} octets, has ${octets}`)
}

/** What a message says, from its octets. */
export async function indexed(chunks: AsyncIterable<Uint8Array>): Promise<Facts> {
  const indexer = createIndexer()
  for await (const chunk of chunks) indexer.push(chunk)
  return indexer.end()
}

import { MailError } from './errors.ts'
import type { BodyRange, Output } from './session.ts'

/** Octets that are written together, at the least: many small messages cost a write for several. */
const BATCH = 65_536

/** Where octets of messages come from, as {@link DriveOptions} has it. */
export interface Source {
  read?(range: BodyRange): AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>
  octets?(ranges: readonly BodyRange[]): Promise<readonly (Uint8Array | undefined)[]> | undefined
}

/** Where they go. */
export interface Outlet {
  /** Nobody takes anything any more. */
  readonly isShut: boolean
  /** Writes; what it gives is to be waited for before more is written. */
  send(pieces: readonly Output[]): Promise<void> | undefined
}

/** Whether a piece of output lies elsewhere. */
export const isRange = (piece: Output | BodyRange): piece is BodyRange => typeof piece === 'object' && 'message' in piece

/** Writes output of which some lies elsewhere, no faster than it is taken. Rejects where the source does not have it. */
export async function stream(output: readonly (Output | BodyRange)[], source: Source, outlet: Outlet): Promise<void> {
  const known = await source.octets?.(output.filter(isRange))
  const batch = new Batch(outlet)
  let next = 0
  for (const piece of output) {
    if (outlet.isShut) return
    if (isRange(piece)) {
      // Before it, rather than behind the one before: the end of an answer is no write of its own.
      if (batch.isFull) await batch.send()
      const bytes = known?.[next++]
      if (bytes === undefined) await readInto(batch, piece, source, outlet)
      else if (bytes.length === piece.end - piece.start) batch.add(bytes)
      else throw wrong(piece, bytes.length)
    } else batch.add(piece)
  }
  await batch.send()
}

/** Adds what is read of a message, writing by the way where it is much. */
async function readInto(batch: Batch, range: BodyRange, source: Source, outlet: Outlet): Promise<void> {
  const octets = range.end - range.start
  let left = octets
  for await (const chunk of await source.read!(range)) {
    left -= chunk.length
    if (outlet.isShut) return
    if (left < 0) break
    batch.add(chunk)
    if (batch.isFull) await batch.send()
  }
  if (left !== 0) throw wrong(range, octets - left)
}

function wrong({ start, end }: BodyRange, octets: number): MailError {
  return new MailError('misuse', `read: ${octets} octets, not ${end - start}`)
}

/** What is gathered to be written in one piece. */
class Batch {
  private readonly outlet: Outlet
  private pieces: Output[] = []
  private octets = 0

  constructor(outlet: Outlet) {
    this.outlet = outlet
  }

  get isFull(): boolean {
    return this.octets >= BATCH
  }

  add(piece: Output): void {
    this.pieces.push(piece)
    this.octets += piece.length
  }

  send(): Promise<void> | undefined {
    const { pieces } = this
    this.pieces = []
    this.octets = 0
    return pieces.length === 0 || this.outlet.isShut ? undefined : this.outlet.send(pieces)
  }
}

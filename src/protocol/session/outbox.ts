import type { BodyRange, Output } from './session.ts'

/** Octets of output from which on the session waits to be relieved. */
const MARK = 65_536

/** What octets of a message count for beside themselves. */
const PIECE = 512

const NOTHING: readonly Output[] = []

/** Octets of what was taken. */
export function octetsOf(output: readonly (Output | BodyRange)[]): number {
  let octets = 0
  for (const piece of output) octets += typeof piece === 'object' && 'message' in piece ? piece.end - piece.start : piece.length
  return octets
}

/** What has been said and was not taken yet: text grows in one piece, so that a batch goes out as one write. */
export class Outbox {
  private pieces: (Output | BodyRange)[] | undefined
  private octets = 0

  /** So much that it must be taken before more is made. */
  get full(): boolean {
    return this.octets >= MARK
  }

  write(octets: string | Uint8Array): void {
    if (octets.length === 0) return
    this.octets += octets.length
    if (this.pieces === undefined) {
      this.pieces = [octets]
      return
    }
    const at = this.pieces.length - 1
    const before = this.pieces[at]
    if (typeof octets === 'string' && typeof before === 'string') this.pieces[at] = before + octets
    else this.pieces.push(octets)
  }

  writeBody(message: string, start: number, end: number): void {
    if (end <= start) return
    this.pieces ??= []
    this.pieces.push({ message, start, end })
    // Something for the piece itself: octets of a message, asked for one by one, are many pieces.
    this.octets += PIECE + end - start
  }

  take(): readonly (Output | BodyRange)[] {
    const { pieces } = this
    if (pieces === undefined) return NOTHING
    this.clear()
    return pieces
  }

  clear(): void {
    this.pieces = undefined
    this.octets = 0
  }
}

/** Octets that there is room for at first; a power of two. */
const FIRST_ROOM = 256

/** The last octets of a stream, as many as raw DEFLATE refers back to: room for them grows as they come. */
export class LastOctets {
  readonly #most: number
  #room = Buffer.alloc(0)
  /** How many there are, at the end of the room. */
  #known = 0

  /** `most`: a power of two. */
  constructor(most: number) {
    this.#most = most
  }

  /** They, for zlib to begin from; it takes none for an error. */
  get dictionary(): Uint8Array | undefined {
    return this.#known === 0 ? undefined : this.#room.subarray(this.#room.length - this.#known)
  }

  /** These came after those. */
  push(octets: Uint8Array): void {
    const known = Math.min(this.#most, this.#known + octets.length)
    const before = this.#room
    // In place, unless it has to grow.
    let room = Math.max(before.length, FIRST_ROOM)
    while (room < known) room *= 2
    const last = room === before.length ? before : Buffer.allocUnsafeSlow(room)
    const fresh = Math.min(octets.length, known)
    before.copy(last, room - known, before.length - (known - fresh))
    last.set(octets.subarray(octets.length - fresh), room - fresh)
    this.#room = last
    this.#known = known
  }
}

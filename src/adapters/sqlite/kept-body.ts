import type { Body, ByteRange, StoredBody } from '../../contracts/bodies.ts'
import type { Connection } from './driver.ts'

/** A body that lies in a database, and is known again there: who appends or enqueues it has it counted once more, not copied. */
export class KeptBody implements StoredBody {
  readonly id: string
  readonly size: number
  readonly file?: string
  readonly read: StoredBody['read']
  readonly #db: Connection
  readonly #row: number

  constructor(
    db: Connection,
    row: number,
    size: number,
    file: string | undefined,
    read: (range: ByteRange) => AsyncIterable<Uint8Array>,
  ) {
    this.id = String(row)
    this.size = size
    if (file !== undefined) this.file = file
    this.read = (range) => read(range ?? { start: 0, end: size })
    this.#db = db
    this.#row = row
  }

  /** The row of its message, where it lies in this database. */
  static rowIn(db: Connection, body: Body): number | undefined {
    return #row in body && body.#db === db ? body.#row : undefined
  }
}

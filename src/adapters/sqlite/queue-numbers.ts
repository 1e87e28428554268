import type { Connection, Statement } from './driver.ts'

/** Numbers taken from the database at a time. The rest of a block is lost with the process; there are 2^53. */
const BLOCK = 1000

/**
 * The numbers of jobs: never given out twice, and ascending in the order of transactions whatever process they are of. So a block
 * is void when another process has written: it may have begun one above.
 */
export class QueueNumbers {
  readonly #version: Statement
  readonly #read: Statement
  readonly #write: Statement
  #next = 0
  #end = 0
  #seen: number | undefined
  /** Whether this transaction has looked for what others have written. */
  #hasLooked = false
  /** Whether the block was taken in a transaction that is not committed. */
  #isUncertain = false

  constructor(db: Connection) {
    this.#version = db.prepare('PRAGMA data_version')
    this.#read = db.prepare("SELECT value FROM counters WHERE name = 'next_job'")
    this.#write = db.prepare("UPDATE counters SET value = ? WHERE name = 'next_job'")
  }

  /** A transaction has begun. */
  begun(): void {
    this.#hasLooked = false
    if (this.#isUncertain) this.#next = this.#end
    this.#isUncertain = false
  }

  /** The transaction is on disk. */
  committed(): void {
    this.#isUncertain = false
  }

  /** Inside a transaction. */
  next(): number {
    if (!this.#hasLooked) this.#look()
    if (this.#next === this.#end) {
      const first = this.#read.get()?.['value'] as number
      this.#write.run(first + BLOCK)
      this.#next = first
      this.#end = first + BLOCK
      this.#isUncertain = true
    }
    return this.#next++
  }

  #look(): void {
    const version = this.#version.get()?.['data_version'] as number
    if (version !== this.#seen) this.#next = this.#end
    this.#seen = version
    this.#hasLooked = true
  }
}

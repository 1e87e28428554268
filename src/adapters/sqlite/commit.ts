// By name: a test that fakes the global timers must not stop the store.
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from 'node:timers'
import { MailError, isMailError } from '../../protocol/session/errors.ts'
import { Crowd } from './crowd.ts'
import { type Connection, type Statement, storageError } from './driver.ts'

/** Something to be written, one of many in a transaction. */
export interface Write {
  /** About how many octets it writes. */
  readonly octets: number
  /** A crash of the machine may undo it: it asks for no flush of its own. */
  readonly isFleeting?: boolean
  /**
   * Writes, inside the transaction. A MailError thrown here says that nothing was written yet, and fails this write alone.
   * May be called again, after what it did was rolled back.
   */
  apply(): void
  /** It is on disk. */
  committed(): void
  /** Nothing of it was kept. */
  failed(error: MailError): void
}

/** What goes with each transaction. */
export interface Transaction {
  /** A transaction has begun: what is known of the last one is void. */
  begun(): void
  /** All is written that was asked for, and the transaction is about to be committed: the last time to write. */
  ending(): void
  /** The transaction is on disk; nothing was settled yet. */
  committed(): void
}

/** Where a transaction is cut, so that it does not hold the event loop: about 10 ms here. */
const MOST_WRITES = 256
const MOST_OCTETS = 8 * 1024 * 1024

/** What work on many messages is taken for, so that not too much of it is in one transaction. */
const WORK = 64 * 1024

/** Milliseconds that a group waits for those who usually write along. */
const PATIENCE = 1

/**
 * Group commit: writes that are asked for in one turn of the event loop share one transaction and one flush.
 *
 * Drivers are synchronous, so while one transaction is flushed every connection's bytes wait in the kernel; the next turn of
 * the loop reads all of them, and their writes make up the next group. So groups grow with the load by themselves; a group
 * that is smaller than usual waits a moment for the rest ({@link Crowd}). A single writer waits for its own flush alone.
 */
export class GroupCommit {
  readonly #db: Connection
  readonly #with: Transaction
  readonly #begin: Statement
  readonly #commit: Statement
  #waiting: Write[] = []
  #octets = 0
  #turnEnd: NodeJS.Immediate | undefined
  #patience: NodeJS.Timeout | undefined
  readonly #crowd = new Crowd()
  /** How many the last flush served, until the turn after it is over. */
  #served = 0
  #closed = false
  /** Whether commits are flushed. */
  #flushes = true

  constructor(db: Connection, transaction: Transaction) {
    this.#db = db
    this.#with = transaction
    // IMMEDIATE: takes the write lock at once; a lock that is upgraded halfway can fail in ways that waiting does not mend.
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#commit = db.prepare('COMMIT')
  }

  /** Takes a write into the next transaction. `failed` with `closed` after {@link close}. */
  add(write: Write): void {
    if (this.#closed) {
      write.failed(closedError())
      return
    }
    this.#waiting.push(write)
    this.#octets += write.octets
    if (this.#waiting.length >= MOST_WRITES || this.#octets >= MOST_OCTETS) this.flush()
    else this.#turnEnd ??= setImmediate(() => this.#turnEnded())
  }

  /**
   * Takes a piece of work into the next transaction, for which the rules of {@link Write.apply} hold. Resolves with what it gave
   * when that is on disk, or with what `told` makes of it then.
   */
  work<T, R = T>(run: () => T, told?: (result: T) => R): Promise<R> {
    return new Promise((resolve, reject) => {
      let result: T
      this.add({
        octets: WORK,
        apply: () => void (result = run()),
        committed: () => resolve(told ? told(result) : result as unknown as R),
        failed: reject,
      })
    })
  }

  /** Commits what waits, now. */
  flush(): void {
    if (this.#turnEnd) clearImmediate(this.#turnEnd)
    if (this.#patience) clearTimeout(this.#patience)
    this.#turnEnd = this.#patience = undefined
    const group = this.#waiting
    if (group.length === 0) return
    this.#waiting = []
    this.#octets = 0
    this.#transact(group)
    this.#served = group.length
    this.#turnEnd = setImmediate(() => this.#turnEnded())
  }

  /** All that was ready to be read in this turn of the loop has been. */
  #turnEnded(): void {
    this.#turnEnd = undefined
    const here = this.#waiting.length
    if (this.#served > 0) this.#crowd.seen(this.#served, here)
    this.#served = 0
    if (here === 0) return
    if (this.#crowd.complete(here)) this.flush()
    else this.#patience ??= setTimeout(() => {
      this.#crowd.missed(this.#waiting.length)
      this.flush()
    }, PATIENCE)
  }

  /** Commits what waits and takes no more. */
  close(): void {
    this.#closed = true
    this.flush()
  }

  #transact(group: readonly Write[]): void {
    let refusals: Map<Write, MailError> | undefined
    try {
      this.#flushIf(group.some(({ isFleeting }) => !isFleeting))
      this.#begin.run()
      this.#with.begun()
    } catch (error) {
      this.#fail(group, error)
      return
    }
    for (const write of group) {
      try {
        write.apply()
      } catch (error) {
        if (isMailError(error)) {
          refusals ??= new Map()
          refusals.set(write, error)
          continue
        }
        // Half written, and no knowing what else went wrong with it: each for itself, so that only the guilty one fails.
        this.#rollback()
        if (group.length === 1) write.failed(storageError(error, 'writing'))
        else for (const one of group) this.#transact([one])
        return
      }
    }
    try {
      this.#with.ending()
      this.#commit.run()
    } catch (error) {
      this.#fail(group, error)
      return
    }
    this.#with.committed()
    for (const write of group) {
      const refusal = refusals?.get(write)
      if (refusal) write.failed(refusal)
      else write.committed()
    }
  }

  /**
   * Without a flush (https://sqlite.org/pragma.html#pragma_synchronous) others see what was committed, and a crash of this
   * process loses nothing of it. The next flush is of all that was written before it.
   */
  #flushIf(wanted: boolean): void {
    if (wanted === this.#flushes) return
    this.#db.exec(wanted ? 'PRAGMA synchronous = FULL' : 'PRAGMA synchronous = NORMAL')
    this.#flushes = wanted
  }

  #fail(group: readonly Write[], cause: unknown): void {
    this.#rollback()
    const error = storageError(cause, 'committing')
    for (const write of group) write.failed(error)
  }

  #rollback(): void {
    try {
      this.#db.exec('ROLLBACK')
    } catch {
      // SQLite rolls back by itself after some errors (disk full, I/O); then there is nothing left to roll back.
    }
  }
}

/** What a call after `close` gets. */
export function closedError(): MailError {
  return new MailError('closed', 'The store was closed')
}

import { setImmediate as turn } from 'node:timers/promises'
import type { Read } from './bodies.ts'
import type { Connection, Statement } from './driver.ts'
import { Dues } from './queue-dues.ts'
import { kept, textIn } from './queue-rows.ts'

/** Destinations that are looked up at a time: about 3 ms. */
const SLICE = 500

/** So few are looked up whenever another process has written. */
const FEW = 200

/** Looking up more of them takes one part in so many of the time. */
const SHARE = 20

/** Below the rank of every job. */
const LOWEST = -1000

/**
 * When which destination is to be seen to, in memory: which job is due is never found by going through jobs.
 *
 * Read from the index by a seek or two a destination, then kept in step: a destination where something was changed is looked up
 * again when it is next asked for. That may well be in vain, so a change is noted before it is committed. When another process
 * has written, all are looked up again: each time if they are few, otherwise as often as it does not cost too much.
 */
export class Schedule {
  readonly #read: Read
  readonly #version: Statement
  readonly #first: Statement
  readonly #next: Statement
  readonly #dues = new Dues()
  readonly #changed = new Set<string>()
  #seen: number | undefined
  #discovering: Promise<void> | undefined
  /** Not before that, by the monotonic clock, all are looked up again. */
  #pause = 0

  constructor(db: Connection, read: Read) {
    this.#read = read
    this.#version = db.prepare('PRAGMA data_version')
    const what = 'SELECT destination, rank, due FROM queue WHERE held IS NULL AND'
    this.#first = db.prepare(`${what} destination > ? ORDER BY destination, rank, due LIMIT 1`)
    this.#next = db.prepare(`${what} destination = ? AND rank > ? ORDER BY rank, due LIMIT 1`)
  }

  /** A job for the destination was changed. `due`: it was added and is due then, and nothing else was changed. */
  note(destination: string, due = -Infinity): void {
    if (this.#seen === undefined || due >= (this.#dues.get(destination) ?? Infinity)) return
    this.#changed.add(destination)
  }

  /** Destinations with jobs that are due, those first that have waited longest. */
  async due(now: number, limit: number, except?: ReadonlySet<string>): Promise<readonly string[]> {
    await this.#refresh(false)
    const found: string[] = []
    if (limit < 1) return found
    for (const { destination, due } of this.#dues.inOrder()) {
      if (due > now) break
      if (!except?.has(destination)) found.push(destination)
      if (found.length >= limit) break
    }
    return found
  }

  /** When the first job is due. */
  async nextDue(except?: ReadonlySet<string>): Promise<number | undefined> {
    await this.#refresh(true)
    for (const { destination, due } of this.#dues.inOrder()) if (!except?.has(destination)) return due
    return undefined
  }

  /** `sure`: whatever it costs, because somebody will rely on it for long. */
  async #refresh(sure: boolean): Promise<void> {
    const version = this.#read(() => this.#version.get()?.['data_version'] as number)
    if (version !== this.#seen && (sure || this.#dues.size <= FEW || performance.now() >= this.#pause)) {
      this.#discovering ??= this.#discover(version).catch((error: unknown) => {
        // It is known of some destinations only: the next one who asks begins anew.
        this.#seen = undefined
        throw error
      }).finally(() => (this.#discovering = undefined))
    }
    await this.#discovering
    let left = this.#changed.size
    while (left > 0) {
      this.#read(() => {
        for (const destination of first(this.#changed, Math.min(left, SLICE))) this.#lookUp(destination)
      })
      left -= SLICE
      if (left > 0) await turn()
    }
  }

  async #discover(version: number): Promise<void> {
    const from = performance.now()
    // Noted from here on, so that what is changed after it was looked up is looked up once more.
    this.#seen = version
    for (const destination of this.#dues.destinations()) this.#changed.add(destination)
    for (let at: string | undefined = ''; at !== undefined;) {
      at = this.#read(() => this.#slice(at as string))
      if (at !== undefined) await turn()
    }
    this.#pause = performance.now() + SHARE * (performance.now() - from)
  }

  /** Looks up destinations from there on. Gives where the next slice begins. */
  #slice(after: string): string | undefined {
    for (let i = 0; i < SLICE; i++) {
      const row = this.#first.get(after)
      if (!row) return undefined
      after = row['destination'] as string
      this.#take(textIn(row, 'destination') as string, row['rank'] as number, row['due'] as number)
    }
    return after
  }

  #lookUp(destination: string): void {
    this.#take(destination, LOWEST, Infinity)
  }

  /** Takes note of a destination; `due` is the first of the jobs up to that rank. */
  #take(destination: string, rank: number, due: number): void {
    const key = kept(destination)
    for (let next = this.#next.get(key, rank); next; next = this.#next.get(key, next['rank'] as number)) {
      due = Math.min(due, next['due'] as number)
    }
    this.#dues.set(destination, due === Infinity ? undefined : due)
    this.#changed.delete(destination)
  }
}

function first<T>(items: Iterable<T>, count: number): T[] {
  const found: T[] = []
  for (const item of items) {
    if (found.length === count) break
    found.push(item)
  }
  return found
}

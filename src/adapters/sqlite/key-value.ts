import { setImmediate as turn } from 'node:timers/promises'
import type { Keeping, KeyValue } from '../../contracts/key-value.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { closedError, type GroupCommit } from './commit.ts'
import { type Connection, type Row, type Statement, storageError } from './driver.ts'
import { octetsOf, textOf } from './key-value-text.ts'

/** Rows read by `list`, and removed by `sweep`, at a time: a few milliseconds, then the event loop has its turn. */
const PAGE = 200
const SLICE = 500

/** Old rows that each new one takes away. Two: what has timed out is soon gone, though nobody calls `sweep`. */
const TIDIED = 2

/** Octets that removing a slice is taken for, so that few of them share a transaction with mail. */
const SLICE_OCTETS = 1024 * 1024

/** Octets of a row beside its key and value, about. */
const ROW = 32

/** Above every octet of a key. */
const LAST = Buffer.from([0xff])
const NUL = Buffer.from([0])

/**
 * Keys and values in a database. Writes share the transactions and flushes of the mail store: a counter costs a mail server
 * that is at work next to nothing.
 */
export class SqliteKeyValue implements KeyValue {
  readonly traits = { durability: 'disk' } as const
  readonly #commits: GroupCommit | undefined
  readonly #isOpen: () => boolean
  readonly #close: () => Promise<void>
  readonly #get: Statement
  readonly #set: Statement
  readonly #change: Statement
  readonly #remove: Statement
  readonly #page: Statement
  readonly #tidy: Statement
  readonly #sweep: Statement

  /** `commits` is missing where the database is for reading only; `close` lets go of the whole of it. */
  constructor(db: Connection, commits: GroupCommit | undefined, isOpen: () => boolean, close: () => Promise<void>) {
    this.#commits = commits
    this.#isOpen = isOpen
    this.#close = close
    const there = '(until IS NULL OR until > ?)'
    this.#get = db.prepare(`SELECT value FROM key_values WHERE key = ? AND ${there}`)
    this.#set = db.prepare(
      'INSERT INTO key_values VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, until = excluded.until',
    )
    this.#change = db.prepare('UPDATE key_values SET value = ? WHERE key = ?')
    this.#remove = db.prepare(`DELETE FROM key_values WHERE key = ? AND ${there}`)
    this.#page = db.prepare(`SELECT key, value, until FROM key_values WHERE key >= ? AND key < ? ORDER BY key LIMIT ${PAGE}`)
    this.#tidy = db.prepare(
      `DELETE FROM key_values WHERE key IN (SELECT key FROM key_values WHERE until <= ? ORDER BY until LIMIT ${TIDIED})`,
    )
    this.#sweep = db.prepare(
      `DELETE FROM key_values WHERE key IN (SELECT key FROM key_values WHERE until <= ? ORDER BY until LIMIT ${SLICE})`,
    )
  }

  async get(key: string, now: number): Promise<string | undefined> {
    return this.#read(() => this.#value(octetsOf(key), now))
  }

  async set(key: string, value: string, { now, until = Infinity }: Keeping): Promise<void> {
    const [at, what] = [octetsOf(key), octetsOf(value)]
    await this.#write(at.length + what.length, () => this.#put(at, what, now, until))
  }

  swap(
    key: string,
    expected: string | undefined,
    value: string | undefined,
    { now, until = Infinity }: Keeping,
  ): Promise<boolean> {
    const [at, what] = [octetsOf(key), value === undefined ? undefined : octetsOf(value)]
    return this.#write(at.length + (what?.length ?? 0), () => {
      if (this.#value(at, now) !== expected) return false
      if (what) this.#put(at, what, now, until)
      else this.#remove.run(at, now)
      return true
    })
  }

  add(key: string, amount: number, { now, until = Infinity }: Keeping): Promise<number> {
    const at = octetsOf(key)
    return this.#write(at.length, () => {
      const found = this.#value(at, now)
      const sum = amount + (found === undefined ? 0 : wholeNumber(key, found))
      // Beyond 2^53 sums would be wrong without a word.
      if (!Number.isSafeInteger(sum)) throw new MailError('misuse', `${key}: ${amount} cannot be added to ${found ?? '0'}`)
      const what = octetsOf(String(sum))
      if (found === undefined) this.#put(at, what, now, until)
      else this.#change.run(what, at)
      return sum
    })
  }

  remove(key: string, now: number): Promise<boolean> {
    const at = octetsOf(key)
    return this.#write(at.length, () => Number(this.#remove.run(at, now).changes) > 0)
  }

  async *list(prefix: string, now: number): AsyncGenerator<readonly (readonly [string, string])[], void, undefined> {
    let from: Uint8Array = octetsOf(prefix)
    const end = Buffer.concat([from, LAST])
    for (;;) {
      const rows = this.#read(() => this.#page.all(from, end))
      // What has timed out is left out here, not by the query, so that a page is never longer work than this.
      const there = rows.filter(({ until }) => until === null || (until as number) > now)
      if (there.length > 0) yield there.map(({ key, value }) => [textOf(key as Uint8Array), textOf(value as Uint8Array)] as const)
      if (rows.length < PAGE) return
      const last = rows[rows.length - 1] as Row
      from = Buffer.concat([Buffer.from(last['key'] as Uint8Array), NUL])
      await turn()
    }
  }

  async sweep(now: number): Promise<number> {
    let swept = 0
    for (;;) {
      const changes = await this.#write(SLICE_OCTETS, () => Number(this.#sweep.run(now).changes))
      swept += changes
      if (changes < SLICE) return swept
      await turn()
    }
  }

  close(): Promise<void> {
    return this.#close()
  }

  #put(key: Uint8Array, value: Uint8Array, now: number, until: number): void {
    this.#tidy.run(now)
    this.#set.run(key, value, column(until))
  }

  #value(key: Uint8Array, now: number): string | undefined {
    const found = this.#get.get(key, now)
    return found && textOf(found['value'] as Uint8Array)
  }

  #read<T>(query: () => T): T {
    if (!this.#isOpen()) throw closedError()
    try {
      return query()
    } catch (error) {
      throw storageError(error, 'reading')
    }
  }

  /** Does it in the next transaction; resolves with what it gave when that is on disk. */
  async #write<T>(octets: number, run: () => T): Promise<T> {
    if (!this.#isOpen()) throw closedError()
    const commits = this.#commits
    if (!commits) throw new MailError('misuse', 'The database was opened with readonly: true')
    return new Promise((resolve, reject) => {
      let result: T
      commits.add({
        octets: octets + ROW,
        apply: () => void (result = run()),
        committed: () => resolve(result),
        failed: reject,
      })
    })
  }
}

const column = (until: number): number | null => (until === Infinity ? null : until)

function wholeNumber(key: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && String(number) === text) return number
  throw new MailError('misuse', `${key} is not a whole number: ${JSON.stringify(text.slice(0, 40))}`)
}

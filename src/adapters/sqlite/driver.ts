import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MailError, isMailError } from '../../protocol/session/errors.ts'

/**
 * The class with which a driver opens a database: `DatabaseSync` of `node:sqlite`, the default export of `better-sqlite3`
 * (12 or 13) or of `libsql`, or anything shaped like the part of them that is needed. Parameters are bound by position.
 */
export type SqliteDriver = new (path: string) => {
  /** Compiles a statement, to be run often. */
  prepare(sql: string): {
    /** Runs it for its effect. */
    run(...parameters: never[]): { readonly changes: number | bigint }
    /** The first row, or `undefined`. */
    get(...parameters: never[]): unknown
    /** Every row. */
    all(...parameters: never[]): unknown[]
  }
  /** Runs statements for their effect. */
  exec(sql: string): unknown
  /** Lets go of the file. */
  close(): unknown
}

/** What a column holds and a parameter may be. */
export type Value = null | number | string | Uint8Array

/** One row, by column name. Drivers may add properties of their own (libsql: `_metadata`). */
export type Row = Readonly<Record<string, Value>>

/** The bytes in a column. libsql gives an ArrayBuffer where it is asked for several rows, a Buffer for one. */
export function bytesIn(row: Row, column: string): Uint8Array {
  const value: unknown = row[column]
  return value instanceof ArrayBuffer ? new Uint8Array(value) : value as Uint8Array
}

/**
 * A prepared statement, as this folder uses it. Never call it with `null` or with bytes as the *only* parameter: better-sqlite3
 * and libsql would take that for an object of named ones. A limit is written `+?`: for the value of a bare `LIMIT ?` SQLite makes
 * a new plan, and compiles the statement again, each time.
 */
export interface Statement {
  run(...parameters: readonly Value[]): { readonly changes: number | bigint }
  get(...parameters: readonly Value[]): Row | undefined
  all(...parameters: readonly Value[]): Row[]
}

/** An open database, as this folder uses it: what {@link SqliteDriver} makes, with parameters. Not safe for two threads. */
export interface Connection {
  prepare(sql: string): Statement
  exec(sql: string): unknown
  close(): unknown
}

/** What reads rows, whose numbers stay numbers. */
const READS = /^\s*(SELECT|PRAGMA|WITH|EXPLAIN)\b/i

/**
 * A database that takes any row id for the last one. `node:sqlite` looks at it after each `run`, and throws where it is more than
 * a number can hold (Node 26); FTS5 gives rows of its own such ids. Nobody here asks for the last id.
 */
export function takingAnyId(db: Connection): Connection {
  const prepare = db.prepare.bind(db)
  const taking = (sql: string): Statement => {
    const statement: Statement & { setReadBigInts?(on: boolean): unknown } = prepare(sql)
    if (!READS.test(sql)) statement.setReadBigInts?.(true)
    return statement
  }
  return Object.assign(db, { prepare: taking })
}

/**
 * The first driver that is there: `node:sqlite` (Node 22.13 and later, nothing to install), `better-sqlite3`, `libsql`. None
 * of them is touched before this call.
 *
 * Before Node 24 `node:sqlite` prints an ExperimentalWarning when it is first used. It is left alone: which warnings are
 * shown is for the program to say (`node --disable-warning=ExperimentalWarning`), not for a library.
 *
 * @throws MailError `unavailable`, which names the command that installs one
 */
export function findDriver(): SqliteDriver {
  // Not an import: bundlers and test runners that do not know the module would strip its prefix or refuse to build.
  const builtin = process.getBuiltinModule('node:sqlite') as { DatabaseSync?: SqliteDriver } | undefined
  if (builtin?.DatabaseSync) return builtin.DatabaseSync
  const failures: unknown[] = []
  for (const name of ['better-sqlite3', 'libsql']) {
    for (const place of places()) {
      try {
        const found: unknown = createRequire(place)(name)
        return (typeof found === 'function' ? found : (found as { default: unknown }).default) as SqliteDriver
      } catch (error) {
        // Installed but broken (built for another Node) is worth telling; not installed is the rule.
        if ((error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') failures.push(error)
      }
    }
  }
  throw new MailError(
    'unavailable',
    `No SQLite here: Node ${process.versions.node} has none built in (22.13 has). ` +
      'Install one: npm install better-sqlite3, or npm install libsql' +
      (failures.length > 0 ? ` (tried, but: ${String((failures[0] as Error).message).split('\n', 1)[0]})` : ''),
    failures.length > 0 ? { cause: failures[0] } : undefined,
  )
}

/** Where packages are looked for: from this file, as an import would; then from the folder the program was started in. */
function places(): string[] {
  return [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json')).href]
}

/** The primary result codes (https://sqlite.org/rescode.html) that are treated apart. */
const BUSY = 5
const TOOBIG = 18

/** The primary result code of an error that a driver threw, by whichever property the driver tells it; 0 when it tells none. */
function resultCode(error: unknown): number {
  const { errcode, code, rawCode } = error as { errcode?: unknown; code?: unknown; rawCode?: unknown }
  if (typeof errcode === 'number') return errcode & 0xff
  if (typeof rawCode === 'number') return rawCode & 0xff
  if (typeof code !== 'string') return 0
  return code.startsWith('SQLITE_BUSY') ? BUSY : code === 'SQLITE_TOOBIG' ? TOOBIG : 0
}

/** Whether another connection holds the lock that was asked for. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === BUSY
}

/**
 * What to tell a caller of an error that a driver threw. All but "too big" is `temporary`: a full or failing disk, a lock
 * held too long, and also a damaged file, because no mail may be bounced for a fault of ours.
 */
export function storageError(error: unknown, doing: string): MailError {
  const message = `${doing}: ${error instanceof Error ? error.message : String(error)}`
  return new MailError(resultCode(error) === TOOBIG ? 'permanent' : 'temporary', message, { cause: error })
}

/** Runs a query; what it throws becomes a MailError. */
export function reading<T>(query: () => T): T {
  try {
    return query()
  } catch (error) {
    throw isMailError(error) ? error : storageError(error, 'reading')
  }
}

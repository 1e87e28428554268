import { createRequire } from 'node:module'
import type { SqliteDriver } from '../../../src/adapters/sqlite/index.ts'

/** The drivers that are there: Node 20 has none built in, and libsql is always installed. */
export const drivers: readonly (readonly [name: string, driver: SqliteDriver])[] = [...found()]

function* found(): Generator<readonly [string, SqliteDriver]> {
  const builtin = process.getBuiltinModule('node:sqlite') as { DatabaseSync: SqliteDriver } | undefined
  if (builtin) yield ['node:sqlite', builtin.DatabaseSync]
  for (const name of ['better-sqlite3', 'libsql']) {
    try {
      yield [name, createRequire(import.meta.url)(name) as SqliteDriver]
    } catch {
      // Optional.
    }
  }
}

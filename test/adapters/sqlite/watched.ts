import type { SqliteDriver } from '../../../src/adapters/sqlite/index.ts'

/** An open database, as tests look into it. */
export interface Database {
  prepare(sql: string): {
    run(...parameters: unknown[]): { changes: number | bigint }
    get(...parameters: unknown[]): Record<string, unknown> | undefined
    all(...parameters: unknown[]): Record<string, unknown>[]
  }
  exec(sql: string): unknown
  close(): unknown
}

/** Opens a file with a driver, past the store. */
export function raw(driver: SqliteDriver, path: string): Database {
  return new driver(path) as unknown as Database
}

/** A driver that tells of each statement right before it runs it; what `before` throws is what the statement throws. */
export function watched(driver: SqliteDriver, before: (sql: string, db: Database) => void): SqliteDriver {
  class Watched {
    readonly #db: Database

    constructor(path: string) {
      this.#db = raw(driver, path)
    }

    prepare(sql: string): ReturnType<Database['prepare']> {
      const statement = this.#db.prepare(sql)
      const told = <Args extends unknown[], Result>(call: (...args: Args) => Result) => (...args: Args): Result => {
        before(sql, this.#db)
        return call(...args)
      }
      return {
        run: told((...parameters) => statement.run(...parameters)),
        get: told((...parameters) => statement.get(...parameters)),
        all: told((...parameters) => statement.all(...parameters)),
      }
    }

    exec(sql: string): unknown {
      before(sql, this.#db)
      return this.#db.exec(sql)
    }

    close(): unknown {
      return this.#db.close()
    }
  }
  return Watched as unknown as SqliteDriver
}

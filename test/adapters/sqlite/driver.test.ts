import Libsql from 'libsql'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { findDriver, isBusy, type SqliteDriver, storageError } from '../../../src/adapters/sqlite/driver.ts'
import { openConnection } from '../../../src/adapters/sqlite/connection.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { drivers } from './drivers.ts'
import { freshFolder } from './folders.ts'

const { installed } = vi.hoisted(() => ({ installed: { packages: undefined as Map<string, unknown> | undefined } }))

vi.mock('node:module', async (original) => {
  const actual = await original<typeof import('node:module')>()
  const createRequire: typeof actual.createRequire = (place) => {
    const { packages } = installed
    if (!packages) return actual.createRequire(place)
    return ((name: string) => {
      const found = packages.get(name)
      if (found instanceof Error) throw found
      if (found === undefined) throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' })
      return found
    }) as NodeJS.Require
  }
  return { ...actual, createRequire }
})

afterEach(() => {
  installed.packages = undefined
  vi.restoreAllMocks()
})

function without(builtin: unknown, packages: Record<string, unknown>): void {
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue(builtin as object)
  installed.packages = new Map(Object.entries(packages))
}

it('has a type that drivers fit', () => {
  const fits: SqliteDriver = Libsql
  expect(fits).toBeTypeOf('function')
})

describe('findDriver', () => {
  it('finds one here', () => {
    expect(findDriver()).toBe(drivers[0]?.[1])
  })

  it('takes node:sqlite first, then better-sqlite3, then libsql', () => {
    const [Builtin, Better, Libsql] = [class {}, class {}, class {}]
    without({ DatabaseSync: Builtin }, { 'better-sqlite3': Better, libsql: Libsql })
    expect(findDriver()).toBe(Builtin)
    without(undefined, { 'better-sqlite3': Better, libsql: Libsql })
    expect(findDriver()).toBe(Better)
    without(undefined, { libsql: { default: Libsql } })
    expect(findDriver()).toBe(Libsql)
  })

  it('says which command installs one', () => {
    without(undefined, {})
    try {
      findDriver()
      expect.unreachable()
    } catch (error) {
      expect(isMailError(error) && error.code).toBe('unavailable')
      expect((error as Error).message).toBe(
        `No SQLite here: Node ${process.versions.node} has none built in (22.13 has). `
          + 'Install one: npm install better-sqlite3, or npm install libsql',
      )
    }
  })

  it('says why one that is installed cannot be used', () => {
    const broken = Object.assign(new Error('NODE_MODULE_VERSION 115\nmore'), { code: 'ERR_DLOPEN_FAILED' })
    without(undefined, { 'better-sqlite3': broken })
    expect(() => findDriver()).toThrow(/npm install libsql \(tried, but: NODE_MODULE_VERSION 115\)$/)
  })
})

describe('errors of drivers', () => {
  it.each([
    ['node:sqlite', { code: 'ERR_SQLITE_ERROR', errcode: 5 }, true, 'temporary'],
    ['node:sqlite, extended', { code: 'ERR_SQLITE_ERROR', errcode: 517 }, true, 'temporary'],
    ['better-sqlite3', { code: 'SQLITE_BUSY_SNAPSHOT' }, true, 'temporary'],
    ['libsql', { code: 'SQLITE_BUSY', rawCode: 5 }, true, 'temporary'],
    ['node:sqlite, full', { code: 'ERR_SQLITE_ERROR', errcode: 13 }, false, 'temporary'],
    ['better-sqlite3, damaged', { code: 'SQLITE_CORRUPT' }, false, 'temporary'],
    ['node:sqlite, too big', { code: 'ERR_SQLITE_ERROR', errcode: 18 }, false, 'permanent'],
    ['better-sqlite3, too big', { code: 'SQLITE_TOOBIG' }, false, 'permanent'],
    ['libsql, too big', { code: 'SQLITE_TOOBIG', rawCode: 18 }, false, 'permanent'],
    ['none', {}, false, 'temporary'],
  ])('%s', (_from, properties, busy, code) => {
    const error = Object.assign(new Error('so it is'), properties)
    expect(isBusy(error)).toBe(busy)
    expect(storageError(error, 'writing')).toMatchObject({ code, message: 'writing: so it is', cause: error })
  })

  it.each(drivers)('of %s when another connection has the lock', (_name, driver) => {
    const path = `${freshFolder()}/mail.db`
    const [first, second] = [1, 2].map(() => openConnection({ path, driver, now: 1 }))
    second?.exec('PRAGMA busy_timeout = 1')
    first?.exec('BEGIN IMMEDIATE')
    let error: unknown
    try {
      second?.exec('BEGIN IMMEDIATE')
    } catch (caught) {
      error = caught
    }
    expect(isBusy(error)).toBe(true)
    for (const db of [first, second]) db?.close()
  })
})

import { accessSync, constants } from 'node:fs'
import { userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * Where servers live is not on everybody's path. Debian installs one mail server alone; what is to stand beside it is unpacked in
 * a place of its own.
 */
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/opt/mail-servers/usr/sbin']

/** The path of a program; `undefined` where it is not installed. */
export function program(name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

/** The path of a program that is known to be there. */
export function programAt(name: string): string {
  const path = program(name)
  if (path === undefined) throw new Error(`${name} is not installed`)
  return path
}

/** Among what tests need: to run as root, without which Postfix does not start. */
export const SUPERUSER = 'the superuser'

/** Whether the program, or the file with that path, is there. */
function isThere(name: string): boolean {
  if (name === SUPERUSER) return userInfo().uid === 0
  return name.includes('/') ? canAccess(name, constants.R_OK) : program(name) !== undefined
}

const isExecutable = (path: string): boolean => canAccess(path, constants.X_OK)

function canAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

/**
 * `describe` for tests that talk to these programs (or need these files). Where one is missing they are skipped, and it is said
 * why; with `CI=true` that is a failure.
 */
export function describeWith(needed: readonly string[], name: string, tests: () => void): void {
  const missing = needed.filter((one) => !isThere(one))
  if (missing.length === 0) {
    describe(name, tests)
    return
  }
  const why = `${name}: ${missing.join(', ')} not there`
  if (process.env['CI'] === 'true') it(`${why}, which CI must have`, () => expect(missing).toEqual([]))
  else {
    console.warn(`skipped ${why}`)
    describe.skipIf(true)(why, tests)
  }
}

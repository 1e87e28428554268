import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { sqlite, type SqliteMail, type SqliteOptions } from '../../../src/adapters/sqlite/index.ts'

const opened: SqliteMail[] = []
const folders: string[] = []

afterAll(async () => {
  for (const mail of opened.splice(0)) await mail.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** A folder that is removed after the tests of the file. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-sqlite-'))
  folders.push(folder)
  return folder
}

/** A database that is closed after the tests of the file, if not before. */
export function openMail(options: Partial<SqliteOptions> = {}): SqliteMail & { readonly path: string } {
  const path = options.path ?? join(freshFolder(), 'mail.db')
  const mail = sqlite({ ...options, path })
  opened.push(mail)
  return { ...mail, path }
}

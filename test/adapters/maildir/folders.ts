import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { MaildirOptions } from '../../../src/adapters/maildir/index.ts'
import { maildir } from '../../../src/adapters/maildir/index.ts'
import type { MailStore } from '../../../src/contracts/store.ts'

const opened: MailStore[] = []
const folders: string[] = []

afterAll(async () => {
  for (const store of opened.splice(0)) await store.close?.()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A folder that is removed after the tests of the file. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-maildir-'))
  folders.push(folder)
  return folder
}

/** A path for a store, in memory where the system has such a folder: flushing costs nothing there. */
export function memoryFolder(): string {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'posthorn-maildir-'))
  folders.push(folder)
  return join(folder, 'mail')
}

/** A store that is closed after the tests of the file, if not before. */
export function openMail(options: Partial<MaildirOptions> = {}): { readonly store: Required<MailStore>; readonly path: string } {
  const path = options.path ?? join(freshFolder(), 'mail')
  const { store } = maildir({ hostname: 'mx.test', ...options, path })
  opened.push(store)
  return { store: store as Required<MailStore>, path }
}

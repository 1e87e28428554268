import type { Stats } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { MailError } from '../../protocol/session/errors.ts'
import { type DkimKey, isPem } from './keys.ts'

/** The files among the keys. */
export function pathsOf(keys: readonly DkimKey[]): string[] {
  return [...new Set(keys.map(({ key }) => key).filter((key) => !isPem(key)))]
}

/** The texts of files, by their paths. Rejects with a `config` MailError that names the one that cannot be read. */
export async function readFiles(paths: readonly string[]): Promise<Map<string, string>> {
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch((cause: unknown) => unreadable(path, cause))))
  return new Map(paths.map((path, at) => [path, texts[at]!]))
}

/** A text that changes when a file does. Through links, as tools that replace files use them. */
export async function stampOf(paths: readonly string[]): Promise<string> {
  const found = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)))
  return found.map((file: Stats | undefined) => (file ? `${file.ino} ${file.size} ${file.mtimeMs}` : 'absent')).join('\n')
}

function unreadable(path: string, cause: unknown): never {
  throw new MailError('config', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}

import { join } from 'node:path'
import type { Disk } from './disk.ts'
import { decodeName, encodeName } from './mailbox-name.ts'
import { replaceFile } from './uid-file.ts'

/*
 * `subscriptions`, as Dovecot has it. Version 2 begins with `V<TAB>2` and an empty line; then a line a path, its names in
 * modified UTF-7 with tabs between. Version 1 has no head, and dots between.
 */

const FILE = 'subscriptions'
const HEAD = 'V\t2'
/** What modified UTF-7 says of nothing else. */
const EMPTY = '&'

/** The paths in the file, each once. */
export async function readSubscriptions(disk: Disk, account: string): Promise<string[][]> {
  const text = Buffer.from(await disk.read(join(account, FILE)) ?? '').toString('utf8')
  const lines = text.split('\n')
  const separator = lines[0] === HEAD ? '\t' : '.'
  const paths = new Map<string, string[]>()
  for (const line of separator === '\t' ? lines.slice(1) : lines) {
    if (line !== '') paths.set(line, line.split(separator).map((name) => (name === EMPTY ? '' : decodeName(name))))
  }
  return [...paths.values()]
}

/** Writes paths into the file. */
export function writeSubscriptions(disk: Disk, account: string, paths: readonly (readonly string[])[]): Promise<void> {
  const lines = paths.map((path) => `${path.map((name) => (name === '' ? EMPTY : encodeName(name))).join('\t')}\n`)
  return replaceFile(disk, account, FILE, `${HEAD}\n\n${lines.join('')}`)
}

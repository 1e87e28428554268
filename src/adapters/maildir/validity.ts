import { join } from 'node:path'
import type { Disk } from './disk.ts'
import { replaceFile } from './uid-file.ts'

/*
 * UIDVALIDITY only grows: each mailbox that is made gets a higher one than any before it in its account, whoever made those. The
 * last one is kept as Dovecot keeps it, in the file `dovecot-uidvalidity` and the name of `dovecot-uidvalidity.5f3e21aa`; beside
 * it `posthorn-paths` remembers what was seen under paths that mailboxes have left.
 */

const FILE = 'dovecot-uidvalidity'
const PATHS = 'posthorn-paths'
/** In the root: of accounts that were erased. */
const ERASED = '%uidvalidity'

/** The highest UIDVALIDITY that an account's folder tells of. */
export async function lastValidity(disk: Disk, account: string): Promise<number> {
  const names = await disk.names(account) ?? []
  return Math.max(0, ...names.filter(isCounter).map((name) => Number.parseInt(name.slice(FILE.length + 1), 16)))
}

/** Remembers it, for Dovecot too. */
export async function keepValidity(disk: Disk, account: string, validity: number): Promise<void> {
  const hex = validity.toString(16).padStart(8, '0')
  const older = (await disk.names(account) ?? []).filter((name) => isCounter(name) && name !== `${FILE}.${hex}`)
  await disk.write(join(account, `${FILE}.${hex}`), 0, new Uint8Array(0), false)
  await replaceFile(disk, account, FILE, hex)
  for (const name of older) await disk.remove(join(account, name))
}

function isCounter(name: string): boolean {
  return name.length === FILE.length + 9 && name.startsWith(`${FILE}.`) && Number.isInteger(Number(`0x${name.slice(-8)}`))
}

/** The highest UIDVALIDITY of accounts that were erased from the root. */
export async function erasedValidity(disk: Disk, root: string): Promise<number> {
  return Number(Buffer.from(await disk.read(join(root, ERASED)) ?? '').toString('latin1')) || 0
}

/** Remembers that an account with such a UIDVALIDITY was erased. */
export async function keepErased(disk: Disk, root: string, validity: number): Promise<void> {
  if (validity > await erasedValidity(disk, root)) await replaceFile(disk, root, ERASED, String(validity))
}

/** The highest UIDVALIDITY of mailboxes that have left their paths, by path. */
export async function leftPaths(disk: Disk, account: string): Promise<Map<string, number>> {
  try {
    return new Map(JSON.parse(Buffer.from(await disk.read(join(account, PATHS)) ?? '[]').toString('utf8')) as [string, number][])
  } catch {
    return new Map()
  }
}

/** Remembers mailboxes that are about to leave their paths. */
export async function keepLeft(
  disk: Disk,
  account: string,
  left: readonly { readonly path: readonly string[]; readonly uidValidity: number }[],
): Promise<void> {
  const paths = await leftPaths(disk, account)
  for (const { path, uidValidity } of left) {
    const key = JSON.stringify(path)
    paths.set(key, Math.max(uidValidity, paths.get(key) ?? 0))
  }
  await replaceFile(disk, account, PATHS, JSON.stringify([...paths]))
}

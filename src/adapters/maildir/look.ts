import { join } from 'node:path'
import { sha256 } from './digest.ts'
import type { Disk } from './disk.ts'
import { compareBases, isMessageName, parseFileName, sizeIn } from './file-name.ts'
import { BareLfs } from './octets.ts'
import type { UidRecord } from './uidlist.ts'

/** A file of a message. */
export interface Found {
  readonly folder: 'new' | 'cur'
  readonly name: string
}

/** The files of messages in a Maildir, by base. */
export async function filesIn(disk: Disk, dir: string): Promise<Map<string, Found>> {
  const found = new Map<string, Found>()
  // In this order: what moves from `new` to `cur` meanwhile is seen at least once, and counts where it went to.
  for (const folder of ['new', 'cur'] as const) {
    for (const name of await disk.names(join(dir, folder)) ?? []) {
      if (isMessageName(name)) found.set(parseFileName(name).base, { folder, name })
    }
  }
  return found
}

/** A message that another program brought. */
export interface Foreign extends Found {
  readonly base: string
  readonly id: string
  /** The list knows it by an id that this store gave. */
  readonly ours: boolean
  /** The UID that Dovecot has given it, if it has. */
  readonly uid: number | undefined
  readonly received: number
  readonly octets: number
  readonly bareLf: boolean
}

/** Files looked at side by side. */
const SIDE_BY_SIDE = 32

/**
 * What is to be known of files that nobody has seen: sizes, dates, the UIDs that `dovecot-uidlist` has for them. Those with UIDs
 * come first, by UID, then the others as they were delivered. Files that are gone again are left out.
 */
export async function examine(
  disk: Disk,
  dir: string,
  files: ReadonlyMap<string, Found>,
  records: readonly UidRecord[],
  from: { readonly uid: number; readonly tag: string },
): Promise<Foreign[]> {
  const wanted = records.filter(({ base }) => files.has(base))
  const byBase = new Map(wanted.map((record) => [record.base, record]))
  const bases = [...files.keys()].sort(compareBases)
  const examined: Foreign[] = []
  for (let at = 0; at < bases.length; at += SIDE_BY_SIDE) {
    const some = await Promise.all(bases.slice(at, at + SIDE_BY_SIDE).map(async (base) => {
      const record = byBase.get(base)
      const file = files.get(base) as Found
      const sizes = await sizesOf(disk, join(dir, file.folder, file.name), base)
      const uid = record !== undefined && record.uid >= from.uid ? record.uid : undefined
      const ours = record?.guid !== undefined && isId(record.guid)
      return sizes && { ...file, ...sizes, base, uid, ours, id: idOf(record?.guid, base, from.tag) }
    }))
    for (const one of some) if (one) examined.push(one)
  }
  return examined.sort((a, b) => (a.uid ?? Infinity) - (b.uid ?? Infinity) || 0)
}

async function sizesOf(
  disk: Disk,
  path: string,
  base: string,
): Promise<Pick<Foreign, 'received' | 'octets' | 'bareLf'> | undefined> {
  const stat = await disk.stat(path)
  if (!stat) return undefined
  const received = Math.floor(stat.mtime)
  const [size, crlf] = [sizeIn(base, 'S'), sizeIn(base, 'W')]
  if (size === stat.size && crlf !== undefined && crlf >= size) return { received, octets: crlf, bareLf: crlf > size }
  const bare = new BareLfs()
  try {
    for await (const chunk of disk.stream(path, 0, stat.size)) bare.push(chunk)
  } catch {
    return undefined
  }
  return { received, octets: stat.size + bare.count, bareLf: bare.count > 0 }
}

/** Ids of ours are kept; others come from what Dovecot knows the message by, so that its copies have the same. */
function idOf(guid: string | undefined, base: string, tag: string): string {
  return guid !== undefined && isId(guid) ? guid : tag + sha256(guid ?? base).slice(0, 32)
}

/** Whether it has the form of the ids that this store gives. */
export function isId(id: string): boolean {
  if (id.length !== 48) return false
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i)
    if (!(code >= 0x30 && code <= 0x39) && !(code >= 0x61 && code <= 0x66)) return false
  }
  return true
}

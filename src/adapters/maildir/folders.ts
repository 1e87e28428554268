import { join } from 'node:path'
import type { SpecialUse } from '../../contracts/mailbox.ts'
import { randomHex } from './digest.ts'
import type { Disk } from './disk.ts'
import { formatLines, VERSION } from './journal.ts'
import { JOURNAL } from './load.ts'
import { UID_LIST } from './uid-file.ts'
import { formatUidList, parseUidHeader } from './uidlist.ts'

/*
 * Folders of mailboxes, made, moved and removed so that each is there as a whole or not at all. A mailbox is there when its `cur`
 * is.
 */

/** Tells what the folder's name does not: path, special use. */
const MAILBOX_FILE = 'posthorn-mailbox'
/** Names in an account's folder of what is not a mailbox yet, or no longer. */
const MAKING = 'posthorn-new-'
const GOING = 'posthorn-gone-'

/** What a mailbox is, apart from its folder's name. */
export interface About {
  readonly path?: readonly string[]
  readonly use?: SpecialUse
}

/** What is known of a new mailbox. */
export interface Fresh extends About {
  readonly guid: string
  readonly uidValidity: number
}

/** Makes a mailbox in an account's folder. `folder` is `''` for INBOX. */
export async function makeMailbox(disk: Disk, account: string, folder: string, fresh: Fresh): Promise<void> {
  if (folder === '') {
    // What a removed INBOX has left is none of the new one's.
    await discardPieces(disk, account)
    await fill(disk, account, fresh)
    await disk.makeFolder(join(account, 'cur'))
    return
  }
  const making = join(account, MAKING + randomHex(8))
  await disk.makeFolder(join(making, 'cur'))
  await disk.create(join(making, 'maildirfolder'), [], false)
  await fill(disk, making, fresh)
  await disk.rename(making, join(account, folder))
  await disk.flushFolder(account)
}

/** All but `cur`. */
async function fill(disk: Disk, dir: string, { guid, uidValidity, path, use }: Fresh): Promise<void> {
  await Promise.all(['new', 'tmp'].map((name) => disk.makeFolder(join(dir, name))))
  const about: About = { ...(path && { path }), ...(use && { use }) }
  if (path || use) await disk.create(join(dir, MAILBOX_FILE), [Buffer.from(JSON.stringify(about))], true)
  await disk.create(join(dir, JOURNAL), [formatLines([['head', VERSION, guid, uidValidity, 1, 1, 0, 1, 0]])], true)
  await disk.create(join(dir, UID_LIST), [Buffer.from(formatUidList({ uidValidity, uidNext: 1, guid, records: [] }))], true)
  await disk.flushFolder(dir)
}

/** What the file in a mailbox's folder says of it; nothing where there is none. */
export async function readAbout(disk: Disk, dir: string): Promise<About> {
  const octets = await disk.read(join(dir, MAILBOX_FILE))
  if (!octets) return {}
  try {
    const { path, use } = JSON.parse(Buffer.from(octets).toString('utf8')) as { path?: unknown; use?: unknown }
    const isPath = Array.isArray(path) && path.every((name) => typeof name === 'string')
    return { ...(isPath && { path: path as string[] }), ...(typeof use === 'string' && { use: use as SpecialUse }) }
  } catch {
    return {}
  }
}

/** Writes that file. */
export async function writeAbout(disk: Disk, dir: string, about: About): Promise<void> {
  const temporary = join(dir, `${MAILBOX_FILE}.posthorn`)
  await disk.remove(temporary)
  await disk.create(temporary, [Buffer.from(JSON.stringify(about))], true)
  await disk.rename(temporary, join(dir, MAILBOX_FILE))
  await disk.flushFolder(dir)
}

/** GUID and UIDVALIDITY of the mailbox in a folder, as far as Dovecot's file tells them. */
export async function identityOf(disk: Disk, dir: string): Promise<{ readonly guid?: string; readonly uidValidity?: number }> {
  const octets = await disk.read(join(dir, UID_LIST), 0, 300)
  const head = octets && parseUidHeader(Buffer.from(octets).toString('latin1'))
  return head ? { uidValidity: head.uidValidity, ...(head.guid !== undefined && { guid: head.guid }) } : {}
}

/** Takes a mailbox away, then what was in it. */
export async function discardMailbox(disk: Disk, account: string, folder: string): Promise<void> {
  const going = join(account, GOING + randomHex(8))
  if (folder === '') {
    await disk.makeFolder(going)
    await disk.rename(join(account, 'cur'), join(going, 'cur'))
    await disk.flushFolder(account)
    await discardPieces(disk, account)
  } else {
    await disk.rename(join(account, folder), going)
    await disk.flushFolder(account)
  }
  await disk.removeAll(going)
}

async function discardPieces(disk: Disk, account: string): Promise<void> {
  for (const name of await disk.names(account) ?? []) if (isPiece(name)) await disk.removeAll(join(account, name))
}

/** Removes what a crash left half made or half removed. */
export async function sweepFolders(disk: Disk, account: string): Promise<void> {
  for (const name of await disk.names(account) ?? []) {
    const unfinished = name.startsWith(MAKING) || name.startsWith(GOING) || name.endsWith('.posthorn')
    if (unfinished) await disk.removeAll(join(account, name))
  }
}

/** Gives a mailbox another folder in the account's. Done twice, it is as if it was done once. */
export async function moveMailbox(disk: Disk, account: string, from: string, to: string): Promise<void> {
  if (from !== '' && to !== '') {
    await disk.rename(join(account, from), join(account, to))
    await disk.flushFolder(account)
    return
  }
  const [source, target] = [join(account, from), join(account, to)]
  if (to !== '') {
    await disk.makeFolder(target)
    await disk.remove(join(target, 'maildirfolder'))
    await disk.create(join(target, 'maildirfolder'), [], false)
  }
  const pieces = (await disk.names(source) ?? []).filter(isPiece)
  // By its UIDs the mailbox is known, by `cur` it is there: these come last, in this order.
  const last = [UID_LIST, 'cur'].filter((name) => pieces.includes(name))
  for (const name of [...pieces.filter((one) => !last.includes(one)), ...last]) {
    await disk.rename(join(source, name), join(target, name))
  }
  await disk.flushFolder(target)
  await disk.flushFolder(source)
  if (from !== '') await disk.removeAll(source)
  await disk.flushFolder(account)
}

/** Whether it belongs to a mailbox rather than to the account: INBOX shares the account's folder. */
function isPiece(name: string): boolean {
  if (name.endsWith('.lock')) return false
  return ['cur', 'new', 'tmp'].includes(name) || PIECES.some((start) => name.startsWith(start))
}

const PIECES = [UID_LIST, 'dovecot-keywords', 'dovecot.index', JOURNAL, 'posthorn-facts', MAILBOX_FILE]

import { join } from 'node:path'
import { comparePaths } from '../../contracts/mailbox-path.ts'
import { type Disk, nodeDisk } from './disk.ts'
import { compareBases, parseFileName } from './file-name.ts'
import { flagsOfInfo } from './flags.ts'
import { readAbout } from './folders.ts'
import { Keywords } from './keywords.ts'
import { filesIn, type Found } from './look.ts'
import { pathOfFolder } from './mailbox-name.ts'
import { UID_LIST } from './uid-file.ts'
import { parseUidList } from './uidlist.ts'

/** A mailbox in somebody's Maildir. */
export interface BrowsedMailbox {
  /** From the top down; `['INBOX']` for the Maildir itself. */
  readonly path: readonly string[]
  /** Its messages as they stand when each is asked for, in the order of their UIDs, those without one as they were delivered. */
  messages(): AsyncIterable<BrowsedMessage>
}

/** A message in it. */
export interface BrowsedMessage {
  /** The path of its file. */
  readonly file: string
  readonly flags: readonly string[]
}

/**
 * What there is in a Maildir, with the folders that Maildir++ has in it. Reads only: nothing is locked, numbered or moved, so
 * that it may be anybody's, be in use, or lie on a medium that cannot be written to. Names of folders that mean nothing are
 * passed over.
 */
export async function browseMaildir(folder: string): Promise<readonly BrowsedMailbox[]> {
  const found: BrowsedMailbox[] = []
  for (const name of ['', ...(await nodeDisk.names(folder) ?? [])]) {
    const dir = join(folder, name)
    const path = (name === '' ? undefined : (await readAbout(nodeDisk, dir)).path) ?? pathOfFolder(name)
    if (!path || !(await nodeDisk.names(join(dir, 'cur')))) continue
    found.push({ path, messages: () => messagesIn(nodeDisk, dir) })
  }
  return found.sort((a, b) => comparePaths(a.path, b.path))
}

async function* messagesIn(disk: Disk, dir: string): AsyncGenerator<BrowsedMessage, void, undefined> {
  const text = async (name: string): Promise<string> => Buffer.from(await disk.read(join(dir, name)) ?? '').toString('utf8')
  const keywords = Keywords.parse(await text('dovecot-keywords'))
  const uids = new Map(parseUidList(await text(UID_LIST))?.records.map(({ base, uid }) => [base, uid]))
  const uidOf = (base: string): number => uids.get(base) ?? Infinity
  let files = await filesIn(disk, dir)
  const bases = [...files.keys()].sort((a, b) => (uidOf(a) === uidOf(b) ? compareBases(a, b) : uidOf(a) - uidOf(b)))
  const pathOf = ({ folder, name }: Found): string => join(dir, folder, name)
  for (const base of bases) {
    let file = files.get(base)
    if (!file || !(await disk.stat(pathOf(file)))) {
      // Somebody has flagged it since, or it is gone.
      files = await filesIn(disk, dir)
      file = files.get(base)
    }
    if (file) yield { file: pathOf(file), flags: flagsOfInfo(parseFileName(file.name).info, keywords) }
  }
}

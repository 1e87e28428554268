import { join } from 'node:path'
import type { UidSet } from '../../contracts/mailbox.ts'
import type { Disk } from './disk.ts'
import { identityOf, moveMailbox } from './folders.ts'
import { replaceFile } from './uid-file.ts'

/*
 * What takes more than one step of the disk and more than one mailbox is written down before it begins: whoever finds it written
 * after a crash finishes it, before anything else is done to the account.
 */

const FILE = 'posthorn-intent'

/** Folders of mailboxes that get other names, one after the other. */
export interface Renaming {
  readonly kind: 'rename'
  readonly moves: readonly { readonly from: string; readonly to: string; readonly guid: string }[]
}

/** Messages that leave a mailbox once they are in another one, by the bases of their names there. */
export interface Moving {
  readonly kind: 'move'
  readonly from: string
  readonly uids: UidSet
  readonly to: string
  readonly bases: readonly string[]
}

/** What is about to be done. */
export type Intent = Renaming | Moving

/** Writes down what is about to be done. */
export function writeIntent(disk: Disk, account: string, intent: Intent): Promise<void> {
  return replaceFile(disk, account, FILE, JSON.stringify(intent))
}

/** It is done. Carrying out what is found again by a power failure changes nothing. */
export function forgetIntent(disk: Disk, account: string): Promise<void> {
  return disk.remove(join(account, FILE))
}

/** What was about to be done when somebody crashed. */
export async function readIntent(disk: Disk, account: string): Promise<Intent | undefined> {
  const octets = await disk.read(join(account, FILE))
  try {
    return octets && JSON.parse(Buffer.from(octets).toString('utf8')) as Intent
  } catch {
    return undefined
  }
}

/** Whether something is written down that is being done. */
export async function isUnderWay(disk: Disk, account: string): Promise<boolean> {
  return await disk.stat(join(account, FILE)) !== undefined
}

/** Renames folders as far as they have not been. */
export async function carryOutRenaming(disk: Disk, account: string, { moves }: Renaming): Promise<void> {
  for (const { from, to, guid } of moves) {
    const [here, there] = [await identityOf(disk, join(account, from)), await identityOf(disk, join(account, to))]
    const arrived = there.guid === guid && await disk.stat(join(account, to, 'cur')) !== undefined
    if (!arrived && (here.guid === guid || there.guid === guid)) await moveMailbox(disk, account, from, to)
  }
}

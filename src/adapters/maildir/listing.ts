import type { Account, Place } from './account.ts'
import type { Disk } from './disk.ts'
import { isUnderWay } from './intent.ts'
import { pathOfFolder } from './mailbox-name.ts'
import type { State } from './state.ts'

/** A mailbox and what is in it. */
export interface Listed {
  readonly place: Place
  readonly state: State
}

/** Looks before the account is locked for one. */
const LOOKS = 3

/**
 * The mailboxes of an account, parents before children, under the names that they have at one moment: a renaming takes its
 * folders one after the other, so a look at the disk in the midst of it would see some under the old name and some under the
 * new one.
 */
export async function mailboxesOf(account: Account, disk: Disk): Promise<Listed[]> {
  for (let look = 0; look < LOOKS; look++) {
    const before = await namesIn(disk, account.dir)
    if (before === undefined) return []
    const found = await listedIn(account, false)
    // One that was under way all the time is written down, and any other has changed the names.
    const disturbed = await isUnderWay(disk, account.dir)
    if (!disturbed && before === await namesIn(disk, account.dir)) return found
  }
  return account.locked(() => listedIn(account, true))
}

async function listedIn(account: Account, locked: boolean): Promise<Listed[]> {
  const found: Listed[] = []
  for (const { box } of await account.places(locked)) {
    const there = await account.viewOf(box.id)
    if (there) found.push(there)
  }
  return found
}

async function namesIn(disk: Disk, dir: string): Promise<string | undefined> {
  const names = await disk.names(dir)
  return names?.filter((name) => pathOfFolder(name) !== undefined).sort().join('/')
}

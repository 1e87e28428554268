import type { MailboxId } from '../../contracts/mailbox.ts'
import type { Disk } from './disk.ts'
import type { UniqueNames } from './file-name.ts'
import type { Line } from './journal.ts'
import type { LockOptions } from './lock.ts'
import type { Message, State } from './state.ts'
import type { UidFile } from './uid-file.ts'

/** What all mailboxes of a store share. */
export interface Shared {
  readonly disk: Disk
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly names: UniqueNames
  readonly lock: LockOptions
  /** Something may have changed in a mailbox. */
  readonly tell: (mailbox: MailboxId) => void
}

/** What a mailbox needs of the account it is in. */
export interface Owner {
  /** Begins the ids of what is in it. */
  readonly tag: string
  /** Runs alone, of all tasks of the account in all processes. */
  locked<T>(run: () => Promise<T>): Promise<T>
  /** A UIDVALIDITY that no mailbox of the account has had; with the lock. */
  nextValidity(): Promise<number>
}

/** What is needed to write into a mailbox. */
export interface Desk {
  readonly shared: Shared
  readonly owner: Owner
  /** Its folder, absolute. */
  readonly dir: string
  readonly uids: UidFile
  fileOf(message: Pick<Message, 'folder' | 'name'>): string
  /** Says something. Where `flush` is not given it may be lost in a power failure. */
  write(state: State, lines: readonly Line[], flush: boolean): Promise<void>
}

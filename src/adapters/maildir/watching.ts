import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import type { MailboxId } from '../../contracts/mailbox.ts'

/** Mailboxes watched at a time: each costs two of the watches that the system has to give. */
const MOST = 500

/** Characters of an id that stand for the account: its tag. */
const TAG = 16

/** Those who want to hear of an account, and the watch on its folder. */
interface AccountWatch {
  readonly told: Set<() => void>
  watcher: FSWatcher | undefined
}

/** Whoever wants to hear of changes, and the folders that are watched for them. */
export class Watching {
  readonly #told = new Set<(mailbox: MailboxId) => void>()
  /** By tag. */
  readonly #accounts = new Map<string, AccountWatch>()
  readonly #watchers = new Map<string, FSWatcher[]>()

  add(told: (mailbox: MailboxId) => void): () => void {
    const one = (mailbox: MailboxId): void => told(mailbox)
    this.#told.add(one)
    return () => {
      this.#told.delete(one)
      this.#rest()
    }
  }

  /** Of an account, whose folder is followed from the next look at it on. */
  addAccount(tag: string, told: () => void): () => void {
    const one = (): void => told()
    const there = this.#accounts.get(tag) ?? { told: new Set(), watcher: undefined }
    this.#accounts.set(tag, there)
    there.told.add(one)
    return () => {
      there.told.delete(one)
      if (there.told.size > 0 || this.#accounts.get(tag) !== there) return
      there.watcher?.close()
      this.#accounts.delete(tag)
      this.#rest()
    }
  }

  /** Something may have changed in a mailbox. */
  tell(mailbox: MailboxId): void {
    for (const told of this.#told) told(mailbox)
    this.tellAccount(mailbox.slice(0, TAG))
  }

  /** Something may have changed in an account. */
  tellAccount(tag: string): void {
    for (const told of this.#accounts.get(tag)?.told ?? []) told()
  }

  /** Watches the folders of a mailbox, as long as anyone listens; the one watched longest makes room. */
  follow(mailbox: MailboxId, dir: string): void {
    if (!this.#isWanted(mailbox) || this.#watchers.has(mailbox)) return
    const [oldest] = this.#watchers.keys()
    if (oldest !== undefined && this.#watchers.size >= MOST) this.#leave(oldest)
    const watchers: FSWatcher[] = []
    this.#watchers.set(mailbox, watchers)
    for (const name of ['new', 'cur']) {
      try {
        const watcher = watch(join(dir, name), { persistent: false }, () => this.tell(mailbox))
        // What cannot be watched is found when somebody looks.
        watcher.on('error', () => this.#leave(mailbox))
        watchers.push(watcher)
      } catch {
        return
      }
    }
  }

  /** Watches the folder of an account, if anyone wants to hear of it: for mailboxes that come and go, and for subscriptions. */
  followAccount(tag: string, dir: string): void {
    const there = this.#accounts.get(tag)
    if (there === undefined || there.watcher !== undefined) return
    try {
      // The folder is INBOX too: what else is in it has nothing to do with names.
      const watcher = watch(dir, { persistent: false }, (_kind, name) => {
        if (name === null || name.startsWith('.') || name === 'subscriptions') this.tellAccount(tag)
      })
      there.watcher = watcher
      watcher.on('error', () => {
        watcher.close()
        there.watcher = undefined
      })
    } catch {
      // Not there yet, or no watch to be had: looked for again with the next look.
    }
  }

  close(): void {
    this.#told.clear()
    for (const { told, watcher } of this.#accounts.values()) {
      told.clear()
      watcher?.close()
    }
    this.#accounts.clear()
    this.#rest()
  }

  #isWanted(mailbox: MailboxId): boolean {
    return this.#told.size > 0 || this.#accounts.has(mailbox.slice(0, TAG))
  }

  #rest(): void {
    for (const mailbox of [...this.#watchers.keys()]) if (!this.#isWanted(mailbox)) this.#leave(mailbox)
  }

  #leave(mailbox: MailboxId): void {
    for (const watcher of this.#watchers.get(mailbox) ?? []) watcher.close()
    this.#watchers.delete(mailbox)
  }
}

import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import type { MailboxId } from '../../contracts/mailbox.ts'

/** Mailboxes watched at a time: each costs two of the watches that the system has to give. */
const MOST = 500

/** Whoever wants to hear of changes, and the folders that are watched for them. */
export class Watching {
  readonly #told = new Set<(mailbox: MailboxId) => void>()
  readonly #watchers = new Map<string, FSWatcher[]>()

  get wanted(): boolean {
    return this.#told.size > 0
  }

  add(told: (mailbox: MailboxId) => void): () => void {
    const one = (mailbox: MailboxId): void => told(mailbox)
    this.#told.add(one)
    return () => {
      this.#told.delete(one)
      if (this.#told.size === 0) this.#rest()
    }
  }

  /** Something may have changed. */
  tell(mailbox: MailboxId): void {
    for (const told of this.#told) told(mailbox)
  }

  /** Watches the folders of a mailbox, as long as anyone listens; the one watched longest makes room. */
  follow(mailbox: MailboxId, dir: string): void {
    if (!this.wanted || this.#watchers.has(mailbox)) return
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

  close(): void {
    this.#told.clear()
    this.#rest()
  }

  #rest(): void {
    for (const mailbox of [...this.#watchers.keys()]) this.#leave(mailbox)
  }

  #leave(mailbox: MailboxId): void {
    for (const watcher of this.#watchers.get(mailbox) ?? []) watcher.close()
    this.#watchers.delete(mailbox)
  }
}

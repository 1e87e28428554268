import type { MailboxId } from '../../contracts/mailbox.ts'
import type { MailStore } from '../../contracts/store.ts'

/** Somebody who has a mailbox open. */
export interface Watcher {
  /** Something may have happened in it. */
  changed(mailbox: MailboxId): void
}

/** Who is to be told of which mailbox. The store is watched only while somebody is. */
export class Watchers {
  private readonly store: MailStore
  private readonly open = new Map<MailboxId, Set<Watcher>>()
  private unwatch: (() => void) | undefined

  constructor(store: MailStore) {
    this.store = store
  }

  add(mailbox: MailboxId, watcher: Watcher): void {
    const there = this.open.get(mailbox)
    if (there) there.add(watcher)
    else this.open.set(mailbox, new Set([watcher]))
    this.unwatch ??= this.store.watch?.((changed) => this.told(changed))
  }

  remove(mailbox: MailboxId, watcher: Watcher): void {
    const there = this.open.get(mailbox)
    if (!there?.delete(watcher)) return
    if (there.size === 0) this.open.delete(mailbox)
    if (this.open.size > 0) return
    this.unwatch?.()
    this.unwatch = undefined
  }

  private told(mailbox: MailboxId): void {
    for (const watcher of this.open.get(mailbox) ?? []) watcher.changed(mailbox)
  }
}

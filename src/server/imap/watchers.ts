import type { MailboxId } from '../../contracts/mailbox.ts'
import type { MailStore } from '../../contracts/store.ts'

/** Somebody who has a mailbox open. */
export interface Watcher {
  /** Something may have happened in it. */
  changed(mailbox: MailboxId): void
  /** Something may have happened in any of the mailboxes of its account. */
  changedAnywhere(): void
  /** Somebody else has changed annotations of a mailbox, or of the server. */
  noted(mailbox: MailboxId | undefined, entries: readonly string[]): void
}

/** Those who are to be told of an account, and what ends that they are. */
interface AccountWatch {
  readonly watchers: Set<Watcher>
  readonly end: () => void
}

/** Who is to be told of which mailbox, and of which account. The store is watched only while somebody is. */
export class Watchers {
  private readonly store: MailStore
  private readonly open = new Map<MailboxId, Set<Watcher>>()
  private readonly accounts = new Map<string, AccountWatch>()
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

  /** Whether several have the mailbox open. */
  isShared(mailbox: MailboxId): boolean {
    return (this.open.get(mailbox)?.size ?? 0) > 1
  }

  /** From now on it is told of all that happens in an account, where the store can tell. */
  addAccount(account: string, watcher: Watcher): void {
    const there = this.accounts.get(account)
    if (there) return void there.watchers.add(watcher)
    const watchers = new Set([watcher])
    const end = this.store.watchAccount?.(account, () => {
      for (const one of watchers) one.changedAnywhere()
    })
    this.accounts.set(account, { watchers, end: end ?? (() => undefined) })
  }

  removeAccount(account: string, watcher: Watcher): void {
    const there = this.accounts.get(account)
    if (!there?.watchers.delete(watcher) || there.watchers.size > 0) return
    this.accounts.delete(account)
    there.end()
  }

  /** Somebody has changed annotations: the others hear of it. */
  noted(account: string, mailbox: MailboxId | undefined, entries: readonly string[], by: Watcher): void {
    for (const watcher of this.accounts.get(account)?.watchers ?? []) if (watcher !== by) watcher.noted(mailbox, entries)
  }

  private told(mailbox: MailboxId): void {
    for (const watcher of this.open.get(mailbox) ?? []) watcher.changed(mailbox)
  }
}

// By name: a test that fakes the global timers must not stop the store.
import { clearInterval, setInterval } from 'node:timers'
import type { MailboxId } from '../../contracts/mailbox.ts'
import type { Connection, Statement } from './driver.ts'

/** Milliseconds between two looks for what other processes have written. */
const LOOK = 200

type Watcher = (mailbox: MailboxId) => void

/**
 * Tells of changes: of this process's own at once, of those of others by a look now and then, as long as anyone watches.
 *
 * A look is a number that SQLite counts up when another connection has committed (`PRAGMA data_version`, a few microseconds);
 * only then are the mod-sequences of all mailboxes compared with those before (some 20 ms for 100 000 of them), and are
 * those accounts asked for whose names have changed since.
 */
export class Watching {
  readonly #version: Statement
  readonly #modSeqs: Statement
  readonly #names: Statement
  readonly #lastName: Statement
  readonly #accountOf: Statement
  readonly #watchers = new Set<Watcher>()
  readonly #accounts = new Map<string, Set<() => void>>()
  #timer: NodeJS.Timeout | undefined
  #seen = 0
  #seenName = 0
  /** By mailbox: its mod-sequence at the last look. */
  #known = new Map<number, number>()

  constructor(db: Connection) {
    this.#version = db.prepare('PRAGMA data_version')
    this.#modSeqs = db.prepare('SELECT group_concat(id) AS ids, group_concat(mod_seq) AS mod_seqs FROM mailboxes')
    this.#names = db.prepare('SELECT account, change FROM name_changes WHERE change > ?')
    this.#lastName = db.prepare("SELECT value FROM counters WHERE name = 'name_change'")
    this.#accountOf = db.prepare('SELECT account FROM mailboxes WHERE id = ?')
  }

  get isWatched(): boolean {
    return this.#watchers.size + this.#accounts.size > 0
  }

  add(told: Watcher): () => void {
    const watcher: Watcher = (mailbox) => told(mailbox)
    if (!this.isWatched) this.#start()
    this.#watchers.add(watcher)
    return () => {
      this.#watchers.delete(watcher)
      if (!this.isWatched) this.close()
    }
  }

  addAccount(account: string, told: () => void): () => void {
    const watcher = (): void => told()
    if (!this.isWatched) this.#start()
    const there = this.#accounts.get(account) ?? new Set()
    this.#accounts.set(account, there.add(watcher))
    return () => {
      there.delete(watcher)
      if (there.size === 0 && this.#accounts.get(account) === there) this.#accounts.delete(account)
      if (!this.isWatched) this.close()
    }
  }

  /** Not from inside a call: whoever is told may call. */
  tell(mailboxes: Iterable<MailboxId>, accounts: Iterable<string>): void {
    for (const account of this.#accounts.size > 0 ? accounts : []) {
      const there = this.#accounts.get(account)
      for (const watcher of there ?? []) queueMicrotask(() => there?.has(watcher) && watcher())
    }
    for (const mailbox of mailboxes) {
      for (const watcher of this.#watchers) {
        queueMicrotask(() => {
          if (this.#watchers.has(watcher)) watcher(mailbox)
        })
      }
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#watchers.clear()
    for (const there of this.#accounts.values()) there.clear()
    this.#accounts.clear()
    this.#known.clear()
  }

  #start(): void {
    this.#seen = this.#dataVersion()
    this.#seenName = this.#lastName.get()?.['value'] as number
    this.#known = this.#all()
    this.#timer = setInterval(() => this.#look(), LOOK).unref()
  }

  #look(): void {
    try {
      const version = this.#dataVersion()
      if (version === this.#seen) return
      const now = this.#all()
      const changed = new Set<number>()
      for (const [id, modSeq] of now) if (this.#known.get(id) !== modSeq) changed.add(id)
      for (const id of this.#known.keys()) if (!now.has(id)) changed.add(id)
      this.#seen = version
      this.#known = now
      this.tell([...changed].map(String), this.#accounts.size > 0 ? this.#accountsOf(changed) : [])
    } catch {
      // What cannot be read now is looked at again.
    }
  }

  /** The accounts of mailboxes that have changed, and those whose names have. */
  #accountsOf(changed: Iterable<number>): Set<string> {
    const accounts = new Set<string>()
    for (const id of changed) {
      // One that is gone has changed the names.
      const account = this.#accountOf.get(id)?.['account']
      if (account !== undefined) accounts.add(account as string)
    }
    for (const { account, change } of this.#names.all(this.#seenName)) {
      accounts.add(account as string)
      this.#seenName = Math.max(this.#seenName, change as number)
    }
    return accounts
  }

  #dataVersion(): number {
    return this.#version.get()?.['data_version'] as number
  }

  #all(): Map<number, number> {
    const row = this.#modSeqs.get()
    const [ids, modSeqs] = [row?.['ids'], row?.['mod_seqs']].map((text) => JSON.parse(`[${text ?? ''}]`) as number[])
    return new Map(ids?.map((id, index) => [id, modSeqs?.[index] as number]))
  }
}

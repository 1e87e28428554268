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
 * only then are the mod-sequences of all mailboxes compared with those before (some 20 ms for 100 000 of them).
 */
export class Watching {
  readonly #version: Statement
  readonly #modSeqs: Statement
  readonly #watchers = new Set<Watcher>()
  #timer: NodeJS.Timeout | undefined
  #seen = 0
  /** By mailbox: its mod-sequence at the last look. */
  #known = new Map<number, number>()

  constructor(db: Connection) {
    this.#version = db.prepare('PRAGMA data_version')
    this.#modSeqs = db.prepare('SELECT group_concat(id) AS ids, group_concat(mod_seq) AS mod_seqs FROM mailboxes')
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0
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

  /** Not from inside a call: whoever is told may call. */
  tell(mailboxes: Iterable<MailboxId>): void {
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
    this.#known.clear()
  }

  #start(): void {
    this.#seen = this.#dataVersion()
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
      this.tell([...changed].map(String))
    } catch {
      // What cannot be read now is looked at again.
    }
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

import { rm } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import type { GroupCommit } from './commit.ts'
import type { Connection, Row, Statement } from './driver.ts'
import { pathOf } from './files.ts'

/** Entries, messages and octets of bodies that are removed in one transaction: a few milliseconds. */
const ENTRIES = 500
const MESSAGES = 100
const OCTETS = 4 * 1024 * 1024

/**
 * Removes, little by little and after the fact, what nobody can see any more: entries of mailboxes that are gone, and messages
 * that no entry names, with their rows and files. What is left when the store is closed, or a crash leaves, goes after the next
 * open. A file goes only once its row is gone for good.
 */
export class Collecting {
  readonly #commits: GroupCommit
  readonly #folder: string
  readonly #removed: Statement
  readonly #last: Statement
  readonly #unshare: Statement
  readonly #ofMailbox: readonly Statement[]
  readonly #forget: readonly Statement[]
  readonly #unneeded: Statement
  readonly #unshared: Statement
  readonly #delete: Statement
  #running: Promise<void> | undefined
  #again = false
  #stopped = false

  constructor(db: Connection, commits: GroupCommit, folder: string) {
    this.#commits = commits
    this.#folder = folder
    this.#removed = db.prepare('SELECT mailbox FROM removed LIMIT 1')
    this.#last = db.prepare('SELECT count(*) AS count, max(uid) AS uid FROM'
      + ` (SELECT uid FROM entries WHERE mailbox = ? ORDER BY uid LIMIT ${ENTRIES})`)
    this.#unshare = db.prepare('INSERT INTO shares (message, extra)'
      + ' SELECT message, -1 FROM entries WHERE mailbox = ? AND uid <= ?'
      + ' ON CONFLICT (message) DO UPDATE SET extra = extra - 1')
    this.#ofMailbox = [
      'DELETE FROM entries WHERE mailbox = ? AND uid <= ?',
      'DELETE FROM flag_blocks WHERE mailbox = ? AND block <= ? / 256',
    ].map((sql) => db.prepare(sql))
    this.#forget = ['flag_blocks', 'expunged', 'removed'].map((table) => db.prepare(`DELETE FROM ${table} WHERE mailbox = ?`))
    this.#unneeded = db.prepare('SELECT s.message, s.extra, m.octets, m.file FROM shares AS s LEFT JOIN messages AS m'
      + ` ON m.id = s.message WHERE s.extra <= 0 ORDER BY s.message LIMIT ${MESSAGES}`)
    this.#unshared = db.prepare('DELETE FROM shares WHERE message = ?')
    this.#delete = db.prepare('DELETE FROM messages WHERE id = ?')
  }

  /** There may be something to remove. */
  wake(): void {
    this.#again = true
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
  }

  /** Resolves when there is nothing more to remove, or it cannot be done now. */
  async idle(): Promise<void> {
    await this.#running
  }

  /** Ends after what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false
        await turn()
        while (!this.#stopped && (await this.#slice())) await turn()
      }
    } catch {
      // Nothing is lost by it: the rest is tried with the next removal, or after the next open.
    }
  }

  /** `false`: there was nothing. */
  async #slice(): Promise<boolean> {
    const { found, files } = await this.#commits.work(() => this.#ofRemoved() ?? this.#messages())
    await Promise.all(files.map((name) => rm(pathOf(this.#folder, name), { force: true })))
    return found
  }

  #ofRemoved(): Slice | undefined {
    const mailbox = this.#removed.get()?.['mailbox'] as number | undefined
    if (mailbox === undefined) return undefined
    const last = this.#last.get(mailbox)
    const count = last?.['count'] as number
    if (count > 0) {
      const uid = last?.['uid'] as number
      this.#unshare.run(mailbox, uid)
      for (const statement of this.#ofMailbox) statement.run(mailbox, uid)
    }
    if (count < ENTRIES) for (const statement of this.#forget) statement.run(mailbox)
    return { found: true, files: [] }
  }

  #messages(): Slice {
    const rows = this.#unneeded.all()
    const files: string[] = []
    let octets = 0
    for (const { message, extra, octets: size, file } of rows as readonly Row[]) {
      this.#unshared.run(message as number)
      if ((extra as number) === 0) continue
      this.#delete.run(message as number)
      if (typeof file === 'string') files.push(file)
      octets += (size as number | null) ?? 0
      if (octets > OCTETS) break
    }
    return { found: rows.length > 0, files }
  }
}

/** What one transaction has removed: whether there was anything, and whose files may go now. */
interface Slice {
  readonly found: boolean
  readonly files: readonly string[]
}

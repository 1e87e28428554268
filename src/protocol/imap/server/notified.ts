import { type NumberSet, setOf, together } from '../../bytes/number-set.ts'
import type { EventsWanted } from '../event-groups.ts'
import type { ImapMailbox } from '../mailbox.ts'
import { DELIMITER, isBelow } from '../mailbox-name.ts'

/**
 * Milliseconds between two looks at all mailboxes of an account: what changes again and again is told once. Or one for each of
 * them, where that is more: so a look takes no more than a hundredth of the time.
 */
const REST = 500

/** Entries of annotations that wait to be told. */
const MOST_NOTED = 1000

/** A mailbox as the client knows it. */
export interface KnownMailbox {
  readonly id: string
  readonly path: readonly string[]
  readonly use: string | undefined
  /** Its numbers when they were told, or were last the client's to know; `undefined`: they are not watched. */
  readonly told: ImapMailbox | undefined
}

/**
 * What a client wants to be told by NOTIFY, and what it knows: what it is told is how things differ from that. Changes are not
 * kept until they are told, so that a client that does not listen costs no more for it.
 */
export class Notified {
  readonly wanted: EventsWanted
  /** By name. */
  known: Map<string, KnownMailbox> = new Map()
  /** Paths that are subscribed to, by name. */
  subscribed: Map<string, readonly string[]> = new Map()
  /** When all mailboxes were looked at last. */
  lookedAt: number
  /** By mailbox (`''`: the server), entries that others have changed. */
  noted = new Map<string, Set<string>>()
  /** More was noted than can be kept. */
  overflows = false
  /** Messages of the selected mailbox that came by this connection, and were not told. */
  own: NumberSet = []

  constructor(wanted: EventsWanted, now: number) {
    this.wanted = wanted
    this.lookedAt = now
  }

  /** Other mailboxes than the selected one are watched. */
  get watchesAccount(): boolean {
    return this.wanted.groups.some(({ events }) => events !== undefined)
  }

  /** When there is to be a look; `alive`: after how long also without a hint, for hints may be lost. */
  dueAt(changed: boolean, alive: number): number {
    if (!this.watchesAccount && this.wanted.selected === undefined) return Infinity
    const hinted = this.watchesAccount && (changed || this.noted.size > 0)
    return this.lookedAt + (hinted ? Math.max(REST, this.known.size) : alive)
  }

  /** Others have changed annotations. */
  note(mailbox: string | undefined, entries: readonly string[]): void {
    if (!this.watchesAccount || this.overflows) return
    const id = mailbox ?? ''
    const there = this.noted.get(id) ?? new Set()
    this.noted.set(id, there)
    for (const entry of entries) there.add(entry)
    let held = 0
    for (const { size } of this.noted.values()) held += size
    this.overflows = held > MOST_NOTED
  }

  // What the client has done itself it is not told (RFC 5465 §5).

  hasMade({ id, path, use }: ImapMailbox): void {
    const name = path.join(DELIMITER)
    // Of another one, that had this name until just now, it knows the numbers.
    if (this.watchesAccount) this.known.set(name, { id, path, use, told: this.known.get(name)?.told })
  }

  hasRemoved(path: readonly string[]): void {
    this.known.delete(path.join(DELIMITER))
  }

  /** Gives a mailbox another path, and all below it. */
  rename(from: readonly string[], to: readonly string[]): void {
    const moved: KnownMailbox[] = []
    for (const [name, one] of this.known) {
      if (name !== from.join(DELIMITER) && !isBelow(one.path, from)) continue
      this.known.delete(name)
      moved.push({ ...one, path: [...to, ...one.path.slice(from.length)] })
    }
    for (const one of moved) this.known.set(one.path.join(DELIMITER), one)
  }

  hasSubscribed(path: readonly string[], wanted: boolean): void {
    if (wanted) this.subscribed.set(path.join(DELIMITER), path)
    else this.subscribed.delete(path.join(DELIMITER))
  }

  /** Messages were put into a mailbox; `selected`: the one that is. */
  hasAdded(mailbox: ImapMailbox, uids: readonly number[], selected: string | undefined): void {
    if (uids.length === 0) return
    if (mailbox.id === selected) {
      this.own = together(this.own, setOf(uids.map((uid) => ({ first: uid, last: uid }))))
      return
    }
    const name = mailbox.path.join(DELIMITER)
    const known = this.known.get(name)
    if (known?.told === undefined || known.id !== mailbox.id) return
    const { told } = known
    const uidNext = Math.max(told.uidNext, ...uids.map((uid) => uid + 1))
    this.known.set(name, { ...known, told: { ...told, messages: told.messages + uids.length, uidNext } })
  }
}

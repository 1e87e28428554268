import type { Mailbox, MailboxId, Quota, Usage } from '../../contracts/mailbox.ts'
import { comparePaths, isAtOrBelow } from '../../contracts/mailbox-path.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Box } from './store-mailbox.ts'

/** Octets that each message is counted for beside its size: about what its entry and its facts take. */
export const OVERHEAD = 1024

/** What an account has: mailboxes, subscriptions, and how much it all is. */
export class Account {
  readonly boxes = new Map<MailboxId, Box>()
  readonly #subscribed = new Map<string, readonly string[]>()
  /** The highest UIDVALIDITY that was ever seen under a path. */
  readonly #validities = new Map<string, number>()
  #messages = 0
  #octets = 0

  get usage(): Usage {
    return { messages: this.#messages, octets: this.#octets }
  }

  /** Its mailboxes, parents before children. */
  mailboxes(): Mailbox[] {
    return [...this.boxes.values()].map((box) => box.mailbox()).sort((a, b) => comparePaths(a.path, b.path))
  }

  /** The mailbox under a path. */
  at(path: readonly string[]): Box | undefined {
    return [...this.boxes.values()].find((box) => comparePaths(box.path, path) === 0)
  }

  /** Puts a mailbox under a path. */
  settle(box: Box, path: readonly string[], nextValidity: () => number): void {
    const key = JSON.stringify(path)
    // RFC 9051 §2.3.1.1: whoever knows the path by a mailbox that had it before sees the UIDVALIDITY grow.
    if ((this.#validities.get(key) ?? 0) > box.uidValidity) box.uidValidity = nextValidity()
    this.#validities.set(key, box.uidValidity)
    box.path = [...path]
    this.boxes.set(box.id, box)
  }

  /** Gives a mailbox and all below it other paths. */
  rename(box: Box, path: readonly string[], nextValidity: () => number): void {
    const from = box.path
    if (path.length > from.length && isAtOrBelow(path, from)) {
      throw new MailError('permanent', 'A mailbox cannot be renamed to a path below itself')
    }
    const moving = new Set([...this.boxes.values()].filter((other) => isAtOrBelow(other.path, from)))
    const moves = [...moving].map((moved) => ({ moved, to: [...path, ...moved.path.slice(from.length)] }))
    for (const { to } of moves) {
      const there = this.at(to)
      if (there && !moving.has(there)) throw new MailError('permanent', `There is a mailbox ${to.join('/')} already`)
    }
    for (const { moved, to } of moves) this.settle(moved, to, nextValidity)
  }

  /** Throws `quota` unless there is room for so many messages of so many octets in all; what is no more needs none. */
  check(messages: number, octets: number, quota: Quota | undefined): void {
    if (!quota) return
    const more = octets + messages * OVERHEAD
    const over = (messages > 0 && this.#messages + messages > quota.messages) || (more > 0 && this.#octets + more > quota.octets)
    if (over) throw new MailError('quota', 'The account would hold more than it may')
  }

  /** Counts messages of so many octets in all: as more, or as fewer where the numbers are negative. */
  count(messages: number, octets: number): void {
    this.#messages += messages
    this.#octets += octets + messages * OVERHEAD
  }

  recount(): void {
    this.#messages = this.#octets = 0
    for (const box of this.boxes.values()) {
      box.recount()
      const { messages, octets } = box.mailbox()
      this.count(messages, octets)
    }
  }

  subscriptions(): (readonly string[])[] {
    return [...this.#subscribed.values()].map((path) => [...path])
  }

  subscribe(path: readonly string[], wanted: boolean): void {
    if (wanted) this.#subscribed.set(JSON.stringify(path), [...path])
    else this.#subscribed.delete(JSON.stringify(path))
  }
}

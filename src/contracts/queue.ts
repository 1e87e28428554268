import type { StoredBody } from './bodies.ts'
import type { OutgoingMessage } from './dispatch.ts'
import type { Durability } from './durability.ts'
import type { Recipient } from './received.ts'

/**
 * What has become of a recipient. All but `waiting` are final: `delivered` by the server that keeps the mailbox, `relayed` to
 * one that will not report, `expanded` into others, `failed`, or `dropped` by somebody's order, of which nobody is told.
 */
export type RecipientState = 'waiting' | 'delivered' | 'relayed' | 'expanded' | 'failed' | 'dropped'

/** How the last try for a recipient ended. */
export interface LastTry {
  /** Milliseconds since the Unix epoch. */
  readonly at: number
  /** The reply's code and enhanced code, or those that say the same of what was no reply (`451`, `4.4.1`). */
  readonly code: number
  readonly enhanced: string | undefined
  readonly text: string
  /** The name of the server that gave the reply; `undefined` where we have found it ourselves. */
  readonly host: string | undefined
  /** Its address. */
  readonly address: string | undefined
}

/** A recipient of a message in a queue. */
export interface QueuedRecipient {
  /** Its place among the recipients of the envelope, from 0. */
  readonly number: number
  readonly state: RecipientState
  readonly last: LastTry | undefined
  /** What its sender has been told: that it takes long (`delay`), or how it ended (`end`). */
  readonly told: 'delay' | 'end' | undefined
}

/** A message in a queue. */
export interface QueuedMessage extends OutgoingMessage {
  /** Given by the queue, never again to another. At most 64 characters of `A-Za-z0-9-_`. */
  readonly id: string
  readonly body: StoredBody
}

/** Work on a message that is done in one go: bring it to some of its recipients, who share a destination, or report on it. */
export interface NewJob {
  /** Where it is to go, in words of whoever works on the queue; to a queue nothing but a key. 1 to 320 characters. */
  readonly destination: string
  /**
   * Numbers of recipients, ascending. Empty for a job that is about the message as a whole, of which there is one at the most for
   * a message and a destination.
   */
  readonly recipients: readonly number[]
  /** Not before that, in milliseconds since the Unix epoch. */
  readonly due: number
  /** -9 to 9 (RFC 6710); default 0. Of two that are due the higher goes first, whenever they came. */
  readonly priority?: number
}

/**
 * The right to work on a job until a certain time. A lease that ran out is lost as soon as somebody else leases the job, or gives
 * an order; until then it can still be extended and settled, so that what was done is not done twice.
 */
export interface Lease {
  /** Of the job. */
  readonly job: string
  /** Differs from that of every other lease of the job: with an older one nothing can be done (a fencing token). */
  readonly token: string
  /** Milliseconds since the Unix epoch. */
  readonly until: number
  readonly destination: string
  readonly message: QueuedMessage
  /** Those of the job, all of the message where it has none of its own; in order of their numbers. */
  readonly recipients: readonly QueuedRecipient[]
  /** Tries that were settled and counted. */
  readonly tries: number
  /**
   * Leases that ran out, one after the other, each counted when the job is leased again: what killed its worker three times will
   * do so again.
   */
  readonly crashes: number
  /** When the job came into the queue. */
  readonly began: number
  /** Jobs of the same message that are not done, this one not counted. */
  readonly others: number
  /** Somebody has ordered that it fail, and says why: it is not to be tried, its recipients are to be given up. */
  readonly doomed: string | undefined
  /** The first lease since somebody ordered `retry`: a server that is given up for a while is to be tried all the same. */
  readonly ordered: boolean
}

/** What has become of a recipient; what is absent stays as it was. */
export interface Outcome {
  readonly number: number
  readonly state?: RecipientState
  readonly last?: LastTry
  readonly told?: 'delay' | 'end'
}

/** A message to enqueue, and the jobs it is made of: each recipient in exactly one. */
export interface NewMessageJobs {
  readonly message: OutgoingMessage
  readonly jobs: readonly NewJob[]
}

/** How a lease ends: all of it happens, or nothing. */
export interface Settlement {
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  readonly outcomes: readonly Outcome[]
  /**
   * When the job is due again. `undefined`: it is done; the caller guarantees that none of its recipients waits any more, unless
   * another job of `jobs` has taken it over.
   */
  readonly due?: number
  /** It is held, for this reason, until somebody releases it; `due` is given too. */
  readonly hold?: string
  /** The try counts (`Lease.tries`). Not where nothing was tried. */
  readonly counts: boolean
  /**
   * Further jobs of the same message: for recipients of this one that go another way, or for the message as a whole. Where one
   * without recipients is there already for a destination it becomes due at the earlier time; where that one is leased, it is due
   * at the given time when its lease has been settled, however that ends.
   */
  readonly jobs?: readonly NewJob[]
  /** Messages to enqueue: reports on this one. */
  readonly enqueue?: readonly NewMessageJobs[]
}

/** Which jobs; all that is given has to fit. */
export interface QueueFilter {
  /** Jobs by name. At most 1,000. */
  readonly jobs?: readonly string[]
  /** The message. */
  readonly message?: string
  readonly destination?: string
  /** The account that submitted it. */
  readonly account?: string
  /** A part of the sender's address, without regard to case (ASCII); empty: the null sender. */
  readonly sender?: string
  /** A part of the address of one of the job's recipients, without regard to case (ASCII). */
  readonly recipient?: string
  readonly state?: JobState
}

/** `waiting` for its time, or due; `leased`: somebody is at work on it; `held` until it is released. */
export type JobState = 'waiting' | 'leased' | 'held'

/** A job as those see it who look after the queue. */
export interface QueuedJob {
  readonly job: string
  readonly message: string
  readonly destination: string
  readonly state: JobState
  /** Of one that is leased, or whose lease ran out: when that ends, or ended. */
  readonly due: number
  readonly priority: number
  readonly began: number
  readonly tries: number
  readonly crashes: number
  /** Why it is held. */
  readonly held: string | undefined
  /** Why it is to fail. */
  readonly doomed: string | undefined
  readonly account: string | undefined
  readonly sender: OutgoingMessage['envelope']['sender']
  /** Octets of the message. */
  readonly octets: number
  readonly recipients: readonly (QueuedRecipient & { readonly to: Recipient })[]
}

/**
 * What somebody wants done with jobs. `hold` keeps them until `release`; `retry` makes them due now, forgets crashes, and marks
 * the next lease (see {@link Lease.ordered}); `drop` removes them and tells nobody; `bounce` has them given up (see
 * {@link Lease.doomed}). A job that is held stays so at `retry`, and is released at `bounce`.
 */
export type QueueOrder =
  | { readonly kind: 'hold'; readonly why: string }
  | { readonly kind: 'release' }
  | { readonly kind: 'retry' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'bounce'; readonly why: string }

/** What is in a queue. */
export interface QueueCounts {
  readonly messages: number
  readonly jobs: number
  /** Of the jobs: due by now and not leased. */
  readonly due: number
  readonly leased: number
  readonly held: number
  /** When the oldest job came, in milliseconds since the Unix epoch. */
  readonly oldest: number | undefined
}

/**
 * Mail that is owed. A message is kept once, with what has become of each recipient; what is to be done with it are its jobs,
 * each for the recipients of one destination. A job waits until it is due; a worker leases it, does it, and settles it. A message
 * is gone, with its body, once none of its jobs is left.
 *
 * Several workers, in several processes, may work on one queue. All times are the caller's. What resolves is as safe as
 * `traits.durability` says; a lease alone may be forgotten by a crash of the machine: the job is due then as it was before.
 *
 * Errors: `temporary` (nothing has changed), `quota` where the queue is full, `closed`.
 */
export interface MailQueue {
  readonly traits: { readonly durability: Durability }
  /** Takes a message over, with all its jobs, or not at all. The body is the queue's own when this resolves. */
  enqueue(message: OutgoingMessage, jobs: readonly NewJob[]): Promise<{ readonly id: string }>
  /**
   * Destinations for which a job is due and neither leased nor held, those first that have waited longest (by `due`, whatever
   * the priority). At most `limit`, none of `except`. A lease that ran out leaves its job due.
   */
  due(want: { readonly now: number; readonly limit: number; readonly except?: ReadonlySet<string> }): Promise<readonly string[]>
  /**
   * When the first of the jobs for other destinations than `except` is due, or its lease runs out. It may lie in the past.
   * `undefined`: there is none.
   */
  nextDue(except?: ReadonlySet<string>): Promise<number | undefined>
  /**
   * Leases jobs of a destination that are due: at most `limit`, by priority, then `due`, then as they came. Nobody else is given
   * them before `until`, unless they are settled. Empty: there is none, or others are at work on them.
   */
  lease(want: {
    readonly destination: string
    readonly now: number
    readonly until: number
    readonly limit: number
  }): Promise<readonly Lease[]>
  /** Has a lease last until then. `false`, and nothing has changed: it was lost, or settled before. */
  extend(lease: Lease, until: number): Promise<boolean>
  /** Ends a lease. `false`, and nothing has changed: it was lost, or settled before. */
  settle(lease: Lease, settlement: Settlement): Promise<boolean>
  /** A message and what has become of all its recipients, by number. */
  message(id: string): Promise<{ readonly message: QueuedMessage; readonly recipients: readonly QueuedRecipient[] } | undefined>
  /** Jobs in the order they came, a page at a time. `after`: the last job of the page before. `limit`: 1 to 1,000. */
  jobs(
    want: QueueFilter & { readonly after?: string; readonly limit: number; readonly now: number },
  ): Promise<{ readonly jobs: readonly QueuedJob[]; readonly more: boolean }>
  /** Carries out an order on all jobs that fit. What is leased is left alone, and counted apart. */
  order(
    which: QueueFilter, order: QueueOrder, now: number,
  ): Promise<{ readonly changed: number; readonly leased: number }>
  /** What is there. */
  counts(now: number): Promise<QueueCounts>
  /**
   * Tells, soon and perhaps in vain, that there are new jobs or some are due earlier, in this process or another. Gives the
   * function that ends it.
   */
  watch?(told: () => void): () => void
  /** Rejects later calls with `closed`; may be called again. */
  close?(): Promise<void>
}

import type { MailQueue } from '../../contracts/queue.ts'
import type { Append, MailStore } from '../../contracts/store.ts'
import type { Disk } from './disk.ts'
import type { Draws } from './draws.ts'
import type { Ledger } from './ledger.ts'
import type { Life } from './life.ts'
import type { QueueBooks } from './queue-books.ts'

/** Those who hear that there is new work in a queue, in one life or another. */
export type Hints = Set<() => void>

/** What is between a life and what it stores. */
export interface Gate {
  readonly disk: Disk
  readonly life: Life
  readonly crash: () => void
  readonly ledger: Ledger
  readonly note: (what: string) => void
}

/** What a queue's gate takes besides. */
export interface QueueGate extends Gate {
  readonly books: QueueBooks
  readonly hints: Hints
  readonly draws: Draws
  /** Of hints, one in so many is lost; 0: none. */
  readonly hintsLost: number
}

/** A queue as one life sees it: calls take time, and go wrong. */
export function gatedQueue(queue: MailQueue, gate: QueueGate): MailQueue {
  const { disk, life, crash, ledger, books, hints, draws, hintsLost, note } = gate
  const call = <T>(method: string, writes: boolean, run: () => Promise<T>, failed?: (when: 'before' | 'after') => void) => {
    return disk.call(life, crash, { method, writes, run, mayStick: true, ...(failed && { failed }) })
  }
  const hint = (): void => {
    // They are heard of soon, perhaps twice, perhaps never.
    const times = draws.oneIn(hintsLost) ? draws.pick([0, 2]) : 1
    for (let time = 0; time < times; time++) for (const told of hints) life.clock.alarm(life.clock.ticks() + 1 + time, told)
  }
  return {
    traits: { durability: 'disk' },
    async enqueue(message, jobs) {
      const key = message.facts.messageId
      ledger.touch(key)
      note(`enqueue ${key} for ${jobs.map(({ destination }) => destination).join(', ')}`)
      // Whoever hears of a failure comes again; of what was stored elsewhere meanwhile there are two then.
      const disturbed = (): void => ledger.disturb(key, 'enqueue failed')
      const run = (): Promise<{ readonly id: string }> => queue.enqueue(message, jobs).catch((error: unknown) => {
        disturbed()
        throw error
      })
      const queued = await call('enqueue', true, run, disturbed)
      hint()
      return queued
    },
    due: (want) => call('due', false, () => queue.due(want)),
    nextDue: (except) => call('nextDue', false, () => queue.nextDue(except)),
    lease: (want) => call('lease', true, async () => {
      const leases = await queue.lease(want)
      books.leased(leases, want.now)
      return leases
    }),
    extend: (lease, until) => call('extend', true, async () => {
      const extended = await queue.extend(lease, until)
      if (extended) books.extended(lease, until)
      return extended
    }),
    async settle(lease, settlement) {
      const settled = await call('settle', true, async () => {
        const done = await queue.settle(lease, settlement)
        if (done) books.settled(lease, settlement)
        return done
      })
      hint()
      return settled
    },
    message: (id) => call('message', false, () => queue.message(id)),
    jobs: (want) => call('jobs', false, () => queue.jobs(want)),
    order: (which, order, now) => call('order', true, () => queue.order(which, order, now)),
    counts: (now) => call('counts', false, () => queue.counts(now)),
    watch(told) {
      hints.add(told)
      return () => void hints.delete(told)
    },
  }
}

const reads = ['mailboxes', 'mailbox', 'usage'] as const
const writes = ['create', 'append', 'appendAll'] as const

/** A store as one life sees it. Only what delivery calls is let through with faults. */
export function gatedStore(store: MailStore, { disk, life, crash, ledger, note }: Gate): MailStore {
  const gated = (method: string, isWrite: boolean) => (...given: unknown[]): Promise<unknown> => {
    const keys = isWrite ? keysOf(given) : []
    for (const key of keys) ledger.touch(key)
    if (isWrite) note(`${method} ${keys.join(', ')}`)
    const run = async (): Promise<unknown> => {
      const call = store[method as 'append'] as unknown as (...all: unknown[]) => Promise<unknown>
      return call.apply(store, given)
    }
    const failed = (when: 'before' | 'after'): void => {
      if (when === 'after') for (const key of keys) ledger.disturb(key, `${method} failed or took too long, after it was done`)
    }
    return disk.call(life, crash, { method, writes: isWrite, run, failed, mayStick: keys.length > 0 })
  }
  const members = new Map<string, unknown>([['traits', { ...store.traits, durability: 'disk' }]])
  for (const method of reads) if (store[method]) members.set(method, gated(method, false))
  for (const method of writes) if (store[method]) members.set(method, gated(method, true))
  return new Proxy(store, {
    get(target, name) {
      if (members.has(name as string)) return members.get(name as string)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** The messages that a call of `append` or `appendAll` is about. */
function keysOf([first, second]: readonly unknown[]): readonly (string | undefined)[] {
  if (Array.isArray(first)) return [...new Set((first as readonly Append[]).map(({ message }) => message.facts.messageId))]
  const message = second as Append['message'] | undefined
  return message?.facts ? [message.facts.messageId] : []
}

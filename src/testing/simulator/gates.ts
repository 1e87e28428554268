import { memoryBody } from '../../adapters/memory/bodies.ts'
import type { Body, StoredBody } from '../../contracts/bodies.ts'
import type { Lease, MailQueue } from '../../contracts/queue.ts'
import { readBody } from '../../contracts/read-body.ts'
import type { Append, MailStore } from '../../contracts/store.ts'
import type { Disk } from './disk.ts'
import type { Draws } from './draws.ts'
import type { Journal, Write } from './journal.ts'
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
  /** Told of a lease that goes back to an order. */
  readonly ordered: () => void
}

/** A queue as one life sees it: calls take time, and go wrong. */
export function gatedQueue(journal: Journal<MailQueue>, gate: QueueGate): MailQueue {
  const { disk, life, crash, ledger, books, hints, draws, hintsLost, note, ordered } = gate
  const read = <T>(method: string, run: (queue: MailQueue) => Promise<T>): Promise<T> => {
    return disk.call(life, crash, { method, writes: false, run: () => run(journal.thing), mayStick: true })
  }
  const write = <T>(method: string, what: Write<MailQueue, T>, failed?: (when: 'before' | 'after') => void): Promise<T> => {
    const begun = journal.begin(what)
    return disk.call(life, crash, { method, writes: true, ...begun, mayStick: true, ...(failed && { failed }) })
  }
  const hint = (): void => {
    // They are heard of soon, perhaps twice, perhaps never.
    const times = draws.oneIn(hintsLost) ? draws.pick([0, 2]) : 1
    for (let time = 0; time < times; time++) for (const told of hints) life.clock.alarm(life.clock.ticks() + 1 + time, told)
  }
  const leased = (leases: readonly Lease[], now: number): void => {
    books.leased(leases, now)
    for (const lease of leases) if (lease.ordered) ordered()
  }
  return {
    traits: { durability: 'disk' },
    async enqueue(message, jobs) {
      const key = message.facts.messageId
      ledger.touch(key)
      note(`enqueue ${key} for ${jobs.map(({ destination }) => destination).join(', ')}`)
      // Whoever hears of a failure comes again; of what was stored elsewhere meanwhile there are two then.
      const disturbed = (): void => ledger.disturb(key, 'enqueue failed')
      let kept: Promise<StoredBody> | undefined
      const run = async (queue: MailQueue): Promise<{ readonly id: string }> => {
        kept ??= keptBody(message.body)
        return queue.enqueue({ ...message, body: await kept }, jobs).catch((error: unknown) => {
          disturbed()
          throw error
        })
      }
      const queued = await write('enqueue', { run }, disturbed)
      hint()
      return queued
    },
    due: (want) => read('due', (queue) => queue.due(want)),
    nextDue: (except) => read('nextDue', (queue) => queue.nextDue(except)),
    lease: (want) => write('lease', {
      run: (queue) => queue.lease(want),
      done: (leases) => leased(leases, want.now),
      forgotten: (leases) => books.forgotten(leases),
    }),
    extend: (lease, until) => write('extend', {
      run: (queue) => queue.extend(lease, until),
      done: (isExtended) => isExtended && books.extended(lease, until),
      forgotten: (isExtended) => isExtended && books.forgotten([lease]),
    }),
    async settle(lease, settlement) {
      const settled = await write('settle', {
        run: (queue) => queue.settle(lease, settlement),
        done: (isSettled) => isSettled && books.settled(lease, settlement),
      })
      hint()
      return settled
    },
    message: (id) => read('message', (queue) => queue.message(id)),
    jobs: (want) => read('jobs', (queue) => queue.jobs(want)),
    order: (which, order, now) => write('order', { run: (queue) => queue.order(which, order, now) }),
    counts: (now) => read('counts', (queue) => queue.counts(now)),
    watch(told) {
      hints.add(told)
      return () => void hints.delete(told)
    },
  }
}

const reads = ['mailboxes', 'mailbox', 'usage'] as const
const writes = ['create', 'append', 'appendAll'] as const

type AnyCall = (...given: readonly unknown[]) => Promise<unknown>

/** A store as one life sees it. Only what delivery calls is let through with faults. */
export function gatedStore(journal: Journal<MailStore>, { disk, life, crash, ledger, note }: Gate): MailStore {
  const store = journal.thing
  const read = (method: typeof reads[number]) => (...given: readonly unknown[]): Promise<unknown> => {
    const run = (): Promise<unknown> => (journal.thing[method] as AnyCall).apply(journal.thing, [...given])
    return disk.call(life, crash, { method, writes: false, run, mayStick: false })
  }
  const write = (method: typeof writes[number]) => (...given: readonly unknown[]): Promise<unknown> => {
    const keys = keysOf(given)
    for (const key of keys) ledger.touch(key)
    note(`${method} ${keys.join(', ')}`)
    const failed = (when: 'before' | 'after'): void => {
      if (when === 'after') for (const key of keys) ledger.disturb(key, `${method} failed or took too long, after it was done`)
    }
    let kept: Promise<unknown[]> | undefined
    const run = async (to: MailStore): Promise<unknown> => {
      kept ??= Promise.all(given.map(keptBodies))
      return (to[method] as AnyCall).apply(to, await kept)
    }
    return disk.call(life, crash, { method, writes: true, ...journal.begin({ run }), failed, mayStick: keys.length > 0 })
  }
  const members = new Map<string, unknown>([['traits', { ...store.traits, durability: 'disk' }]])
  for (const method of reads) if (store[method]) members.set(method, read(method))
  for (const method of writes) if (store[method]) members.set(method, write(method))
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

/** A body that is there for as long as somebody may want to read it again. */
const keptBody = async (body: Body): Promise<StoredBody> => memoryBody('', await readBody(body))

/** An argument of `append` or `appendAll`, with bodies that are there for ever. */
async function keptBodies(given: unknown): Promise<unknown> {
  if (Array.isArray(given)) {
    const appends = given as readonly Append[]
    return Promise.all(appends.map(async (each) => ({ ...each, message: await keptBodies(each.message) })))
  }
  const message = given as Append['message'] | undefined
  return message?.facts ? { ...message, body: await keptBody(message.body) } : given
}

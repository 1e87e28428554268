import { memoryQueue } from '../../../src/adapters/memory/queue.ts'
import type { Lease, MailQueue, QueuedMessage, Settlement } from '../../../src/contracts/queue.ts'
import type { OpenedMailQueue } from '../../../src/testing/contracts/mail-queue.ts'

/** A queue with every method. */
export type WholeQueue = Required<MailQueue>

/** A queue that breaks one promise, and the topic of the suite that has to notice. */
export interface QueueFault {
  readonly topic: string
  /** What the queue does: "forgets the envelope identifier". */
  readonly name: string
  readonly open: () => OpenedMailQueue
}

/** A queue in memory in which some methods are others. */
export function overlaid(queue: WholeQueue, methods: Partial<WholeQueue>): WholeQueue {
  return new Proxy(queue, {
    get(target, key) {
      const found = Reflect.get(key in methods ? methods : target, key) as unknown
      return typeof found === 'function' ? found.bind(target) : found
    },
  })
}

function fault(topic: string, name: string, methods: (queue: WholeQueue) => Partial<WholeQueue>): QueueFault {
  return {
    topic,
    name,
    open: () => {
      const queue = memoryQueue() as WholeQueue
      return { queue: overlaid(queue, methods(queue)) }
    },
  }
}

/** The queue with its leases changed. */
function leasing(queue: WholeQueue, change: (lease: Lease) => Lease): Pick<WholeQueue, 'lease'> {
  return { lease: async (want) => (await queue.lease(want)).map(change) }
}

/** The queue with settlements changed. */
function settling(queue: WholeQueue, change: (settlement: Settlement) => Settlement): Pick<WholeQueue, 'settle'> {
  return { settle: (lease, settlement) => queue.settle(lease, change(settlement)) }
}

/** The queue that shows messages otherwise. */
function showing(queue: WholeQueue, change: (message: QueuedMessage) => QueuedMessage): Partial<WholeQueue> {
  return leasing(queue, (lease) => ({ ...lease, message: change(lease.message) }))
}

const comingIn: readonly QueueFault[] = [
  fault('enqueue', 'forgets the envelope identifier', (queue) => showing(queue, (message) => {
    return { ...message, envelope: { ...message.envelope, envid: undefined } }
  })),
  fault('enqueue', 'takes the null sender for an empty address', (queue) => showing(queue, (message) => {
    return { ...message, envelope: { ...message.envelope, sender: message.envelope.sender ?? { local: '', domain: '' } } }
  })),
  fault('enqueue', 'keeps the body that it was given', (queue) => {
    const bodies = new Map<string, QueuedMessage['body']>()
    return {
      enqueue: async (message, jobs) => {
        const done = await queue.enqueue(message, jobs)
        bodies.set(done.id, Object.assign(message.body, { id: done.id }))
        return done
      },
      ...showing(queue, (message) => ({ ...message, body: bodies.get(message.id) ?? message.body })),
    }
  }),
  fault('enqueue', 'ends destinations at a NUL', (queue) => ({
    enqueue: (message, jobs) => queue.enqueue(message, jobs.map((job) => {
      return { ...job, destination: job.destination.split('\0')[0]! }
    })),
  })),
  fault('enqueue', 'takes destinations for the same by case', (queue) => ({
    enqueue: (message, jobs) => queue.enqueue(message, jobs.map((job) => {
      return { ...job, destination: job.destination.toLowerCase() }
    })),
    lease: (want) => queue.lease({ ...want, destination: want.destination.toLowerCase() }),
  })),
  fault('enqueue', 'enqueues job by job', (queue) => ({
    enqueue: async (message, jobs) => {
      const all = await Promise.all(jobs.map((job) => queue.enqueue(message, [job])))
      return all[0]!
    },
  })),
  fault('due', 'names those first that came first', (queue) => {
    const order: string[] = []
    return {
      enqueue: (message, jobs) => {
        order.push(...jobs.map(({ destination }) => destination))
        return queue.enqueue(message, jobs)
      },
      due: async (want) => [...await queue.due(want)].sort((a, b) => order.indexOf(a) - order.indexOf(b)),
    }
  }),
  fault('due', 'counts those that are left out', (queue) => ({
    due: async ({ now, limit, except }) => (await queue.due({ now, limit })).filter((name) => !except?.has(name)),
  })),
  fault('due', 'is a millisecond late', (queue) => ({ due: (want) => queue.due({ ...want, now: want.now - 1 }) })),
  fault('due', 'says that nothing comes when all is leased', (queue) => ({
    nextDue: async (except) => ((await queue.counts(0)).leased > 0 ? undefined : queue.nextDue(except)),
  })),
  fault('due', 'sees to what is urgent first', (queue) => ({
    due: async (want) => {
      const names = await queue.due(want)
      const jobs = await Promise.all(names.map(async (destination) => {
        return (await queue.jobs({ destination, now: want.now, limit: 1000 })).jobs
      }))
      const rank = (name: string) => Math.max(...jobs[names.indexOf(name)]!.map(({ priority }) => priority))
      return [...names].sort((a, b) => rank(b) - rank(a))
    },
  })),
]

const leases: readonly QueueFault[] = [
  fault('lease', 'knows no priorities', (queue) => ({
    enqueue: (message, jobs) => queue.enqueue(message, jobs.map(({ priority: _, ...job }) => job)),
  })),
  fault('lease', 'gives one more than was asked for', (queue) => ({
    lease: (want) => queue.lease({ ...want, limit: want.limit + 1 }),
  })),
  fault('lease', 'counts the job itself among the others', (queue) => {
    return leasing(queue, (lease) => ({ ...lease, others: lease.others + 1 }))
  }),
  fault('lease', 'has one token for each job', (queue) => {
    const real = new Map<string, Lease>()
    return {
      ...leasing(queue, (lease) => {
        real.set(lease.job, lease)
        return { ...lease, token: lease.job }
      }),
      settle: (lease, settlement) => queue.settle(real.get(lease.job) ?? lease, settlement),
    }
  }),
  fault('leases that run out', 'forgets crashes', (queue) => leasing(queue, (lease) => ({ ...lease, crashes: 0 }))),
  fault('leases that run out', 'counts crashes for good', (queue) => {
    const crashes = new Map<string, number>()
    return leasing(queue, (lease) => {
      const before = crashes.get(lease.job) ?? 0
      crashes.set(lease.job, Math.max(before, lease.crashes))
      return { ...lease, crashes: Math.max(before, lease.crashes) }
    })
  }),
  fault('leases that run out', 'never lets a lease run out', (queue) => ({
    lease: (want) => queue.lease({ ...want, until: 8e15 }),
  })),
  fault('leases that run out', 'counts a crash as a try', (queue) => {
    return leasing(queue, (lease) => ({ ...lease, tries: lease.tries + lease.crashes }))
  }),
  fault('fencing', 'lets anyone settle who once had the job', (queue) => {
    const last = new Map<string, Lease>()
    return {
      ...leasing(queue, (lease) => {
        last.set(lease.job, lease)
        return lease
      }),
      settle: (lease, settlement) => queue.settle(last.get(lease.job) ?? lease, settlement),
    }
  }),
  fault('fencing', 'takes reports also of those who have lost the lease', (queue) => ({
    settle: async (lease, { enqueue = [], ...settlement }) => {
      for (const { message, jobs } of enqueue) await queue.enqueue(message, jobs)
      return queue.settle(lease, settlement)
    },
  })),
  fault('fencing', 'says that it settled what was settled', (queue) => {
    const settled = new Set<string>()
    return {
      settle: async (lease, settlement) => {
        if (settled.has(lease.token)) return true
        settled.add(lease.token)
        return queue.settle(lease, settlement)
      },
    }
  }),
  fault('fencing', 'takes tokens for numbers', (queue) => ({
    settle: (lease, settlement) => queue.settle({ ...lease, token: String(Number(lease.token)) }, settlement),
  })),
  fault('extend', 'does not extend', () => ({ extend: async () => true })),
  fault('extend', 'only ever extends', (queue) => {
    const ends = new Map<string, number>()
    return {
      extend: (lease, until) => {
        const end = Math.max(until, ends.get(lease.token) ?? lease.until)
        ends.set(lease.token, end)
        return queue.extend(lease, end)
      },
    }
  }),
]

const settlements: readonly QueueFault[] = [
  fault('settle', 'forgets what the sender was told', (queue) => settling(queue, (settlement) => {
    return { ...settlement, outcomes: settlement.outcomes.map(({ told: _, ...outcome }) => outcome) }
  })),
  fault('settle', 'takes all recipients for done', (queue) => ({
    settle: (lease, settlement) => {
      const told = new Map(settlement.outcomes.map((outcome) => [outcome.number, outcome]))
      const outcomes = lease.recipients.map(({ number }) => ({ number, state: 'delivered' as const, ...told.get(number) }))
      return queue.settle(lease, { ...settlement, outcomes })
    },
  })),
  fault('settle', 'counts every settlement as a try', (queue) => {
    return settling(queue, (settlement) => ({ ...settlement, counts: true }))
  }),
  fault('settle', 'does not hold', (queue) => settling(queue, ({ hold: _, ...settlement }) => settlement)),
  fault('settle', 'keeps messages whose jobs are done', (queue) => {
    const kept = new Map<string, Awaited<ReturnType<MailQueue['message']>>>()
    return {
      enqueue: async (message, jobs) => {
        const done = await queue.enqueue(message, jobs)
        kept.set(done.id, await queue.message(done.id))
        return done
      },
      message: async (id) => await queue.message(id) ?? kept.get(id),
    }
  }),
  fault('settle', 'writes the outcomes of its own recipients alone', (queue) => ({
    settle: (lease, settlement) => {
      const { destination } = lease
      const own = destination === 'report' ? [] : lease.recipients.map(({ number }) => number)
      return queue.settle(lease, { ...settlement, outcomes: settlement.outcomes.filter(({ number }) => own.includes(number)) })
    },
  })),
  fault('further jobs', 'adds none', (queue) => settling(queue, ({ jobs: _, ...settlement }) => settlement)),
  fault('further jobs', 'sends nobody another way', (queue) => settling(queue, (settlement) => {
    const jobs = settlement.jobs?.filter(({ recipients }) => recipients.length === 0)
    return { ...settlement, ...(jobs && { jobs }) }
  })),
  fault('further jobs', 'enqueues reports before it settles', (queue) => ({
    settle: async (lease, { enqueue = [], ...settlement }) => {
      for (const { message, jobs } of enqueue) await queue.enqueue(message, jobs)
      return queue.settle(lease, settlement)
    },
  })),
  fault('further jobs', 'adds a job for each report that is asked for', (queue) => {
    let count = 0
    return settling(queue, (settlement) => ({
      ...settlement,
      ...(settlement.jobs && {
        jobs: settlement.jobs.map((job) => (count++ > 0 ? { ...job, destination: `${job.destination} ${count}` } : job)),
      }),
    }))
  }),
  fault('further jobs', 'forgets a report that is asked for while one is written', (queue) => ({
    settle: async (lease, settlement) => {
      const { jobs } = await queue.jobs({ now: settlement.now, limit: 1000, message: lease.message.id, state: 'leased' })
      const busy = new Set(jobs.filter(({ job }) => job !== lease.job).map(({ destination }) => destination))
      return queue.settle(lease, {
        ...settlement, ...(settlement.jobs && { jobs: settlement.jobs.filter(({ destination }) => !busy.has(destination)) }),
      })
    },
  })),
]

const lookingAfter: readonly QueueFault[] = [
  fault('orders', 'releases what is to be retried', (queue) => ({
    order: async (which, order, now) => {
      const done = await queue.order(which, order, now)
      if (order.kind === 'retry') await queue.order(which, { kind: 'release' }, now)
      return done
    },
  })),
  fault('orders', 'says nothing of why a job is to fail', (queue) => {
    return leasing(queue, (lease) => ({ ...lease, doomed: undefined }))
  }),
  fault('orders', 'does not know what was ordered', (queue) => leasing(queue, (lease) => ({ ...lease, ordered: false }))),
  fault('orders', 'drops what is held only', (queue) => ({
    order: (which, order, now) => queue.order(order.kind === 'drop' ? { ...which, state: 'held' } : which, order, now),
  })),
  fault('orders', 'takes a filter without jobs for no filter', (queue) => ({
    order: ({ jobs, ...which }, order, now) => queue.order({ ...which, ...(jobs && jobs.length > 0 && { jobs }) }, order, now),
  })),
  fault('orders', 'keeps held what is given up', (queue) => ({
    order: (which, order, now) => queue.order(order.kind === 'bounce' ? { ...which, state: 'waiting' } : which, order, now),
  })),
  fault('listing', 'leaves out a job between two pages', (queue) => ({
    jobs: async ({ after, ...want }) => {
      if (after === undefined) return queue.jobs(want)
      const { jobs, more } = await queue.jobs({ ...want, limit: want.limit + 1, after })
      return { jobs: jobs.slice(1), more }
    },
  })),
  fault('listing', 'minds the case of addresses', (queue) => ({
    jobs: async ({ sender, ...want }) => {
      const { jobs, more } = await queue.jobs({ ...want, ...(sender === '' && { sender }) })
      if (!sender) return { jobs, more }
      return { jobs: jobs.filter((job) => job.sender && `${job.sender.local}@${job.sender.domain}`.includes(sender)), more }
    },
  })),
  fault('listing', 'counts what is leased as due', (queue) => ({
    counts: async (now) => {
      const counts = await queue.counts(now)
      return { ...counts, due: counts.due + counts.leased }
    },
  })),
  fault('listing', 'takes any name for that of a message', (queue) => ({ message: (id) => queue.message(id.trim()) })),
]

const together: readonly QueueFault[] = [
  fault('any operations', 'tries nothing again that was due before', (queue) => settling(queue, (settlement) => {
    return settlement.due === undefined ? settlement : { ...settlement, due: Math.max(settlement.due, settlement.now) }
  })),
  fault('any operations', 'forgets a try now and then', (queue) => {
    let count = 0
    return settling(queue, (settlement) => ({ ...settlement, counts: settlement.counts && ++count % 4 > 0 }))
  }),
  fault('two workers', 'looks first and leases then', (queue) => {
    const looking = new Map<string, Promise<readonly Lease[]>>()
    return {
      lease: (want) => {
        const other = looking.get(want.destination)
        if (other) return other
        const taken = queue.lease(want)
        looking.set(want.destination, taken)
        void taken.then(() => looking.delete(want.destination))
        return taken
      },
    }
  }),
  fault('two workers', 'forgets a job that was to be tried again', (queue) => {
    let count = 0
    return settling(queue, (settlement) => {
      const { due, ...rest } = settlement
      return due !== undefined && ++count % 5 === 0 ? rest : settlement
    })
  }),
  fault('watch', 'tells nobody', () => ({ watch: () => () => {} })),
  fault('watch', 'tells those who no longer listen', (queue) => ({
    watch: (told) => {
      queue.watch(told)
      return () => {}
    },
  })),
  fault('close', 'goes on', () => ({ close: async () => {} })),
]

/** A queue in memory that says it survives, and what it is after a crash. */
function crashFault(name: string, after: (queue: WholeQueue) => Promise<WholeQueue>): QueueFault {
  return { topic: 'after a crash', name, open: () => lasting(after) }
}

/** A queue in memory that says it survives. */
export function lasting(after: (queue: WholeQueue) => Promise<WholeQueue> = async (queue) => queue): OpenedMailQueue {
  let queue = overlaid(memoryQueue() as WholeQueue, { traits: { durability: 'process' } } as Partial<WholeQueue>)
  return { queue, reopen: async () => (queue = await after(queue)) }
}

const crashes: readonly QueueFault[] = [
  crashFault('has nothing left', async () => memoryQueue() as WholeQueue),
  crashFault('forgets what was leased', async (queue) => {
    const now = 1_800_000_000_000
    const { jobs } = await queue.jobs({ now, limit: 1000, state: 'leased' })
    await queue.order({ jobs: jobs.map(({ job }) => job) }, { kind: 'drop' }, 9 * now)
    return queue
  }),
  crashFault('tries everything at once', async (queue) => {
    await queue.order({}, { kind: 'retry' }, 1_800_000_000_000)
    return queue
  }),
  crashFault('releases what was held', async (queue) => {
    await queue.order({ state: 'held' }, { kind: 'release' }, 0)
    return queue
  }),
]

/** All of them. */
export const queueFaults: readonly QueueFault[] = [
  ...comingIn, ...leases, ...settlements, ...lookingAfter, ...together, ...crashes,
]

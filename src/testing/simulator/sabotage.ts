import type { MailQueue, NewJob } from '../../contracts/queue.ts'
import type { Dial } from '../../protocol/session/dial.ts'
import type { TransportSink } from '../../protocol/session/transport.ts'

/**
 * A fault that is built in on purpose, to see that it is found: a queue that forgets every so often what was settled, hands a job
 * that somebody is at work on to somebody else, loses a recipient, or (with its store) says that something is on the disk which
 * is not; a client to which every recipient seems accepted, or that believes any certificate; a server that forgets what its
 * routes ask for.
 */
export type Sabotage =
  | 'forgets-settlements'
  | 'leases-twice'
  | 'loses-recipients'
  | 'answers-early'
  | 'ignores-refusals'
  | 'trusts-anybody'
  | 'forgets-routes'

/** One in so many. */
const OFTEN = 5

/** A queue that does not do what it should. */
export function sabotaged(queue: MailQueue, how: Sabotage): MailQueue {
  let turn = 0
  const isTurn = (): boolean => ++turn % OFTEN === 0
  return {
    traits: queue.traits,
    async enqueue(message, jobs) {
      return queue.enqueue(message, how === 'loses-recipients' && isTurn() ? withoutLast(jobs) : jobs)
    },
    due: (want) => queue.due(want),
    nextDue: (except) => queue.nextDue(except),
    async lease(want) {
      const leases = await queue.lease(want)
      if (how !== 'leases-twice' || leases.length === 0 || !isTurn()) return leases
      // It is given back in secret, so that it is due for others too.
      const [lease] = leases
      await queue.settle(lease!, { now: want.now, outcomes: [], counts: false, due: want.now })
      return leases
    },
    extend: (lease, until) => queue.extend(lease, until),
    async settle(lease, settlement) {
      if (how === 'forgets-settlements' && isTurn()) return true
      return queue.settle(lease, settlement)
    },
    message: (id) => queue.message(id),
    jobs: (want) => queue.jobs(want),
    order: (which, order, now) => queue.order(which, order, now),
    counts: (now) => queue.counts(now),
  }
}

function withoutLast(jobs: readonly NewJob[]): readonly NewJob[] {
  const at = jobs.findIndex(({ recipients }) => recipients.length > 1)
  const job = jobs[at]
  if (job) return jobs.with(at, { ...job, recipients: job.recipients.slice(0, -1) })
  return jobs.length > 1 ? jobs.slice(0, -1) : jobs
}

/** A way to connect that is not what it should be. */
export function sabotagedDial(dial: Dial, how: Sabotage | undefined): Dial {
  if (how === 'ignores-refusals') return deafToRefusals(dial)
  if (how !== 'trusts-anybody') return dial
  return (target, signal) => dial(target.tls ? { ...target, tls: { ...target.tls, trust: 'none' } } : target, signal)
}

/** Connections on which every refusal of an unknown recipient reads as a consent. */
function deafToRefusals(dial: Dial): Dial {
  return async (target, signal) => {
    const transport = await dial(target, signal)
    return { ...transport, open: (sink) => transport.open(consenting(sink)) }
  }
}

const consenting = (sink: TransportSink): TransportSink => ({
  received: (bytes) => sink.received(consent(bytes)),
  ended: () => sink.ended(),
  drained: () => sink.drained(),
  secured: (tls) => sink.secured(tls),
  closed: (error) => sink.closed(error),
})

function consent(bytes: Uint8Array): Uint8Array {
  const lines = Buffer.from(bytes).toString('latin1').split('\r\n')
  const consented = lines.map((line) => (line.startsWith('550 5.1.1') ? '250 2.1.5 Ok' : line))
  return Buffer.from(consented.join('\r\n'), 'latin1')
}

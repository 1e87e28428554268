import { print } from '../../adapters/node/print.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type {
  Lease,
  MailQueue,
  NewJob,
  QueuedJob,
  QueuedRecipient,
  QueueFilter,
  Settlement,
} from '../../contracts/queue.ts'
import type { Envelope, Recipient } from '../../contracts/received.ts'
import { equal, holds, type Runner } from './checks.ts'
import { factsOf, message, oddFacts } from './sample-mail.ts'

/** A queue under test. */
export interface OpenedMailQueue {
  readonly queue: MailQueue
  /**
   * Lets go of the queue without a farewell, as a crash would, and opens what it left; again, of what came of that. Needed from
   * durability `process` on.
   */
  readonly reopen?: () => Promise<MailQueue>
  /** Another worker on the same queue, as from another process, where there can be one. */
  readonly beside?: () => Promise<MailQueue>
}

/** What {@link mailQueueContract} takes. */
export interface MailQueueContractOptions extends Runner {
  /** A fresh queue with nothing in it. */
  readonly open: () => Promise<OpenedMailQueue>
}

/** Registers checks that are left out, which is said once, where the queue does not have the method. */
export function needing<M extends 'watch' | 'close'>(
  { it, open, skipped = print }: MailQueueContractOptions,
  method: M,
): (name: string, run: (queue: MailQueue & Required<Pick<MailQueue, M>>) => Promise<void>) => void {
  let told = false
  return (name, run) => void it(name, async () => {
    const { queue } = await open()
    if (queue[method]) return run(queue as MailQueue & Required<Pick<MailQueue, M>>)
    if (!told) skipped(`mailQueueContract: ${method} (the queue has no ${method})`)
    told = true
  })
}

/** Some time in 2027: when it is, unless a check says otherwise. */
export const T = 1_800_000_000_000

/** A minute, in milliseconds. */
export const MINUTE = 60_000

/** Destinations that queues mix up: by case, by blanks, by what they take for a pattern, a path, a number or a property. */
export const oddDestinations: readonly string[] = [
  'a', 'A', 'a ', ' a', 'a%', 'a_', 'a*', "a'", 'a"', 'a\\', '../a', '.', 'a\u0000', 'a\u0000b', 'a\nb', '__proto__',
  'constructor', 'null', 'undefined', '0', '00', '1e3', '[192.0.2.1]', 'caf\u00e9', 'cafe\u0301', '\u{1f4ec}', '\ud83d', '\uffff',
  'x'.repeat(320), `${'x'.repeat(319)}y`, '\u20ac'.repeat(320),
]

/** A recipient by its address. */
export function recipient(wire: string, more: Partial<Recipient> = {}): Recipient {
  const at = wire.lastIndexOf('@')
  const local = wire.slice(0, at)
  return { local, domain: wire.slice(at + 1), user: local, tag: undefined, wire, notify: undefined,
    originalRecipient: undefined, ...more }
}

/** An envelope from alice@example.org. */
export function envelope(to: readonly (string | Recipient)[], more: Partial<Envelope> = {}): Envelope {
  return {
    sender: { local: 'alice', domain: 'example.org' },
    recipients: to.map((one) => (typeof one === 'string' ? recipient(one) : one)),
    ...{ size: undefined, body: '7BIT', smtpUtf8: false, ret: undefined, envid: undefined, requireTls: false },
    ...{ deliverBy: undefined, priority: undefined, hold: undefined },
    ...more,
  }
}

/** A message of these octets to these recipients. */
export function mail(
  to: readonly (string | Recipient)[],
  more: Partial<OutgoingMessage> = {},
  bytes: Uint8Array = new TextEncoder().encode('Subject: test\r\n\r\nHello\r\n'),
): OutgoingMessage {
  const { body } = message(bytes)
  return { envelope: envelope(to), body, facts: factsOf(bytes.length), account: 'alice', received: T, ...more }
}

/** A job that is due now. */
export function job(destination: string, recipients: readonly number[], more: Partial<NewJob> = {}): NewJob {
  return { destination, recipients, due: T, ...more }
}

/** Puts a message for one recipient into the queue. Gives its id. */
export async function send(queue: MailQueue, destination = 'd', more: Partial<NewJob> = {}): Promise<string> {
  return (await queue.enqueue(mail(['bob@example.net']), [job(destination, [0], more)])).id
}

/** Leases jobs, ten minutes long. */
export async function lease(
  queue: MailQueue, destination = 'd', now = T, { limit = 100, until = now + 10 * MINUTE } = {},
): Promise<readonly Lease[]> {
  const leases = await queue.lease({ destination, now, until, limit })
  for (const one of leases) equal([one.destination, one.until], [destination, until], 'destination and end of a lease')
  return leases
}

/** Leases the one job that there is. */
export async function leaseOne(queue: MailQueue, destination = 'd', now = T): Promise<Lease> {
  const leases = await lease(queue, destination, now)
  equal(leases.length, 1, `number of leases for ${destination}`)
  return leases[0] as Lease
}

/** Settles as if all recipients of the job had their mail. */
export function delivered({ recipients }: Lease, more: Partial<Settlement> = {}): Settlement {
  return { now: T, outcomes: recipients.map(({ number }) => ({ number, state: 'delivered' as const })), counts: true, ...more }
}

/** Settles as if nobody could be reached. */
export function retried(due: number, more: Partial<Settlement> = {}): Settlement {
  return { now: T, outcomes: [], counts: true, due, ...more }
}

/** All jobs that fit, page by page. */
export async function allJobs(queue: MailQueue, now = T, filter: QueueFilter = {}, limit = 1000): Promise<QueuedJob[]> {
  const all: QueuedJob[] = []
  for (;;) {
    const after = all.at(-1)?.job
    const { jobs, more } = await queue.jobs({ ...filter, now, limit, ...(after !== undefined && { after }) })
    holds(jobs.length <= limit, `${jobs.length} jobs, but ${limit} were asked for`)
    all.push(...jobs)
    if (!more) return all
    equal(jobs.length, limit, 'jobs of a page that is not the last')
  }
}

/** All that can be seen of a queue, to see that nothing of it has changed. */
export async function everything(queue: MailQueue, now = T): Promise<unknown> {
  const jobs = await allJobs(queue, now)
  const messages = await Promise.all([...new Set(jobs.map((one) => one.message))].map((id) => queue.message(id)))
  const kept = messages.map((found) => [found?.message.id, found?.recipients])
  return plain({ jobs, kept, counts: await queue.counts(now), next: await queue.nextDue() })
}

/** What became of the recipients of a message. */
export async function recipientsOf(queue: MailQueue, id: string): Promise<readonly QueuedRecipient[]> {
  const found = await queue.message(id)
  holds(found !== undefined, `message ${id} is gone`)
  return found?.recipients ?? []
}

/** The states of the recipients of a message. */
export async function statesOf(queue: MailQueue, id: string): Promise<string[]> {
  return (await recipientsOf(queue, id)).map(({ state }) => state)
}

/** Plain data, fit for comparing. */
export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

/** Facts as odd as JSON allows. */
export { oddFacts }

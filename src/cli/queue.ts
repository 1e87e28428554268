import { sqlite } from '../adapters/sqlite/index.ts'
import type { Envelope } from '../contracts/received.ts'
import type { JobState, LastTry, MailQueue, QueuedJob, QueuedRecipient, QueueFilter, QueueOrder } from '../contracts/queue.ts'
import { MailError } from '../protocol/session/errors.ts'
import { encodeMailbox } from '../protocol/smtp/index.ts'
import { auditFile, auditLine } from '../server/audit.ts'
import { openFolder } from './accounts.ts'
import { base64 } from './mail.ts'
import type { Terminal } from './terminal.ts'

/** Which jobs, as flags say it. */
export interface QueueFlags {
  readonly destination?: string
  readonly account?: string
  readonly sender?: string
  readonly recipient?: string
  readonly state?: string
}

/** What `posthorn queue` does to mail. */
export type QueueDeed = QueueOrder['kind']

/** What is said with it. */
export interface OrderFlags extends QueueFlags {
  readonly why?: string
  readonly all?: boolean
}

/** Jobs that are read at a time. */
const PAGE = 200

/** Prints what waits, a JSON line for each job: a message on its way to one destination. */
export async function listQueue(data: string, messages: readonly string[], flags: QueueFlags, terminal: Terminal): Promise<void> {
  await withQueue(data, async (queue) => {
    for (const filter of filtersOf(messages, flags)) {
      for await (const job of jobsOf(queue, filter, terminal)) {
        if (!(await terminal.outPiece(`${JSON.stringify(described(job))}\n`))) return
      }
    }
  })
}

/** Prints one message, as a JSON line: what has become of each of its recipients, and what is still to be done. */
export async function showQueued(data: string, id: string, raw: boolean, terminal: Terminal): Promise<void> {
  await withQueue(data, async (queue) => {
    const found = await queue.message(id)
    if (!found) throw new MailError('config', `There is no message ${id} in the queue: it has gone its way, or never was there`)
    const { envelope, facts, account, received, body } = found.message
    const jobs: object[] = []
    for await (const { job, destination, state, due, tries, held, doomed } of jobsOf(queue, { message: id }, terminal)) {
      jobs.push({ job, destination, state, due: time(due), tries, ...(held === undefined ? {} : { held }), doomed })
    }
    const line = JSON.stringify({
      message: id, account, sender: senderOf(envelope.sender), received: time(received), octets: body.size,
      messageId: facts.messageId, envid: envelope.envid,
      recipients: found.recipients.map((one) => recipientOf(one, envelope.recipients[one.number]!)),
      jobs,
    })
    if (!raw) return terminal.out(line)
    if (!(await terminal.outPiece(`${line.slice(0, -1)},"raw":"`))) return
    for await (const text of base64(body)) if (!(await terminal.outPiece(text))) return
    await terminal.outPiece('"}\n')
  })
}

/** Prints how much waits, as a JSON line. */
export async function countQueue(data: string, terminal: Terminal): Promise<void> {
  await withQueue(data, async (queue) => {
    const { oldest, ...counts } = await queue.counts(terminal.clock.now())
    terminal.out(JSON.stringify({ ...counts, oldest: oldest === undefined ? null : time(oldest) }))
  })
}

/**
 * Carries out an order, also beside a server that runs, which sees it at once. What was done is kept in `audit.log` of the data
 * folder, and printed, a JSON line for each message that was named, or one for all.
 */
export async function orderQueue(
  data: string, deed: QueueDeed, messages: readonly string[], flags: OrderFlags, terminal: Terminal,
): Promise<void> {
  const { why = 'by order of the postmaster', all = false, ...filter } = flags
  if (messages.length === 0 && Object.keys(filter).length === 0 && !all) {
    throw new MailError('config', `Name messages, or say which by flags. To ${deed} everything there is, say --all`)
  }
  const keep = auditFile(data)
  const order: QueueOrder = deed === 'hold' || deed === 'bounce' ? { kind: deed, why } : { kind: deed }
  await withQueue(data, async (queue) => {
    let found = 0
    for (const which of filtersOf(messages, filter)) {
      const at = terminal.clock.now()
      const { changed, leased } = await queue.order(which, order, at)
      found += changed + leased
      const { message = '*', ...rest } = which
      const said = 'why' in order ? { why: order.why } : {}
      const record = { at, action: `queue.${deed}`, subject: message, details: { ...rest, ...said, changed, leased } }
      await keep(record)
      terminal.out(auditLine(record))
    }
    if (found === 0) throw new MailError('config', 'There is no such mail in the queue')
  })
}

async function withQueue(data: string, work: (queue: MailQueue) => Promise<void>): Promise<void> {
  const db: ReturnType<typeof sqlite> = openFolder(data, 'queue')
  try {
    await work(db.queue)
  } finally {
    await db.close()
  }
}

/** One for each message that is named, or one for all. */
function filtersOf(messages: readonly string[], { state, ...flags }: QueueFlags): readonly QueueFilter[] {
  const filter: QueueFilter = { ...flags, ...(state === undefined ? {} : { state: stateOf(state) }) }
  return messages.length === 0 ? [filter] : messages.map((message) => ({ ...filter, message }))
}

const states: readonly string[] = ['waiting', 'leased', 'held'] satisfies JobState[]

function stateOf(text: string): JobState {
  if (!states.includes(text)) {
    throw new MailError('config', `--state: ${JSON.stringify(text)} will not do. It takes ${states.join(', ')}`)
  }
  return text as JobState
}

async function* jobsOf(queue: MailQueue, filter: QueueFilter, { clock }: Terminal): AsyncGenerator<QueuedJob, void, undefined> {
  let behind: { readonly after?: string } = {}
  for (;;) {
    const { jobs, more } = await queue.jobs({ ...filter, ...behind, limit: PAGE, now: clock.now() })
    yield* jobs
    const last = jobs.at(-1)
    if (!more || !last) return
    behind = { after: last.job }
  }
}

/** A job as its line tells it. What is not there is left out. */
function described(job: QueuedJob): object {
  const { message, destination, state, due, priority, began, tries, held, doomed, account, sender, octets, recipients } = job
  return {
    message, job: job.job, destination, state, due: time(due), began: time(began), tries, held, doomed, account,
    sender: senderOf(sender), octets, ...(priority === 0 ? {} : { priority }),
    recipients: recipients.map((one) => recipientOf(one, one.to)),
  }
}

function recipientOf({ state, last, told }: QueuedRecipient, to: Envelope['recipients'][number]): object {
  return { to: encodeMailbox(to), state, told, last: last && lastOf(last) }
}

function lastOf({ at, code, enhanced, text, host, address }: LastTry): object {
  return { at: time(at), reply: [code, enhanced, text].filter((part) => part !== undefined).join(' '), host, address }
}

const senderOf = (sender: Envelope['sender']): string | null => (sender === null ? null : encodeMailbox(sender))

const time = (at: number): string => new Date(at).toISOString()

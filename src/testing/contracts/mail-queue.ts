import { duing, leasing } from './mail-queue-due.ts'
import { enqueueing } from './mail-queue-enqueue.ts'
import { closing, surviving } from './mail-queue-lasting.ts'
import { expiring, extending, fencing } from './mail-queue-lease.ts'
import { modelling } from './mail-queue-model.ts'
import { listing, ordering } from './mail-queue-orders.ts'
import { branching, settling } from './mail-queue-settle.ts'
import { watching, working } from './mail-queue-workers.ts'
import type { MailQueueContractOptions } from './sample-queue.ts'

export type { MailQueueContractOptions, OpenedMailQueue } from './sample-queue.ts'

/**
 * What every mail queue has to do, whatever it runs on, by topic. What a queue does not offer (`watch`, a durability that a crash
 * could try) is left out, and that is said. Time is virtual: it needs a clock of its own nowhere.
 */
export function mailQueueContract(options: MailQueueContractOptions): void {
  for (const [topic, define] of topics) options.describe(topic, () => define(options))
}

const topics: readonly (readonly [string, (options: MailQueueContractOptions) => void])[] = [
  ['enqueue', enqueueing],
  ['due', duing],
  ['lease', leasing],
  ['leases that run out', expiring],
  ['fencing', fencing],
  ['extend', extending],
  ['settle', settling],
  ['further jobs', branching],
  ['orders', ordering],
  ['listing', listing],
  ['any operations', modelling],
  ['two workers', working],
  ['watch', watching],
  ['after a crash', surviving],
  ['close', closing],
]

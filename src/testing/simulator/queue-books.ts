import type { Lease, NewMessageJobs, QueuedJob, Settlement } from '../../contracts/queue.ts'
import type { Recipient } from '../../contracts/received.ts'
import type { Ledger } from './ledger.ts'
import type { ToldReport } from './reports.ts'

/** A lease as it was given. */
interface Given {
  until: number
  /** It is lost: an order on the job since ends a lease that has run out, a power loss forgets one. */
  isLost: boolean
}

/** A recipient of a queued message. */
interface Told {
  readonly address: string
  readonly key: string | undefined
  /** Its sender is to hear of its failure. */
  readonly wants: boolean
  isFailed: boolean
  /** What its sender was told of it. */
  readonly told: string[]
}

/** The words of a try that may have been a success: all was said, and nothing heard (see `unknown` in OutcomeEvent). */
const UNKNOWN = '(content)'

const addressOf = ({ local, domain }: { readonly local: string; readonly domain: string }): string => `${local}@${domain}`

/**
 * Looks over the shoulder of a queue: writes into the ledger what was settled, and looks at what was reported of it. It is told
 * of what the queue has done, whether whoever wanted it lives to hear of it or not.
 */
export class QueueBooks {
  private readonly name: string
  private readonly ledger: Ledger
  private readonly reports: Map<string, ToldReport>
  private readonly mostTries: number
  private readonly given = new Map<string, Given>()
  private readonly recipients = new Map<string, Told>()

  /** `name`: of the host. `reports`: what was written, by Message-ID. `mostTries`: of a job, without orders. */
  constructor(name: string, ledger: Ledger, reports: Map<string, ToldReport>, mostTries: number) {
    this.name = name
    this.ledger = ledger
    this.reports = reports
    this.mostTries = mostTries
  }

  leased(leases: readonly Lease[], now: number): void {
    for (const lease of leases) {
      const { job, until, tries } = lease
      const key = lease.message.facts.messageId
      const before = this.given.get(job)
      const isLost = before !== undefined && (before.isLost || before.until <= now)
      if (isLost) this.ledger.disturb(key, `${this.name}: ${lease.destination} was leased again, as nobody had settled it`)
      this.given.set(job, { until, isLost: false })
      this.ledger.touch(key)
      if (tries > this.mostTries) this.ledger.violate(`${key} was tried ${tries} times for ${lease.destination} at ${this.name}`)
    }
  }

  extended(lease: Lease, until: number): void {
    const given = this.given.get(lease.job)
    if (given) given.until = until
  }

  /** A power loss has taken leases away: of what their holders have done, nobody knows. */
  forgotten(leases: readonly Lease[]): void {
    for (const { job } of leases) {
      const given = this.given.get(job)
      if (given) given.isLost = true
    }
  }

  settled(lease: Lease, { outcomes, enqueue = [] }: Settlement): void {
    const { message, job } = lease
    const key = message.facts.messageId
    this.given.delete(job)
    this.ledger.touch(key)
    for (const { number, state, last } of outcomes) {
      const recipient = this.recipientOf(lease, number)
      if (last?.host === undefined && last?.text.endsWith(UNKNOWN)) this.ledger.disturb(key, `${this.name}: ${last.text}`)
      if (state === 'failed') recipient.isFailed = true
      if (state === 'failed' || state === 'dropped') this.ledger.endAll(key, recipient.address, state, this.name)
    }
    this.reported(lease, outcomes, enqueue)
  }

  /** An order was carried out on a job. */
  ordered({ job, message, recipients }: QueuedJob, key: string | undefined, kind: string): void {
    const given = this.given.get(job)
    if (kind !== 'drop') {
      if (given) given.isLost = true
      return
    }
    // Nobody works on it, and what its last worker did before he was lost nobody knows.
    if (given) this.ledger.disturb(key, `${this.name}: ${message} was dropped after a lease that nobody had settled`)
    this.given.delete(job)
    for (const { state, to } of recipients) {
      if (state === 'waiting') this.ledger.endAll(key, addressOf(to), 'dropped', `${this.name}: ${message}`)
    }
  }

  /** What was not told that should have been. */
  balance(): void {
    for (const { address, key, isFailed, wants, told } of this.recipients.values()) {
      const failures = told.filter((action) => action === 'failed').length
      const due = isFailed && wants ? 1 : 0
      const whose = `${key} for ${address} at ${this.name}`
      if (failures !== due) this.ledger.violate(`${whose}: ${failures} reports of failure, not ${due}`)
      if (new Set(told).size !== told.length) this.ledger.violate(`${whose}: told twice (${told.join(', ')})`)
    }
  }

  /** Compares what is marked as told with what the reports tell that are sent. */
  private reported(lease: Lease, outcomes: Settlement['outcomes'], enqueue: readonly NewMessageJobs[]): void {
    const marked = outcomes.filter(({ told, state }) => told !== undefined && state === undefined)
    const tellings: string[] = []
    for (const { message } of enqueue) {
      const key = message.facts.messageId
      const report = this.reports.get(key ?? '')
      if (!report || key === undefined) {
        this.ledger.violate(`${this.name} sends a report that nobody has written (${key})`)
        continue
      }
      this.ledger.begin(key, undefined)
      for (const to of message.envelope.recipients) this.ledger.promise(key, addressOf(to))
      for (const { address, action } of report.recipients) {
        tellings.push(address)
        this.find(lease, address)?.told.push(action)
      }
    }
    const wanted = marked.map(({ number }) => this.recipientOf(lease, number).address)
    const about = lease.message.facts.messageId
    const differs = [...tellings].sort().join(' ') !== [...wanted].sort().join(' ')
    const compared = `tell of ${tellings.join(', ')}; marked are ${wanted.join(', ')}`
    if (differs) this.ledger.violate(`Reports on ${about} ${compared}`)
    const kinds = enqueue.map(({ message }) => this.reports.get(message.facts.messageId ?? '')?.kind)
    if (new Set(kinds).size !== kinds.length) this.ledger.violate(`${about} has several reports at once: ${kinds.join(', ')}`)
  }

  private find(lease: Lease, address: string): Told | undefined {
    const number = lease.message.envelope.recipients.findIndex((to) => addressOf(to) === address)
    if (number < 0) this.ledger.violate(`A report on ${lease.message.facts.messageId} tells of ${address}, whom it is not for`)
    return number < 0 ? undefined : this.recipientOf(lease, number)
  }

  private recipientOf({ message }: Lease, number: number): Told {
    const name = `${message.id} ${number}`
    let recipient = this.recipients.get(name)
    if (!recipient) {
      const to: Recipient = message.envelope.recipients[number]!
      const wants = message.envelope.sender !== null && (to.notify?.includes('FAILURE') ?? true)
      const key = message.facts.messageId
      this.recipients.set(name, (recipient = { address: addressOf(to), key, wants, isFailed: false, told: [] }))
    }
    return recipient
  }
}

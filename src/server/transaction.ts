import type { Note } from '../contracts/note.ts'
import type { Envelope, Recipient } from '../contracts/received.ts'
import type { Collector } from './collector.ts'

/** A recipient that was asked about, in the order of RCPT. */
interface Named {
  /** The id of the question. */
  readonly question: number
  answer: 'open' | 'kept' | 'dropped' | 'refused'
}

/** A mail transaction as the host of a connection sees it. */
export class Transaction {
  /** Of the message to be. */
  readonly id: string
  /** Its recipients are those that were kept so far, in the order in which they were named, however long each look-up took. */
  readonly envelope: Envelope & { readonly recipients: Recipient[] }
  /** Notes of the stages so far. */
  readonly notes: Note[]
  collector: Collector | undefined
  /** A policy had all of it dropped. */
  discarding: boolean
  /** The client has its answer or has gone: what is not delivered by now must not be. */
  withdrawn = false
  private readonly named: Named[] = []

  constructor(id: string, envelope: Transaction['envelope'], notes: Note[], discarding: boolean) {
    this.id = id
    this.envelope = envelope
    this.notes = notes
    this.discarding = discarding
  }

  /** A recipient is asked about. */
  name(question: number): void {
    this.named.push({ question, answer: 'open' })
  }

  /** What became of it. `dropped`: accepted, and not in the envelope. False where the question was withdrawn. */
  settle(question: number, to: Recipient, answer: 'kept' | 'dropped' | 'refused'): boolean {
    const found = this.named.find((one) => one.question === question)
    if (found?.answer !== 'open') return false
    found.answer = answer
    if (answer !== 'kept') return true
    let before = 0
    for (const one of this.named) {
      if (one === found) break
      if (one.answer === 'kept') before++
    }
    this.envelope.recipients.splice(before, 0, to)
    return true
  }

  /** The client has been answered without us: it takes the recipient for refused. */
  withdraw(question: number): void {
    const found = this.named.find((one) => one.question === question)
    if (found?.answer === 'open') found.answer = 'refused'
  }

  /** For each recipient that the client takes for accepted, in order: whether it is in the envelope, or dropped by a policy. */
  get kept(): boolean[] {
    return this.named.filter(({ answer }) => answer === 'kept' || answer === 'dropped').map(({ answer }) => answer === 'kept')
  }
}

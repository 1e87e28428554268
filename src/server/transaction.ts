import type { Note } from '../contracts/note.ts'
import type { Envelope, Recipient } from '../contracts/received.ts'
import type { Collector } from './collector.ts'

/** A mail transaction as the host of a connection sees it. */
export interface Transaction {
  /** Of the message to be. */
  readonly id: string
  readonly envelope: Envelope & { readonly recipients: Recipient[] }
  /** Notes of the stages so far. */
  readonly notes: Note[]
  /** For each recipient that the session has accepted, in order: whether it is in the envelope, or dropped by a policy. */
  readonly kept: boolean[]
  collector: Collector | undefined
  /** A policy had all of it dropped. */
  discarding: boolean
}

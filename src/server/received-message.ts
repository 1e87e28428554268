import type { Body, ByteRange } from '../contracts/bodies.ts'
import type { Note } from '../contracts/policy.ts'
import type { Connection, Envelope, ParsedMessage, ReceivedMessage } from '../contracts/received.ts'
import type { MessageFacts } from '../message/facts.ts'
import { type Headers, parseHeaderBlock } from '../message/headers.ts'
import { indexMessage } from '../message/indexer.ts'

/** What a message that has arrived begins with. */
export interface Arrived {
  readonly id: string
  readonly envelope: Envelope
  readonly connection: Connection
  readonly received: number
  readonly body: Body
  readonly notes: readonly Note[]
  /** Octets that begin with the whole header; all of the body where that is in memory. */
  readonly head: Uint8Array
  /** Gathered on the way in, where the body is not in memory. */
  readonly facts: MessageFacts | undefined
}

/** A message that has arrived. What it says is found out when it is asked for, and once. */
export class StoredArrival implements ReceivedMessage {
  readonly id: string
  readonly envelope: Envelope
  readonly connection: Connection
  readonly received: number
  readonly body: Body
  readonly notes: readonly Note[]
  readonly head: Uint8Array
  private knownHeaders: Headers | undefined
  private knownFacts: MessageFacts | undefined
  private knownParsed: Promise<ParsedMessage> | undefined

  constructor(arrived: Arrived) {
    this.id = arrived.id
    this.envelope = arrived.envelope
    this.connection = arrived.connection
    this.received = arrived.received
    this.body = arrived.body
    this.notes = arrived.notes
    this.head = arrived.head
    this.knownFacts = arrived.facts
  }

  get octets(): number {
    return this.body.size
  }

  get headers(): Headers {
    return (this.knownHeaders ??= parseHeaderBlock(this.head))
  }

  get facts(): MessageFacts {
    return (this.knownFacts ??= indexMessage(this.head))
  }

  get threadId(): string {
    return this.id
  }

  get automated(): string | undefined {
    return undefined
  }

  raw(range?: ByteRange): AsyncIterable<Uint8Array> {
    return this.body.read(range)
  }

  parsed(): Promise<ParsedMessage> {
    return (this.knownParsed ??= Promise.reject(new Error('parsed')))
  }
}

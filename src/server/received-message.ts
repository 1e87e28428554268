import type { Body, ByteRange } from '../contracts/bodies.ts'
import type { Note } from '../contracts/note.ts'
import type { Connection, Envelope, ParsedMessage, ReceivedMessage } from '../contracts/received.ts'
import { automated } from '../message/automated.ts'
import type { MessageFacts } from '../message/facts.ts'
import { type Headers, parseHeaderBlock } from '../message/headers.ts'
import { indexMessage } from '../message/indexer.ts'
import { threadReferences } from '../message/thread.ts'
import { parseMessage } from './parsed.ts'

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
  private knownThread: string | undefined
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
    // Who names neither itself nor any other message begins a conversation that nobody can go on with.
    return (this.knownThread ??= threadReferences(this.headers).thread ?? this.id)
  }

  get automated(): string | undefined {
    const found = automated(this.headers, this.envelope.sender)
    return found.automated ? found.reason : undefined
  }

  raw(range?: ByteRange): AsyncIterable<Uint8Array> {
    return this.body.read(range)
  }

  parsed(): Promise<ParsedMessage> {
    return (this.knownParsed ??= parseMessage(this).catch((error: unknown) => {
      // What failed once is tried again: the disk may be back, mailparser installed.
      this.knownParsed = undefined
      throw error
    }))
  }
}

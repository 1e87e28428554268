import { turn } from '../../adapters/node/event-loop.ts'
import type { BodyStore } from '../../contracts/bodies.ts'
import type { NewMessage } from '../../contracts/store.ts'
import type { MessageFacts } from '../../message/facts.ts'
import { createIndexer, indexMessage } from '../../message/indexer.ts'
import type { Upload } from '../../protocol/imap/index.ts'
import { type Collected, Collector } from '../collector.ts'

/** Octets that are looked at in one turn: of the smallest parts that there can be they hold two thousand. */
const SLICE = 65_536

/** The messages of an APPEND while they come in. */
export class Uploads {
  private readonly spillAt: number
  private readonly bodies: BodyStore
  private collectors: Collector[] = []
  /** Octets of the latest message, how many of it stay in memory at most, and how many of those before it did. */
  private latest = 0
  private room = 0
  private held = 0

  constructor(spillAt: number, bodies: BodyStore) {
    this.spillAt = spillAt
    this.bodies = bodies
  }

  /** A message begins. All of one APPEND together have as much room in memory as one. */
  begin(): void {
    if (this.collectors.length === 0) this.held = 0
    else if (this.latest <= this.room) this.held += this.latest
    this.latest = 0
    this.room = Math.max(0, this.spillAt - this.held)
    this.collectors.push(new Collector(this.room, this.bodies))
  }

  /** Takes a piece of the latest. */
  write(bytes: Uint8Array): void | Promise<void> {
    this.latest += bytes.length
    return this.collectors[this.collectors.length - 1]?.write(bytes)
  }

  /** Nothing will become of them. */
  async discard(): Promise<void> {
    const { collectors } = this
    this.collectors = []
    await Promise.all(collectors.map((collector) => collector.discard()))
  }

  /** Hands the messages over, with what the client says of each; what a body store held of them goes afterwards. */
  async appended<Value>(
    uploads: readonly Upload[],
    now: number,
    append: (messages: readonly NewMessage[]) => Promise<Value>,
  ): Promise<Value> {
    const { collectors } = this
    this.collectors = []
    const all: Collected[] = []
    try {
      for (const collector of collectors) all.push(await collector.finish())
      const messages: NewMessage[] = []
      for (const [at, { body, facts }] of all.entries()) {
        const { flags, received } = uploads[at]!
        // What is in memory was not looked at on the way.
        const said = facts ?? (body.size > SLICE ? await indexed(body.bytes!) : indexMessage(body.bytes!))
        messages.push({ body, facts: said, received: received ?? now, flags })
      }
      return await append(messages)
    } finally {
      // One that fails has thrown away what it had; those behind it have not.
      const left = collectors.slice(all.length + 1).map((collector) => collector.discard())
      await Promise.all([...all.map((collected) => collected.discard()), ...left])
    }
  }
}

/** What a message says, others having their turns in between, and before it is stored (I65). */
async function indexed(bytes: Uint8Array): Promise<MessageFacts> {
  const indexer = createIndexer()
  for (let at = 0; at < bytes.length; at += SLICE) {
    indexer.push(bytes.subarray(at, at + SLICE))
    await turn()
  }
  return indexer.end()
}

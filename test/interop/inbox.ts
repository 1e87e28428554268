import { createHash } from 'node:crypto'
import { parseReceived, type Received } from '../../src/message/received.ts'
import { receiver } from '../../src/index.ts'
import type {
  Connection, Delivered, Observer, ReceivedMessage, ServerListenOptions, ReceiverOptions, Recipient, Running, ServerEvent,
} from '../../src/index.ts'
import { PATIENCE } from './children.ts'

/** A message that a receiver was given, and what was known when it came. */
export interface Taken {
  readonly sender: string | null
  readonly recipients: readonly string[]
  /** The connection as it was at that moment. */
  readonly connection: Pick<Connection, 'peer' | 'tls' | 'hello' | 'account' | 'forwarded'>
  readonly subject: string | undefined
  /** All octets, the trace field among them. */
  readonly raw: Buffer
  /** The octets that the client sent. */
  readonly content: Buffer
  /** SHA-256 of `content`. */
  readonly hash: string
  /** What the trace field says, and the field as it is written. */
  readonly trace: Received
  readonly traceText: string
}

/** Options of a receiver that keeps what it is given, and where it listens. */
export interface InboxOptions extends Partial<Omit<ReceiverOptions, 'observe'>> {
  readonly listen?: Partial<ServerListenOptions>
  readonly observe?: Observer
}

/** A receiver in this process, which keeps what it takes. */
export class Inbox {
  readonly taken: Taken[] = []
  /** Deliveries that have begun. */
  taking = 0
  readonly events: ServerEvent[] = []
  readonly #running: Running
  readonly #watching: Set<() => void>

  private constructor(running: Running, watching: Set<() => void>) {
    this.#running = running
    this.#watching = watching
  }

  /** Listens on the loopback. `deliver` has its say before a message is kept. */
  static async open(options: InboxOptions = {}): Promise<Inbox> {
    const { listen, ...settings } = options
    const watching = new Set<() => void>()
    const changed = (): void => [...watching].forEach((check) => check())
    const server = receiver({
      hostname: 'mx.example.test',
      accepts: (to) => to.domain === 'example.test',
      connections: false,
      ...settings,
      observe: (event) => {
        inbox.events.push(event)
        options.observe?.(event)
        changed()
      },
      deliver: async (message, context) => {
        inbox.taking++
        changed()
        const verdict = await options.deliver?.(message, context)
        const taken = whose(verdict, message.envelope.recipients)
        if (taken.length > 0) inbox.taken.push(await takenOf(message, taken))
        changed()
        return verdict
      },
    })
    const where = listen?.path === undefined ? { host: '127.0.0.1', port: 0 } : {}
    const inbox: Inbox = new Inbox(await server.listen({ ...where, ...listen }), watching)
    return inbox
  }

  get port(): number {
    return this.#running.port
  }

  /** Resolves when no connection is open. */
  async quiet(): Promise<void> {
    const both = (): true | undefined => (this.told('closed').length === this.told('connected').length ? true : undefined)
    await this.until(both, 'the end of all connections')
    // The conversation has ended; the socket closes in the same breath.
    while (this.#running.connections > 0) await new Promise((resolve) => setImmediate(resolve))
  }

  /** The message with that subject, which may be still on its way. */
  message(subject: string): Promise<Taken> {
    return this.until(() => this.taken.find((taken) => taken.subject === subject), `the message ${subject}`)
  }

  /** Events of a kind. */
  told<K extends ServerEvent['kind']>(kind: K): Extract<ServerEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<ServerEvent, { kind: K }> => event.kind === kind)
  }

  /** The first result that is not `undefined`, looked for whenever something happens. */
  until<T>(look: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = look()
        if (found === undefined) return
        clearTimeout(timer)
        this.#watching.delete(check)
        resolve(found)
      }
      const timer = setTimeout(() => {
        this.#watching.delete(check)
        reject(new Error(`${PATIENCE} ms without ${what}; events: ${JSON.stringify(this.events.slice(-20))}`))
      }, PATIENCE)
      this.#watching.add(check)
      check()
    })
  }

  stop(within = 2000): ReturnType<Running['stop']> {
    return this.#running.stop({ within })
  }
}

/** Lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The recipients whose copy was taken. */
function whose(verdict: Delivered, recipients: readonly Recipient[]): readonly Recipient[] {
  const each = Array.isArray(verdict) ? (verdict as readonly unknown[]) : recipients.map(() => verdict)
  return recipients.filter((_, at) => each[at] === undefined)
}

async function takenOf(message: ReceivedMessage, recipients: readonly Recipient[]): Promise<Taken> {
  const pieces: Uint8Array[] = []
  for await (const piece of message.raw()) pieces.push(piece)
  const raw = Buffer.concat(pieces)
  const { traceText, content } = split(raw)
  const { peer, tls, hello, account, forwarded } = message.connection
  const { sender } = message.envelope
  return {
    sender: sender && `${sender.local}@${sender.domain}`,
    recipients: recipients.map((to) => `${to.local}@${to.domain}`),
    connection: { peer, tls, hello, account, forwarded },
    subject: message.headers.text('subject'),
    raw,
    content,
    hash: sha256(content),
    trace: parseReceived(traceText.slice('Received:'.length)),
    traceText,
  }
}

/** The first field of a message, and what follows it. */
export function split(raw: Buffer): { traceText: string; content: Buffer } {
  let end = raw.indexOf('\r\n') + 2
  while (raw[end] === 0x20 || raw[end] === 0x09) end = raw.indexOf('\r\n', end) + 2
  return { traceText: raw.subarray(0, end).toString('utf8'), content: raw.subarray(end) }
}

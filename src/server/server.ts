import { type ListenOptions, listenNode } from '../adapters/node/index.ts'
import type { Connection } from '../contracts/received.ts'
import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'
import type { Conversation } from '../protocol/session/drive.ts'
import { MailError } from '../protocol/session/errors.ts'
import { shownValue } from '../protocol/session/options.ts'
import type { Transport } from '../protocol/session/transport.ts'
import { LiveConnection } from './connection.ts'
import { Conversations, Listening, type Running, type Stopped } from './listening.ts'

/** Where a server listens, and how it is secured. */
export interface ServerListenOptions
  extends Pick<ListenOptions, 'port' | 'host' | 'path' | 'mode' | 'backlog' | 'tls' | 'proxy'> {
  /** What events call the listener. */
  readonly name?: string
}

/** A server of one protocol, on as many listeners as wanted. */
export interface Server {
  /** Begins to listen. Rejects with a `config` MailError that says what to do where that cannot be. */
  listen(options: ServerListenOptions): Promise<Running>
  /**
   * Serves one connection however it was made: a link in memory, a socket of the host's own. `startTls`: the transport can
   * be secured; `name`: what events call the listener.
   */
  serve(transport: Transport, options?: { readonly startTls?: boolean; readonly name?: string }): Conversation
  /** Ends what `serve` began, as {@link Running.stop} ends what a listener began. Connections served afterwards hear 421. */
  stop(options?: { readonly within?: number }): Promise<Stopped>
}

/** What a server is inside: its protocol, and all that is the protocol's own. */
export interface ServedProtocol {
  readonly protocol: Connection['protocol']
  readonly clock: Clock
  readonly observe: Observer | undefined
  /** Draws so many random octets. */
  readonly random: (octets: number) => Uint8Array
  /** Looks at where it is to listen. Throws a `config` MailError. */
  checkListen?(options: ServerListenOptions): void
  /** Begins to serve a connection. `startTls`: it can be secured. */
  begin(transport: Transport, connection: LiveConnection, startTls: boolean, among: Conversations): Conversation
  /** The last listener is down: lets go of what the server has opened for itself. */
  letGo?(): Promise<void>
}

/** The server that speaks a protocol. */
export class ListeningServer implements Server {
  private readonly spoken: ServedProtocol
  /** Ids are unique in this process by their count, and among processes by what stands before it. */
  private readonly prefix: string
  /** Conversations that no listener began. */
  private readonly served: Conversations
  private connections = 0
  private listeners = 0

  constructor(spoken: ServedProtocol) {
    this.spoken = spoken
    this.prefix = idPrefix(spoken.clock.now(), spoken.random)
    this.served = new Conversations(spoken.clock)
  }

  async listen(options: ServerListenOptions): Promise<Running> {
    // Whoever forgot them is told by listenNode.
    const { name, ...where } = (options as ServerListenOptions | undefined) ?? {}
    if (name !== undefined && typeof name !== 'string') {
      throw new MailError('config', `listen: name is ${shownValue(name)}; it takes a text.`)
    }
    const { spoken } = this
    spoken.checkListen?.(where)
    const { clock, observe, protocol } = spoken
    const conversations = new Conversations(clock)
    const tls = where.tls?.mode ?? 'none'
    const listener = await listenNode({
      ...where,
      onTransport: (transport) => void this.begin(transport, tls === 'starttls', conversations, name),
      onRefused: ({ reason, address, error }) =>
        observe?.({ kind: 'turnedAway', at: clock.now(), listener: name, address, reason, error }),
      onError: (error) => observe?.({ kind: 'failed', at: clock.now(), listener: name, what: 'listen', error }),
    })
    this.listeners++
    const { address, port, path } = listener
    observe?.({ kind: 'listening', at: clock.now(), listener: name, protocol, address, port, path, tls })
    return new Listening(listener, conversations, clock, async (stopped, took) => {
      observe?.({ kind: 'stopped', at: clock.now(), listener: name, ...stopped, took })
      this.listeners--
      if (this.listeners === 0) await spoken.letGo?.()
    })
  }

  serve(transport: Transport, options: { readonly startTls?: boolean; readonly name?: string } = {}): Conversation {
    return this.begin(transport, options.startTls ?? false, this.served, options.name)
  }

  async stop(options: { readonly within?: number } = {}): Promise<Stopped> {
    const stopped = await this.served.stop(options.within ?? 30_000)
    if (this.listeners === 0) await this.spoken.letGo?.()
    return stopped
  }

  private begin(transport: Transport, startTls: boolean, conversations: Conversations, name: string | undefined): Conversation {
    const { spoken } = this
    const id = `${this.prefix}${(++this.connections).toString(36)}`
    const connection = new LiveConnection(id, spoken.clock.now(), spoken.protocol, transport.peer, name)
    const conversation = spoken.begin(transport, connection, startTls, conversations)
    conversations.add(conversation)
    return conversation
  }
}

/** The time in seconds and some chance, in letters that mail is used to. */
function idPrefix(now: number, random: (octets: number) => Uint8Array): string {
  const chance = random(4).reduce((text, octet) => text + octet.toString(16).padStart(2, '0'), '')
  return `${Math.floor(now / 1000).toString(36)}${chance}-`
}

import { linkedTransports, type LinkOptions } from '../adapters/memory/link.ts'
import type { ReceivedMessage } from '../contracts/received.ts'
import type { Observer, ServerEvent } from '../observe/events.ts'
import { observers } from '../observe/observers.ts'
import type { TlsFacts } from '../protocol/session/tls.ts'
import type { Transport } from '../protocol/session/transport.ts'
import { Conversations, type Stopped } from '../server/listening.ts'
import type { ReceiverOptions } from '../server/options.ts'
import { type Receiver, receiver } from '../server/receiver.ts'
import { type TestClient, testClient } from './client.ts'
import { type FakeDns, fakeDns, type FakeZone } from './fake-dns.ts'
import type { Hostility } from './hostile.ts'
import { type SeededRandom, seededRandom } from './random.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'

/** What surrounds a server in a test. */
export interface Surroundings {
  readonly clock: VirtualClock
  readonly dns: FakeDns
  readonly random: SeededRandom
  /** Records events in `world.events`. */
  readonly observe: Observer
}

/**
 * The server of a world: options of a receiver, each with a default (it is called `mx.test`, claims everybody, and takes all
 * messages), or what makes one out of its surroundings.
 */
export type WorldServer =
  Partial<Omit<ReceiverOptions, 'clock' | 'random'>> | ((surroundings: Surroundings) => Pick<Receiver, 'serve'>)

/** A world to be made. */
export interface WorldOptions {
  readonly server?: WorldServer
  readonly dns?: FakeZone
  /** Of all chance in it (default 1). */
  readonly seed?: number
  /** The date at its beginning, in milliseconds since the Unix epoch (default: noon of 2026-01-01, UTC). */
  readonly now?: number
  /** Milliseconds that bytes take from end to end (default 0: no virtual time at all). */
  readonly latency?: number
  readonly link?: Pick<LinkOptions, 'chunk' | 'highWaterMark'>
}

/** How a client connects. */
export interface ConnectOptions {
  /** Its port (default: one after the other, from 40,000 on). */
  readonly port?: number
  /** Where it connects to (default: 192.0.2.1, port 25). */
  readonly localAddress?: string
  readonly localPort?: number
  /** TLS is there from the start: the facts, or `true` for the usual ones. */
  readonly tls?: Partial<TlsFacts> | true
  /** The address of a proxy that has told the server who the client is. */
  readonly proxy?: string
  /** The server can secure the connection. */
  readonly startTls?: boolean
  /** What the client calls itself (default `client.test`). */
  readonly name?: string
  /** How it misbehaves. */
  readonly through?: Hostility
}

/** A server, its clients and their time, all in one process and all of it repeatable. */
export interface World extends Surroundings {
  /** What the server has told its observer. */
  readonly events: readonly ServerEvent[]
  /** The messages that were handed to `deliver`, whatever that made of them. Filled where the world makes the receiver. */
  readonly delivered: readonly ReceivedMessage[]
  /** Connections that are open on the server's side. */
  readonly connections: number
  /** A client connects. `undefined` is an address that is not known, as over a unix socket. */
  connect(address?: string, options?: ConnectOptions): TestClient
  /**
   * Stops the server as `Running.stop` does: idle conversations end with 421, the rest at a safe point or after `within`
   * milliseconds (default 30,000).
   */
  stop(options?: { readonly within?: number }): Promise<Stopped>
}

/** Makes a world. No port is opened, no real timer runs; the same seed gives the same world. */
export function world(options: WorldOptions = {}): World {
  return new MadeWorld(options)
}

class MadeWorld implements World {
  readonly clock: VirtualClock
  readonly dns: FakeDns
  readonly random: SeededRandom
  readonly observe: Observer
  readonly events: ServerEvent[] = []
  readonly delivered: ReceivedMessage[] = []
  readonly #server: Pick<Receiver, 'serve'>
  readonly #conversations: Conversations
  readonly #link: LinkOptions
  #port = 40_000

  constructor(options: WorldOptions) {
    const clock = virtualClock(options.now === undefined ? {} : { now: options.now })
    this.clock = clock
    this.dns = fakeDns(options.dns, { clock })
    this.random = seededRandom(options.seed ?? 1)
    this.observe = (event) => void this.events.push(event)
    this.#conversations = new Conversations(clock)
    const { latency } = options
    const delayed = latency ? { schedule: (task: () => void) => void clock.alarm(clock.ticks() + latency, task) } : {}
    this.#link = { ...options.link, ...delayed, clock }
    this.#server = typeof options.server === 'function' ? options.server(this) : this.#receiver(options.server ?? {})
  }

  get connections(): number {
    return this.#conversations.size
  }

  connect(address?: string, options: ConnectOptions = {}): TestClient {
    const { port = ++this.#port, localAddress = '192.0.2.1', localPort = 25, tls, proxy, startTls, name, through } = options
    const facts: TlsFacts | undefined = tls && {
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      ...(tls === true ? {} : tls),
    }
    const peer = {
      address,
      port: address === undefined ? undefined : port,
      localAddress,
      localPort,
      ...(facts ? { tls: facts } : {}),
      ...(proxy === undefined ? {} : { proxy }),
    }
    const { server, client } = linkedTransports({ ...this.#link, peer })
    const conversation = this.#server.serve(
      watched(server, () => this.#conversations.remove(conversation)),
      { startTls: startTls ?? false },
    )
    this.#conversations.add(conversation)
    return testClient(through ? through(client) : client, name === undefined ? {} : { name })
  }

  stop(options: { readonly within?: number } = {}): Promise<Stopped> {
    return this.#conversations.stop(options.within ?? 30_000)
  }

  #receiver(options: Partial<ReceiverOptions>): Receiver {
    const { clock, dns: resolver, random, observe } = this
    return receiver({
      hostname: 'mx.test',
      accepts: () => true,
      // Files take real time, which a virtual clock does not wait for.
      inMemory: Infinity,
      resolver,
      ...options,
      clock,
      random: (octets) => random.octets(octets),
      observe: observers(observe, options.observe),
      deliver: (message, context) => {
        this.delivered.push(message)
        return options.deliver?.(message, context)
      },
    })
  }
}

/** The transport, telling when it has closed. */
function watched(transport: Transport, gone: () => void): Transport {
  return {
    peer: transport.peer,
    open: (sink) =>
      transport.open({
        received: (bytes) => sink.received(bytes),
        ended: () => sink.ended(),
        drained: () => sink.drained(),
        secured: (tls) => sink.secured(tls),
        closed: (error) => {
          sink.closed(error)
          gone()
        },
      }),
    write: (output) => transport.write(output),
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    startTls: () => transport.startTls(),
    end: () => transport.end(),
    reset: () => transport.reset(),
  }
}

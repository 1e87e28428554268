import { type ClientTransport, linkedTransports, type LinkOptions } from '../adapters/memory/link.ts'
import type { Clock } from '../protocol/session/clock.ts'
import type { Dial, DialTarget, TlsFailure } from '../protocol/session/dial.ts'
import type { Output } from '../protocol/session/session.ts'
import type { Transport, TransportSink } from '../protocol/session/transport.ts'

/** What becomes of connections to an address: none is made at once (`refused`) or ever (`silent`). */
export type NetworkFault = 'refused' | 'silent'

/** Who takes connections. */
export type Accepting = (transport: Transport, to: { readonly address: string; readonly port: number }) => void

/** A connection, as those see it who break it. */
export interface Passing {
  /** The client's address, and the server's. */
  readonly from: string
  readonly to: string
  /** Breaks it, for both. */
  reset(): void
  /** Ends what the client says; it still hears the server. */
  finish(): void
}

/** A network in memory: servers listen at addresses, clients dial them. */
export interface VirtualNetwork {
  /** Connects, as the network is now. TLS is told of and not computed; who is to prove a name proves it. */
  readonly dial: Dial
  /** Connections that were asked for, in order. */
  readonly dialled: readonly DialTarget[]
  /** Takes connections to an address and port, until the function that it gives is called. */
  listen(address: string, port: number, accept: Accepting): () => void
  /** From now on connections to the address come to nothing; `undefined`: they do again what they do. */
  fault(address: string, fault: NetworkFault | undefined): void
  /** Breaks all connections from and to an address: whoever is there is gone. */
  cut(address: string): void
  /** The most octets that were ever on their way in one direction of a connection: said, and not heard yet. */
  readonly mostUnderWay: number
  /** From now on a server at the address fails a TLS handshake that asks for a proof. */
  distrust(address: string, failure: TlsFailure | undefined): void
}

/** Settings of {@link virtualNetwork}. */
export interface VirtualNetworkOptions extends LinkOptions {
  readonly clock: Clock
  /** The address that clients come from where they name none (default `198.51.100.1`). */
  readonly from?: string
  /** How a connection behaves, where it behaves otherwise than most. Asked for each. */
  readonly passage?: (from: string, target: DialTarget) => Pick<LinkOptions, 'schedule' | 'chunk' | 'highWaterMark'>
  /** Told of each connection. */
  readonly passing?: (connection: Passing) => void
}

/** Makes a network. */
export function virtualNetwork(options: VirtualNetworkOptions): VirtualNetwork {
  return new Network(options)
}

class Network implements VirtualNetwork {
  readonly dialled: DialTarget[] = []
  readonly #options: VirtualNetworkOptions
  readonly #listening = new Map<string, Accepting>()
  readonly #faults = new Map<string, NetworkFault>()
  readonly #distrusted = new Map<string, TlsFailure>()
  readonly #open = new Set<Passing>()
  #port = 20_000
  mostUnderWay = 0

  constructor(options: VirtualNetworkOptions) {
    this.#options = options
  }

  listen(address: string, port: number, accept: Accepting): () => void {
    const key = `${address} ${port}`
    this.#listening.set(key, accept)
    return () => {
      if (this.#listening.get(key) === accept) this.#listening.delete(key)
    }
  }

  fault(address: string, fault: NetworkFault | undefined): void {
    if (fault === undefined) this.#faults.delete(address)
    else this.#faults.set(address, fault)
  }

  cut(address: string): void {
    for (const each of [...this.#open]) if (each.from === address || each.to === address) each.reset()
  }

  distrust(address: string, failure: TlsFailure | undefined): void {
    if (failure === undefined) this.#distrusted.delete(address)
    else this.#distrusted.set(address, failure)
  }

  readonly dial: Dial = async (target, signal) => {
    this.dialled.push(target)
    const { host, port } = target
    const fault = this.#faults.get(host)
    if (fault === 'silent') {
      await new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    }
    const accept = this.#listening.get(`${host} ${port}`)
    if (fault === 'refused' || !accept) throw new Error(`connect ECONNREFUSED ${host}:${port}`)
    const address = target.localAddress ?? this.#options.from ?? '198.51.100.1'
    const peer = { address, port: ++this.#port, localAddress: host, localPort: port }
    const { server, client } = linkedTransports({ ...this.#options, ...this.#options.passage?.(address, target), peer })
    const passing: Passing = { from: address, to: host, reset: () => client.reset(), finish: () => client.finish() }
    this.#open.add(passing)
    const there = new UnderWay((octets) => (this.mostUnderWay = Math.max(this.mostUnderWay, octets)))
    const back = new UnderWay((octets) => (this.mostUnderWay = Math.max(this.mostUnderWay, octets)))
    accept(metered(server, back, there, () => undefined), { address: host, port })
    this.#options.passing?.(passing)
    const isTrusted = target.tls === undefined || target.tls.trust === 'none'
    const failure = isTrusted ? undefined : this.#distrusted.get(host)
    return dialled(metered(client, there, back, () => this.#open.delete(passing)), client, target.tls?.serverName, failure)
  }
}

/** Octets of one direction that were said and not heard yet. */
class UnderWay {
  private octets = 0
  private readonly told: (octets: number) => void

  constructor(told: (octets: number) => void) {
    this.told = told
  }

  said(output: readonly Output[]): void {
    for (const piece of output) this.octets += piece.length
    this.told(this.octets)
  }

  heard(octets: number): void {
    this.octets -= octets
  }
}

/** A transport that counts what it says and hears, and tells when it has closed. */
function metered(transport: Transport, out: UnderWay, incoming: UnderWay, closed: () => void): Transport {
  const sinkOf = (sink: TransportSink): TransportSink => ({
    received: (bytes) => {
      incoming.heard(bytes.length)
      sink.received(bytes)
    },
    ended: () => sink.ended(),
    drained: () => sink.drained(),
    secured: (tls) => sink.secured(tls),
    closed: (error) => {
      closed()
      sink.closed(error)
    },
  })
  return {
    peer: transport.peer,
    open: (sink) => transport.open(sinkOf(sink)),
    write: (output) => {
      out.said(output)
      return transport.write(output)
    },
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    startTls: () => transport.startTls(),
    end: () => transport.end(),
    reset: () => transport.reset(),
  }
}

/** The client's end, whose `startTls` is the client's; `failure`: it fails by that. */
function dialled(
  transport: Transport, client: ClientTransport, serverName: string | undefined, failure: TlsFailure | undefined,
): Transport {
  let broke: TlsFailure | undefined
  return {
    ...transport,
    open: (sink) => transport.open({
      received: (bytes) => sink.received(bytes),
      ended: () => sink.ended(),
      drained: () => sink.drained(),
      secured: (tls) => sink.secured(tls),
      closed: (error) => sink.closed(broke ?? error),
    }),
    startTls: () => {
      broke = failure
      if (failure) client.reset()
      else client.secure(serverName === undefined ? {} : { serverName })
    },
  }
}

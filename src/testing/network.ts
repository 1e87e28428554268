import { type ClientTransport, linkedTransports, type LinkOptions } from '../adapters/memory/link.ts'
import type { Clock } from '../protocol/session/clock.ts'
import type { Dial, DialTarget, TlsFailure } from '../protocol/session/dial.ts'
import type { Transport } from '../protocol/session/transport.ts'

/** What becomes of connections to an address: none is made at once (`refused`) or ever (`silent`). */
export type NetworkFault = 'refused' | 'silent'

/** Who takes connections. */
export type Accepting = (transport: Transport, to: { readonly address: string; readonly port: number }) => void

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
  /** From now on a server at the address fails a TLS handshake that asks for a proof. */
  distrust(address: string, failure: TlsFailure | undefined): void
}

/** Settings of {@link virtualNetwork}. */
export interface VirtualNetworkOptions extends LinkOptions {
  readonly clock: Clock
  /** The address that clients come from where they name none (default `198.51.100.1`). */
  readonly from?: string
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
  #port = 20_000

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
    const { server, client } = linkedTransports({ ...this.#options, peer })
    accept(server, { address: host, port })
    const isTrusted = target.tls === undefined || target.tls.trust === 'none'
    return dialled(client, target.tls?.serverName, isTrusted ? undefined : this.#distrusted.get(host))
  }
}

/** The client's end, whose `startTls` is the client's; `failure`: it fails by that. */
function dialled(client: ClientTransport, serverName: string | undefined, failure: TlsFailure | undefined): Transport {
  let broke: TlsFailure | undefined
  return {
    peer: client.peer,
    open: (sink) =>
      client.open({
        received: (bytes) => sink.received(bytes),
        ended: () => sink.ended(),
        drained: () => sink.drained(),
        secured: (tls) => sink.secured(tls),
        closed: (error) => sink.closed(broke ?? error),
      }),
    write: (output) => client.write(output),
    pause: () => client.pause(),
    resume: () => client.resume(),
    startTls: () => {
      broke = failure
      if (failure) client.reset()
      else client.secure(serverName === undefined ? {} : { serverName })
    },
    end: () => client.end(),
    reset: () => client.reset(),
  }
}

import type { Clock } from '../../protocol/session/clock.ts'
import { type DialTarget, TlsFailure, type TlsFailureReason } from '../../protocol/session/dial.ts'
import type { Transport } from '../../protocol/session/transport.ts'

/**
 * What is wrong with TLS at an address. `stripped`: somebody takes STARTTLS out of what the server offers; `refused`: it is
 * offered, and answered with 454; `breaks`: the handshake fails; `silent`: it never ends. The rest are certificates, which matter
 * to those who look at them.
 */
export type TlsFault = 'stripped' | 'refused' | 'breaks' | 'silent' | 'expired' | 'wrong-name' | 'untrusted'

/** All faults there are. */
export const tlsFaults: readonly TlsFault[] = ['stripped', 'refused', 'breaks', 'silent', 'expired', 'wrong-name', 'untrusted']

/** How a connection was secured: what its client has had proven to it. */
export type Security = 'plain' | 'encrypted' | 'pkix' | 'tlsa'

/** A connection of a client. */
export interface ClientConnection {
  readonly security: Security
  /** Ticks. */
  readonly began: number
}

/** One end of a connection, as both see it. */
interface ClientEnd {
  readonly address: string | undefined
  readonly port: number | undefined
}

const keyOf = ({ address, port }: ClientEnd): string => `${address} ${port}`

/** The TLS of all servers: certificates with names and faults, and how each connection was secured in the end. */
export class TlsWeather {
  private readonly clock: Clock
  private readonly faults = new Map<string, TlsFault>()
  /** By address. */
  private readonly names = new Map<string, string>()
  private readonly connections = new Map<string, ClientConnection>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** The certificate at an address is for a name. */
  certify(address: string, name: string): void {
    this.names.set(address, name)
  }

  /** From now on that is wrong at an address; `undefined`: nothing is. */
  fault(address: string, fault: TlsFault | undefined): void {
    if (fault === undefined) this.faults.delete(address)
    else this.faults.set(address, fault)
  }

  /** What servers at an address offer reaches their clients. */
  offers(address: string): boolean {
    return this.faults.get(address) !== 'stripped'
  }

  /** The connection of a client, if it was made through here. */
  connectionOf(client: ClientEnd): ClientConnection | undefined {
    return this.connections.get(keyOf(client))
  }

  /** The client's end of a connection, with the TLS of the server at the other. */
  around(transport: Transport, target: DialTarget): Transport {
    const fault = this.faults.get(target.host)
    const failure = this.failureOf(target, fault)
    const client = keyOf({ address: transport.peer.localAddress, port: transport.peer.localPort })
    const began = this.clock.ticks()
    this.connections.set(client, { security: 'plain', began })
    let broke: TlsFailure | undefined
    let received: (bytes: Uint8Array) => void = () => undefined
    return {
      ...transport,
      open: (sink) => {
        received = (bytes) => sink.received(bytes)
        transport.open({
          received: (bytes) => sink.received(bytes),
          ended: () => sink.ended(),
          drained: () => sink.drained(),
          secured: (tls) => {
            this.connections.set(client, { security: proof(target), began })
            sink.secured(tls)
          },
          closed: (error) => sink.closed(broke ?? error),
        })
      },
      write: (output) => {
        if (fault !== 'refused' || output.join('') !== 'STARTTLS\r\n') return transport.write(output)
        // The server never hears of it; the answer is somebody else's.
        this.clock.alarm(this.clock.ticks() + 1, () => received(Buffer.from('454 4.7.0 TLS is not available now\r\n', 'latin1')))
        return true
      },
      startTls: () => {
        if (fault === 'silent') return
        if (!failure) return transport.startTls()
        broke = new TlsFailure(failure, `TLS: ${fault ?? 'the name is another one'}`)
        transport.reset()
      },
    }
  }

  private failureOf({ host, tls }: DialTarget, fault: TlsFault | undefined): TlsFailureReason | undefined {
    if (fault === 'breaks') return 'validation-failure'
    if (tls === undefined || tls.trust === 'none') return undefined
    // RFC 7672 §3.1.1: a key that fits its record is right whatever else the certificate says.
    if (tls.trust !== 'pkix') return fault === 'untrusted' ? 'tlsa-invalid' : undefined
    if (fault === 'expired') return 'certificate-expired'
    if (fault === 'untrusted') return 'certificate-not-trusted'
    const isOther = this.names.get(host) !== tls.serverName
    return fault === 'wrong-name' || isOther ? 'certificate-host-mismatch' : undefined
  }
}

function proof({ tls }: DialTarget): Security {
  if (tls === undefined || tls.trust === 'none') return 'encrypted'
  return tls.trust === 'pkix' ? 'pkix' : 'tlsa'
}

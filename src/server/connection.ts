import type { Connection } from '../contracts/received.ts'
import type { TlsFacts } from '../protocol/session/tls.ts'
import type { Peer } from '../protocol/session/transport.ts'
import type { ClientAttributes } from '../protocol/smtp/index.ts'

/** What is known of a connection, kept up to date as its conversation goes on. */
export class LiveConnection implements Connection {
  readonly id: string
  readonly began: number
  readonly protocol: Connection['protocol']
  /** The name of the listener. */
  readonly listener: string | undefined
  /** 1, and one more whenever the connection begins anew. */
  session = 1
  peer: Peer
  tls: TlsFacts | undefined
  hello: Connection['hello']
  account: string | undefined
  /** A TLS handshake is under way. */
  securing = false
  forwarded: ReadonlyMap<string, string | undefined> | undefined

  constructor(id: string, began: number, protocol: Connection['protocol'], peer: Peer, listener?: string) {
    this.id = id
    this.began = began
    this.protocol = protocol
    this.listener = listener
    this.peer = peer
    this.tls = peer.tls
    this.hello = undefined
    this.account = undefined
    this.forwarded = undefined
  }

  /** TLS is up: what the client said before counts no more (RFC 3207 §4.2). */
  securedBy(tls: TlsFacts): void {
    this.session++
    this.securing = false
    this.tls = tls
    this.hello = undefined
    this.account = undefined
  }

  /** The connection is the client's that XCLIENT names; what was learned of the proxy is forgotten. */
  speakFor(attributes: ClientAttributes): void {
    const { peer } = this
    const address = attributes.get('ADDR')
    const port = Number(attributes.get('PORT') ?? Number.NaN)
    this.peer = {
      ...peer,
      ...(attributes.has('ADDR') ? { address: address?.replace(/^IPV6:/i, '') } : {}),
      ...(attributes.has('PORT') ? { port: Number.isInteger(port) ? port : undefined } : {}),
      ...(peer.address === undefined || peer.proxy !== undefined ? {} : { proxy: peer.address }),
    }
    this.session++
    this.hello = undefined
    // Nobody has an empty name.
    this.account = attributes.get('LOGIN') || undefined
  }
}

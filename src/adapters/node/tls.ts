import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { createServer, TLSSocket } from 'node:tls'
import type { Server, TlsOptions } from 'node:tls'
import type { ClientCertificate, TlsFacts } from '../../protocol/session/tls.ts'
import { serverName } from './addresses.ts'
import type { CertificateSource } from './certificates.ts'
import { channelBinding } from './channel-binding.ts'
import { alternativeNames } from './x509.ts'

/** Who waits for a handshake. Exactly one of the two is called, unless the socket closes first; never from inside `begin`. */
export interface HandshakeParty {
  /** It must listen for errors of `secure`, or destroy it. */
  secured(secure: TLSSocket, facts: TlsFacts): void
  /** The socket is destroyed by the caller. */
  failed(error: Error): void
}

/** Begins handshakes, as the server or the client of them. */
export interface Handshakes {
  /** The socket has no listener for data left, and nothing that it received before is in its buffer. */
  begin(socket: Socket, waiting: HandshakeParty): void
}

/** What the handshakes of one listener have in common. */
export interface TlsAcceptorOptions {
  readonly certificates: CertificateSource
  /** Protocols to agree on with clients that ask (ALPN); without it the extension goes unanswered. */
  readonly alpn?: readonly string[]
  /** Milliseconds for the whole handshake, however the client spreads its bytes. */
  readonly handshakeWithin: number
}

const party = Symbol('handshake party')

/** A plain socket under handshake. */
type Wrapped = Socket & { [party]?: HandshakeParty | undefined }

/**
 * The plain socket below. Node does not publish the link, and its documented ways to a TLS server side either lack the link or
 * lack the verdict on the client's certificate, the errors after the handshake and the time-out. Tests hold it on every version.
 */
const below = (secure: TLSSocket): Wrapped | undefined => (secure as TLSSocket & { _parent?: Wrapped })._parent

/**
 * The server side of TLS for sockets that somebody else accepted: at once for implicit TLS, later for STARTTLS. One server
 * object of `node:tls`, never listening, serves all connections; after a reload of the certificates a new one takes over, and
 * connections of the old one live on.
 */
export class TlsAcceptor implements Handshakes {
  readonly #options: TlsAcceptorOptions
  #server: Server
  #generation: number
  #ticketKey: Uint8Array

  constructor(options: TlsAcceptorOptions) {
    this.#options = options
    this.#server = this.#build()
    this.#generation = options.certificates.generation
    this.#ticketKey = this.#sealTickets()
  }

  begin(socket: Socket, waiting: HandshakeParty): void {
    const { certificates } = this.#options
    const isReloaded = certificates.generation !== this.#generation
    if (isReloaded) {
      this.#server = this.#build()
      this.#generation = certificates.generation
    }
    if (isReloaded || certificates.ticketKey() !== this.#ticketKey) this.#ticketKey = this.#sealTickets()
    ;(socket as Wrapped)[party] = waiting
    // The TLS socket inherits it: an end in the middle of a handshake is to close it.
    socket.allowHalfOpen = false
    // Documented: "can also be explicitly emitted by users to inject connections into the TLS server".
    this.#server.emit('connection', socket)
  }

  #sealTickets(): Uint8Array {
    const key = this.#options.certificates.ticketKey()
    this.#server.setTicketKeys(Buffer.from(key))
    return key
  }

  #build(): Server {
    const { certificates, alpn, handshakeWithin } = this.#options
    const options: TlsOptions = {
      ...certificates.options,
      handshakeTimeout: handshakeWithin,
      requestCert: certificates.asksClients,
      // A certificate of an unknown issuer is a fact for SASL EXTERNAL to judge, not a reason to lose the mail.
      rejectUnauthorized: false,
    }
    if (alpn) options.ALPNProtocols = [...alpn]
    const { select } = certificates
    if (select) options.SNICallback = (name, done) => done(null, select(name))
    return createServer(options, onSecured).on('tlsClientError', onFailed)
  }
}

function onSecured(secure: TLSSocket): void {
  const plain = below(secure)
  const waiting = plain?.[party]
  if (plain === undefined || waiting === undefined) {
    secure.destroy()
    return
  }
  plain[party] = undefined
  secure.allowHalfOpen = true
  waiting.secured(secure, factsOf(secure))
}

function onFailed(error: Error, secure: TLSSocket): void {
  const plain = below(secure)
  const waiting = plain?.[party]
  if (plain !== undefined) plain[party] = undefined
  waiting?.failed(error)
  // Node leaves this to the listener where time ran out.
  secure.destroy()
}

/** A class: a function of its own would weigh on every connection, and few are ever asked. */
class EstablishedTls implements TlsFacts {
  readonly protocol: string
  readonly cipher: string
  declare serverName?: string
  declare alpn?: string
  declare clientCertificate?: ClientCertificate
  readonly #secure: TLSSocket

  constructor(secure: TLSSocket) {
    this.protocol = secure.getProtocol() ?? ''
    this.cipher = secure.getCipher().standardName
    this.#secure = secure
  }

  channelBinding(type: 'tls-exporter' | 'tls-server-end-point'): Uint8Array | undefined {
    return channelBinding(this.#secure, type)
  }
}

function factsOf(secure: TLSSocket): TlsFacts {
  const facts = new EstablishedTls(secure)
  const { servername, alpnProtocol } = secure as { servername?: unknown; alpnProtocol?: unknown }
  const name = typeof servername === 'string' ? serverName(servername) : undefined
  if (name !== undefined) facts.serverName = name
  if (typeof alpnProtocol === 'string') facts.alpn = alpnProtocol
  const certificate = clientCertificate(secure)
  if (certificate) facts.clientCertificate = certificate
  return facts
}

function clientCertificate(secure: TLSSocket): ClientCertificate | undefined {
  const certificate = secure.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const { dns, email } = alternativeNames(certificate.subjectAltName)
  return {
    authorized: secure.authorized,
    subject: certificate.subject.split('\n').join(', '),
    fingerprint: createHash('sha256').update(certificate.raw).digest('hex'),
    names: [...dns, ...email],
  }
}

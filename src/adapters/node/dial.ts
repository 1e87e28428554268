import { createConnection, isIP, type NetConnectOpts, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { type Dial, type DialTarget, type TlsDemand, TlsFailure } from '../../protocol/session/dial.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { TlsFacts } from '../../protocol/session/tls.ts'
import type { Peer, Transport } from '../../protocol/session/transport.ts'
import { plainAddress } from './addresses.ts'
import { channelBinding } from './channel-binding.ts'
import { type SocketSettings, SocketTransport } from './socket-transport.ts'
import type { Handshakes, HandshakeParty } from './tls.ts'
import { judge, type Satisfied } from './trust.ts'

/** Connects by TCP, or to a unix socket. The certificate of a server is judged before an octet is said to it. */
export const dial: Dial = async (target, signal) => {
  const { tls, implicitTls = false, path } = target
  if (implicitTls && tls === undefined) throw new MailError('misuse', 'dial: implicitTls needs tls, the demands on the server')
  if (path === undefined && isIP(target.host) === 0) {
    throw new MailError('misuse', `dial: host takes an IP address, not ${JSON.stringify(target.host)}`)
  }
  const socket = await connected(target, signal)
  const handshakes = tls && new Dialled(tls)
  const settings: SocketSettings = {
    tls: implicitTls ? undefined : handshakes,
    unix: path !== undefined,
    flushWithin: 30_000,
    lingerFor: 5_000,
    closed: () => {},
  }
  const peer = peerOf(socket)
  if (!implicitTls || handshakes === undefined) return new SocketTransport(socket, peer, settings)
  return secured(socket, peer, settings, handshakes, signal)
}

/** A connection, half-open when the server ends its side. */
function connected({ host, port, path, localAddress }: DialTarget, signal: AbortSignal): Promise<Socket> {
  const where: NetConnectOpts = path === undefined
    ? { host, port, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) }
    : { path }
  return abortable(signal, (resolve, reject) => {
    const socket = createConnection({ ...where, allowHalfOpen: true })
    const failed = (cause: Error): void => {
      reject(new MailError('temporary', `no connection to ${path ?? `${host} port ${port}`}: ${cause.message}`, { cause }))
    }
    socket.once('error', failed).once('connect', () => {
      socket.off('error', failed)
      resolve(socket)
    })
    return () => socket.on('error', () => {}).destroy()
  })
}

/** A transport that is encrypted from the start. */
function secured(
  socket: Socket,
  peer: Peer,
  settings: SocketSettings,
  handshakes: Handshakes,
  signal: AbortSignal,
): Promise<Transport> {
  return abortable(signal, (resolve, reject) => {
    socket.on('error', () => {})
    handshakes.begin(socket, {
      secured: (secure, tls) => resolve(new SocketTransport(secure, { ...peer, tls }, settings, socket)),
      failed: reject,
    })
    return () => socket.destroy()
  })
}

/** A promise that is given up when the signal aborts; `begin` gives what to do then. */
function abortable<T>(
  signal: AbortSignal,
  begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    signal.throwIfAborted()
    let undo = (): void => {}
    const abort = (): void => {
      undo()
      reject(signal.reason as Error)
    }
    const over = (): void => signal.removeEventListener('abort', abort)
    signal.addEventListener('abort', abort)
    undo = begin(
      (value) => {
        over()
        resolve(value)
      },
      (error) => {
        over()
        reject(error as Error)
      },
    )
  })
}

function peerOf(socket: Socket): Peer {
  return {
    address: plainAddress(socket.remoteAddress),
    port: socket.remotePort,
    localAddress: plainAddress(socket.localAddress),
    localPort: socket.localPort,
  }
}

/** The client's side of a handshake. */
class Dialled implements Handshakes {
  readonly #demand: TlsDemand

  constructor(demand: TlsDemand) {
    this.#demand = demand
  }

  begin(socket: Socket, waiting: HandshakeParty): void {
    const secure = connectTls({ ...optionsOf(this.#demand), socket })
    const failed = (error: Error): void => {
      const isKnown = error instanceof TlsFailure
      waiting.failed(isKnown ? error : new TlsFailure('validation-failure', `TLS: ${error.message}`, { cause: error }))
      secure.destroy()
      socket.destroy()
    }
    secure.on('error', failed)
    const established = (): void => {
      if (secure.destroyed) return
      let satisfied: Satisfied
      try {
        satisfied = judge(secure, this.#demand, Date.now())
      } catch (error) {
        failed(error as Error)
        return
      }
      secure.off('error', failed)
      secure.allowHalfOpen = true
      waiting.secured(secure, new DialledTls(secure, this.#demand, satisfied))
    }
    // OpenSSL is at work while the event is told, and does not bear to be taken away then: Node dies of it.
    secure.once('secureConnect', () => setImmediate(established))
  }
}

function optionsOf({ serverName, ca, minVersion = 'TLSv1.2', certificate }: TlsDemand): ConnectionOptions {
  const options: ConnectionOptions = {
    minVersion,
    // Judged by ourselves, so that it can be said what is wrong with it.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  }
  // RFC 6066 §3: an address is no server name.
  if (serverName !== undefined && isIP(serverName) === 0) options.servername = serverName
  if (ca !== undefined) options.ca = [...ca]
  if (certificate !== undefined) Object.assign(options, { cert: certificate.chain, key: certificate.key })
  return options
}

/** What is known of TLS with a server. */
class DialledTls implements TlsFacts {
  readonly protocol: string
  readonly cipher: string
  declare serverName?: string
  declare serverTrust?: 'pkix' | 'tlsa'
  readonly #secure: TLSSocket

  constructor(secure: TLSSocket, { serverName }: TlsDemand, satisfied: Satisfied) {
    this.protocol = secure.getProtocol() ?? ''
    this.cipher = secure.getCipher().standardName
    if (serverName !== undefined) this.serverName = serverName.toLowerCase()
    if (satisfied !== undefined) this.serverTrust = satisfied
    this.#secure = secure
  }

  channelBinding(type: 'tls-exporter' | 'tls-server-end-point'): Uint8Array | undefined {
    return channelBinding(this.#secure, type, false)
  }
}

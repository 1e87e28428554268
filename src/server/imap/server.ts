import { authenticate } from '../../accounts/authenticate.ts'
import { addressSet, type AddressSet } from '../../adapters/node/addresses.ts'
import { compressible, type ListenOptions, listenNode, nodeClock, nodeCrypto, randomBytes } from '../../adapters/node/index.ts'
import { spoolBodies } from '../../adapters/node/spool.ts'
import { quietly } from '../../observe/observers.ts'
import { type ImapServerConfig, imapServerConfig, imapServerSession } from '../../protocol/imap/index.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { type Conversation, drive, type DriveOptions } from '../../protocol/session/drive.ts'
import type { BodyRange, SessionEvent } from '../../protocol/session/session.ts'
import type { TlsFacts } from '../../protocol/session/tls.ts'
import type { Transport } from '../../protocol/session/transport.ts'
import { LiveConnection } from '../connection.ts'
import { Conversations, Listening, type Running, type Stopped } from '../listening.ts'
import { whence } from '../whence.ts'
import { Annotations } from './annotations.ts'
import { type Access, ImapHost } from './host.ts'
import { checkImapServerOptions, type ImapServerOptions } from './options.ts'
import { Openings } from './open.ts'
import { Seats } from './seats.ts'
import { Watchers } from './watchers.ts'

/** Where to listen, and how it is secured. `name` is what events call the listener. */
export type ImapListenOptions = Pick<ListenOptions, 'port' | 'host' | 'path' | 'mode' | 'backlog' | 'tls' | 'proxy'> & {
  readonly name?: string
}

/** Lets people read their mail, on as many listeners as wanted. */
export interface ImapServer {
  /** Begins to listen. Rejects with a `config` MailError that says what to do where that cannot be. */
  listen(options: ImapListenOptions): Promise<Running>
  /** Serves one connection however it was made. `startTls`: the transport can be secured. */
  serve(transport: Transport, options?: { readonly startTls?: boolean; readonly name?: string }): Conversation
  /** Ends what `serve` began. */
  stop(options?: { readonly within?: number }): Promise<Stopped>
}

/** An IMAP server over a directory and a store. Throws a `config` MailError for options that cannot be. */
export function imapServer(options: ImapServerOptions): ImapServer {
  return new MailReader(options)
}

class MailReader implements ImapServer {
  private readonly options: ImapServerOptions
  private readonly access: Access
  private readonly isLoopback: AddressSet
  private readonly configs: ReadonlyMap<string, ImapServerConfig>
  private readonly served: Conversations
  private readonly prefix: string
  private connections = 0
  private listeners = 0

  constructor(options: ImapServerOptions) {
    checkImapServerOptions(options)
    this.options = options
    const { directory, store, hostname, keyValue, login, observe, clock = nodeClock, random = randomBytes } = options
    const authentication = authenticate({ ...login, directory, hostname, right: 'imap', crypto: { ...nodeCrypto, random } })
    const unbounded = { server: Infinity, address: Infinity, account: Infinity }
    this.access = {
      directory,
      store,
      authentication,
      bodies: options.bodies ?? spoolBodies(),
      spillAt: options.inMemory ?? 256 * 1024,
      watchers: new Watchers(store),
      openings: new Openings(store),
      annotations: keyValue && new Annotations(keyValue, () => clock.now()),
      seats: new Seats(options.connections === false ? unbounded : options.connections),
      clock,
      observe: observe && quietly(observe),
      name: new Map(Object.entries(options.id ?? {})),
    }
    const one = (startTls: boolean, withoutTls: boolean): ImapServerConfig =>
      imapServerConfig({
        ...options.imap,
        hostname,
        startTls,
        auth: { mechanisms: authentication.mechanisms, withoutTls },
        abilities: {
          move: store.move !== undefined,
          subscriptions: store.subscribe !== undefined,
          specialUse: true,
          multiAppend: store.appendAll !== undefined,
          quota: true,
          compress: true,
          metadata: keyValue !== undefined,
        },
      })
    const plain = options.plaintextAuth === true
    this.configs = new Map([
      ['strict', one(false, plain)], ['strict tls', one(true, plain)], ['trusting', one(false, true)], ['trusting tls',
        one(true, true)],
    ])
    this.isLoopback = addressSet('loopback', options.plaintextAuth === 'loopback' ? ['127.0.0.0/8', '::1'] : [])
    this.served = new Conversations(clock)
    this.prefix = `${Math.floor(clock.now() / 1000).toString(36)}${Buffer.from(random(4)).toString('hex')}i`
  }

  async listen(options: ImapListenOptions): Promise<Running> {
    const { name, ...where } = options
    const { clock, observe } = this.access
    const conversations = new Conversations(clock)
    const mode = where.tls?.mode ?? 'none'
    const listener = await listenNode({
      ...where,
      onTransport: (transport) => void this.begin(transport, mode === 'starttls', conversations, name),
      onRefused: ({ reason, address, error }) =>
        observe?.({ kind: 'turnedAway', at: clock.now(), listener: name, address, reason, error }),
      onError: (error) => observe?.({ kind: 'failed', at: clock.now(), listener: name, what: 'listen', error }),
    })
    this.listeners++
    const { address, port, path } = listener
    observe?.({ kind: 'listening', at: clock.now(), listener: name, protocol: 'imap', address, port, path, tls: mode })
    return new Listening(listener, conversations, clock, async (stopped, took) => {
      observe?.({ kind: 'stopped', at: clock.now(), listener: name, ...stopped, took })
      this.listeners--
      if (this.listeners === 0) await this.letGo()
    })
  }

  serve(transport: Transport, options: { readonly startTls?: boolean; readonly name?: string } = {}): Conversation {
    return this.begin(transport, options.startTls ?? false, this.served, options.name)
  }

  async stop(options: { readonly within?: number } = {}): Promise<Stopped> {
    const stopped = await this.served.stop(options.within ?? 60_000)
    if (this.listeners === 0) await this.letGo()
    return stopped
  }

  private begin(transport: Transport, startTls: boolean, conversations: Conversations, name: string | undefined): Conversation {
    const { access } = this
    const { peer } = transport
    const id = `${this.prefix}${(++this.connections).toString(36)}`
    const host = new ImapHost(access, new LiveConnection(id, access.clock.now(), 'imap', peer, name))
    const config = this.configs.get(`${this.isLoopback(peer.address) ? 'trusting' : 'strict'}${startTls ? ' tls' : ''}`)!
    const session = imapServerSession(config, peer.tls ? { tls: peer.tls } : {}, access.clock.ticks())
    const { messageOctets } = config.limits
    const burst = messageOctets + 16 * 1024 * 1024
    const capable = transport.compress ? transport : compressible(transport, { burst })
    const conversation = drive(session, capable, host, new Attendance(access, host, conversations))
    host.attach(session, conversation)
    conversations.add(conversation)
    return conversation
  }

  private async letGo(): Promise<void> {
    if (this.options.bodies === undefined) await this.access.bodies.close?.()
  }
}

/** What follows from the course of one conversation. */
class Attendance implements DriveOptions {
  readonly clock: Clock
  private readonly access: Access
  private readonly host: ImapHost
  private readonly conversations: Conversations

  constructor(access: Access, host: ImapHost, conversations: Conversations) {
    this.clock = access.clock
    this.access = access
    this.host = host
    this.conversations = conversations
  }

  read(range: BodyRange): Promise<AsyncIterable<Uint8Array>> {
    return this.host.read(range)
  }

  secured(tls: TlsFacts): void {
    const { access, host } = this
    host.connection.securedBy(tls)
    const { protocol, cipher, serverName, clientCertificate } = tls
    access.observe?.({
      kind: 'secured', ...whence(host.connection, this.clock.now()), protocol, cipher, serverName,
      clientCertificate: clientCertificate && { subject: clientCertificate.subject, authorized: clientCertificate.authorized },
    })
  }

  failed(error: unknown, event: SessionEvent): void {
    const { access, host } = this
    access.observe?.({ kind: 'failed', ...whence(host.connection, this.clock.now()), what: event.kind, error })
  }

  closed(error: Error | undefined, conversation: Conversation): void {
    this.conversations.remove(conversation)
    this.host.left(error ? 'reset' : 'end').catch((failure: unknown) => this.failed(failure, { kind: 'closed' }))
  }
}

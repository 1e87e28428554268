import { authenticate } from '../../accounts/authenticate.ts'
import { addressSet, type AddressSet } from '../../adapters/node/addresses.ts'
import { type ListenOptions, listenNode, nodeClock, nodeCrypto, randomBytes } from '../../adapters/node/index.ts'
import { quietly } from '../../observe/observers.ts'
import { type Pop3ServerConfig, pop3ServerConfig, pop3ServerSession } from '../../protocol/pop3/index.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { type Conversation, drive, type DriveOptions } from '../../protocol/session/drive.ts'
import type { SessionEvent } from '../../protocol/session/session.ts'
import type { TlsFacts } from '../../protocol/session/tls.ts'
import type { Transport } from '../../protocol/session/transport.ts'
import { LiveConnection } from '../connection.ts'
import { Seats } from '../imap/seats.ts'
import { Conversations, Listening, type Running, type Stopped } from '../listening.ts'
import { whence } from '../whence.ts'
import { type Access, Pop3Host } from './host.ts'
import { Maildrops } from './maildrops.ts'
import { checkPop3ServerOptions, type Pop3ServerOptions } from './options.ts'

/** Where to listen, and how it is secured. `name` is what events call the listener. */
export type Pop3ListenOptions = Pick<ListenOptions, 'port' | 'host' | 'path' | 'mode' | 'backlog' | 'tls' | 'proxy'> & {
  readonly name?: string
}

/** Lets people fetch their mail, on as many listeners as wanted. They share what keeps a maildrop to one session at a time. */
export interface Pop3Server {
  /** Begins to listen. Rejects with a `config` MailError that says what to do where that cannot be. */
  listen(options: Pop3ListenOptions): Promise<Running>
  /** Serves one connection however it was made. `startTls`: the transport can be secured. */
  serve(transport: Transport, options?: { readonly startTls?: boolean; readonly name?: string }): Conversation
  /** Ends what `serve` began. */
  stop(options?: { readonly within?: number }): Promise<Stopped>
}

/** A POP3 server over a directory and a store. Throws a `config` MailError for options that cannot be. */
export function pop3Server(options: Pop3ServerOptions): Pop3Server {
  return new MaildropServer(options)
}

class MaildropServer implements Pop3Server {
  private readonly access: Access
  private readonly isLoopback: AddressSet
  private readonly configs: ReadonlyMap<string, Pop3ServerConfig>
  private readonly served: Conversations
  private readonly prefix: string
  private connections = 0

  constructor(options: Pop3ServerOptions) {
    checkPop3ServerOptions(options)
    const { directory, store, hostname, login, observe, clock = nodeClock, random = randomBytes } = options
    const authentication = authenticate({ ...login, directory, hostname, right: 'imap', crypto: { ...nodeCrypto, random } })
    const unbounded = { server: Infinity, address: Infinity, account: Infinity }
    this.access = {
      store,
      authentication,
      seats: new Seats(options.connections === false ? unbounded : options.connections),
      maildrops: new Maildrops(),
      clock,
      observe: observe && quietly(observe),
    }
    const one = (startTls: boolean, withoutTls: boolean): Pop3ServerConfig =>
      pop3ServerConfig({ ...options.pop3, hostname, startTls, auth: { mechanisms: authentication.mechanisms, withoutTls } })
    const plain = options.plaintextAuth === true
    this.configs = new Map([
      ['strict', one(false, plain)],
      ['strict tls', one(true, plain)],
      ['trusting', one(false, true)],
      ['trusting tls', one(true, true)],
    ])
    this.isLoopback = addressSet('loopback', options.plaintextAuth === 'loopback' ? ['127.0.0.0/8', '::1'] : [])
    this.served = new Conversations(clock)
    this.prefix = `${Math.floor(clock.now() / 1000).toString(36)}${Buffer.from(random(4)).toString('hex')}p`
  }

  async listen(options: Pop3ListenOptions): Promise<Running> {
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
    const { address, port, path } = listener
    observe?.({ kind: 'listening', at: clock.now(), listener: name, protocol: 'pop3', address, port, path, tls: mode })
    return new Listening(listener, conversations, clock, async (stopped, took) =>
      observe?.({ kind: 'stopped', at: clock.now(), listener: name, ...stopped, took }),
    )
  }

  serve(transport: Transport, options: { readonly startTls?: boolean; readonly name?: string } = {}): Conversation {
    return this.begin(transport, options.startTls ?? false, this.served, options.name)
  }

  stop(options: { readonly within?: number } = {}): Promise<Stopped> {
    return this.served.stop(options.within ?? 60_000)
  }

  private begin(transport: Transport, startTls: boolean, conversations: Conversations, name: string | undefined): Conversation {
    const { access } = this
    const { peer } = transport
    const id = `${this.prefix}${(++this.connections).toString(36)}`
    const host = new Pop3Host(access, new LiveConnection(id, access.clock.now(), 'pop3', peer, name))
    const config = this.configs.get(`${this.isLoopback(peer.address) ? 'trusting' : 'strict'}${startTls ? ' tls' : ''}`)!
    const session = pop3ServerSession(config, peer.tls ? { tls: peer.tls } : {}, access.clock.ticks())
    const conversation = drive(session, transport, host, new Attendance(access, host, conversations))
    conversations.add(conversation)
    return conversation
  }
}

/** What follows from the course of one conversation. */
class Attendance implements DriveOptions {
  readonly clock: Clock
  private readonly access: Access
  private readonly host: Pop3Host
  private readonly conversations: Conversations

  constructor(access: Access, host: Pop3Host, conversations: Conversations) {
    this.clock = access.clock
    this.access = access
    this.host = host
    this.conversations = conversations
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
    this.host.left(error !== undefined)
  }
}

import { addressSet, type AddressSet } from '../adapters/node/addresses.ts'
import { type ListenOptions, listenNode, nodeClock, type NodeListener, randomBytes } from '../adapters/node/index.ts'
import { spoolBodies } from '../adapters/node/spool.ts'
import { maxConnections } from '../inbound/checks/max-connections.ts'
import { Pipeline } from '../inbound/pipeline.ts'
import { checkWaits } from '../inbound/waits.ts'
import { quietly } from '../observe/observers.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { type Conversation, drive, type DriveOptions } from '../protocol/session/drive.ts'
import { MailError } from '../protocol/session/errors.ts'
import { shownValue } from '../protocol/session/options.ts'
import type { SessionEvent } from '../protocol/session/session.ts'
import type { TlsFacts } from '../protocol/session/tls.ts'
import type { Peer, Transport } from '../protocol/session/transport.ts'
import { type SmtpServerConfig, smtpServerConfig, smtpServerSession } from '../protocol/smtp/index.ts'
import { Arrivals } from './arrivals.ts'
import { mechanismsFor } from './authentication.ts'
import { Conversations, Listening, type Running, type Stopped } from './listening.ts'
import { checkReceiverOptions, type ReceiverOptions } from './options.ts'
import type { Reception } from './reception.ts'
import { trustedPeers } from './trusted.ts'

/** Where to listen, and how it is secured. */
export interface ReceiverListenOptions
  extends Pick<ListenOptions, 'port' | 'host' | 'path' | 'mode' | 'backlog' | 'tls' | 'proxy'> {
  /** What events call the listener. */
  readonly name?: string
}

/** What is asked of a client: `trusting` where it may log in without TLS. */
type Access = 'strict' | 'strictStartTls' | 'trusting' | 'trustingStartTls'

/** Receives mail, on as many listeners as wanted. */
export interface Receiver {
  /** Begins to listen. Rejects with a `config` MailError that says what to do where that cannot be. */
  listen(options: ReceiverListenOptions): Promise<Running>
  /**
   * Serves one connection however it was made: a link in memory, a socket of the host's own. `startTls`: the transport can
   * be secured; `name`: what events call the listener.
   */
  serve(transport: Transport, options?: { readonly startTls?: boolean; readonly name?: string }): Conversation
  /** Ends what `serve` began, as {@link Running.stop} ends what a listener began. Connections served afterwards hear 421. */
  stop(options?: { readonly within?: number }): Promise<Stopped>
}

/**
 * A server that receives mail for those whom `accepts` claims, and for nobody else. Throws a `config` MailError for options
 * that cannot be.
 */
export function receiver(options: ReceiverOptions): Receiver {
  return new MailReceiver(options)
}

class MailReceiver implements Receiver {
  private readonly options: ReceiverOptions
  private readonly reception: Reception
  private readonly isTrusted: (peer: Peer) => boolean
  private readonly configs: Record<Access, SmtpServerConfig>
  private readonly isLoopback: AddressSet
  /** Ids are unique in this process by their count, and among processes by what stands before it. */
  private readonly prefix: string
  /** Conversations that no listener began. */
  private readonly served: Conversations
  private connections = 0
  private listeners = 0

  constructor(options: ReceiverOptions) {
    checkReceiverOptions(options)
    this.options = options
    const observe = options.observe && quietly(options.observe)
    const clock = options.clock ?? nodeClock
    const limits = options.connections === false ? [] : [maxConnections(options.connections)]
    const failed = (policy: string, stage: string, error: unknown): void =>
      observe?.({ kind: 'failed', at: clock.now(), what: `policy ${policy} at ${stage}`, error })
    this.reception = {
      hostname: options.hostname,
      lmtp: options.profile === 'lmtp',
      pipeline: new Pipeline([...limits, ...(options.policies ?? [])], failed),
      accepts: options.accepts,
      deliver: options.deliver,
      authenticate: options.authenticate,
      bodies: options.bodies ?? spoolBodies(),
      spillAt: options.inMemory ?? 256 * 1024,
      trace: options.trace ?? true,
      hideClient: options.hideClient ?? false,
      clock,
      observe,
    }
    this.isTrusted = trustedPeers(options.trusted ?? [])
    const plaintext = options.plaintextAuth === true
    this.configs = {
      strict: configOf(options, false, plaintext),
      strictStartTls: configOf(options, true, plaintext),
      trusting: configOf(options, false, true),
      trustingStartTls: configOf(options, true, true),
    }
    checkWaits(options.policies ?? [], this.configs.strict.timeouts)
    this.isLoopback = addressSet('loopback', options.plaintextAuth === 'loopback' ? ['127.0.0.0/8', '::1'] : [])
    this.served = new Conversations(clock)
    this.prefix = idPrefix(clock.now(), options.random ?? randomBytes)
  }

  async listen(options: ReceiverListenOptions): Promise<Running> {
    // Whoever forgot them is told by listenNode.
    const { name, ...where } = (options as ReceiverListenOptions | undefined) ?? {}
    const { port, tls, proxy } = where
    if (name !== undefined && typeof name !== 'string') {
      throw new MailError('config', `listen: name is ${shownValue(name)}; it takes a text.`)
    }
    if (port === 25 && this.reception.lmtp) {
      // RFC 2033 §5: LMTP must not be spoken on port 25 (S38).
      throw new MailError('config', 'port: LMTP must not listen on port 25 (RFC 2033 §5); use another port or a unix socket.')
    }
    const takesPlaintext = !this.configs.strict.tlsRequired || this.options.plaintextAuth === 'loopback'
    if (!takesPlaintext && tls === undefined && proxy === undefined) {
      throw new MailError('config', 'smtp: tlsRequired is set, and a listener without tls could take no mail: give it tls.')
    }
    const { clock, observe } = this.reception
    const conversations = new Conversations(clock)
    const startTls = tls?.mode === 'starttls'
    const listener = await listenNode({
      ...where,
      onTransport: (transport) => void this.begin(transport, startTls, conversations, name),
      onRefused: ({ reason, address, error }) =>
        observe?.({ kind: 'turnedAway', at: clock.now(), listener: name, address, reason, error }),
      onError: (error) => observe?.({ kind: 'failed', at: clock.now(), listener: name, what: 'listen', error }),
    })
    this.listeners++
    this.observeListening(listener, name, tls?.mode ?? 'none')
    return new Listening(listener, conversations, clock, (stopped, took) => {
      observe?.({ kind: 'stopped', at: clock.now(), listener: name, ...stopped, took })
      return this.released()
    })
  }

  serve(transport: Transport, options: { readonly startTls?: boolean; readonly name?: string } = {}): Conversation {
    return this.begin(transport, options.startTls ?? false, this.served, options.name)
  }

  async stop(options: { readonly within?: number } = {}): Promise<Stopped> {
    const stopped = await this.served.stop(options.within ?? 30_000)
    if (this.listeners === 0) await this.letGo()
    return stopped
  }

  private observeListening(listener: NodeListener, name: string | undefined, tls: 'none' | 'starttls' | 'implicit'): void {
    const { clock, observe, lmtp } = this.reception
    const { address, port, path } = listener
    const protocol = lmtp ? 'lmtp' : 'smtp'
    observe?.({ kind: 'listening', at: clock.now(), listener: name, protocol, address, port, path, tls })
  }

  private begin(transport: Transport, startTls: boolean, conversations: Conversations, name?: string): Conversation {
    const { reception } = this
    const host = new Arrivals(reception, `${this.prefix}${(++this.connections).toString(36)}`, transport.peer, name)
    const { address, tls } = transport.peer
    const facts = { tls, trusted: this.isTrusted(transport.peer) }
    const access: Access = this.isLoopback(address)
      ? startTls ? 'trustingStartTls' : 'trusting'
      : startTls ? 'strictStartTls' : 'strict'
    const session = smtpServerSession(this.configs[access], facts, reception.clock.ticks())
    const conversation = drive(session, transport, host, new Attendance(reception, host, conversations))
    conversations.add(conversation)
    return conversation
  }

  /** A listener is down. */
  private async released(): Promise<void> {
    this.listeners--
    if (this.listeners === 0) await this.letGo()
  }

  /** Bodies that the receiver has opened for itself go with the last listener. */
  private async letGo(): Promise<void> {
    if (this.options.bodies === undefined) await this.reception.bodies.close?.()
  }
}

/**
 * What follows from the course of one conversation. A class: closures would weigh more than all else that an idle
 * connection holds here.
 */
class Attendance implements DriveOptions {
  readonly clock: Clock
  private readonly reception: Reception
  private readonly host: Arrivals
  private readonly conversations: Conversations

  constructor(reception: Reception, host: Arrivals, conversations: Conversations) {
    this.clock = reception.clock
    this.reception = reception
    this.host = host
    this.conversations = conversations
  }

  secured(tls: TlsFacts): void {
    this.host.secured(tls)
  }

  failed(error: unknown, event: SessionEvent): void {
    const { reception, host } = this
    reception.observe?.({ kind: 'failed', ...host.whence(), what: event.kind, error })
  }

  closed(error: Error | undefined, conversation: Conversation): void {
    this.host.left(error)
    this.reception.pipeline.closed(this.host.connection)
    this.conversations.remove(conversation)
  }
}

/** `withoutTls`: who logs in or sends mail need not do it over TLS. */
function configOf(options: ReceiverOptions, startTls: boolean, withoutTls: boolean): SmtpServerConfig {
  const { smtp, authenticate, authRequired, observe } = options
  return smtpServerConfig({
    ...smtp,
    hostname: options.hostname,
    profile: options.profile ?? 'mx',
    startTls,
    tlsRequired: smtp?.tlsRequired === true && !withoutTls,
    ...(observe ? { tell: observe.commands === true ? ('commands' as const) : ('refusals' as const) } : {}),
    ...(authenticate ? { auth: { mechanisms: mechanismsFor(authenticate), withoutTls, required: authRequired ?? false } } : {}),
  })
}

/** The time in seconds and some chance, in letters that mail is used to. */
function idPrefix(now: number, random: (octets: number) => Uint8Array): string {
  const chance = random(4).reduce((text, octet) => text + octet.toString(16).padStart(2, '0'), '')
  return `${Math.floor(now / 1000).toString(36)}${chance}-`
}

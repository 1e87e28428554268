import { nodeClock, randomBytes } from '../adapters/node/index.ts'
import { spoolBodies } from '../adapters/node/spool.ts'
import type { Resolver } from '../contracts/resolver.ts'
import { maxConnections } from '../inbound/checks/max-connections.ts'
import { Pipeline } from '../inbound/pipeline.ts'
import { checkWaits } from '../inbound/waits.ts'
import type { Observer } from '../observe/events.ts'
import { quietly, wantedOf } from '../observe/observers.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { type Conversation, drive } from '../protocol/session/drive.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { Peer, Transport } from '../protocol/session/transport.ts'
import { type SmtpServerConfig, smtpServerConfig, smtpServerSession } from '../protocol/smtp/index.ts'
import { Arrivals } from './arrivals.ts'
import { Attendance } from './attendance.ts'
import { mechanismsFor } from './authentication.ts'
import type { LiveConnection } from './connection.ts'
import type { Conversations } from './listening.ts'
import { checkReceiverOptions, type ReceiverOptions } from './options.ts'
import type { Reception } from './reception.ts'
import { ListeningServer, type Server, type ServerListenOptions, type ServedProtocol } from './server.ts'
import { systemResolver } from './system-resolver.ts'
import { Terms } from './terms.ts'
import { trustedPeers } from './trusted.ts'

/** Receives mail, on as many listeners as wanted. */
export interface Receiver extends Server {}

/**
 * A server that receives mail for those whom `accepts` claims, and for nobody else. Throws a `config` MailError for options
 * that cannot be.
 */
export function receiver(options: ReceiverOptions): Receiver {
  checkReceiverOptions(options)
  return new ListeningServer(new Receiving(options))
}

class Receiving implements ServedProtocol {
  readonly protocol: 'smtp' | 'lmtp'
  readonly clock: Clock
  readonly observe: Observer | undefined
  readonly random: (octets: number) => Uint8Array
  private readonly options: ReceiverOptions
  private readonly reception: Reception
  private readonly isTrusted: (peer: Peer) => boolean
  /** The one that nobody has given us: ours to close. */
  private readonly ownResolver: Required<Resolver> | undefined
  private readonly terms: Terms<SmtpServerConfig>

  constructor(options: ReceiverOptions) {
    const { policies = [], clock = nodeClock, random = randomBytes } = options
    this.options = options
    this.protocol = options.profile === 'lmtp' ? 'lmtp' : 'smtp'
    this.clock = clock
    this.random = random
    this.observe = options.observe && quietly(options.observe)
    this.isTrusted = trustedPeers(options.trusted ?? [])
    this.ownResolver = options.resolver ? undefined : systemResolver()
    const limits = options.connections === false ? [] : [maxConnections(options.connections)]
    const failed = (policy: string, stage: string, error: unknown): void =>
      this.observe?.({ kind: 'failed', at: clock.now(), what: `policy ${policy} at ${stage}`, error })
    this.reception = {
      hostname: options.hostname,
      lmtp: this.protocol === 'lmtp',
      pipeline: new Pipeline([...limits, ...policies], failed, options.explain ? () => clock.ticks() : undefined),
      accepts: options.accepts,
      deliver: options.deliver,
      authenticate: options.authenticate,
      bodies: options.bodies ?? spoolBodies(),
      spillAt: options.inMemory ?? 256 * 1024,
      trace: options.trace ?? true,
      hideClient: options.hideClient ?? false,
      clock,
      resolver: options.resolver ?? this.ownResolver!,
      explains: options.explain ?? false,
      observe: this.observe,
    }
    this.terms = new Terms(options.plaintextAuth, (startTls, withoutTls) => configOf(options, startTls, withoutTls))
    checkWaits(policies, this.terms.strict.timeouts)
  }

  checkListen({ port, tls, proxy }: ServerListenOptions): void {
    if (port === 25 && this.protocol === 'lmtp') {
      // RFC 2033 §5: LMTP must not be spoken on port 25 (S38).
      throw new MailError('config', 'port: LMTP must not listen on port 25 (RFC 2033 §5); use another port or a unix socket.')
    }
    const takesPlaintext = !this.terms.strict.tlsRequired || this.options.plaintextAuth === 'loopback'
    if (!takesPlaintext && tls === undefined && proxy === undefined) {
      throw new MailError('config', 'smtp: tlsRequired is set, and a listener without tls could take no mail: give it tls.')
    }
  }

  begin(transport: Transport, connection: LiveConnection, startTls: boolean, among: Conversations): Conversation {
    const { reception, clock } = this
    const { peer } = transport
    const facts = { tls: peer.tls, trusted: this.isTrusted(peer) }
    const session = smtpServerSession(this.terms.for(peer, startTls), facts, clock.ticks())
    const host = new Arrivals(reception, connection)
    return drive(session, transport, host, new Attendance(reception, host, among))
  }

  async letGo(): Promise<void> {
    await this.ownResolver?.close()
    if (this.options.bodies === undefined) await this.reception.bodies.close?.()
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
    ...wantedOf(observe),
    ...(authenticate ? { auth: { mechanisms: mechanismsFor(authenticate), withoutTls, required: authRequired ?? false } } : {}),
  })
}

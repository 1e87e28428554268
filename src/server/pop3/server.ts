import type { Observer } from '../../observe/events.ts'
import { wantedOf } from '../../observe/observers.ts'
import { type Pop3ServerConfig, pop3ServerConfig, pop3ServerSession } from '../../protocol/pop3/index.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { type Conversation, drive } from '../../protocol/session/drive.ts'
import type { Transport } from '../../protocol/session/transport.ts'
import { Attendance } from '../attendance.ts'
import type { LiveConnection } from '../connection.ts'
import type { Conversations } from '../listening.ts'
import { readerAccess } from '../reader-options.ts'
import { ListeningServer, type Server, type ServedProtocol } from '../server.ts'
import { Terms } from '../terms.ts'
import { type Access, Pop3Host } from './host.ts'
import { Maildrops } from './maildrops.ts'
import { checkPop3ServerOptions, type Pop3ServerOptions } from './options.ts'

/** Lets people fetch their mail, on as many listeners as wanted. They share what keeps a maildrop to one session at a time. */
export interface Pop3Server extends Server {}

/** A POP3 server over a directory and a store. Throws a `config` MailError for options that cannot be. */
export function pop3Server(options: Pop3ServerOptions): Pop3Server {
  checkPop3ServerOptions(options)
  return new ListeningServer(new Fetching(options))
}

class Fetching implements ServedProtocol {
  readonly protocol = 'pop3'
  readonly clock: Clock
  readonly observe: Observer | undefined
  readonly random: (octets: number) => Uint8Array
  private readonly access: Access
  private readonly terms: Terms<Pop3ServerConfig>

  constructor(options: Pop3ServerOptions) {
    const { store, hostname } = options
    const access = readerAccess(options)
    this.clock = access.clock
    this.random = access.random
    this.observe = access.observe
    this.access = { ...access, store, maildrops: new Maildrops() }
    const { mechanisms } = access.authentication
    const told = wantedOf(access.observe)
    this.terms = new Terms(options.plaintextAuth, (startTls, withoutTls) =>
      pop3ServerConfig({ ...options.pop3, ...told, hostname, startTls, auth: { mechanisms, withoutTls } }))
  }

  begin(transport: Transport, connection: LiveConnection, startTls: boolean, among: Conversations): Conversation {
    const { access, clock } = this
    const { peer } = transport
    const session = pop3ServerSession(this.terms.for(peer, startTls), peer.tls ? { tls: peer.tls } : {}, clock.ticks())
    const host = new Pop3Host(access, connection)
    return drive(session, transport, host, new Attendance(access, host, among))
  }
}

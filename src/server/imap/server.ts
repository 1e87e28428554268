import { compressible } from '../../adapters/node/index.ts'
import { spoolBodies } from '../../adapters/node/spool.ts'
import type { Observer } from '../../observe/events.ts'
import { wantedOf } from '../../observe/observers.ts'
import { defaultImapLimits, type ImapServerConfig, imapServerConfig, imapServerSession } from '../../protocol/imap/index.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { type Conversation, drive } from '../../protocol/session/drive.ts'
import type { BodyRange } from '../../protocol/session/session.ts'
import type { Transport } from '../../protocol/session/transport.ts'
import { Attendance } from '../attendance.ts'
import type { LiveConnection } from '../connection.ts'
import type { Conversations } from '../listening.ts'
import { QuotaWatch } from '../quota-watch.ts'
import { readerAccess } from '../reader-options.ts'
import { ListeningServer, type Server, type ServedProtocol } from '../server.ts'
import { Terms } from '../terms.ts'
import { Annotations } from './annotations.ts'
import { Filing } from './filing.ts'
import { type Access, ImapHost } from './host.ts'
import { JunkWatch } from './junk-watch.ts'
import { checkImapServerOptions, type ImapServerOptions } from './options.ts'
import { JointLooks } from './joint-looks.ts'
import { KeptColumns } from './kept-columns.ts'
import { Keywords } from './keywords.ts'
import { Openings } from './open.ts'
import { Watchers } from './watchers.ts'

/** Lets people read their mail, on as many listeners as wanted. */
export interface ImapServer extends Server {}

/** An IMAP server over a directory and a store. Throws a `config` MailError for options that cannot be. */
export function imapServer(options: ImapServerOptions): ImapServer {
  checkImapServerOptions(options)
  return new ListeningServer(new Reading(options, undefined))
}

/** {@link imapServer} of which others who add to the same accounts share the warnings of their quotas. */
export function imapServerWith(warnings: QuotaWatch, options: ImapServerOptions): ImapServer {
  checkImapServerOptions(options)
  return new ListeningServer(new Reading(options, warnings))
}

class Reading implements ServedProtocol {
  readonly protocol = 'imap'
  readonly clock: Clock
  readonly observe: Observer | undefined
  readonly random: (octets: number) => Uint8Array
  private readonly options: ImapServerOptions
  private readonly access: Access
  private readonly terms: Terms<ImapServerConfig>

  constructor(options: ImapServerOptions, warnings: QuotaWatch | undefined) {
    const { store, hostname, keyValue } = options
    const access = readerAccess(options)
    const openings = new Openings(store)
    const watchers = new Watchers(store)
    const { keywords = defaultImapLimits.keywords } = options.imap?.limits ?? {}
    this.options = options
    this.clock = access.clock
    this.random = access.random
    this.observe = access.observe
    const isWatched = access.observe !== undefined || options.learn !== undefined
    const junk = isWatched ? new JunkWatch(store, access.clock, access.observe, options.learn) : undefined
    this.access = {
      ...access,
      store,
      bodies: options.bodies ?? spoolBodies(),
      spillAt: options.inMemory ?? 256 * 1024,
      watchers,
      looks: new JointLooks(store, watchers),
      openings,
      columns: new KeptColumns(store),
      keywords: new Keywords(store, openings, keywords, () => access.clock.ticks()),
      annotations: keyValue && new Annotations(keyValue, () => access.clock.now()),
      filing: new Filing(store, warnings ?? (access.observe && new QuotaWatch(store, access.clock, access.observe)), junk),
      name: new Map(Object.entries(options.id ?? {})),
    }
    const { mechanisms } = access.authentication
    const abilities = abilitiesOf(options)
    const told = wantedOf(access.observe)
    this.terms = new Terms(options.plaintextAuth, (startTls, withoutTls) =>
      imapServerConfig({ ...options.imap, ...told, hostname, startTls, auth: { mechanisms, withoutTls }, abilities }))
  }

  begin(transport: Transport, connection: LiveConnection, startTls: boolean, among: Conversations): Conversation {
    const { access, clock } = this
    const { peer } = transport
    const config = this.terms.for(peer, startTls)
    const session = imapServerSession(config, peer.tls ? { tls: peer.tls } : {}, clock.ticks())
    const burst = config.limits.messageOctets + 16 * 1024 * 1024
    const capable = transport.compress ? transport : compressible(transport, { burst })
    const host = new ImapHost(access, connection)
    const conversation = drive(session, capable, host, new ReadingAttendance(access, host, among))
    host.attach(session, conversation)
    return conversation
  }

  async letGo(): Promise<void> {
    if (this.options.bodies === undefined) await this.access.bodies.close?.()
  }
}

/** One that also gives the octets of messages. */
class ReadingAttendance extends Attendance<ImapHost> {
  read(range: BodyRange): Promise<AsyncIterable<Uint8Array>> {
    return this.guest.read(range)
  }

  octets(ranges: readonly BodyRange[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.guest.atHand(ranges)
  }
}

function abilitiesOf({ store, keyValue }: ImapServerOptions): ImapServerConfig['abilities'] {
  return {
    move: store.move !== undefined,
    subscriptions: store.subscribe !== undefined,
    specialUse: true,
    replace: store.replace !== undefined,
    multiAppend: store.appendAll !== undefined,
    quota: true,
    compress: true,
    metadata: keyValue !== undefined,
    notify: store.watch !== undefined && store.watchAccount !== undefined,
  }
}

import {
  certificates,
  type CertificateSource,
  fileBodies,
  passwords,
  selfSignedFiles,
} from '../adapters/node/index.ts'
import { lockFolder, sqlite } from '../adapters/sqlite/index.ts'
import type { BodyStore } from '../contracts/bodies.ts'
import { sieveFilter, sieveScripts } from '../inbound/sieve/index.ts'
import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { encodeMailbox } from '../protocol/smtp/index.ts'
import { auditFile } from './audit.ts'
import { certificateObserver } from './certificate-events.ts'
import type { Taken } from './local-delivery.ts'
import { ComposedServer, type RunningMailServer } from './mail-server.ts'
import {
  isForReading,
  type ListenerName,
  type MailListenerOptions,
  type MailServerOptions,
  type ReadingListenerName,
  type ReadingListenerOptions,
  type SmtpListenerName,
} from './mail-server-options.ts'
import { isThisMachine } from './addresses.ts'
import { referenceChecks, type ReferenceCheckSettings } from './reference-checks.ts'
import { referenceSeal, referenceSigning } from './reference-dkim.ts'
import { referenceOutgoing, type ReferenceOutgoingSettings } from './reference-outgoing.ts'
import { makePeople, referenceDirectory, type ReferencePlaces, type ReferenceUser } from './reference-accounts.ts'

/** What the reference server is told: checked, nothing left out. */
export interface ReferenceSettings extends ReferenceOutgoingSettings, ReferenceCheckSettings {
  /** Its name in greeting and trace, in lower case. */
  readonly hostname: string
  /** The address of every listener. */
  readonly bind: string
  /** The folder of everything it keeps. */
  readonly data: string
  /** In lower case. Made where they are missing. */
  readonly domains: readonly string[]
  /** At least one; of the domains above. Made where they are missing. The first is the postmaster. */
  readonly users: readonly ReferenceUser[]
  /** TCP ports: 0 for any that is free, `null` for none. */
  readonly ports: { readonly [Name in ReferenceListener]: number | null }
  /** Paths of PEM files. Without it a self-signed certificate is made in the data folder. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** The path of a PEM file: the CA of certificates that clients may log in with. */
  readonly tlsClientCa: string | undefined
  /** Let people of this machine log in without TLS. */
  readonly plaintextAuth: boolean
  /** Addresses and CIDRs of proxies; where there are any, all connections come through them. */
  readonly proxyFrom: readonly string[]
  /** Sign what people send; the keys are made in the data folder. */
  readonly dkim: boolean
  /** Octets of a message. */
  readonly maxSize: number
  /** Octets that each account may hold. */
  readonly quota: number
  /** Tell of each message that comes in why it became what. */
  readonly explain: boolean
  /** Connections at a time: of each port that takes mail, and of all that give it to read. */
  readonly maxConnections: { readonly smtp: number; readonly imap: number }
}

/** The listeners, by the names that people have for them. */
export type ReferenceListener = 'mx' | 'submission' | 'smtps' | 'lmtp' | 'imap' | 'imaps'

/** Who watches the reference server. */
export interface ReferenceWatch {
  /** A message is in the store; the client has not been told yet. */
  readonly stored: Taken
  readonly observe: Observer
}

/** The reference server, up. */
export interface ReferenceServer {
  /** The ports it listens on, by the name of the listener. */
  readonly ports: Readonly<Partial<Record<ReferenceListener, number>>>
  /**
   * Stops accepting, waits `within` milliseconds for what is in flight, and lets go of everything. Gives how many conversations
   * were cut off.
   */
  stop(within: number): Promise<number>
}

const names: Record<ReferenceListener, ListenerName> = {
  mx: 'mx',
  submission: 'submission',
  smtps: 'submissions',
  lmtp: 'lmtp',
  imap: 'imap',
  imaps: 'imaps',
}

/**
 * Octets up to which a message stays in memory while it comes in and goes into a row of the database. A larger one is a file
 * from the start, and the store takes over that very file.
 */
const IN_MEMORY = 512 * 1024

/** Connections of one address at a time. */
const OF_ONE_ADDRESS = 20

/**
 * The whole library composed with its embedded defaults: takes mail for its users and from them, and keeps it in SQLite. Rejects
 * with a MailError, `config` or `unavailable`, that says what to do.
 */
export async function startReference(settings: ReferenceSettings, watch: ReferenceWatch, clock: Clock): Promise<ReferenceServer> {
  const reference = new Reference(settings, watch, clock)
  try {
    await reference.start()
    return reference
  } catch (error) {
    await reference.stop(0)
    throw error
  }
}

class Reference implements ReferenceServer {
  readonly ports: Partial<Record<ReferenceListener, number>> = {}
  private readonly settings: ReferenceSettings
  private readonly watch: ReferenceWatch
  private readonly clock: Clock
  private running: RunningMailServer | undefined
  /** What is to be let go of, in the order in which it was taken. */
  private readonly held: (() => unknown)[] = []

  constructor(settings: ReferenceSettings, watch: ReferenceWatch, clock: Clock) {
    this.settings = settings
    this.watch = watch
    this.clock = clock
  }

  async start(): Promise<void> {
    const { settings, watch, clock } = this
    const { data } = settings
    const lock = lockFolder(data)
    this.held.push(() => lock.release())
    const db = sqlite({ path: `${data}/mail.db`, bodyThreshold: IN_MEMORY, now: () => clock.now() })
    this.held.push(() => db.close())
    const bodies = await emptyBodies(`${data}/incoming`)
    this.held.push(() => bodies.close?.())
    const places: ReferencePlaces = { records: db.accounts, passwords: passwords(), store: db.store, keyValue: db.keyValue }
    await makePeople(places, settings, clock, auditFile(data))
    const outgoing = await referenceOutgoing(settings, db.keyValue, clock)
    this.held.push(outgoing.close)
    const checks = referenceChecks(settings, { keyValue: db.keyValue, observe: watch.observe, clock })
    this.held.push(checks.close)
    const signing = settings.dkim ? await referenceSigning(data, db.accounts, watch.observe, clock) : undefined
    this.held.push(() => signing?.close())
    // Mail is passed on in the name of the first domain, as its senders are rewritten to.
    const seal = signing && (await referenceSeal(data, settings.domains[0]!, settings.hostname, clock))
    const marking = { ...(signing ? { sign: signing.sign } : {}), ...(seal ? { seal } : {}) }
    const sending = { queue: db.queue, outgoing: { ...outgoing.options, ...marking } }
    const options = this.serverOptions(places, bodies)
    const taking = { policies: checks.policies, resolver: outgoing.resolver, explain: settings.explain }
    const filter = sieveFilter({
      scripts: sieveScripts({ store: db.keyValue }),
      store: db.keyValue,
      hostname: settings.hostname,
      maySendAs: (account, address) => options.directory.maySendAs(account, address),
    })
    const server = new ComposedServer({ ...options, ...sending, ...taking, filter }, watch.stored)
    this.running = await server.start()
    for (const [name, listener] of Object.entries(names) as [ReferenceListener, ListenerName][]) {
      const up = this.running.listeners[listener]
      if (up) this.ports[name] = up.port
    }
  }

  async stop(within: number): Promise<number> {
    const stopped = await this.running?.stop({ within })
    for (const letGo of this.held.splice(0).reverse()) await letGo()
    return stopped?.cut ?? 0
  }

  private serverOptions(places: ReferencePlaces, bodies: BodyStore): MailServerOptions {
    const { settings, watch, clock } = this
    const [postmaster] = settings.users
    return {
      hostname: settings.hostname,
      directory: referenceDirectory(places, {
        quota: settings.quota,
        certificates: settings.tlsClientCa !== undefined,
        onError: (error, account) => {
          watch.observe({ kind: 'failed', at: clock.now(), account, what: 'upkeep of an account', error })
        },
      }),
      store: places.store,
      keyValue: places.keyValue,
      listen: this.listeners(),
      tls: this.certificates(),
      plaintextAuth: settings.plaintextAuth ? 'loopback' : false,
      ...(postmaster ? { postmaster: encodeMailbox(postmaster) } : {}),
      inMemory: IN_MEMORY,
      bodies,
      smtp: { limits: { messageOctets: settings.maxSize } },
      imap: {
        limits: { messageOctets: settings.maxSize },
        connections: { server: settings.maxConnections.imap, address: this.ofOneAddress(), account: this.ofOneAddress() },
        id: { name: 'posthorn' },
      },
      observe: watch.observe,
      clock,
    }
  }

  private listeners(): MailServerOptions['listen'] {
    const { bind, proxyFrom, maxConnections, ports } = this.settings
    const address = this.ofOneAddress()
    const listen: { [Name in SmtpListenerName]?: MailListenerOptions } & {
      [Name in ReadingListenerName]?: ReadingListenerOptions
    } = {}
    for (const [name, port] of Object.entries(ports) as [ReferenceListener, number | null][]) {
      if (port === null) continue
      const where = { port, host: bind, ...(proxyFrom.length > 0 ? { proxy: { from: proxyFrom,
        others: 'serve' as const } } : {}) }
      const listener = names[name]
      if (isForReading(listener)) listen[listener] = where
      else listen[listener] = { ...where, connections: { server: maxConnections.smtp,
        address: name === 'lmtp' ? Infinity : address } }
    }
    return listen
  }

  /** Whoever connects to a loopback address is this machine,
    all of it; unless a proxy stands there and says whom it speaks for. */
  private ofOneAddress(): number {
    const { bind, proxyFrom } = this.settings
    return isThisMachine(bind) && proxyFrom.length === 0 ? Infinity : OF_ONE_ADDRESS
  }

  private certificates(): CertificateSource {
    const { settings, watch, clock } = this
    const pair = settings.tls ?? selfSignedFiles(`${settings.data}/tls`, { hostname: settings.hostname, now: clock.now() })
    const source = certificates({
      ...pair,
      ...(settings.tlsClientCa === undefined ? {} : { clientCa: settings.tlsClientCa }),
      clock,
      onEvent: certificateObserver(watch.observe, clock),
    })
    this.held.push(() => source.close())
    return source
  }
}

/** Where large messages lie while they come in. What a crash left there was never answered for. */
async function emptyBodies(path: string): Promise<BodyStore> {
  const bodies = await fileBodies({ directory: path, fsync: false, alone: true })
  const left: string[] = []
  for await (const id of bodies.list()) left.push(id)
  await bodies.remove(left)
  return bodies
}

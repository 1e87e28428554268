import {
  certificates,
  type CertificateSource,
  fileBodies,
  selfSignedFiles,
} from '../adapters/node/index.ts'
import { lockFolder, sqlite } from '../adapters/sqlite/index.ts'
import type { BodyStore } from '../contracts/bodies.ts'
import type { MailStore } from '../contracts/store.ts'
import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { certificateObserver } from './certificate-events.ts'
import type { Running } from './listening.ts'
import type { ReceiverOptions } from './options.ts'
import { receiver } from './receiver.ts'
import { InboxDelivery, type Stored } from './reference-delivery.ts'
import { LocalUsers, type ReferenceUser } from './reference-users.ts'

/** What the reference server is told: checked, nothing left out. */
export interface ReferenceSettings {
  /** Its name in greeting and trace, in lower case. */
  readonly hostname: string
  /** The address of every listener. */
  readonly bind: string
  /** The folder of everything it keeps. */
  readonly data: string
  /** In lower case. */
  readonly domains: readonly string[]
  /** At least one; of the domains above. The first is the postmaster. */
  readonly users: readonly ReferenceUser[]
  /** TCP ports: 0 for any that is free, `null` for none. */
  readonly ports: { readonly mx: number | null; readonly lmtp: number | null }
  /** Paths of PEM files. Without it a self-signed certificate is made in the data folder. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** Addresses and CIDRs of proxies; where there are any, all connections come through them. */
  readonly proxyFrom: readonly string[]
  /** Octets of a message. */
  readonly maxSize: number
  /** Connections of each port at a time. */
  readonly maxConnections: number
}

/** Who watches the reference server. */
export interface ReferenceWatch {
  /** A message is in the store; the client has not been told yet. */
  readonly stored: Stored
  readonly observe: Observer
}

/** The reference server, up. */
export interface ReferenceServer {
  /** The ports it listens on, by the name of the listener. */
  readonly ports: Readonly<Partial<Record<ListenerName, number>>>
  /**
   * Stops accepting, waits `within` milliseconds for what is in flight, and lets go of everything. Gives how many conversations
   * were cut off.
   */
  stop(within: number): Promise<number>
}

type ListenerName = 'mx' | 'lmtp'

/**
 * Octets up to which a message stays in memory while it comes in and goes into a row of the database. A larger one is a file
 * from the start, and the store takes over that very file.
 */
const IN_MEMORY = 512 * 1024

/** Connections of one address at a time. */
const OF_ONE_ADDRESS = 20

/**
 * The whole library composed with its embedded defaults: receives for its users and keeps their mail in SQLite. Rejects with a
 * MailError, `config` or `unavailable`, that says what to do.
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
  readonly ports: Partial<Record<ListenerName, number>> = {}
  private readonly settings: ReferenceSettings
  private readonly watch: ReferenceWatch
  private readonly clock: Clock
  private readonly listeners: Running[] = []
  /** What is to be let go of, in the order in which it was taken. */
  private readonly held: (() => unknown)[] = []

  constructor(settings: ReferenceSettings, watch: ReferenceWatch, clock: Clock) {
    this.settings = settings
    this.watch = watch
    this.clock = clock
  }

  async start(): Promise<void> {
    const { settings, clock } = this
    const { data, ports } = settings
    const lock = lockFolder(data)
    this.held.push(() => lock.release())
    const { store } = sqlite({ path: `${data}/mail.db`, bodyThreshold: IN_MEMORY, now: () => clock.now() })
    this.held.push(() => store.close?.())
    const bodies = await emptyBodies(`${data}/incoming`)
    this.held.push(() => bodies.close?.())
    const users = new LocalUsers(settings.users, settings.domains, settings.hostname)
    const delivery = await this.deliveryTo(store, users)
    const options = this.receiverOptions(users, delivery, bodies)
    if (ports.mx !== null) await this.listen('mx', ports.mx, options, this.certificates())
    if (ports.lmtp !== null) await this.listen('lmtp', ports.lmtp, options, undefined)
  }

  async stop(within: number): Promise<number> {
    const stopped = await Promise.all(this.listeners.splice(0).map((listener) => listener.stop({ within })))
    for (const letGo of this.held.splice(0).reverse()) await letGo()
    return stopped.reduce((sum, { cut }) => sum + cut, 0)
  }

  private async deliveryTo(store: MailStore, users: LocalUsers): Promise<InboxDelivery> {
    const { watch, clock } = this
    const inboxOf = async (account: string) => [account, (await store.create(account, ['INBOX'])).id] as const
    const inboxes = await Promise.all(users.accounts.map(inboxOf))
    return new InboxDelivery(store, users, new Map(inboxes), watch.stored, (account, error) => {
      watch.observe({ kind: 'failed', at: clock.now(), account, what: `deliver to ${account}`, error })
    })
  }

  private receiverOptions(users: LocalUsers, delivery: InboxDelivery, bodies: BodyStore): ReceiverOptions {
    const { hostname, maxSize, maxConnections, bind, proxyFrom } = this.settings
    // Whoever connects to a loopback address is this machine, all of it; unless a proxy stands there and says whom it speaks for.
    const address = isLoopback(bind) && proxyFrom.length === 0 ? Infinity : OF_ONE_ADDRESS
    return {
      hostname,
      accepts: (to) => users.claim(to),
      deliver: (message) => delivery.deliver(message),
      connections: { server: maxConnections, address },
      inMemory: IN_MEMORY,
      bodies,
      trace: 'final',
      smtp: { limits: { messageOctets: maxSize } },
      observe: this.watch.observe,
      clock: this.clock,
    }
  }

  private certificates(): CertificateSource {
    const { settings, watch, clock } = this
    const pair = settings.tls ?? selfSignedFiles(`${settings.data}/tls`, { hostname: settings.hostname, now: clock.now() })
    const source = certificates({ ...pair, clock, onEvent: certificateObserver(watch.observe, clock) })
    this.held.push(() => source.close())
    return source
  }

  private async listen(
    name: ListenerName,
    port: number,
    options: ReceiverOptions,
    tls: CertificateSource | undefined,
  ): Promise<void> {
    const { bind, proxyFrom } = this.settings
    const listener = await receiver({ ...options, profile: name }).listen({
      name,
      port,
      host: bind,
      ...(tls ? { tls: { mode: 'starttls', certificates: tls } } : {}),
      ...(proxyFrom.length > 0 ? { proxy: { from: proxyFrom, others: 'serve' } } : {}),
    })
    this.listeners.push(listener)
    this.ports[name] = listener.port
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

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

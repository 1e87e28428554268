import type { SiteFacts } from '../../contracts/delivery.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import type { DialTarget } from '../../protocol/session/dial.ts'
import type { Ledger } from './ledger.ts'
import type { Plan } from './plan.ts'
import { serversOf, type SimulatedServers } from './servers.ts'

/** Connections to one address in an hour, at the most. */
const MOST_DIALS = 400
/** Connections that a try may make when it has made one: to a second address, and to both once more without TLS. */
const MORE_OF_ONE_TRY = 3
/** Tries that may come of one order: by as many transactions, or on a new connection in place of one that has had its time. */
const OF_ONE_ORDER = 3

/** A breaker that is open. All times are ticks. */
interface Open {
  readonly since: number
  readonly until: number
  /** Connections that may still be made: by tries that were under way when it opened. */
  left: number
}

/** Looks at what a server connects to: nowhere while its breaker is open, and to no address without end. */
export class SiteWatch {
  private readonly clock: Clock
  private readonly ledger: Ledger
  private readonly name: string
  private readonly watched: ReadonlySet<string>
  /** By the names of servers. */
  private readonly open = new Map<string, Open>()
  /** Connections that there are, or that are being made. */
  private readonly connections = new Map<string, number>()
  /** Tries that may be made wherever: by somebody's order. */
  private ordered = 0
  private readonly dials = new Map<string, { readonly hour: number; count: number }>()

  /** `name`: of whom it looks at. `watched`: servers whose breakers it looks at, each of which belongs to one site alone. */
  constructor(clock: Clock, ledger: Ledger, name: string, watched: ReadonlySet<string>) {
    this.clock = clock
    this.ledger = ledger
    this.name = name
    this.watched = watched
  }

  /** Somebody has ordered that a message be tried, whatever is known of its site. */
  order(): void {
    this.ordered += OF_ONE_ORDER
  }

  /** A breaker has turned, or a try is made while it is open. */
  turned({ site, state, until }: Pick<SiteFacts, 'site' | 'state' | 'until'>): void {
    const [server = ''] = namesIn(site)
    if (!this.watched.has(server)) return
    this.open.delete(server)
    if (state === 'closed') return
    if (until === undefined) return this.tried(server)
    const { clock } = this
    const left = MORE_OF_ONE_TRY * (this.connections.get(server) ?? 0)
    this.open.set(server, { since: clock.ticks(), until: clock.ticks() + until - clock.now(), left })
  }

  /** A connection is about to be made. Gives what is to be called when it is over. */
  dialled({ host, tls }: DialTarget): () => void {
    this.count(host)
    const server = tls?.serverName ?? ''
    const open = this.open.get(server)
    const now = this.clock.ticks()
    // A try that had no connection at the moment at which it opened was about to make one.
    if (open?.since === now) open.left += 1 + MORE_OF_ONE_TRY
    if (open && now < open.until && open.left-- <= 0) {
      this.ledger.violate(`${this.name} connects to ${server} [${host}] while its breaker is open`)
    }
    this.connections.set(server, (this.connections.get(server) ?? 0) + 1)
    let isOver = false
    return () => {
      if (!isOver) this.connections.set(server, this.connections.get(server)! - 1)
      isOver = true
    }
  }

  private tried(server: string): void {
    if (this.ordered-- > 0) return
    this.ordered = 0
    this.ledger.violate(`${this.name} tries ${server} while its breaker is open, and nobody has ordered it`)
  }

  private count(host: string): void {
    const hour = Math.floor(this.clock.ticks() / 3_600_000)
    const dials = this.dials.get(host)
    if (dials?.hour !== hour) this.dials.set(host, { hour, count: 1 })
    else if (++dials.count === MOST_DIALS) this.ledger.violate(`${this.name} connects to ${host} without end`)
  }
}

/**
 * The servers of a run that belong to one site alone. What is known of a domain must never change: neither by lies nor by
 * policies; and of several servers those may be another site whose addresses the DNS tells of just now.
 */
export function serversToWatch({ hosts, foreigns, dnsLies }: Plan): ReadonlySet<string> {
  if (dnsLies > 0) return new Set()
  const steady = [...hosts, ...foreigns].filter((each: SimulatedServers) => !each.wish?.startsWith('sts'))
  const alone = steady.map(serversOf).filter((servers) => servers.length === 1)
  return new Set(alone.flat().map(({ name }) => name))
}

/** The names in the key of a site: words such as `mx.example.org/none-opportunistic`. */
function namesIn(site: string): readonly string[] {
  return site.split(' ').flatMap((word) => (word.includes('/') ? [word.slice(0, word.indexOf('/'))] : []))
}

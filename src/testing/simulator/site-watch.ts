import type { SiteFacts } from '../../contracts/delivery.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import type { DialTarget } from '../../protocol/session/dial.ts'
import type { Ledger } from './ledger.ts'

/** Connections to one address in an hour, at the most. */
const MOST_DIALS = 400
/** Connections that come of one try: to all addresses, and once more without TLS. */
const OF_ONE_TRY = 3

/** A breaker that is open. */
interface Open {
  /** Ticks. */
  readonly until: number
  /** Connections that may still be made: by tries that were under way when it opened. */
  left: number
}

/** Looks at what a server connects to: nowhere while its breaker is open, and to no address without end. */
export class SiteWatch {
  private readonly clock: Clock
  private readonly ledger: Ledger
  private readonly name: string
  /** By the names of servers. */
  private readonly open = new Map<string, Open>()
  private readonly sites = new Map<string, Set<string>>()
  /** Connections that there are, or that are being made. */
  private readonly connections = new Map<string, number>()
  /** Connections that may be made wherever: by somebody's order. */
  private ordered = 0
  private readonly dials = new Map<string, { readonly hour: number; count: number }>()

  private readonly isExact: boolean

  /**
   * `name`: of whom it looks at. `isExact`: what is known of a domain never changes, so that a server that goes by itself belongs
   * to one site alone; otherwise breakers are not looked at.
   */
  constructor(clock: Clock, ledger: Ledger, name: string, isExact = true) {
    this.isExact = isExact
    this.clock = clock
    this.ledger = ledger
    this.name = name
  }

  /** Somebody has ordered that a message be tried, whatever is known of its site. */
  order(): void {
    this.ordered += OF_ONE_TRY
  }

  /** A breaker has turned. */
  turned({ site, state, until }: Pick<SiteFacts, 'site' | 'state' | 'until'>): void {
    const servers = serversOf(site)
    // Of several servers those may be another site that the DNS tells of just now.
    if (!this.isExact || servers.length > 1) return
    for (const server of servers) {
      const sites = this.sites.get(server) ?? new Set()
      this.sites.set(server, sites.add(site))
      const left = OF_ONE_TRY * (this.connections.get(server) ?? 0)
      if (state === 'closed') this.open.delete(server)
      else this.open.set(server, { until: this.clock.ticks() + (until ?? 0) - this.clock.now(), left })
    }
  }

  /** A connection is about to be made. Gives what is to be called when it is over. */
  dialled({ host, tls }: DialTarget): () => void {
    this.count(host)
    const server = tls?.serverName ?? ''
    const open = this.open.get(server)
    // A name that several sites share is open for one and not for the other.
    const isClear = open !== undefined && this.sites.get(server)!.size === 1 && this.clock.ticks() < open.until
    if (isClear && open.left-- <= 0 && this.ordered-- <= 0) {
      this.ledger.violate(`${this.name} connects to ${server} [${host}] while its breaker is open`)
    }
    this.connections.set(server, (this.connections.get(server) ?? 0) + 1)
    let isOver = false
    return () => {
      if (!isOver) this.connections.set(server, this.connections.get(server)! - 1)
      isOver = true
    }
  }

  private count(host: string): void {
    const hour = Math.floor(this.clock.ticks() / 3_600_000)
    const dials = this.dials.get(host)
    if (dials?.hour !== hour) this.dials.set(host, { hour, count: 1 })
    else if (++dials.count === MOST_DIALS) this.ledger.violate(`${this.name} connects to ${host} without end`)
  }
}

/** The names in the key of a site: words such as `mx.example.org/none-opportunistic`. */
function serversOf(site: string): readonly string[] {
  return site.split(' ').flatMap((word) => (word.includes('/') ? [word.slice(0, word.indexOf('/'))] : []))
}

import type { SiteFacts } from '../../contracts/delivery.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import type { DialTarget } from '../../protocol/session/dial.ts'
import type { Ledger } from './ledger.ts'

/** Milliseconds for which a try that was begun before a breaker opened may go on. */
const UNDER_WAY = 30_000
/** Connections to one address in an hour, at the most: to one that is dead, and to one that is well. */
const MOST_DIALS = 400

/** Looks at what a server connects to: nowhere while its breaker is open, and to no address without end. */
export class SiteWatch {
  private readonly clock: Clock
  private readonly ledger: Ledger
  private readonly name: string
  /** Names of servers whose breaker is open, with when it opened and until when. */
  private readonly open = new Map<string, { readonly since: number; readonly until: number }>()
  private readonly dials = new Map<string, { hour: number; count: number }>()
  private readonly keys = new Map<string, Set<string>>()

  constructor(clock: Clock, ledger: Ledger, name: string) {
    this.clock = clock
    this.ledger = ledger
    this.name = name
  }

  turned({ site, state, until }: SiteFacts): void {
    for (const server of serversOf(site)) {
      const keys = this.keys.get(server) ?? new Set()
      this.keys.set(server, keys.add(site))
      const since = this.clock.ticks()
      if (state === 'closed') this.open.delete(server)
      else this.open.set(server, { since, until: since + (until ?? 0) - this.clock.now() })
    }
  }

  dialled({ host, tls }: DialTarget): void {
    const now = this.clock.ticks()
    const hour = Math.floor(now / 3_600_000)
    const dials = this.dials.get(host)
    if (dials?.hour === hour) dials.count++
    else this.dials.set(host, { hour, count: 1 })
    if (dials && dials.count === MOST_DIALS) this.ledger.violate(`${this.name} connects to ${host} without end`)
    const server = tls?.serverName ?? ''
    const open = this.open.get(server)
    // A name that several sites share is open for one and not for the other.
    if (!open || this.keys.get(server)!.size > 1) return
    if (now > open.since + UNDER_WAY && now < open.until) {
      this.ledger.violate(`${this.name} connects to ${server} [${host}] while its breaker is open`)
    }
  }
}

/** The names in the key of a site: `mx:ROUTE NAME/by-tls NAME/by-tls SOURCE`. */
function serversOf(site: string): readonly string[] {
  return site.split(' ').flatMap((word) => (word.includes('/') ? [word.slice(0, word.indexOf('/'))] : []))
}

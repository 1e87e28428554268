import type { DnsFailure, FakeRecords } from '../fake-dns.ts'
import { Draws } from './draws.ts'
import type { SimulatedHost, Surroundings } from './host.ts'
import { Operator } from './operator.ts'
import { publish, type SimulatedServers } from './servers.ts'
import { tlsFaults } from './tls-weather.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** What happens to hosts and the network from outside, every now and then, until it is healed. */
export class Troubles {
  private readonly around: Surroundings
  private readonly hosts: readonly SimulatedHost[]
  private readonly operator: Operator
  private isOver = false

  constructor(around: Surroundings, hosts: readonly SimulatedHost[]) {
    const { seed, transcript, plan } = around
    this.around = around
    this.hosts = hosts
    this.operator = new Operator(new Draws(seed, 'operator'), (what) => transcript.note(what))
    const draws = new Draws(seed, 'troubles')
    const aHost = (): SimulatedHost => draws.pick(hosts)
    this.every(plan.crashes, draws, () => aHost().crash(draws.below(2), draws.pick([1_000, MINUTE, HOUR])))
    this.every(plan.jumps, draws, () => this.jump(aHost(), draws))
    this.every(plan.outages, draws, () => this.outage(draws))
    this.every(plan.fullDisks, draws, () => this.fill(aHost(), draws))
    const own = { power: new Draws(seed, 'power'), tls: new Draws(seed, 'tls'), dns: new Draws(seed, 'dns') }
    this.every(plan.powerLosses, own.power, () => own.power.pick(hosts).losePower(own.power.pick([1_000, MINUTE, HOUR])))
    this.every(plan.tlsTroubles, own.tls, () => this.breakTls(own.tls))
    this.every(plan.dnsTroubles, own.dns, () => this.forge(own.dns))
    this.every(plan.orders, draws, () => void this.operator.interfere(aHost()))
    this.release()
  }

  /** Everything works from now on. */
  heal(): void {
    this.isOver = true
    const { network, tls, dns } = this.around
    for (const address of this.addresses) {
      network.fault(address, undefined)
      tls.fault(address, undefined)
    }
    for (const servers of this.servers) publish(dns, servers)
    for (const host of this.hosts) {
      host.disk.isHealed = true
      host.start()
    }
  }

  /** Somebody looks at what was set apart, for ever: what crashed its workers before all was healed is found out later. */
  private release(): void {
    const { clock } = this.around
    clock.alarm(clock.ticks() + 6 * HOUR, () => {
      for (const host of this.hosts) void this.operator.release(host)
      this.release()
    })
  }

  private get servers(): readonly SimulatedServers[] {
    const { hosts, foreigns } = this.around.plan
    return [...hosts, ...foreigns]
  }

  private get addresses(): readonly string[] {
    return this.servers.flatMap(({ addresses }) => addresses)
  }

  private every(mean: number, draws: Draws, happen: () => void): void {
    const { clock } = this.around
    if (mean === 0) return
    clock.alarm(clock.ticks() + 1 + draws.below(2 * mean), () => {
      if (this.isOver) return
      happen()
      this.every(mean, draws, happen)
    })
  }

  private jump(host: SimulatedHost, draws: Draws): void {
    const by = draws.pick([-1, 1]) * draws.pick([2_000, 20 * MINUTE, 5 * HOUR])
    host.clock.ahead += by
    this.around.transcript.note(`${host.plan.domain} clock jumps by ${by} ms`)
  }

  private outage(draws: Draws): void {
    const { network, transcript, clock } = this.around
    const address = draws.pick(this.addresses)
    const fault = draws.pick(['refused', 'silent'] as const)
    const lasting = draws.pick([MINUTE, 30 * MINUTE, 10 * HOUR])
    transcript.note(`${address} ${fault} for ${lasting} ms`)
    network.fault(address, fault)
    clock.alarm(clock.ticks() + lasting, () => network.fault(address, undefined))
  }

  private fill(host: SimulatedHost, draws: Draws): void {
    const { transcript, clock } = this.around
    transcript.note(`${host.plan.domain} disk full`)
    host.disk.isFull = true
    clock.alarm(clock.ticks() + draws.pick([MINUTE, HOUR]), () => (host.disk.isFull = false))
  }
  /** Something is wrong with the TLS at an address for a while. */
  private breakTls(draws: Draws): void {
    const { tls, transcript, clock } = this.around
    const address = draws.pick(this.addresses)
    const fault = draws.pick(tlsFaults)
    const lasting = draws.pick([10 * MINUTE, 2 * HOUR, 20 * HOUR])
    transcript.note(`${address} TLS ${fault} for ${lasting} ms`)
    tls.fault(address, fault)
    clock.alarm(clock.ticks() + lasting, () => tls.fault(address, undefined))
  }

  /** For a while the DNS says something else of a domain, to everybody. */
  private forge(draws: Draws): void {
    const { dns, transcript, clock } = this.around
    const servers = draws.pick(this.servers)
    const [what, records] = draws.pick(forgeries)
    const lasting = draws.pick([MINUTE, 30 * MINUTE, 5 * HOUR])
    transcript.note(`${servers.domain} is ${what} for ${lasting} ms`)
    // A change of its owner's, signed as all that he says.
    const authenticated = servers.wish === 'dane'
    dns.set(servers.domain, typeof records === 'string' ? records : { ...records, authenticated })
    clock.alarm(clock.ticks() + lasting, () => publish(dns, servers))
  }
}

/** What a DNS may say of a domain. */
const forgeries: readonly (readonly [string, FakeRecords | DnsFailure])[] = [
  ['not there', 'NXDOMAIN'],
  ['not to be found', 'SERVFAIL'],
  ['not heard of', 'TIMEOUT'],
  ['without mail', { MX: '0 .' }],
  ['without servers', { TXT: 'nothing here' }],
]

import { Draws } from './draws.ts'
import type { SimulatedHost, Surroundings } from './host.ts'
import { Operator } from './operator.ts'

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
    this.every(plan.orders, draws, () => void this.operator.interfere(aHost()))
    this.release()
  }

  /** Everything works from now on. */
  heal(): void {
    this.isOver = true
    const { network } = this.around
    for (const address of this.addresses) network.fault(address, undefined)
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

  private get addresses(): readonly string[] {
    const { hosts, foreigns } = this.around.plan
    return [...hosts, ...foreigns].flatMap(({ addresses }) => addresses)
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
}

import type { Verdict } from '../../contracts/policy.ts'
import type { Recipient } from '../../contracts/received.ts'
import { defer, reject } from '../../inbound/verdict.ts'
import type { Peer } from '../../protocol/session/transport.ts'
import { receiver } from '../../server/receiver.ts'
import type { Claimed } from '../../server/reception.ts'
import { Draws } from './draws.ts'
import type { Surroundings } from './host.ts'
import { never } from './life.ts'
import type { ForeignPlan } from './plan.ts'

/** Milliseconds after which a server that greylists knows somebody. */
const KNOWN_AFTER = 300_000

/** Servers of somebody else's, for one domain; with moods, until they are healed. */
export class ForeignHost {
  readonly plan: ForeignPlan
  private readonly around: Surroundings
  private readonly draws: Draws
  private readonly seen = new Map<string, number>()

  constructor(plan: ForeignPlan, around: Surroundings) {
    this.plan = plan
    this.around = around
    this.draws = new Draws(around.seed, `foreign ${plan.domain}`)
    const { network, clock } = around
    for (const address of plan.addresses) {
      const server = receiver({
        hostname: `mx.${plan.domain}`,
        clock,
        random: (octets) => this.draws.octets(octets),
        inMemory: Infinity,
        connections: false,
        accepts: (to, { envelope: { sender, recipients } }) => this.accepts(to, sender?.local ?? '', recipients),
        deliver: ({ envelope, facts, connection }) => {
          this.look(connection.peer)
          return this.deliver(address, envelope.recipients, facts.messageId)
        },
      })
      network.listen(address, 25, (transport) => {
        server.serve(transport, { startTls: plan.startTls && around.tls.offers(address) })
      })
    }
  }

  private accepts(to: Recipient, sender: string, before: readonly Recipient[]): Claimed | Promise<Claimed> {
    const { plan, draws } = this
    if (to.domain !== plan.domain) return reject(550, '5.7.1', 'We do not relay')
    if (to.local.startsWith('no')) return reject(550, '5.1.1', 'Nobody of that name')
    if (this.around.isHealed()) return true
    if (before.length >= plan.room) return defer(452, '4.5.3', 'Too many recipients')
    if (draws.oneIn(plan.busy)) return draws.pick([defer(421, '4.3.2', 'Too busy'), defer(450, '4.2.0', 'Later'), full])
    if (draws.oneIn(plan.silent)) return never()
    return !plan.greylists || this.isKnown(`${sender} ${to.local}`) || defer(450, '4.7.1', 'Greylisted')
  }

  private isKnown(who: string): boolean {
    const now = this.around.clock.ticks()
    const seen = this.seen.get(who) ?? now
    this.seen.set(who, seen)
    return now >= seen + KNOWN_AFTER
  }

  /** Looks whether mail came in the way that was asked for. */
  private look(peer: Peer): void {
    const { tls, wishes, plan, ledger } = this.around
    const connection = tls.connectionOf(peer)
    const host = plan.hosts.find(({ addresses }) => addresses.includes(peer.address ?? ''))
    const fault = connection && host && wishes.fault(host.domain, this.plan, connection)
    if (fault !== undefined) ledger.violate(fault)
  }

  private async deliver(
    address: string, recipients: readonly Recipient[], key: string | undefined,
  ): Promise<Verdict | undefined> {
    const { plan, draws, around } = this
    if (!around.isHealed()) {
      if (draws.oneIn(plan.throws)) throw new Error('The disk is on fire')
      if (draws.oneIn(plan.refuses)) return reject(554, '5.6.0', 'Not with this content')
    }
    around.transcript.note(`${address} takes ${key} for ${recipients.map(({ wire }) => wire).join(', ')}`)
    for (const { local, domain } of recipients) around.ledger.end(key, `${local}@${domain}`, 'copy', address)
    if (!around.isHealed() && draws.oneIn(plan.drops)) around.network.cut(address)
    if (around.isHealed() || !draws.oneIn(plan.silent)) return undefined
    around.ledger.disturb(key, `${address} has it, and never says so`)
    return never()
  }
}

const full = defer(452, '4.2.2', 'Mailbox full')

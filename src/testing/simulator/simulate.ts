import { memoryQueue } from '../../adapters/memory/queue.ts'
import { memoryStore } from '../../adapters/memory/store.ts'
import type { MailQueue } from '../../contracts/queue.ts'
import type { MailStore } from '../../contracts/store.ts'
import { turn } from '../../adapters/node/event-loop.ts'
import { sqlite } from '../../adapters/sqlite/index.ts'
import { fakeDns } from '../fake-dns.ts'
import { type VirtualClock, virtualClock } from '../virtual-clock.ts'
import { Draws } from './draws.ts'
import { ForeignHost } from './foreign.ts'
import { directoryOf, SimulatedHost, type Storage, type Surroundings } from './host.ts'
import { Journal } from './journal.ts'
import { Ledger } from './ledger.ts'
import { lettersOf } from './letters.ts'
import { handIn } from './person.ts'
import { type HostPlan, type Plan, planOf } from './plan.ts'
import { type Sabotage, sabotaged } from './sabotage.ts'
import { publish, serversOf } from './servers.ts'
import { TlsWeather } from './tls-weather.ts'
import { TlsWishes } from './tls-wishes.ts'
import { Transcript } from './transcript.ts'
import { Troubles } from './troubles.ts'
import { weatheredNetwork } from './weather.ts'

/** Settings of {@link simulate}. */
export interface SimulateOptions {
  /** Everything follows from it. A whole number from 0 on. */
  readonly seed: number
  /** A folder of its own for the databases of hosts that are to have one; without it, all hosts keep their mail in memory. */
  readonly folder?: string
  /** A fault that is built in on purpose. */
  readonly sabotage?: Sabotage
}

/** A run, and what it came to. */
export interface Simulation {
  readonly seed: number
  readonly plan: Plan
  /** What is wrong; empty if nothing is. */
  readonly violations: readonly string[]
  /** A number for all that happened. The same seed gives the same. */
  readonly hash: string
  /** The last lines of what happened. */
  readonly transcript: readonly string[]
  /** Messages that were sent, reports counted; those that were submitted alone. */
  readonly messages: number
  readonly submitted: number
  /** Milliseconds from when each message came into the world until it had come to its last end, summed up. */
  readonly underWay: number
  /** The same until the end of the run, when each message is looked for wherever it may be. */
  readonly present: number
  /** Virtual milliseconds. */
  readonly lasted: number
}

const DAY = 86_400_000
/** Virtual milliseconds after which a queue must be empty once all faults are healed; clocks that jumped may add to it. */
const DRAINED_WITHIN = 6 * DAY
/** Octets that may be on their way in one direction of a connection: what a link holds, and one piece of a message. */
const MOST_UNDER_WAY = 65_536 + 262_144 + 4_096

/**
 * Runs hosts of ours against each other and the rest of the world, with all that can go wrong, in virtual time; then heals
 * everything, waits for the queues to be empty, and balances the books.
 */
export async function simulate(options: SimulateOptions): Promise<Simulation> {
  const run = new Run(options)
  await run.prepare()
  await run.live()
  return run.end()
}

class Run {
  private readonly options: SimulateOptions
  private readonly plan: Plan
  private readonly clock: VirtualClock = virtualClock()
  private readonly around: Surroundings
  private readonly ledger: Ledger
  private readonly hosts: SimulatedHost[] = []
  private readonly closing: (() => Promise<void>)[] = []
  private submitting = 0
  private isHealed = false
  private isDrained = false

  constructor(options: SimulateOptions) {
    const { clock } = this
    const { seed, sabotage } = options
    this.options = options
    this.plan = planOf(seed)
    this.ledger = new Ledger(() => clock.ticks())
    const isHealed = (): boolean => this.isHealed
    this.around = {
      seed,
      plan: this.plan,
      clock,
      network: weatheredNetwork(clock, new Draws(seed, 'network'), this.plan, isHealed),
      dns: fakeDns({}, { clock }),
      tls: new TlsWeather(clock),
      wishes: new TlsWishes(() => clock.ticks(), this.plan.foreigns),
      ledger: this.ledger,
      transcript: new Transcript(() => clock.ticks()),
      reports: new Map(),
      sabotage,
      isHealed,
    }
  }

  async prepare(): Promise<void> {
    const { around, plan } = this
    for (const servers of [...plan.hosts, ...plan.foreigns]) {
      publish(around.dns, servers)
      for (const { name, addresses } of serversOf(servers)) for (const address of addresses) around.tls.certify(address, name)
    }
    for (const foreign of plan.foreigns) new ForeignHost(foreign, around)
    for (const host of plan.hosts) {
      const directory = await directoryOf(host, plan.foreigns[0]!.domain, this.ledger)
      this.hosts.push(new SimulatedHost(host, await this.storageOf(host), directory, around))
    }
  }

  /** Lets everything happen, until all mail has come to an end or should have. */
  async live(): Promise<void> {
    const { clock, plan, around } = this
    for (const host of this.hosts) host.start()
    const troubles = new Troubles(around, this.hosts)
    this.submit()
    clock.alarm(plan.trouble, () => {
      this.isHealed = true
      around.transcript.note('all is healed')
      troubles.heal()
      this.lookWhetherDrained()
    })
    const limit = (): number => plan.trouble + DRAINED_WITHIN + this.behind
    while (!this.isDrained && clock.ticks() < limit()) {
      // However long a database really takes: no virtual time passes meanwhile.
      while (this.hosts.some(({ disk }) => disk.busy > 0)) await turn()
      if ((await clock.next()) === undefined) break
    }
  }

  async end(): Promise<Simulation> {
    const { ledger, around, clock, plan } = this
    for (const host of this.hosts) {
      await host.end(undefined, Infinity)
      if (!this.isDrained) await this.tellWhatIsLeft(host)
      await this.count(host)
      host.books.balance()
    }
    for (const close of this.closing) await close()
    const { mostUnderWay } = around.network
    if (mostUnderWay > MOST_UNDER_WAY) ledger.violate(`${mostUnderWay} octets were on their way on one connection`)
    const violations = ledger.balance()
    for (const what of violations) around.transcript.note(what)
    const entries = [...ledger.entries.values()]
    return {
      seed: this.options.seed,
      plan,
      violations,
      hash: around.transcript.hash,
      transcript: around.transcript.lines,
      messages: entries.length,
      submitted: entries.filter(({ sender }) => sender !== undefined).length,
      underWay: entries.reduce((sum, { began, last }) => sum + last - began, 0),
      present: entries.reduce((sum, { began }) => sum + clock.ticks() - began, 0),
      lasted: clock.ticks(),
    }
  }

  /** Milliseconds by which dates went back. */
  private get behind(): number {
    return Math.max(0, ...this.hosts.map(({ clock }) => -clock.ahead)) + 2 * DAY
  }

  private async storageOf({ storage, domain }: HostPlan): Promise<Storage> {
    const { folder, sabotage } = this.options
    const now = (): number => this.clock.now()
    const queueOf = (queue: MailQueue): MailQueue => (sabotage ? sabotaged(queue, sabotage) : queue)
    if (storage === 'memory' || folder === undefined) {
      const journal = { now, loses: this.plan.powerLosses > 0, lies: sabotage === 'answers-early' }
      const store = new Journal<MailStore>({ ...journal, make: (then) => memoryStore({ now: then }) })
      return { store, queue: new Journal<MailQueue>({ ...journal, make: () => queueOf(memoryQueue()) }) }
    }
    const mail = sqlite({ path: `${folder}/${domain}.db`, now })
    this.closing.push(() => mail.close())
    const store = new Journal<MailStore>({ now, loses: false, make: () => mail.store })
    return { store, queue: new Journal<MailQueue>({ now, loses: false, make: () => queueOf(mail.queue) }) }
  }

  private submit(): void {
    const { clock, around } = this
    const draws = new Draws(this.options.seed, 'load')
    for (const letter of lettersOf(this.plan, draws)) {
      const own = new Draws(this.options.seed, `letter ${letter.key}`)
      this.submitting++
      clock.alarm(draws.below(this.plan.span), () => {
        void handIn(letter, '203.0.113.9', around, own).finally(() => this.submitting--)
      })
    }
  }

  /** Looks every now and then whether nothing is left to do. */
  private lookWhetherDrained(): void {
    const { clock } = this
    const look = async (): Promise<void> => {
      const counts = await Promise.all(this.hosts.map(({ queue, disk, clock: own }) => disk.doing(queue.counts(own.now()))))
      if (this.submitting === 0 && counts.every(({ messages }) => messages === 0)) this.isDrained = true
      else this.lookWhetherDrained()
    }
    clock.alarm(clock.ticks() + 60_000, () => void look())
  }

  private async tellWhatIsLeft({ queue, plan, clock }: SimulatedHost): Promise<void> {
    const { jobs } = await queue.jobs({ limit: 1000, now: clock.now() })
    for (const { message, destination, state, tries, due, recipients } of jobs) {
      const seconds = Math.round((due - clock.now()) / 1000)
      const to = recipients.map((each) => `${each.to.wire} ${each.state}`).join(', ')
      const what = `${message} is left for ${destination} (${to})`
      this.ledger.violate(`${plan.domain}: ${what}: ${state}, ${tries} tries, due in ${seconds} s`)
    }
    if (this.submitting > 0) this.ledger.violate(`${this.submitting} messages are still being submitted`)
  }

  /** Counts what is in the mailboxes of a host. */
  private async count({ plan, storage }: SimulatedHost): Promise<void> {
    const store = storage.store.thing
    const names = [...Array.from({ length: plan.people }, (_, at) => `p${at}`), 'full', 'member']
    for (const name of names) {
      const account = `${name}@${plan.domain}`
      for (const { id } of await store.mailboxes(account)) {
        for await (const page of store.list(id)) {
          for (const { facts } of page) this.ledger.counted(facts.messageId, account, 'a mailbox')
        }
      }
    }
  }
}

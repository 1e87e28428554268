import { accountDirectory } from '../../accounts/directory.ts'
import { memoryAccounts } from '../../adapters/memory/accounts.ts'
import { memoryKeyValue } from '../../adapters/memory/key-value.ts'
import { linkedTransports } from '../../adapters/memory/link.ts'
import type { Passwords } from '../../contracts/accounts.ts'
import type { Directory } from '../../contracts/directory.ts'
import type { MailQueue, QueueOrder } from '../../contracts/queue.ts'
import type { MailStore } from '../../contracts/store.ts'
import type { ServerEvent } from '../../observe/events.ts'
import type { Dial } from '../../protocol/session/dial.ts'
import type { Transport } from '../../protocol/session/transport.ts'
import { mailServer, type MailServer } from '../../server/mail-server.ts'
import type { MailServerOptions } from '../../server/mail-server-options.ts'
import type { FakeDns } from '../fake-dns.ts'
import type { VirtualNetwork } from '../network.ts'
import { Disk } from './disk.ts'
import { Draws } from './draws.ts'
import { gatedQueue, gatedStore, type Hints } from './gates.ts'
import type { Ledger } from './ledger.ts'
import { HostClock, Life, never } from './life.ts'
import type { HostPlan, Plan } from './plan.ts'
import { QueueBooks } from './queue-books.ts'
import { faultyDirectory, faultyPolicy, isOnPurpose } from './host-faults.ts'
import type { Journal } from './journal.ts'
import { composing, type ToldReport } from './reports.ts'
import { fallibleResolver } from './resolver.ts'
import { type Sabotage, sabotagedDial } from './sabotage.ts'
import { serversToWatch, SiteWatch } from './site-watch.ts'
import type { TlsWeather } from './tls-weather.ts'
import { routesFor, type TlsWishes } from './tls-wishes.ts'
import type { Transcript } from './transcript.ts'
import type { Clock } from '../../protocol/session/clock.ts'

/** What all hosts of a run share. */
export interface Surroundings {
  readonly seed: number
  readonly plan: Plan
  readonly clock: Clock
  readonly network: VirtualNetwork
  readonly dns: FakeDns
  readonly tls: TlsWeather
  readonly wishes: TlsWishes
  readonly ledger: Ledger
  readonly transcript: Transcript
  readonly reports: Map<string, ToldReport>
  readonly sabotage: Sabotage | undefined
  readonly isHealed: () => boolean
}

/** Where a host keeps its mail. */
export interface Storage {
  readonly store: Journal<MailStore>
  readonly queue: Journal<MailQueue>
}

/** A process of a host. */
interface Worker {
  readonly address: string
  life: Life | undefined
  lives: number
}

/** Passwords as they are. */
const plainly: Passwords = {
  hash: async (password) => password,
  verify: async (password, hash) => hash === password,
  outdated: () => false,
  pretend: async () => false,
}

/** The password of everybody. */
export const PASSWORD = 'secret'

/**
 * A host of ours: its mail server, in one process or in two over the same queue, which crash and come back, over a store and a
 * queue that stay.
 */
export class SimulatedHost {
  readonly plan: HostPlan
  readonly clock: HostClock
  readonly disk: Disk
  readonly books: QueueBooks
  readonly storage: Storage
  /** Policies of others, which outlive all lives. */
  private readonly keyValue = memoryKeyValue()
  private readonly around: Surroundings
  private readonly directory: Directory
  private readonly hints: Hints = new Set()
  private readonly draws: Draws
  private readonly power: Draws
  private readonly workers: readonly Worker[]

  constructor(plan: HostPlan, storage: Storage, directory: Directory, around: Surroundings) {
    const { seed, ledger, reports, transcript } = around
    const { domain } = plan
    this.plan = plan
    this.around = around
    this.directory = directory
    this.storage = storage
    this.clock = new HostClock(around.clock)
    this.draws = new Draws(seed, `host ${domain}`)
    this.power = new Draws(seed, `power ${domain}`)
    const note = (what: string): void => transcript.note(`${domain} ${what}`)
    this.disk = new Disk(around.clock, new Draws(seed, `disk ${domain}`), around.plan, note)
    this.books = new QueueBooks(domain, ledger, reports, mostTries(around.plan))
    this.workers = plan.addresses.map((address) => ({ address, life: undefined, lives: 0 }))
  }

  /** Starts all processes that are not up. */
  start(): void {
    for (const worker of this.workers) if (!worker.life) this.startOne(worker)
  }

  /** Ends a process in the midst of whatever it does; it comes back after so many milliseconds. */
  crash(which: number, downFor: number): void {
    const worker = this.workers[which % this.workers.length]!
    if (worker.life) void this.end(worker, downFor)
  }

  /** Its queue as whoever looks after it sees it. */
  get queue(): MailQueue {
    return this.storage.queue.thing
  }

  /** Carries out an order of whoever looks after the queue. What it is about is on the disk before. */
  async order(jobs: readonly string[], order: QueueOrder, now: number): Promise<number> {
    const { run, answered } = this.storage.queue.begin({ run: (queue) => queue.order({ jobs }, order, now) })
    const { changed } = await this.disk.doing(run())
    answered()
    return changed
  }

  /** Ends all processes, as the power fails, and what was not written with them; they come back after so many milliseconds. */
  losePower(downFor: number): void {
    this.around.transcript.note(`${this.plan.domain} loses power`)
    this.stop(this.workers, downFor)
    void this.disk.doing(this.lose())
  }

  /** Ends a process, or all for good. What was written is there. */
  async end(worker: Worker | undefined, downFor: number): Promise<void> {
    const { store, queue } = this.storage
    this.stop(worker ? [worker] : this.workers, downFor)
    await this.disk.doing(Promise.all([store.flush(), queue.flush()]))
  }

  private stop(workers: readonly Worker[], downFor: number): void {
    const { network, transcript, clock } = this.around
    for (const each of workers) {
      if (each.life) transcript.note(`${this.plan.domain} crashes at ${each.address}`)
      each.life?.end()
      each.life = undefined
      network.cut(each.address)
      if (downFor < Infinity) clock.alarm(clock.ticks() + downFor, () => {
        if (!each.life) this.startOne(each)
      })
    }
  }

  private async lose(): Promise<void> {
    const { store, queue } = this.storage
    const [of, from] = [await store.lose(this.power), await queue.lose(this.power)]
    this.around.transcript.note(`${this.plan.domain} has lost ${of} writes to its store and ${from} to its queue`)
  }

  private startOne(worker: Worker): void {
    const { network, transcript, tls } = this.around
    const { domain } = this.plan
    const { address } = worker
    const life = new Life(this.clock)
    worker.life = life
    const number = ++worker.lives
    transcript.note(`${domain} starts at ${address}`)
    const server = mailServer(this.options(worker, life, number))
    const serve = (listener: 'mx' | 'submission') => (transport: Transport): void => {
      if (life.isOver) transport.reset()
      else server.serve(listener, transport, { startTls: tls.offers(address) })
    }
    const ends = [network.listen(address, 25, serve('mx')), network.listen(address, 587, serve('submission'))]
    const isOver = (): void => {
      for (const end of ends) end()
    }
    this.whenOver(life, isOver)
    wake(server)
  }

  /** Whoever listens for a life stops when it is over. */
  private whenOver(life: Life, over: () => void): void {
    const end = life.end.bind(life)
    life.end = () => {
      over()
      end()
    }
  }

  private options(worker: Worker, life: Life, number: number): MailServerOptions {
    const { around, disk, books, hints } = this
    const { ledger, dns, seed, plan, transcript, isHealed, reports } = around
    const { domain } = this.plan
    const crash = (): void => {
      const downFor = this.draws.pick([1_000, 60_000, 1_800_000])
      if (worker.life !== life) return
      if (plan.powerLosses > 0 && this.power.oneIn(2)) this.losePower(downFor)
      else void this.end(worker, downFor)
    }
    const note = (what: string): void => {
      if (!life.isOver) transcript.note(`${domain} ${what}`)
    }
    const gate = { disk, life, crash, ledger, note }
    const drawsOf = (what: string): Draws => new Draws(seed, `${what} ${worker.address} ${number}`)
    const draws = drawsOf('life')
    const sites = new SiteWatch(life.clock, ledger, domain, serversToWatch(plan))
    // What has its mailbox, and cannot go on to where else an alias leads, may get it again: from who does not know of it.
    const unresolved = (address: string): void => ledger.disturbAll(address, `${domain} does not know what ${address} means`)
    const parts = { life, draws: drawsOf('parts'), faults: plan, isHealed, note, unresolved }
    return {
      hostname: `mx.${domain}`,
      directory: faultyDirectory(this.directory, parts),
      policies: [faultyPolicy(parts)],
      store: gatedStore(this.storage.store, gate),
      queue: gatedQueue(this.storage.queue, {
        ...gate, books, hints, draws: this.draws, hintsLost: plan.hintsLost, ordered: () => sites.order(),
      }),
      keyValue: this.keyValue,
      outgoing: {
        resolver: fallibleResolver(dns, { life, draws: drawsOf('dns'), faults: plan, isHealed, note, isSigned: this.isSigned }),
        dial: sabotagedDial(this.dialFor(worker, life, sites), around.sabotage),
        compose: composing(reports),
        own: { names: [domain], addresses: this.plan.addresses },
        sts: around.wishes.fetching(domain, drawsOf('policies'), plan.stsFails, isHealed),
        dane: true,
        routes: routesFor(around.sabotage === 'forgets-routes' ? [] : plan.foreigns),
        ...(plan.schedule && { schedule: plan.schedule }),
      },
      clock: life.clock,
      random: (octets) => draws.octets(octets),
      observe: (event) => {
        if (!life.isOver) this.heard(event, sites)
      },
      plaintextAuth: true,
      inMemory: Infinity,
      listen: { mx: { connections: false }, submission: { connections: false } },
    }
  }

  private dialFor({ address }: Worker, life: Life, sites: SiteWatch): Dial {
    const { network, tls } = this.around
    return async (target, signal) => {
      if (life.isOver) return never()
      const over = sites.dialled(target)
      try {
        const transport = await network.dial({ ...target, localAddress: address }, signal)
        if (life.isOver) transport.reset()
        return life.isOver ? never() : telling(tls.around(transport, target), over)
      } catch (error) {
        over()
        if (life.isOver) return never()
        throw error
      }
    }
  }

  /** Whoever validates DNSSEC knows of lies about a name. */
  private readonly isSigned = (name: string): boolean => {
    const signed = this.around.plan.foreigns.filter(({ wish }) => wish === 'dane')
    return signed.some(({ domain }) => name === domain || name.endsWith(`.${domain}`))
  }

  private heard(event: ServerEvent, sites: SiteWatch): void {
    const { transcript, ledger } = this.around
    const { domain } = this.plan
    if (event.kind === 'site') {
      sites.turned(event)
      transcript.note(`${domain} site ${event.site} ${event.state}`)
    } else if (event.kind === 'attempt') {
      transcript.note(`${domain} ${event.message} ${event.recipient} ${event.result} ${event.code} ${event.text}`)
    } else if (event.kind === 'reported') {
      transcript.note(`${domain} ${event.message} reported ${event.report} ${event.recipients.join(', ')}`)
    } else if (event.kind === 'failed') {
      transcript.note(`${domain} failed ${event.what}: ${String(event.error)}`)
      const isExpected = event.error instanceof Error && event.error.name === 'MailError'
      const isHeld = event.error instanceof Error && event.error.message.includes('is held')
      if (!isExpected && !isHeld && !isOnPurpose(event.error)) ledger.violate(`${domain}: ${event.what}: ${stackOf(event.error)}`)
    }
  }
}

/** A transport that tells when it has closed. */
const telling = (transport: Transport, over: () => void): Transport => ({
  ...transport,
  open: (sink) => transport.open({
    received: (bytes) => sink.received(bytes),
    ended: () => sink.ended(),
    drained: () => sink.drained(),
    secured: (tls) => sink.secured(tls),
    closed: (error) => {
      over()
      sink.closed(error)
    },
  }),
})

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? String(error)) : String(error))

/** A server without listeners delivers once it has served: a connection that ends at once. */
function wake(server: MailServer): void {
  const { server: end, client } = linkedTransports()
  server.serve('mx', end)
  client.open({ received: () => {}, ended: () => {}, drained: () => {}, secured: () => {}, closed: () => {} })
  client.reset()
}

/** Tries of a job: as the schedule has it, and as many more as clocks that jump and orders make of it. */
const mostTries = ({ schedule, jumps, orders }: Plan): number => (schedule?.length ?? 9) + 1 + (jumps > 0 || orders > 0 ? 60 : 0)

/** The people of a host, and where its aliases lead. */
export async function directoryOf({ domain, people }: HostPlan, outside: string, ledger: Ledger): Promise<Directory> {
  const records = memoryAccounts()
  await records.setDomain({ name: domain })
  const account = (name: string, quota: { readonly messages: number } | undefined) => {
    const id = `${name}@${domain}`
    return records.updateAccount(id, () => ({ id, addresses: [id], password: PASSWORD, created: 0, ...(quota && { quota }) }))
  }
  for (let at = 0; at < people; at++) await account(`p${at}`, undefined)
  await account('full', { messages: 2 })
  await account('member', undefined)
  const aliases: readonly (readonly [string, readonly string[]])[] = [
    ['away', [`away-${domain}@${outside}`]],
    ['list', [`member@${domain}`, `list-${domain}@${outside}`]],
    ['gone', [`no-${domain}@${outside}`]],
  ]
  for (const [name, to] of aliases) {
    const address = `${name}@${domain}`
    await records.setAlias({ address, to })
    ledger.leadsTo(address, to)
  }
  return accountDirectory({ records, passwords: plainly })
}

import { accountDirectory } from '../../accounts/directory.ts'
import { memoryAccounts } from '../../adapters/memory/accounts.ts'
import { linkedTransports } from '../../adapters/memory/link.ts'
import type { Passwords } from '../../contracts/accounts.ts'
import type { Directory } from '../../contracts/directory.ts'
import type { MailQueue } from '../../contracts/queue.ts'
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
import { composing, type ToldReport } from './reports.ts'
import { fallibleResolver } from './resolver.ts'
import { deafToRefusals, type Sabotage, sabotaged } from './sabotage.ts'
import { SiteWatch } from './site-watch.ts'
import type { Transcript } from './transcript.ts'
import type { Clock } from '../../protocol/session/clock.ts'

/** What all hosts of a run share. */
export interface Surroundings {
  readonly seed: number
  readonly plan: Plan
  readonly clock: Clock
  readonly network: VirtualNetwork
  readonly dns: FakeDns
  readonly ledger: Ledger
  readonly transcript: Transcript
  readonly reports: Map<string, ToldReport>
  readonly sabotage: Sabotage | undefined
  readonly isHealed: () => boolean
}

/** Where a host keeps its mail. */
export interface Storage {
  readonly store: MailStore
  readonly queue: MailQueue
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
  /** Its queue as whoever looks after it sees it. */
  readonly queue: MailQueue
  private readonly around: Surroundings
  private readonly directory: Directory
  private readonly hints: Hints = new Set()
  private readonly draws: Draws
  private readonly workers: readonly Worker[]

  constructor(plan: HostPlan, storage: Storage, directory: Directory, around: Surroundings) {
    const { seed, ledger, reports, sabotage, transcript } = around
    const { domain } = plan
    this.plan = plan
    this.around = around
    this.directory = directory
    this.storage = storage
    this.clock = new HostClock(around.clock)
    this.draws = new Draws(seed, `host ${domain}`)
    const note = (what: string): void => transcript.note(`${domain} ${what}`)
    this.disk = new Disk(around.clock, new Draws(seed, `disk ${domain}`), around.plan, note)
    this.books = new QueueBooks(domain, ledger, reports, mostTries(around.plan))
    this.queue = sabotage ? sabotaged(storage.queue, sabotage) : storage.queue
    this.workers = plan.addresses.map((address) => ({ address, life: undefined, lives: 0 }))
  }

  /** Starts all processes that are not up. */
  start(): void {
    for (const worker of this.workers) if (!worker.life) this.startOne(worker)
  }

  /** Ends a process in the midst of whatever it does; it comes back after so many milliseconds. */
  crash(which: number, downFor: number): void {
    const worker = this.workers[which % this.workers.length]!
    if (worker.life) this.end(worker, downFor)
  }

  /** Ends all processes for good. */
  end(worker: Worker | undefined, downFor: number): void {
    const { network, transcript, clock } = this.around
    for (const each of worker ? [worker] : this.workers) {
      if (each.life) transcript.note(`${this.plan.domain} crashes at ${each.address}`)
      each.life?.end()
      each.life = undefined
      network.cut(each.address)
      if (downFor < Infinity) clock.alarm(clock.ticks() + downFor, () => {
        if (!each.life) this.startOne(each)
      })
    }
  }

  private startOne(worker: Worker): void {
    const { network, transcript } = this.around
    const { domain } = this.plan
    const { address } = worker
    const life = new Life(this.clock)
    worker.life = life
    const number = ++worker.lives
    transcript.note(`${domain} starts at ${address}`)
    const server = mailServer(this.options(worker, life, number))
    const serve = (listener: 'mx' | 'submission') => (transport: Transport): void => {
      if (life.isOver) transport.reset()
      else server.serve(listener, transport, { startTls: true })
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
    const { ledger, dns, seed, plan, transcript, isHealed, reports, sabotage } = around
    const { domain } = this.plan
    const crash = (): void => {
      if (worker.life === life) this.end(worker, this.draws.pick([1_000, 60_000, 1_800_000]))
    }
    const note = (what: string): void => {
      if (!life.isOver) transcript.note(`${domain} ${what}`)
    }
    const gate = { disk, life, crash, ledger, note }
    const draws = new Draws(seed, `life ${worker.address} ${number}`)
    const sites = new SiteWatch(life.clock, ledger, domain)
    const dial = this.dialFor(worker, life, sites)
    return {
      hostname: `mx.${domain}`,
      directory: this.directory,
      store: gatedStore(this.storage.store, gate),
      queue: gatedQueue(this.queue, { ...gate, books, hints, draws: this.draws, hintsLost: plan.hintsLost }),
      outgoing: {
        resolver: fallibleResolver(dns, life, new Draws(seed, `dns ${worker.address} ${number}`), plan, isHealed, note),
        dial: sabotage === 'ignores-refusals' ? deafToRefusals(dial) : dial,
        compose: composing(reports),
        own: { names: [domain], addresses: this.plan.addresses },
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
    const { network } = this.around
    return async (target, signal) => {
      if (life.isOver) return never()
      const over = sites.dialled(target)
      try {
        const transport = await network.dial({ ...target, localAddress: address }, signal)
        if (life.isOver) transport.reset()
        return life.isOver ? never() : telling(transport, over)
      } catch (error) {
        over()
        if (life.isOver) return never()
        throw error
      }
    }
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
      if (!isExpected && !isHeld) ledger.violate(`${domain}: ${event.what}: ${stackOf(event.error)}`)
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

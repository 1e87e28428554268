import { Draws } from './draws.ts'
import { type SimulatedServers, type TlsWish, tlsWishes } from './servers.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A host of ours. Each of its workers, which share store and queue, has an address of its own. */
export interface HostPlan extends SimulatedServers {
  readonly storage: 'memory' | 'sqlite'
  readonly people: number
}

/** A server of somebody else's. One in so many, each; 0 for never. */
export interface ForeignPlan extends SimulatedServers {
  readonly startTls: boolean
  /** What is asked of TLS with it. */
  readonly wish: TlsWish
  /** It knows who comes again after a while, and takes mail from nobody else. */
  readonly greylists: boolean
  /** `421` in place of an answer to RCPT. */
  readonly busy: number
  /** No answer. */
  readonly silent: number
  /** It takes a message over, and breaks the connection before it says so. */
  readonly drops: number
  /** What handles a message throws. */
  readonly throws: number
  /** It refuses a message as a whole. */
  readonly refuses: number
  /** Recipients that it takes in one transaction. */
  readonly room: number
}

/** What a run is like. All of it is drawn from its seed: in each some faults are there and others are not. */
export interface Plan {
  readonly hosts: readonly HostPlan[]
  readonly foreigns: readonly ForeignPlan[]
  readonly messages: number
  /** Milliseconds in which they are submitted, and until all faults are healed. */
  readonly span: number
  readonly trouble: number
  /** Waits between tries; absent: the usual ones. */
  readonly schedule?: readonly number[]
  /** Milliseconds between two, by and large; 0: never. */
  readonly crashes: number
  readonly jumps: number
  readonly outages: number
  readonly orders: number
  readonly fullDisks: number
  /** Of a host: what was not on the disk is lost. */
  readonly powerLosses: number
  /** Of the TLS at an address, of what the DNS says of a domain. */
  readonly tlsTroubles: number
  readonly dnsTroubles: number
  /** One call of a store or a queue in so many; 0: none. */
  readonly diskFails: number
  readonly diskCrashes: number
  readonly diskSlow: number
  /** One question in so many. */
  readonly dnsFails: number
  readonly dnsLies: number
  /** Of the policies of MTA-STS that are fetched, one in so many. */
  readonly stsFails: number
  /** Of what a host asks its directory and its own policies, one in so many: they throw, or never answer. */
  readonly hostThrows: number
  readonly hostSilent: number
  /** Hints of new work, one in so many. */
  readonly hintsLost: number
  /** Milliseconds at most from end to end. */
  readonly latency: number
  /** Octets that arrive in one piece; 65,536 for no splits. */
  readonly chunk: number
  /** One connection in so many. */
  readonly resets: number
  readonly stalls: number
  readonly halfCloses: number
}

/** Draws what a run is like. */
export function planOf(seed: number): Plan {
  const draws = new Draws(seed, 'plan')
  const wishes = new Draws(seed, 'wishes')
  const sometimes = (draw: () => number): number => (draws.below(2) === 0 ? 0 : draw())
  const hosts = Array.from({ length: draws.between(1, 3) }, (_, at) => hostOf(draws, at))
  const foreigns = Array.from({ length: draws.between(1, 4) }, (_, at) => foreignOf(draws, at, sometimes, wishes))
  const span = draws.pick([2 * HOUR, 12 * HOUR, DAY, 2 * DAY])
  const schedules = [undefined, undefined, [MINUTE, 5 * MINUTE, HOUR, 6 * HOUR], [10 * MINUTE, 10 * MINUTE, 10 * MINUTE]]
  const schedule = draws.pick(schedules)
  return {
    hosts,
    foreigns,
    messages: draws.pick([20, 60, 150, 300]),
    span,
    trouble: span + draws.pick([0, 6 * HOUR, DAY, 2 * DAY]),
    ...(schedule && { schedule }),
    crashes: sometimes(() => draws.pick([20 * MINUTE, 2 * HOUR, 8 * HOUR])),
    jumps: sometimes(() => draws.pick([2 * HOUR, 12 * HOUR])),
    outages: sometimes(() => draws.pick([30 * MINUTE, 3 * HOUR])),
    orders: sometimes(() => draws.pick([30 * MINUTE, 4 * HOUR])),
    fullDisks: sometimes(() => draws.pick([2 * HOUR, 10 * HOUR])),
    diskFails: sometimes(() => draws.pick([10, 50, 200])),
    diskCrashes: sometimes(() => draws.pick([50, 200, 1000])),
    diskSlow: sometimes(() => draws.pick([10, 100])),
    dnsFails: sometimes(() => draws.pick([3, 20])),
    dnsLies: sometimes(() => draws.pick([20, 100])),
    hintsLost: sometimes(() => draws.pick([2, 10])),
    latency: draws.pick([1, 20, 200]),
    chunk: draws.pick([65_536, 65_536, 500, 7]),
    resets: sometimes(() => draws.pick([3, 10, 50])),
    stalls: sometimes(() => draws.pick([10, 50])),
    halfCloses: sometimes(() => draws.pick([10, 50])),
    powerLosses: sometimes(() => draws.pick([HOUR, 6 * HOUR])),
    tlsTroubles: sometimes(() => draws.pick([30 * MINUTE, 4 * HOUR])),
    dnsTroubles: sometimes(() => draws.pick([HOUR, 8 * HOUR])),
    stsFails: sometimes(() => draws.pick([2, 10])),
    hostThrows: sometimes(() => draws.pick([20, 200])),
    hostSilent: sometimes(() => draws.pick([50, 500])),
  }
}

function hostOf(draws: Draws, at: number): HostPlan {
  const workers = draws.oneIn(3) ? 2 : 1
  return {
    domain: `h${at}.test`,
    addresses: Array.from({ length: workers }, (_, worker) => `192.0.2.${10 + 10 * at + worker}`),
    storage: draws.oneIn(6) ? 'sqlite' : 'memory',
    people: draws.between(2, 4),
  }
}

function foreignOf(draws: Draws, at: number, sometimes: (draw: () => number) => number, wishes: Draws): ForeignPlan {
  const wish = wishes.below(2) === 0 ? 'none' : wishes.pick(tlsWishes)
  const often = (): number => draws.pick([2, 5, 20])
  return {
    domain: `f${at}.test`,
    addresses: Array.from({ length: draws.oneIn(3) ? 2 : 1 }, (_, server) => `198.51.100.${10 + 10 * at + server}`),
    // Who asks for TLS has it, by and large.
    startTls: draws.below(2) === 0 || (wish !== 'none' && wishes.below(10) > 0),
    wish,
    greylists: draws.oneIn(3),
    busy: sometimes(often),
    silent: sometimes(often),
    drops: sometimes(often),
    throws: sometimes(often),
    refuses: sometimes(() => draws.pick([5, 20])),
    room: draws.pick([100, 100, 2]),
  }
}

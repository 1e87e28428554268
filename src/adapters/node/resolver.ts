import type { DnsAnswer, DnsRecords, DnsRecordType, Resolver } from '../../contracts/resolver.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { isMailError, MailError } from '../../protocol/session/errors.ts'
import { nodeClock } from './clock.ts'
import { DnsCache } from './dns-cache.ts'
import { askServer } from './dns-exchange.ts'
import { HostsTable, SYSTEM_HOSTS } from './dns-hosts.ts'
import { type DnsReply, isDnsName } from './dns-message.ts'
import { DnsServers } from './dns-servers.ts'
import { Flights } from './dns-flights.ts'

/** How {@link nodeResolver} asks. Times are milliseconds. */
export interface ResolverOptions {
  /**
   * Recursive servers, asked in this order: `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:53`. Without it those of the
   * system, looked up again every minute.
   */
  readonly servers?: readonly string[]
  /**
   * The servers validate DNSSEC, and nobody can tamper with what they say on its way here: they run on this machine, or are
   * reached through a tunnel. Only then is their AD bit believed (RFC 4035 §4.9.3), and only then there is DANE. Default false.
   */
  readonly validating?: boolean
  /** A table of hosts, asked first for A and AAAA. Default: the system's (`/etc/hosts`); `false`: none. */
  readonly hosts?: string | false
  /** For one server to answer (default 2,000). */
  readonly timeout?: number
  /** How often each server is asked before a question fails (default 2). */
  readonly tries?: number
  /** Answers that are kept (default 10,000, and never more than 16 MiB of them); 0: none. */
  readonly cache?: number
  /** For time-outs and for how long answers hold (default: the machine's). */
  readonly clock?: Clock
}

/** Aliases that are followed. */
const MOST_ALIASES = 8

const NO_ERROR = 0
const SERVER_FAILURE = 2
const NAME_ERROR = 3

/**
 * A stub resolver: asks recursive servers, by UDP and TCP, and keeps what they say for as long as it holds. Questions that are
 * alike go out once. Every rejection is a `temporary` MailError, or `closed` after {@link Resolver.close}. Throws a `config`
 * MailError where an option makes no sense.
 */
export function nodeResolver(options: ResolverOptions = {}): Required<Resolver> {
  return new NodeResolver(options)
}

class NodeResolver implements Resolver {
  readonly #clock: Clock
  readonly #servers: DnsServers
  readonly #hosts: HostsTable
  readonly #cache: DnsCache
  readonly #flights: Flights
  readonly #validating: boolean
  readonly #timeout: number
  readonly #tries: number

  constructor({ servers, validating = false, hosts = SYSTEM_HOSTS, ...rest }: ResolverOptions) {
    const { timeout = 2000, tries = 2, cache = 10_000, clock = nodeClock } = rest
    if (!(timeout > 0)) throw new MailError('config', `timeout: ${timeout} is no number of milliseconds`)
    if (!Number.isInteger(tries) || tries < 1) throw new MailError('config', `tries: ${tries} is no number of tries, 1 or more`)
    if (!Number.isInteger(cache) || cache < 0) throw new MailError('config', `cache: ${cache} is no number of answers`)
    this.#clock = clock
    this.#flights = new Flights(clock)
    this.#servers = new DnsServers(servers, clock)
    this.#hosts = new HostsTable(hosts === false ? undefined : hosts, clock)
    this.#cache = new DnsCache(cache, clock)
    this.#validating = validating
    this.#timeout = timeout
    this.#tries = tries
  }

  async resolve<Type extends DnsRecordType>(given: string, type: Type, signal?: AbortSignal): Promise<DnsAnswer<Type>> {
    this.#flights.check(`${type} ${given}`, signal)
    const name = (given.endsWith('.') ? given.slice(0, -1) : given).toLowerCase()
    // What cannot be written into a question cannot have been written into a zone either.
    if (!isDnsName(name)) return { records: [], exists: false, name, ttl: 0, authenticated: false }
    if (type === 'A' || type === 'AAAA') {
      const records = await this.#hosts.find(name, type)
      if (records !== undefined) {
        return { records: records as readonly DnsRecords[Type][], exists: true, name, ttl: 10, authenticated: false }
      }
    }
    const known = this.#cache.get(name, type)
    if (known !== undefined) return known
    const asked = this.#flights.join(`${type} ${name}`, (over) => this.#look(name, type, over), signal)
    return asked as Promise<DnsAnswer<Type>>
  }

  async close(): Promise<void> {
    this.#flights.close()
    this.#cache.clear()
  }

  /** Asks, follows aliases that the server did not, and keeps what it finds. */
  async #look<Type extends DnsRecordType>(asked: string, type: Type, signal: AbortSignal): Promise<DnsAnswer<Type>> {
    let name = asked
    let ttl = Infinity
    let aliases = 0
    let authenticated = true
    // A way of many aliases takes no longer than a question that nobody answers.
    const until = this.#clock.ticks() + this.#timeout * this.#tries * Math.max(1, this.#servers.inOrder().length)
    for (;;) {
      const reply = await this.#ask(name, type, until, signal)
      authenticated &&= reply.authentic && this.#validating
      const found = follow(reply, name, type)
      aliases += found.aliases
      if (aliases > MOST_ALIASES) throw new MailError('temporary', `DNS: ${type} of ${asked}: more than ${MOST_ALIASES} aliases`)
      ttl = Math.min(ttl, found.ttl)
      const exists = reply.code !== NAME_ERROR
      // An alias to elsewhere of which the server tells no more (RFC 1034 §5.2.2): the rest is another question.
      const leadsOn = found.name !== name && found.records.length === 0 && exists && reply.negativeTtl === undefined
      name = found.name
      if (leadsOn) continue
      // RFC 2308 §5: what nobody answers for is not to be kept.
      if (found.records.length === 0) ttl = Math.min(ttl, reply.negativeTtl ?? 0)
      const answer: DnsAnswer<Type> = { records: found.records, exists, name, ttl, authenticated }
      this.#cache.set(asked, type, answer)
      return answer
    }
  }

  /** Goes from server to server until one of them knows, and again where one of them is silent. */
  async #ask(name: string, type: DnsRecordType, until: number, signal: AbortSignal): Promise<DnsReply> {
    let failure = new MailError('temporary', 'there is no server to ask')
    let silent = true
    for (let round = 0; round < this.#tries && silent; round++) {
      silent = false
      for (const server of this.#servers.inOrder()) {
        const terms = { clock: this.#clock, until: Math.min(until, this.#clock.ticks() + this.#timeout), signal }
        try {
          const reply = await askServer(server, name, type, terms)
          this.#servers.note(server, true)
          if (!reply.lame && (reply.code === NO_ERROR || reply.code === NAME_ERROR)) return reply
          const said = reply.lame ? 'no recursion' : codeName(reply.code)
          failure = new MailError('temporary', `DNS server ${server.address}: ${said}`)
        } catch (error) {
          if (signal.aborted || !isMailError(error)) throw error
          this.#servers.note(server, false)
          silent = true
          failure = error
        }
      }
    }
    throw new MailError('temporary', `DNS: ${type} of ${name}: ${failure.message}`, { cause: failure })
  }
}

/** What an answer section says about a name: where its aliases lead to, and what is there. */
function follow<Type extends DnsRecordType>(
  reply: DnsReply,
  asked: string,
  type: Type,
): { readonly name: string; readonly records: readonly DnsRecords[Type][]; readonly ttl: number; readonly aliases: number } {
  let name = asked
  let ttl = Infinity
  let aliases = 0
  for (;;) {
    const records = reply.answers.filter((record) => record.name === name && record.type === type)
    const alias = reply.answers.find((record) => record.name === name && record.type === 'CNAME')
    if (records.length > 0 || alias === undefined || aliases > MOST_ALIASES) {
      for (const record of records) ttl = Math.min(ttl, record.ttl)
      return { name, records: records.map(({ data }) => data as DnsRecords[Type]), ttl, aliases }
    }
    name = alias.data as string
    ttl = Math.min(ttl, alias.ttl)
    aliases++
  }
}

function codeName(code: number): string {
  if (code === SERVER_FAILURE) return 'SERVFAIL'
  return code === 5 ? 'REFUSED' : `RCODE ${code}`
}

import { Resolver } from 'node:dns'
import { isIP } from 'node:net'
import type { Clock } from '../../protocol/session/clock.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { DnsServer } from './dns-exchange.ts'

/** Milliseconds after which the system's configuration is looked at anew: networks change under a server that runs on. */
const LOOK_AGAIN = 60_000

/** Milliseconds for which a server that gave no answer comes after those that do. */
const PENALTY = 30_000

/** The servers to ask, and in which order. */
export class DnsServers {
  readonly #clock: Clock
  readonly #given: readonly DnsServer[] | undefined
  #system: readonly DnsServer[] = []
  #looked = -Infinity
  /** Until when on the clock's ticks, by address and port. */
  readonly #silent = new Map<string, number>()

  /** `given`: `host:port` each; `undefined`: those of the system. Throws a `config` MailError. */
  constructor(given: readonly string[] | undefined, clock: Clock) {
    this.#clock = clock
    this.#given = given?.map(parseServer)
    if (given?.length === 0) throw new MailError('config', 'servers: name a DNS server; for the system\'s leave the setting away')
  }

  /** Those that answered before those that did not, otherwise as configured. */
  inOrder(): DnsServer[] {
    const now = this.#clock.ticks()
    if (this.#given === undefined && now - this.#looked >= LOOK_AGAIN) {
      this.#looked = now
      this.#system = systemServers()
      this.#silent.clear()
    }
    const rank = (server: DnsServer): number => ((this.#silent.get(keyOf(server)) ?? -Infinity) > now ? 1 : 0)
    return [...(this.#given ?? this.#system)].sort((one, other) => rank(one) - rank(other))
  }

  /** Takes down whether a server has answered. */
  note(server: DnsServer, answered: boolean): void {
    if (answered) this.#silent.delete(keyOf(server))
    else this.#silent.set(keyOf(server), this.#clock.ticks() + PENALTY)
  }
}

const keyOf = ({ address, port }: DnsServer): string => `${address} ${port}`

/** A new Resolver reads the system's configuration; the module's own list is as old as the process. */
const systemServers = (): DnsServer[] => new Resolver().getServers().map(parseServer)

/** `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`. Throws a `config` MailError. */
function parseServer(given: string): DnsServer {
  const text = given.trim()
  const bracket = text.startsWith('[') ? text.indexOf(']') : -1
  const colon = text.lastIndexOf(':')
  const hasPort = bracket > 0 ? colon === bracket + 1 : colon > 0 && text.indexOf(':') === colon
  const host = bracket > 0 ? text.slice(1, bracket) : hasPort ? text.slice(0, colon) : text
  const address = host === 'localhost' ? '127.0.0.1' : host
  const digits = hasPort ? text.slice(colon + 1) : '53'
  const port = Number(digits)
  const trailing = bracket > 0 && !hasPort && bracket !== text.length - 1
  if (isIP(address) === 0 || trailing || !/^\d{1,5}$/.test(digits) || port < 1 || port > 65_535) {
    const like = '192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53'
    throw new MailError('config', `servers: "${given}" is no address of a DNS server such as ${like}`)
  }
  return { address, port }
}

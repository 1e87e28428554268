import { clientOf } from '../protocol/session/networks.ts'
import type { LiveConnection } from './connection.ts'

/** How many connections may be open at a time. */
export interface SeatsOptions {
  /** Of the whole server (default 200). */
  readonly server?: number
  /** Of one address before anybody has logged in (default 20); of IPv6 of its /64. */
  readonly address?: number
  /** Of one account from one address (default 20): clients open one for each folder. */
  readonly account?: number
}

/** Connections that are counted together. */
interface Counted {
  readonly key: string
  taken: number
}

/** What those have that are counted with nobody. */
const UNCOUNTED: Counted = { key: '', taken: 0 }

/** Counts connections: all, those of an address, those of an account from an address. */
export class Seats {
  private readonly most: Required<SeatsOptions>
  private readonly taken = new Map<LiveConnection, Counted>()
  private readonly counts = new Map<string, Counted>()

  /** `false`: there is no bound. */
  constructor(options: SeatsOptions | false = {}) {
    const { server = 200, address = 20, account = 20 } = options || { server: Infinity, address: Infinity, account: Infinity }
    this.most = { server, address, account }
  }

  /** Counts a connection in, if there is room; if there is none, whose seats are taken. */
  take(connection: LiveConnection): 'server' | 'address' | undefined {
    const { address } = connection.peer
    const key = address === undefined ? undefined : `address ${clientOf(address)}`
    if (this.taken.size >= this.most.server) return 'server'
    if (key !== undefined && this.of(key) >= this.most.address) return 'address'
    this.taken.set(connection, key === undefined ? UNCOUNTED : this.seat(key))
    return undefined
  }

  /**
   * Counts it as the account's, if there is room and it has not left meanwhile. It counts no more among those of its address that
   * have not logged in.
   */
  sit(connection: LiveConnection, account: string): boolean {
    if (!this.taken.has(connection)) return false
    const { address } = connection.peer
    const key = `account ${account} ${address === undefined ? 'unix' : clientOf(address)}`
    if (this.of(key) >= this.most.account) return false
    this.release(connection)
    this.taken.set(connection, this.seat(key))
    return true
  }

  /** Counts it out. */
  leave(connection: LiveConnection): void {
    this.release(connection)
    this.taken.delete(connection)
  }

  private of(key: string): number {
    return this.counts.get(key)?.taken ?? 0
  }

  private seat(key: string): Counted {
    let counted = this.counts.get(key)
    if (counted === undefined) this.counts.set(key, (counted = { key, taken: 0 }))
    counted.taken++
    return counted
  }

  private release(connection: LiveConnection): void {
    const counted = this.taken.get(connection)
    if (counted !== undefined && counted !== UNCOUNTED && --counted.taken === 0) this.counts.delete(counted.key)
  }
}

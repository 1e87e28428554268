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

/** Counts connections: all, those of an address, those of an account from an address. */
export class Seats {
  private readonly most: Required<SeatsOptions>
  private readonly taken = new Map<LiveConnection, string[]>()
  private readonly counts = new Map<string, number>()

  /** `false`: there is no bound. */
  constructor(options: SeatsOptions | false = {}) {
    const { server = 200, address = 20, account = 20 } = options || { server: Infinity, address: Infinity, account: Infinity }
    this.most = { server, address, account }
  }

  /** Counts a connection in, if there is room. */
  take(connection: LiveConnection): boolean {
    const { address } = connection.peer
    const key = address === undefined ? undefined : `address ${clientOf(address)}`
    if (this.taken.size >= this.most.server || (key !== undefined && this.of(key) >= this.most.address)) return false
    this.taken.set(connection, [])
    if (key !== undefined) this.add(connection, key)
    return true
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
    this.taken.set(connection, [])
    this.add(connection, key)
    return true
  }

  /** Counts it out. */
  leave(connection: LiveConnection): void {
    this.release(connection)
    this.taken.delete(connection)
  }

  private of(key: string): number {
    return this.counts.get(key) ?? 0
  }

  private add(connection: LiveConnection, key: string): void {
    this.taken.get(connection)!.push(key)
    this.counts.set(key, this.of(key) + 1)
  }

  private release(connection: LiveConnection): void {
    for (const key of this.taken.get(connection) ?? []) {
      const left = this.of(key) - 1
      if (left === 0) this.counts.delete(key)
      else this.counts.set(key, left)
    }
  }
}

import type { Authentication } from '../accounts/authenticate.ts'
import type { Account, Directory } from '../contracts/directory.ts'
import type { Observer, Whence } from '../observe/events.ts'
import type { Credentials, SaslLookUp, SaslSecret } from '../protocol/sasl/index.ts'
import type { Clock } from '../protocol/session/clock.ts'
import type { LiveConnection } from './connection.ts'
import type { Seats } from './seats.ts'
import { connected, whence } from './whence.ts'

/** Milliseconds after which it is looked whether an account is still there and may read its mail. */
const TRUST = 60_000

/** What all connections of a server share by which people read their mail. */
export interface ReaderAccess {
  readonly directory: Directory
  readonly authentication: Authentication
  readonly seats: Seats
  readonly clock: Clock
  readonly observe: Observer | undefined
}

/** What a protocol calls the reasons why somebody does not get in. */
export interface ReaderCodes {
  /** Name or password is wrong. */
  readonly wrong: string
  /** It cannot be told now. */
  readonly temporary: string
  /** Too many already. */
  readonly limit: string
}

/** Why somebody does not get in; `delay` in milliseconds, before it is said. */
export interface NoEntry {
  readonly code: string
  readonly refused: string
  readonly temporary?: boolean
  readonly delay?: number
}

/** Somebody who reads mail over one connection, by whatever protocol: counted in, logged in, seen off. */
export abstract class Reader<Access extends ReaderAccess> {
  readonly connection: LiveConnection
  protected readonly access: Access
  protected account: Account | undefined
  /** The account may read its mail no more. */
  protected isDismissed = false
  /** The connection is at its end. */
  protected isOver = false
  private readonly codes: ReaderCodes
  /** For how long a failure is held back of the exchange whose secret was looked up last; in milliseconds. */
  private delay: number | undefined
  private why = 'end'
  /** When the account was looked up last, in ticks. */
  private trustedAt = -Infinity

  constructor(access: Access, connection: LiveConnection, codes: ReaderCodes) {
    this.access = access
    this.connection = connection
    this.codes = codes
  }

  connect(): NoEntry | undefined {
    const { access, connection, codes } = this
    if (!access.seats.take(connection)) return { code: codes.temporary, refused: 'Too many connections, try again later' }
    connected(access.observe, connection, access.clock.now())
    return undefined
  }

  async secret({ lookUp }: { readonly lookUp: SaslLookUp }): Promise<SaslSecret | NoEntry | undefined> {
    const result = await this.access.authentication.secret(lookUp, this.client())
    if (result.kind === 'temporary') return this.unjudged(result.error)
    if (result.kind === 'tooMany') return this.tooMany('failed log-ins, try again later')
    this.delay = result.delay
    return result.secret
  }

  async auth({ credentials }: { readonly credentials: Credentials }): Promise<{ readonly account: string } | NoEntry> {
    const { access, connection } = this
    const { mechanism, username } = credentials
    const result = await access.authentication.judge(credentials, { ...this.client(), delay: this.delay })
    this.delay = undefined
    if (result.kind !== 'account') {
      access.observe?.({ kind: 'denied', ...this.whence(), mechanism, username, code: result.kind === 'temporary' ? 454 : 535 })
      if (result.kind === 'temporary') return this.unjudged(result.error)
      if (result.kind === 'tooMany') return this.tooMany('failed log-ins, try again later')
      return { code: this.codes.wrong, refused: 'Name or password is wrong', delay: result.delay }
    }
    const account = result.account.id
    // Whoever has gone meanwhile takes no seat.
    if (this.isOver || !access.seats.sit(connection, account)) return this.tooMany('connections of this account')
    this.account = result.account
    this.trustedAt = access.clock.ticks()
    connection.account = account
    access.observe?.({ kind: 'authenticated', ...this.whence(), account, mechanism, username })
    return { account }
  }

  startTls(): void {
    this.connection.securing = true
  }

  /** The session has ended; the transport is about to. */
  closed({ why }: { readonly why: string }): void {
    this.why = why
    this.isOver = true
  }

  /** The connection is over; `error` where nobody ended it. */
  left(error: Error | undefined): void | Promise<void> {
    const { access, connection } = this
    this.isOver = true
    access.seats.leave(connection)
    const lasted = access.clock.now() - connection.began
    access.observe?.({ kind: 'closed', ...this.whence(), why: error ? 'reset' : this.why, lasted })
  }

  /** Accounts are removed and disabled, lose rights and get other quotas while somebody has them open. Cheap to call often. */
  protected lookAgain(ticks: number): Promise<void> | undefined {
    const { account } = this
    if (!account || ticks - this.trustedAt <= TRUST) return undefined
    this.trustedAt = ticks
    return this.lookUp(account)
  }

  private async lookUp(account: Account): Promise<void> {
    const { access } = this
    try {
      const found = await access.directory.account(account.id)
      this.isDismissed = !found || found.disabled || !found.rights.imap
      if (found && this.account === account) this.account = found
    } catch (error) {
      // A directory that is out of order dismisses nobody.
      access.observe?.({ kind: 'failed', ...this.whence(), what: 'account', error })
    }
  }

  protected whence(): Whence {
    return whence(this.connection, this.access.clock.now())
  }

  private client() {
    const { peer, tls } = this.connection
    return { address: peer.address, tls, now: this.access.clock.now() }
  }

  private tooMany(of: string): NoEntry {
    return { code: this.codes.limit, refused: `Too many ${of}`, temporary: true }
  }

  private unjudged(error: unknown): NoEntry {
    this.access.observe?.({ kind: 'failed', ...this.whence(), what: 'auth', error })
    return { code: this.codes.temporary, refused: 'Temporary failure, try again later', temporary: true }
  }
}

import type { Authentication } from '../accounts/authenticate.ts'
import type { Account, Directory } from '../contracts/directory.ts'
import type { Observer, RefusedEvent, Whence } from '../observe/events.ts'
import type { Credentials, SaslLookUp, SaslSecret } from '../protocol/sasl/index.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { AbandonedEvent } from '../protocol/session/session.ts'
import { type CommandRefusalEvent, type LineEvent, withCode } from '../protocol/session/told.ts'
import type { LiveConnection } from './connection.ts'
import type { Seats } from './seats.ts'
import { connected, whence } from './whence.ts'

/** Who refuses, by the response, where it is not the rules of the protocol. */
const refusers: ReadonlyMap<string, Pick<RefusedEvent, 'stage' | 'policy'>> = new Map([
  ['NO [OVERQUOTA]', { stage: 'message', policy: 'quota' }],
  ['-ERR [IN-USE]', { stage: 'auth', policy: 'maildrop' }],
])
const byTheRules: Pick<RefusedEvent, 'stage' | 'policy'> = { stage: 'protocol', policy: undefined }

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
  /** How responses begin by which somebody does not get in: those to a connection, and those to a log-in. */
  readonly door: string
  readonly no: string
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
    const { access, connection } = this
    connected(access.observe, connection, access.clock.now())
    return this.takeSeat()
  }

  /** A command has come. */
  line({ verb, octets }: LineEvent): void {
    this.access.observe?.({ kind: 'command', ...this.whence(), verb, octets })
  }

  /** What the session refuses of its own accord. */
  refusal({ response, text, limit }: CommandRefusalEvent): void {
    const { observe } = this.access
    const replied = { code: undefined, enhanced: undefined, response, text }
    if (limit !== undefined) observe?.({ kind: 'limited', ...this.whence(), limit, ...replied })
    else observe?.({ kind: 'refused', ...this.whence(), ...(refusers.get(response) ?? byTheRules), ...replied })
  }

  /** A question is void, or more than one. */
  abandoned({ question, why }: AbandonedEvent): void | Promise<void> {
    if (question === undefined || why !== 'timeout') return
    const error = new MailError('temporary', 'There was no answer within its time; the client was told to come again.')
    this.access.observe?.({ kind: 'failed', ...this.whence(), what: 'answer', error })
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
    if (this.isOver || !access.seats.sit(connection, account)) return this.noSeat()
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

  /** Counts the connection in as one of nobody's, if there is room. */
  protected takeSeat(): NoEntry | undefined {
    const { access, connection, codes } = this
    const full = access.seats.take(connection)
    if (full === undefined) return undefined
    const text = `Too many connections${full === 'address' ? ' from your address' : ''}, try again later`
    this.turnedAway('connect', codes.door, codes.temporary, text)
    return { code: codes.temporary, refused: text }
  }

  /** The account has as many connections from there as it may have. */
  private noSeat(): NoEntry {
    const entry = this.tooMany('connections of this account')
    if (!this.isOver) this.turnedAway('auth', this.codes.no, entry.code, entry.refused)
    return entry
  }

  private turnedAway(stage: 'connect' | 'auth', status: string, code: string, text: string): void {
    const replied = { code: undefined, enhanced: undefined, response: withCode(status, code), text }
    this.access.observe?.({ kind: 'refused', ...this.whence(), stage, policy: 'maxConnections', ...replied })
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

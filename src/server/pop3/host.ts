import type { Authentication } from '../../accounts/authenticate.ts'
import type { StoredBody } from '../../contracts/bodies.ts'
import type { MailboxId } from '../../contracts/mailbox.ts'
import type { MailStore } from '../../contracts/store.ts'
import type { Observer } from '../../observe/events.ts'
import type {
  AuthQuestion,
  ExpungeQuestion,
  OctetsQuestion,
  OpenedMaildrop,
  Pop3AuthRefusal,
  Pop3ClosedEvent,
  Pop3CloseReason,
  Pop3Refusal,
  Pop3ServerEvent,
  SecretQuestion,
} from '../../protocol/pop3/index.ts'
import type { SaslSecret } from '../../protocol/sasl/index.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import type { Host } from '../../protocol/session/drive.ts'
import { isMailError } from '../../protocol/session/errors.ts'
import type { LiveConnection } from '../connection.ts'
import type { Seats } from '../imap/seats.ts'
import { whence } from '../whence.ts'
import type { Maildrops } from './maildrops.ts'

/** What all connections of one server share. */
export interface Access {
  readonly store: MailStore
  readonly authentication: Authentication
  readonly seats: Seats
  readonly maildrops: Maildrops
  readonly clock: Clock
  readonly observe: Observer | undefined
}

const invalid: Pop3AuthRefusal = { code: 'AUTH', refused: 'Name or password is wrong' }
const temporary: Pop3AuthRefusal = { code: 'SYS/TEMP', refused: 'Temporary failure, try again later', temporary: true }
const tooMany: Pop3AuthRefusal = { code: 'SYS/TEMP', refused: 'Too many failed log-ins, try again later', temporary: true }
const noSeat: Pop3AuthRefusal = { code: 'SYS/TEMP', refused: 'Too many connections of this account', temporary: true }
const inUse: Pop3Refusal = { code: 'IN-USE', refused: 'Another session has the maildrop open' }

/** Answers what a POP3 session asks, out of a store. One for each connection. */
export class Pop3Host implements Host<Pop3ServerEvent> {
  readonly connection: LiveConnection
  private readonly access: Access
  private account: string | undefined
  private delay: number | undefined
  private mailbox: MailboxId | undefined
  /** The message that was asked for last. */
  private latest: { readonly uid: number; readonly body: StoredBody } | undefined
  /** Messages are being deleted. */
  private updating: Promise<unknown> | undefined
  private isOver = false
  private why: Pop3CloseReason = 'end'

  constructor(access: Access, connection: LiveConnection) {
    this.access = access
    this.connection = connection
  }

  connect(): Pop3Refusal | undefined {
    const { access, connection } = this
    if (!access.seats.take(connection)) return { code: 'SYS/TEMP', refused: 'Too many connections, try again later' }
    const { localPort, proxy } = connection.peer
    access.observe?.({ kind: 'connected', ...this.whence(), localPort, proxy })
    return undefined
  }

  async secret({ lookUp }: SecretQuestion): Promise<SaslSecret | Pop3AuthRefusal | undefined> {
    const result = await this.access.authentication.secret(lookUp, this.client())
    if (result.kind === 'temporary') return this.unjudged(result.error)
    if (result.kind === 'tooMany') return tooMany
    this.delay = result.delay
    return result.secret
  }

  async auth({ credentials }: AuthQuestion): Promise<{ readonly account: string } | Pop3AuthRefusal> {
    const { access, connection } = this
    const result = await access.authentication.judge(credentials, { ...this.client(), delay: this.delay })
    const { mechanism, username } = credentials
    this.delay = undefined
    if (result.kind !== 'account') {
      access.observe?.({ kind: 'denied', ...this.whence(), mechanism, username, code: result.kind === 'temporary' ? 454 : 535 })
      if (result.kind === 'temporary') return this.unjudged(result.error)
      return result.kind === 'tooMany' ? tooMany : { ...invalid, delay: result.delay }
    }
    const account = result.account.id
    // Whoever has gone meanwhile takes no seat.
    if (this.isOver || !access.seats.sit(connection, account)) return noSeat
    this.account = connection.account = account
    access.observe?.({ kind: 'authenticated', ...this.whence(), account, mechanism, username })
    return { account }
  }

  open(): Promise<OpenedMaildrop | Pop3Refusal> {
    const { store, maildrops } = this.access
    const account = this.account!
    if (!maildrops.take(account, this)) return Promise.resolve(inUse)
    return this.asked(async () => {
      const uids: number[] = []
      const sizes: number[] = []
      const mailboxes = await store.mailboxes(account)
      const inbox = mailboxes.find(({ path }) => path.length === 1 && path[0] === 'INBOX')
      // Nobody has written to the account yet.
      if (!inbox) return { uidValidity: 1, uids, sizes }
      this.mailbox = inbox.id
      for await (const page of store.entries(inbox.id)) {
        for (const { uid, octets } of page) {
          uids.push(uid)
          sizes.push(octets)
        }
        if (this.isOver) break
      }
      return { uidValidity: inbox.uidValidity, uids, sizes }
    })
  }

  octets({ uid, start, end }: OctetsQuestion): Promise<Uint8Array | null | Pop3Refusal> {
    return this.asked(async () => {
      const body = await this.body(uid)
      if (!body) return null
      if (body.bytes) return body.bytes.subarray(start, end)
      const chunks: Uint8Array[] = []
      for await (const chunk of body.read({ start, end })) chunks.push(chunk)
      return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    })
  }

  expunge({ uids }: ExpungeQuestion): Promise<true | Pop3Refusal> {
    const updating = this.asked(() => this.access.store.expunge(this.mailbox!, uids).then(() => true as const))
    this.updating = updating.finally(() => (this.updating = undefined))
    return updating
  }

  /** Before the client hears of the end, so that it may come again at once; but not while messages are being deleted. */
  closed({ why }: Pop3ClosedEvent): void {
    this.why = why
    this.letGo()
  }

  /** The connection is over; it `broke` where nobody ended it. */
  left(broke: boolean): void {
    const { access, connection } = this
    this.letGo()
    access.seats.leave(connection)
    const why = broke ? 'reset' : this.why
    access.observe?.({ kind: 'closed', ...this.whence(), why, lasted: access.clock.now() - connection.began })
  }

  private letGo(): void {
    this.isOver = true
    this.latest = undefined
    if (this.updating) void this.updating.then(() => this.release())
    else this.release()
  }

  private release(): void {
    if (this.account !== undefined) this.access.maildrops.release(this.account, this)
  }

  private async body(uid: number): Promise<StoredBody | undefined> {
    if (this.latest?.uid === uid) return this.latest.body
    const { store } = this.access
    let id: string | undefined
    for await (const [entry] of store.entries(this.mailbox!, { uids: [{ first: uid, last: uid }] })) {
      id = entry?.id
      break
    }
    const body = id === undefined ? undefined : await store.body(id)
    if (body && !this.isOver) this.latest = { uid, body }
    return body
  }

  private whence() {
    return whence(this.connection, this.access.clock.now())
  }

  private client() {
    const { peer, tls } = this.connection
    return { address: peer.address, tls, now: this.access.clock.now() }
  }

  private unjudged(error: unknown): Pop3AuthRefusal {
    this.access.observe?.({ kind: 'failed', ...this.whence(), what: 'auth', error })
    return temporary
  }

  /** The answer of the store, or what the client is told of its error. Whatever it cannot explain is temporary. */
  private async asked<Value>(ask: () => Promise<Value>): Promise<Value | Pop3Refusal> {
    try {
      return await ask()
    } catch (error) {
      this.access.observe?.({ kind: 'failed', ...this.whence(), what: 'store', error })
      if (isMailError(error) && error.code === 'permanent') return { code: 'SYS/PERM', refused: 'That cannot be had any more' }
      return temporary
    }
  }
}

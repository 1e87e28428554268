import { readRange } from '../../contracts/read-body.ts'
import type { StoredBody } from '../../contracts/bodies.ts'
import type { MailboxId } from '../../contracts/mailbox.ts'
import type { MailStore } from '../../contracts/store.ts'
import type {
  ExpungeQuestion,
  OctetsQuestion,
  OpenedMaildrop,
  Pop3ClosedEvent,
  Pop3Refusal,
  Pop3ServerEvent,
} from '../../protocol/pop3/index.ts'
import type { Host } from '../../protocol/session/drive.ts'
import { isMailError } from '../../protocol/session/errors.ts'
import type { LiveConnection } from '../connection.ts'
import { Reader, type ReaderAccess, type ReaderCodes } from '../reader.ts'
import type { Maildrops } from './maildrops.ts'

/** What all connections of one server share. */
export interface Access extends ReaderAccess {
  readonly store: MailStore
  readonly maildrops: Maildrops
}

const codes: ReaderCodes = { wrong: 'AUTH', temporary: 'SYS/TEMP', limit: 'SYS/TEMP', door: '-ERR', no: '-ERR' }
const temporary: Pop3Refusal = { code: 'SYS/TEMP', refused: 'Temporary failure, try again later' }
const noLonger: Pop3Refusal = { code: 'SYS/PERM', refused: 'The account is not served any more' }
const inUse: Pop3Refusal = { code: 'IN-USE', refused: 'Another session has the maildrop open' }

/** Answers what a POP3 session asks, out of a store. One for each connection. */
export class Pop3Host extends Reader<Access> implements Host<Pop3ServerEvent> {
  private mailbox: MailboxId | undefined
  /** The message that was asked for last. */
  private latest: { readonly uid: number; readonly body: StoredBody } | undefined
  /** Messages are being deleted. */
  private updating: Promise<unknown> | undefined

  constructor(access: Access, connection: LiveConnection) {
    super(access, connection, codes)
  }

  open(): Promise<OpenedMaildrop | Pop3Refusal> {
    const { store, maildrops } = this.access
    const account = this.account!.id
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
      return body ? readRange(body, { start: start, end: end }) : null
    })
  }

  expunge({ uids }: ExpungeQuestion): Promise<true | Pop3Refusal> {
    const updating = this.asked(() => this.access.store.expunge(this.mailbox!, uids).then(() => true as const))
    this.updating = updating.finally(() => (this.updating = undefined))
    return updating
  }

  /** Before the client hears of the end, so that it may come again at once; but not while messages are being deleted. */
  override closed(event: Pop3ClosedEvent): void {
    super.closed(event)
    this.letGo()
  }

  override left(error: Error | undefined): void {
    void super.left(error)
    this.letGo()
  }

  private letGo(): void {
    this.latest = undefined
    if (this.updating) void this.updating.then(() => this.release())
    else this.release()
  }

  private release(): void {
    if (this.account !== undefined) this.access.maildrops.release(this.account.id, this)
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

  /** The answer of the store, or what the client is told of its error. Whatever it cannot explain is temporary. */
  private async asked<Value>(ask: () => Promise<Value>): Promise<Value | Pop3Refusal> {
    const looking = this.lookAgain(this.access.clock.ticks())
    if (looking) await looking
    if (this.isDismissed) return noLonger
    try {
      return await ask()
    } catch (error) {
      this.access.observe?.({ kind: 'failed', ...this.whence(), what: 'store', error })
      if (isMailError(error) && error.code === 'permanent') return { code: 'SYS/PERM', refused: 'That cannot be had any more' }
      return temporary
    }
  }
}

import type { ReceivedMessage, Recipient } from '../contracts/received.ts'
import type { Verdict } from '../contracts/policy.ts'
import type { MailboxId, MailStore, NewMessage, StoredMessage } from '../contracts/store.ts'
import { defer } from '../inbound/verdict.ts'
import type { Delivered } from './reception.ts'
import type { LocalUsers } from './reference-users.ts'

/** Hears of each message that is in the store, for those recipients. `stored`: its entry in the first mailbox that has it. */
export type Stored = (message: ReceivedMessage, to: readonly Recipient[], stored: StoredMessage) => void

/** Hears of an account that could not be given its message. */
export type NotStored = (account: string, error: unknown) => void

const notNow = defer(451, '4.3.0', 'Temporary failure, try again later')

/** Puts each message into the inboxes of its recipients, once for each account, and one copy of it for all. */
export class InboxDelivery {
  private readonly store: MailStore
  private readonly users: LocalUsers
  private readonly inboxes: ReadonlyMap<string, MailboxId>
  private readonly stored: Stored
  private readonly notStored: NotStored

  /** `inboxes`: by account, of every user. */
  constructor(
    store: MailStore,
    users: LocalUsers,
    inboxes: ReadonlyMap<string, MailboxId>,
    stored: Stored,
    notStored: NotStored,
  ) {
    this.store = store
    this.users = users
    this.inboxes = inboxes
    this.stored = stored
    this.notStored = notStored
  }

  /** Resolves when it is as safe as the store makes it. Throws, or defers those recipients, where it is not. */
  async deliver(message: ReceivedMessage): Promise<Delivered> {
    const { recipients } = message.envelope
    const { body, facts, received } = message
    const entry: NewMessage = { body, facts, received }
    if (recipients.length === 1) {
      this.stored(message, recipients, await this.append(this.users.find(recipients[0]!)!, entry))
      return undefined
    }
    const accounts = recipients.map((to) => this.users.find(to)!)
    const outcomes = await this.appendToEach(new Set(accounts), entry)
    const first = [...outcomes.values()].find((outcome) => outcome !== undefined)
    if (first) this.stored(message, recipients.filter((_, at) => outcomes.get(accounts[at]!)), first)
    return accounts.map((account): Verdict | undefined => (outcomes.get(account) ? undefined : notNow))
  }

  private async appendToEach(accounts: ReadonlySet<string>, entry: NewMessage): Promise<Map<string, StoredMessage | undefined>> {
    const outcomes = new Map<string, StoredMessage | undefined>()
    const one = async (account: string): Promise<void> => {
      try {
        outcomes.set(account, await this.append(account, entry))
      } catch (error) {
        outcomes.set(account, undefined)
        this.notStored(account, error)
      }
    }
    await Promise.all([...accounts].map(one))
    return outcomes
  }

  private append(account: string, entry: NewMessage): Promise<StoredMessage> {
    return this.store.append(this.inboxes.get(account)!, entry)
  }
}

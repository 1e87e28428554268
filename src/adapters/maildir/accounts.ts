import { join } from 'node:path'
import type { MailboxId } from '../../contracts/mailbox.ts'
import type { MessageId } from '../../contracts/store.ts'
import { Account, type Place, tagOf } from './account.ts'
import { ACCOUNT_FILE, accountFolder, accountOf, isLongAccount } from './account-name.ts'
import type { Box } from './box.ts'
import { isId } from './look.ts'
import type { Shared } from './shared.ts'
import type { Message } from './state.ts'

/** Messages that are held in memory, of all accounts: some 300 octets each. */
const MOST_HELD = 500_000
/** How often that is looked after, in calls. */
const EVERY = 100

/** The accounts below a root. */
export class Accounts {
  readonly #shared: Shared
  readonly #root: string
  /** By folder, the one used last at the end. */
  readonly #accounts = new Map<string, Account>()
  /** Folders by what the ids of their mailboxes and messages begin with. */
  readonly #folders = new Map<string, string>()
  #calls = 0

  constructor(shared: Shared, root: string) {
    this.#shared = shared
    this.#root = root
  }

  /** The account with that name, whether it is there or not. */
  of(name: string): Account {
    return this.#at(accountFolder(name), name)
  }

  /** The mailboxes that are known, without a look at the disk. */
  known(): readonly Place[] {
    return [...this.#accounts.values()].flatMap((account) => [...account.known])
  }

  /** The names of accounts that have folders. */
  async *names(): AsyncGenerator<string, void, undefined> {
    for (const folder of await this.#shared.disk.names(this.#root) ?? []) {
      const name = await this.#nameOf(folder)
      if (name !== undefined) yield name
    }
  }

  /** The account that a mailbox is in, by its id, if it has the form of one. */
  async withMailbox(id: MailboxId): Promise<Account | undefined> {
    return isId(id) ? this.#withTag(id.slice(0, 16)) : undefined
  }

  /**
   * A message with an id, wherever it is: in the account that had it first; or, where that has it no longer, in one of those that
   * it was copied to, which means a look at every account there is.
   */
  async withMessage(id: MessageId): Promise<{ readonly box: Box; readonly message: Message } | undefined> {
    if (!isId(id)) return undefined
    const first = await this.#withTag(id.slice(0, 16))
    const found = first && await messageIn(first, id)
    if (found) return found
    for (const account of [...this.#accounts.values()]) {
      const held = account === first ? undefined : await messageIn(account, id)
      if (held) return held
    }
    for await (const name of this.names()) {
      const account = this.of(name)
      const copied = account === first ? undefined : await messageIn(account, id)
      if (copied) return copied
    }
    return undefined
  }

  #at(folder: string, name: string): Account {
    const account = this.#accounts.get(folder) ?? new Account(this.#shared, this.#root, folder, name)
    this.#accounts.delete(folder)
    this.#accounts.set(folder, account)
    this.#folders.set(account.tag, folder)
    if (++this.#calls % EVERY === 0) this.#trim()
    return account
  }

  async #withTag(tag: string): Promise<Account | undefined> {
    const known = this.#folders.get(tag)
    if (known === undefined) {
      for (const folder of await this.#shared.disk.names(this.#root) ?? []) this.#folders.set(tagOf(folder), folder)
    }
    const folder = this.#folders.get(tag)
    const name = folder === undefined ? undefined : this.#accounts.get(folder)?.name ?? await this.#nameOf(folder)
    return folder === undefined || name === undefined ? undefined : this.#at(folder, name)
  }

  async #nameOf(folder: string): Promise<string | undefined> {
    if (!isLongAccount(folder)) return accountOf(folder)
    const octets = await this.#shared.disk.read(join(this.#root, folder, ACCOUNT_FILE))
    try {
      const name: unknown = octets && JSON.parse(Buffer.from(octets).toString('utf8'))
      return typeof name === 'string' && accountFolder(name) === folder ? name : undefined
    } catch {
      return undefined
    }
  }

  /** Lets go of what was not used for the longest time, where there is too much. */
  #trim(): void {
    let held = 0
    for (const account of [...this.#accounts.values()].reverse()) {
      held += account.held
      if (held > MOST_HELD) account.forget()
    }
  }
}

async function messageIn(account: Account, id: MessageId): Promise<{ box: Box; message: Message } | undefined> {
  for (const { box } of await account.places()) {
    const message = (await box.view()).withId(id)
    if (message) return { box, message }
  }
  return undefined
}

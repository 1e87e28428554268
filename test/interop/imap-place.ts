import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import { memoryAccounts } from '../../src/adapters/memory/index.ts'
import { sqlite } from '../../src/adapters/sqlite/index.ts'
import { accountDirectory, imapServer, type ImapServerOptions, makeMailboxes, type Observer } from '../../src/index.ts'
import type { Passwords } from '../../src/contracts/accounts.ts'
import type { Mailbox } from '../../src/contracts/mailbox.ts'
import type { MailStore, StoredMessage } from '../../src/contracts/store.ts'
import { type Certificate, certificateIn } from './certificate.ts'
import type { Security } from './clients.ts'
import type { Held } from './held.ts'

/** Passwords as they are: what hashes cost is measured elsewhere. */
const plainly: Passwords = {
  hash: async (password) => `$plain$${password}`,
  verify: async (password, hash) => hash === `$plain$${password}`,
  outdated: () => false,
  pretend: async () => false,
}

/** What everybody's password is. */
export const PASSWORD = 'wonderland'

/** A message as it is stored. */
export interface Stored {
  readonly uid: number
  /** Without `\Recent`, in alphabetical order. */
  readonly flags: readonly string[]
  readonly raw: Buffer
  readonly received: number
}

function storeIn(folder: string, held: Held): MailStore {
  const mail = sqlite({ path: `${folder}/mail.db`, search: true })
  held.later(() => mail.close())
  return mail.store
}

/** An IMAP server in this process, over a database in a folder, that listens plain, with STARTTLS and with TLS. */
export class ImapPlace {
  readonly folder: string
  readonly certificate: Certificate
  readonly store: MailStore
  readonly #ports: ReadonlyMap<Security, number>
  readonly #people: (name: string) => Promise<void>

  private constructor(
    made: { folder: string; certificate: Certificate; store: MailStore },
    ports: ReadonlyMap<Security, number>,
    people: (name: string) => Promise<void>,
  ) {
    this.folder = made.folder
    this.certificate = made.certificate
    this.store = made.store
    this.#ports = ports
    this.#people = people
  }

  /** `options.store`: instead of a database that has an index for SEARCH. */
  static async open(held: Held, options: Partial<ImapServerOptions> = {}): Promise<ImapPlace> {
    const folder = held.folder('imap')
    const certificate = certificateIn(folder, held)
    const accounts = memoryAccounts()
    const store = options.store ?? storeIn(folder, held)
    await accounts.setDomain({ name: 'example.test' })
    const directory = accountDirectory({ records: accounts, passwords: plainly, plainPasswords: true })
    // Whatever clients see of it: that the server fails is an error of its own.
    const failures: unknown[] = []
    held.later(() => {
      if (failures.length > 0) throw new AggregateError(failures, 'the server failed')
    })
    const observe: Observer = (event) => void (event.kind === 'failed' && failures.push(event.error))
    const usual = { observe, hostname: 'imap.example.test', plaintextAuth: true, connections: false } as const
    const server = imapServer({ ...usual, directory, ...options, store })
    const ports = new Map<Security, number>()
    for (const security of ['plain', 'starttls', 'implicit'] as const) {
      const tls = security === 'plain' ? {} : { tls: { mode: security, certificates: certificate.source } }
      const running = await server.listen({ host: '127.0.0.1', port: 0, ...tls })
      held.later(() => running.stop({ within: 1000 }))
      ports.set(security, running.port)
    }
    return new ImapPlace({ folder, certificate, store }, ports, async (name) => {
      const id = `${name}@example.test`
      await accounts.updateAccount(id, () => ({
        id, addresses: [id], password: `$plain$${PASSWORD}`, plainPassword: PASSWORD, created: 0,
      }))
      await makeMailboxes(store, id)
    })
  }

  port(security: Security = 'plain'): number {
    return this.#ports.get(security)!
  }

  /** Makes somebody with the mailboxes that everybody has; the name to log in with. */
  async person(name: string): Promise<string> {
    await this.#people(name)
    return `${name}@example.test`
  }

  async mailboxes(account: string): Promise<readonly Mailbox[]> {
    return this.store.mailboxes(account)
  }

  /** What is in a mailbox, whose levels are written with `/` between. */
  async mail(account: string, path = 'INBOX'): Promise<Stored[]> {
    const mailbox = (await this.mailboxes(account)).find((one) => one.path.join('/') === path)
    if (!mailbox) throw new Error(`${account} has no mailbox ${path}`)
    const all: StoredMessage[] = []
    for await (const page of this.store.list(mailbox.id)) all.push(...page)
    return Promise.all(all.map((message) => this.#stored(message)))
  }

  /** Resolves when `look` gives what is expected, looked for whenever something may have changed; for `patience` milliseconds. */
  async becomes<T>(look: () => Promise<T>, expected: T, patience: number): Promise<void> {
    const late = performance.now() + patience
    for (;;) {
      // Told before it looks: what changes meanwhile counts.
      const { changed, over } = this.#change()
      const found = await look()
      if (isDeepStrictEqual(found, expected) || performance.now() > late) {
        over()
        return void expect(found).toEqual(expected)
      }
      await changed
      over()
    }
  }

  /** The next hint that the store gives, of which some may be lost: half a second later it counts as given. */
  #change(): { changed: Promise<void>; over: () => void } {
    const undo: (() => void)[] = []
    const changed = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 500)
      undo.push(() => clearTimeout(timer))
      const unwatch = this.store.watch?.(() => resolve())
      if (unwatch) undo.push(unwatch)
    })
    return { changed, over: () => undo.forEach((one) => one()) }
  }

  async #stored({ id, uid, flags, received }: StoredMessage): Promise<Stored> {
    const body = await this.store.body(id)
    const pieces: Uint8Array[] = []
    for await (const piece of body!.read()) pieces.push(piece)
    return { uid, flags: [...flags].sort(), raw: Buffer.concat(pieces), received }
  }
}

import { accountDirectory } from '../../src/accounts/directory.ts'
import { memoryAccounts } from '../../src/adapters/memory/accounts.ts'
import { memoryQueue } from '../../src/adapters/memory/queue.ts'
import { memoryStore } from '../../src/adapters/memory/store.ts'
import type { AccountRecord, AliasRecord, DomainRecord, Passwords } from '../../src/contracts/accounts.ts'
import type { Directory } from '../../src/contracts/directory.ts'
import type { Dispatch, OutgoingMessage } from '../../src/contracts/dispatch.ts'
import type { MailStore, StoredMessage } from '../../src/contracts/store.ts'
import { type MailServer, mailServer } from '../../src/server/mail-server.ts'
import type { ListenerName, MailServerOptions } from '../../src/server/mail-server-options.ts'
import type { TestClient } from '../../src/testing/client.ts'
import type { VirtualNetwork } from '../../src/testing/network.ts'
import type { VirtualClock } from '../../src/testing/virtual-clock.ts'
import { type ConnectOptions, type World, world } from '../../src/testing/world.ts'

/** Passwords as they are. */
const plainly: Passwords = {
  hash: async (password) => `$plain$${password}`,
  verify: async (password, hash) => hash === `$plain$${password}`,
  outdated: () => false,
  pretend: async () => false,
}

/** An account of `example.test`; its password is `secret`. */
export const person = (name: string, more: Partial<AccountRecord> = {}): AccountRecord => ({
  id: `${name}@example.test`,
  addresses: [`${name}@example.test`],
  password: '$plain$secret',
  created: 0,
  ...more,
})

export interface Place {
  readonly people?: readonly AccountRecord[]
  readonly aliases?: readonly AliasRecord[]
  /** Beside `example.test`. */
  readonly domains?: readonly DomainRecord[]
  readonly options?: Partial<MailServerOptions>
  /** The network that mail goes out by; the DNS is that of the world. */
  readonly network?: (clock: VirtualClock) => VirtualNetwork
  /** How mail goes out by that network. */
  readonly outgoing?: MailServerOptions['outgoing']
  /** What is between the server and its store. */
  readonly through?: (store: MailStore) => MailStore
  readonly listen?: MailServerOptions['listen']
}

/** A message in a mailbox. */
export interface Kept extends StoredMessage {
  readonly text: string
}

export interface MailWorld {
  readonly world: World
  readonly server: MailServer
  readonly store: MailStore
  readonly directory: Directory
  connect(listener: ListenerName, options?: ConnectOptions & { readonly address?: string | undefined }): TestClient
  /** Somebody who has logged in at the submission port. */
  person(name: string, options?: ConnectOptions & { readonly address?: string }): Promise<TestClient>
  /** What is in a mailbox of `name@example.test`. */
  mail(name: string, path?: string): Promise<readonly Kept[]>
}

const ports: Record<ListenerName, number> = {
  mx: 25, submission: 587, submissions: 465, lmtp: 24, imap: 143, imaps: 993, pop3: 110, pop3s: 995,
}

/** A mail server with alice, bob and carol of `example.test`, in virtual time. */
export async function mailWorld(place: Place = {}): Promise<MailWorld> {
  const records = memoryAccounts()
  for (const record of place.people ?? ['alice', 'bob', 'carol'].map((name) => person(name))) {
    await records.updateAccount(record.id, () => record)
  }
  for (const domain of [{ name: 'example.test' }, ...(place.domains ?? [])]) await records.setDomain(domain)
  for (const alias of place.aliases ?? []) await records.setAlias(alias)
  const directory = accountDirectory({ records, passwords: plainly })
  const kept = memoryStore({ now: () => 0 })
  const store = place.through?.(kept) ?? kept
  let server: MailServer | undefined
  const made = world({
    now: Date.UTC(2026, 10, 20, 8, 9, 10),
    server: ({ clock, random, observe, dns }) => {
      const network = place.network?.(clock)
      const outgoing = network && { queue: memoryQueue(), outgoing: { resolver: dns, dial: network.dial, ...place.outgoing } }
      const composed = (server = mailServer({
        hostname: 'mx.test',
        directory,
        store,
        volatile: true,
        inMemory: Infinity,
        listen: place.listen ?? { mx: {}, submission: {}, submissions: {}, lmtp: {} },
        clock,
        random: (octets) => random.octets(octets),
        observe,
        ...outgoing,
        ...place.options,
      }))
      const nameOf = (port: number | undefined): ListenerName =>
        (Object.keys(ports) as ListenerName[]).find((name) => ports[name] === port) ?? 'mx'
      return { serve: (transport, options) => composed.serve(nameOf(transport.peer.localPort), transport, options) }
    },
  })
  const connect: MailWorld['connect'] = (listener, { address = '203.0.113.9', ...options } = {}) => {
    const tls = listener === 'submissions' ? { tls: true as const } : { startTls: listener !== 'lmtp' }
    return made.connect(address, { localPort: ports[listener], ...tls, ...options })
  }
  return {
    world: made,
    server: server!,
    store: kept,
    directory,
    connect,
    async person(name, options = {}) {
      const client = connect('submission', { tls: true, ...options })
      const reply = await client.login(`${name}@example.test`, 'secret')
      if (!reply.startsWith('235')) throw new Error(client.transcript)
      return client
    },
    async mail(name, path = 'INBOX') {
      const found: Kept[] = []
      const mailboxes = await kept.mailboxes(`${name}@example.test`)
      const mailbox = mailboxes.find((one) => one.path.join('/') === path)
      if (!mailbox) return found
      for await (const page of kept.list(mailbox.id)) {
        for (const message of page) {
          const body = await kept.body(message.id)
          found.push({ ...message, text: Buffer.from(body!.bytes!).toString('utf8') })
        }
      }
      return found
    },
  }
}

/** A queue that takes everything, and what it took. */
export function takingQueue(): Dispatch & { readonly taken: (OutgoingMessage & { readonly text: string })[] } {
  const taken: (OutgoingMessage & { readonly text: string })[] = []
  return {
    taken,
    traits: { durability: 'none' },
    async enqueue(message) {
      const pieces: Uint8Array[] = []
      for await (const piece of message.body.read()) pieces.push(piece)
      taken.push({ ...message, text: Buffer.concat(pieces).toString('utf8') })
      return { id: `Q${taken.length}` }
    },
  }
}

/** A store some of whose members are others. */
export function storeWith(store: MailStore, members: Partial<MailStore>): MailStore {
  return new Proxy(store, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return members[name as keyof MailStore]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

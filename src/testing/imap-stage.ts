import { type ClientTransport, linkedTransports, memoryKeyValue, memoryStore } from '../adapters/memory/index.ts'
import type { Account, Directory } from '../contracts/directory.ts'
import type { Quota, SpecialUse } from '../contracts/mailbox.ts'
import type { MailStore } from '../contracts/store.ts'
import { indexMessage } from '../message/indexer.ts'
import type { ServerEvent } from '../observe/events.ts'
import { octets as octetsOf } from '../protocol/bytes/text.ts'
import type { TlsFacts } from '../protocol/session/tls.ts'
import type { ImapServerOptions } from '../server/imap/options.ts'
import { type ImapServer, imapServer } from '../server/imap/server.ts'
import { seededRandom } from './random.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'

/** What an {@link ImapStage} can be told. */
export interface ImapStageOptions {
  /** Options of the server. */
  readonly server?: Partial<ImapServerOptions>
  /** What the account may hold. */
  readonly quota?: Quota
  /** Ranges of expunged UIDs that the store remembers. */
  readonly remembered?: number
  /** Optional methods that the store is to be without. */
  readonly without?: readonly string[]
}

/** The account on the stage; its password is `secret`. */
export const USER = 'alice'

/** An IMAP server over a store in memory, in virtual time, and as many clients as wanted. */
export class ImapStage {
  readonly clock: VirtualClock = virtualClock()
  readonly store: MailStore
  /** What the server told its observer. */
  readonly events: ServerEvent[] = []
  private readonly server: ImapServer

  constructor({ server, quota = { messages: Infinity, octets: Infinity }, remembered, without = [] }: ImapStageOptions = {}) {
    const { clock } = this
    this.store = memoryStore({ now: () => clock.now(), ...(remembered === undefined ? {} : { remembered }) })
    this.server = imapServer({
      hostname: 'imap.example.org',
      directory: directoryOf(quota),
      keyValue: memoryKeyValue(),
      store: without.length === 0 ? this.store : lacking(this.store, without),
      clock,
      random: (count) => seededRandom(1).octets(count),
      login: { mechanisms: ['PLAIN'] },
      plaintextAuth: true,
      observe: (event) => void this.events.push(event),
      ...server,
    })
  }

  /** A client connects. `chunk`: octets that reach the other side at a time. */
  connect({ tls, startTls, chunk }: { tls?: TlsFacts; startTls?: boolean; chunk?: number } = {}): StageClient {
    const { server, client } = linkedTransports({
      peer: { address: '192.0.2.7', port: 4000, ...(tls ? { tls } : {}) },
      clock: this.clock,
      ...(chunk === undefined ? {} : { chunk }),
    })
    const conversation = this.server.serve(server, { startTls: startTls ?? false })
    return new StageClient(client, () => conversation.drain())
  }

  /** Everything happens that can happen, and so many milliseconds pass. */
  async settle(milliseconds = 0): Promise<void> {
    await this.clock.advance(milliseconds)
    // The server lets others have their turn; each is one of the event loop.
    for (let turns = 0; turns < 3; turns++) await this.clock.advance(0)
  }

  /** The mailbox at a path, made where there is none. */
  async mailbox(path: string, use?: string): Promise<string> {
    return (await this.store.create(USER, path.split('/'), use as SpecialUse | undefined)).id
  }

  /** A message comes into a mailbox. */
  async deliver(path: string, mail: string, flags: readonly string[] = []): Promise<number> {
    const bytes = octetsOf(mail)
    const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
    const { uid } = await this.store.append(await this.mailbox(path), {
      body, facts: indexMessage(bytes), received: this.clock.now(), flags,
    })
    return uid
  }
}

/** The client's end. */
export class StageClient {
  closed = false
  private readonly wire: ClientTransport
  private readonly drains: () => void
  private readonly told: () => void
  private heard: string[] = []

  /** `told`: called when something was heard, and when the server has ended. */
  constructor(wire: ClientTransport, drains: () => void, told: () => void = () => undefined) {
    this.wire = wire
    this.drains = drains
    this.told = told
    wire.open({
      received: (bytes) => {
        this.heard.push(Buffer.from(bytes).toString('latin1'))
        this.told()
      },
      ended: () => this.end(),
      drained: () => undefined,
      secured: () => undefined,
      closed: () => this.end(),
    })
  }

  /** Says octets. */
  send(octets: string): void {
    this.wire.write([octetsOf(octets)])
  }

  /** What was heard since. */
  take(): string {
    const text = this.heard.join('')
    this.heard = []
    return text
  }

  /** Reads no more, or reads again. */
  deaf(is: boolean): void {
    if (is) this.wire.pause()
    else this.wire.resume()
  }

  /** Begins TLS, the server having agreed to it. */
  secure(): void {
    this.wire.secure()
  }

  /** Sends no more. */
  finish(): void {
    this.wire.finish()
  }

  /** Is gone. */
  reset(): void {
    this.wire.reset()
  }

  /** The server is to end the conversation at its next safe point. */
  drain(): void {
    this.drains()
  }

  private end(): void {
    this.closed = true
    this.told()
  }
}

/** The store, without some of its methods; those that are left may still use them. */
function lacking(store: MailStore, without: readonly string[]): MailStore {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(store)).filter((name) => !without.includes(name))
  const all = store as unknown as Record<string, (...given: unknown[]) => unknown>
  const methods = names.map((name) => [name, all[name]!.bind(store)])
  return { ...(Object.fromEntries(methods) as MailStore), traits: store.traits }
}

/** A directory that knows {@link USER}. */
export function directoryOf(quota: Quota): Directory {
  const account: Account = { id: USER, disabled: false, rights: { smtp: true, imap: true, admin: false }, quota }
  const named = async ({ username }: { readonly username: string }) => (username === USER ? account : undefined)
  return {
    resolve: async () => ({ kind: 'unknown' }),
    account: async (id) => (id === USER ? account : undefined),
    verify: async (login) => (login.password === 'secret' ? named(login) : undefined),
    maySendAs: async () => true,
    named,
  }
}

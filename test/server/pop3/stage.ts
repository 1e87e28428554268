import { linkedTransports, memoryStore } from '../../../src/adapters/memory/index.ts'
import type { Account, Directory } from '../../../src/contracts/directory.ts'
import type { MailStore } from '../../../src/contracts/store.ts'
import { indexMessage } from '../../../src/message/indexer.ts'
import type { ServerEvent } from '../../../src/observe/events.ts'
import { octets as octetsOf } from '../../../src/protocol/bytes/text.ts'
import type { TlsFacts } from '../../../src/protocol/session/tls.ts'
import { pop3Server, type Pop3Server, type Pop3ServerOptions } from '../../../src/index.ts'
import { StageClient } from '../../../src/testing/imap-stage.ts'
import { type VirtualClock, virtualClock } from '../../../src/testing/virtual-clock.ts'

/** How somebody connects. */
export interface Connecting {
  readonly address?: string
  readonly tls?: TlsFacts
  readonly startTls?: boolean
}

const account = (id: string): Account => ({
  id, disabled: false, rights: { smtp: true, imap: true, admin: false }, quota: { octets: Infinity, messages: Infinity },
})

/** Alice and bob; the password of everybody is `secret`. */
const directory: Directory = {
  resolve: async () => ({ kind: 'unknown' }),
  account: async (id) => account(id),
  verify: async ({ username, password }) => (isHere(username) && password === 'secret' ? account(username) : undefined),
  maySendAs: async () => true,
  named: async ({ username }) => (isHere(username) ? account(username) : undefined),
}
const isHere = (username: string): boolean => ['alice', 'bob'].includes(username)

/** A POP3 server over a store in memory, in virtual time. */
export class Pop3Stage {
  readonly clock: VirtualClock = virtualClock()
  readonly store: MailStore
  readonly events: ServerEvent[] = []
  readonly server: Pop3Server

  /** `through`: what is between the server and its store. */
  constructor(options: Partial<Pop3ServerOptions> = {}, through: (store: MailStore) => MailStore = (store) => store) {
    const { clock } = this
    this.store = memoryStore({ now: () => clock.now() })
    this.server = pop3Server({
      hostname: 'pop.example.org',
      directory,
      store: through(this.store),
      clock,
      login: { mechanisms: ['PLAIN'] },
      plaintextAuth: true,
      observe: (event) => void this.events.push(event),
      ...options,
    })
  }

  /** Somebody connects, and has been greeted. */
  async connect({ address = '192.0.2.7', tls, startTls = false }: Connecting = {}): Promise<Visitor> {
    const { server, client } = linkedTransports({ peer: { address, port: 4000, ...(tls ? { tls } : {}) }, clock: this.clock })
    const conversation = this.server.serve(server, { startTls })
    const visitor = new Visitor(this, new StageClient(client, () => conversation.drain()))
    await this.clock.advance(0)
    return visitor
  }

  /** Somebody who has logged in. */
  async visit(name = 'alice', connecting: Connecting = {}): Promise<Visitor> {
    const visitor = await this.connect(connecting)
    await visitor.login(name)
    return visitor
  }

  /** A message comes into the inbox. */
  async deliver(text: string, name = 'alice'): Promise<number> {
    const bytes = octetsOf(text)
    const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
    const { id } = await this.store.create(name, ['INBOX'])
    return (await this.store.append(id, { body, facts: indexMessage(bytes), received: this.clock.now() })).uid
  }

  /** UIDs that are in the inbox. */
  async inbox(name = 'alice'): Promise<number[]> {
    const { id } = await this.store.create(name, ['INBOX'])
    const uids: number[] = []
    for await (const page of this.store.entries(id)) uids.push(...page.map(({ uid }) => uid))
    return uids
  }

  /** Events of a kind. */
  told<K extends ServerEvent['kind']>(kind: K): Extract<ServerEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<ServerEvent, { kind: K }> => event.kind === kind)
  }
}

/** A client. */
export class Visitor {
  readonly wire: StageClient
  private readonly stage: Pop3Stage

  constructor(stage: Pop3Stage, wire: StageClient) {
    this.stage = stage
    this.wire = wire
  }

  /** Says lines at once; what is heard after that, or has been since. */
  async say(...lines: readonly string[]): Promise<string> {
    if (lines.length > 0) this.wire.send(lines.map((line) => `${line}\r\n`).join(''))
    await this.stage.clock.advance(0)
    return this.wire.take()
  }

  async login(name = 'alice'): Promise<string> {
    await this.say()
    return this.say(`USER ${name}`, 'PASS secret')
  }
}

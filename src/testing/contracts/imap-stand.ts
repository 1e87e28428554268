import { linkedTransports, memoryBodies } from '../../adapters/memory/index.ts'
import { print } from '../../adapters/node/print.ts'
import type { Mailbox } from '../../contracts/mailbox.ts'
import type { MailStore } from '../../contracts/store.ts'
import { indexMessage } from '../../message/indexer.ts'
import type { ServerEvent } from '../../observe/events.ts'
import { octets as octetsOf } from '../../protocol/bytes/text.ts'
import { imapServer } from '../../server/imap/server.ts'
import { pop3Server } from '../../server/pop3/server.ts'
import type { Server } from '../../server/server.ts'
import { directoryOf, USER } from '../imap-stage.ts'
import { equal, type Runner } from './checks.ts'
import { type ImapFetched, fetchedOf, stringOf } from './imap-items.ts'
import { Talk } from './imap-talk.ts'
import { Amiss, type StoreMethod, Witness } from './imap-witness.ts'
import { message, type OpenedMailStore } from './sample-mail.ts'

/** What {@link imapContract} takes: the same as {@link mailStoreContract}. */
export interface ImapContractOptions extends Runner {
  /** A fresh store with nothing in it. */
  readonly open: () => Promise<OpenedMailStore>
  /** Milliseconds that a client waits for a word of the server's at most (default 10 000). */
  readonly patience?: number
}

/** Octets of an appended message from which on it reaches the store as a stream. */
export const STREAMED = 64 * 1024

/** Servers over the store under test, and as many clients as wanted. */
export class ImapStand {
  /** The store itself, past all servers. */
  store: MailStore
  readonly reopen: OpenedMailStore['reopen']
  /** What the account may hold from now on. */
  readonly quota = { messages: Infinity, octets: Infinity }
  readonly witness = new Witness()
  private imap: Server
  private readonly talks: Talk[] = []
  private readonly patience: number

  constructor({ store, reopen }: OpenedMailStore, { patience = 10_000 }: Pick<ImapContractOptions, 'patience'> = {}) {
    this.store = store
    this.reopen = reopen
    this.patience = patience
    this.imap = this.server()
  }

  /** An IMAP server of its own over the store, as that of another process would be; the store lacks some methods. */
  server(...without: StoreMethod[]): Server {
    return imapServer({ ...this.terms(without), inMemory: STREAMED, bodies: memoryBodies() })
  }

  /** Goes on with what has become of the store. */
  restart(store: MailStore): void {
    for (const talk of this.talks.splice(0)) talk.vanish()
    this.store = store
    this.imap = this.server()
  }

  /** A client that has logged in, enabled extensions, and selected a mailbox. */
  async client({ server = this.imap, enable = '', select = '' } = {}): Promise<Talk> {
    const talk = this.connect(String.fromCharCode(65 + (this.talks.length % 26)), server)
    await talk.until((line) => line.startsWith('* OK'), 'the greeting')
    await talk.ok(`LOGIN ${USER} secret`)
    if (enable !== '') await talk.ok(`ENABLE ${enable}`)
    if (select !== '') await talk.ok(`SELECT ${select}`, 'mailboxes', 'entries')
    return talk
  }

  /** One that speaks POP3, and has logged in. */
  async popClient(): Promise<Talk> {
    const talk = this.connect('P', pop3Server(this.terms([])))
    await talk.until((line) => line.startsWith('+OK'), 'the greeting')
    return talk
  }

  /** The mailbox at a path, made where there is none. */
  mailbox(path = 'INBOX'): Promise<Mailbox> {
    return this.store.create(USER, path.split('/'))
  }

  /** A message comes into a mailbox by another way than IMAP: as a delivery does. */
  async deliver(mail: string, path = 'INBOX', flags: readonly string[] = []): Promise<number> {
    const bytes = octetsOf(mail)
    const { id } = await this.mailbox(path)
    this.witness.note(`a delivery to ${path}, past the server`)
    return (await this.store.append(id, message(bytes, { facts: indexMessage(bytes), flags }))).uid
  }

  /** Throws unless both are the same by value. */
  same(actual: unknown, expected: unknown, what: string, ...suspects: StoreMethod[]): void {
    try {
      equal(actual, expected, what)
    } catch (error) {
      throw new Amiss((error as Error).message, suspects)
    }
  }

  /** Throws `what` unless it holds. */
  sure(condition: boolean, what: string, ...suspects: StoreMethod[]): void {
    if (!condition) throw new Amiss(what, suspects)
  }

  /** Everybody is gone. */
  end(): void {
    for (const talk of this.talks.splice(0)) talk.vanish()
  }

  private connect(name: string, server: Server): Talk {
    const link = linkedTransports({ peer: { address: '192.0.2.7', port: 4000 } })
    server.serve(link.server)
    const talk = new Talk(name, link.client, this.witness, this.patience)
    this.talks.push(talk)
    return talk
  }

  private terms(without: readonly StoreMethod[]) {
    return {
      hostname: 'imap.example.org',
      directory: directoryOf(this.quota),
      store: this.witness.over(this.store, without),
      login: { mechanisms: ['PLAIN'] as const },
      plaintextAuth: true,
      connections: false as const,
      observe: (event: ServerEvent): void => {
        if (event.kind === 'failed') this.witness.note(`   the server failed (${event.what}): ${String(event.error)}`)
      },
    }
  }
}

/** Registers checks that are left out, which is said once, where the store does not have the methods. */
export function playing(
  options: ImapContractOptions,
  topic: string,
  ...methods: readonly StoreMethod[]
): (name: string, run: (stand: ImapStand) => Promise<void>) => void {
  const { it, open, skipped = print } = options
  let told = false
  return (name, run) => void it(name, async () => {
    const opened = await open()
    const missing = methods.find((method) => opened.store[method] === undefined)
    if (missing === undefined) return played(new ImapStand(opened, options), run)
    if (!told) skipped(`imapContract: ${topic} (the store has no ${missing})`)
    told = true
  })
}

/** Lets a check run, and tells what happened where it fails. */
export async function played(stand: ImapStand, run: (stand: ImapStand) => Promise<void>): Promise<void> {
  try {
    await run(stand)
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause)
    throw new Error(stand.witness.report(what, cause instanceof Amiss ? cause.suspects : []), { cause })
  } finally {
    stand.end()
  }
}

/** A small message that says who it is. */
export function mailOf(subject: string): string {
  return `From: a@example.org\r\nSubject: ${subject}\r\n\r\n${subject}\r\n`
}

/** An APPEND of these octets. */
export function appendOf(path: string, mail: string, between = ''): string {
  return `APPEND ${stringOf(path)} ${between === '' ? '' : `${between} `}${literalOf(mail)}`
}

/** Octets as a literal that waits for nobody. */
export function literalOf(octets: string): string {
  return `{${octets.length}+}\r\n${octets}`
}

/** Subjects by UID, of messages that {@link mailOf} made, in the mailbox that is selected. */
export async function subjectsOf(talk: Talk, ...suspects: StoreMethod[]): Promise<[uid: number, subject: string][]> {
  const answer = await talk.ok('UID FETCH 1:* (BODY.PEEK[TEXT])', 'list', 'body', ...suspects)
  return fetchedOf(answer).map(({ uid, items }) => [uid, String(items.get('BODY[TEXT]')).trimEnd()])
}

/** What is said of all messages of the mailbox that is selected. */
export async function fetchAll(talk: Talk, what: string, ...suspects: StoreMethod[]): Promise<ImapFetched[]> {
  return fetchedOf(await talk.ok(`UID FETCH 1:* (${what})`, ...suspects))
}

/** The numbers that STATUS tells of a mailbox. */
export async function statusOf(talk: Talk, path: string, what: string): Promise<Map<string, number>> {
  const { lines } = await talk.ok(`STATUS ${stringOf(path)} (${what})`, 'mailboxes')
  const told = lines.find((line) => line.startsWith('* STATUS')) ?? ''
  const words = told.slice(told.lastIndexOf('(') + 1, -1).split(' ')
  return new Map(what.split(' ').map((name) => [name, Number(words[words.indexOf(name) + 1])]))
}

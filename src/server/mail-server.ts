import { readAddress } from '../accounts/address.ts'
import { authenticate } from '../accounts/authenticate.ts'
import { nodeClock, nodeCrypto, randomBytes } from '../adapters/node/index.ts'
import { spoolBodies } from '../adapters/node/spool.ts'
import type { BodyStore } from '../contracts/bodies.ts'
import type { Observer } from '../observe/events.ts'
import { quietly } from '../observe/observers.ts'
import type { Conversation } from '../protocol/session/drive.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { Transport } from '../protocol/session/transport.ts'
import { Addressing } from './addressing.ts'
import { guardOver } from './guarding.ts'
import type { Running, Stopped } from './listening.ts'
import { LocalDelivery, type Taken } from './local-delivery.ts'
import { LocalQueue } from './local-queue.ts'
import { imapServerWith } from './imap/server.ts'
import { pop3Server } from './pop3/server.ts'
import type { Pop3ServerOptions } from './pop3/options.ts'
import type { ImapServerOptions } from './imap/options.ts'
import {
  checkMailServerOptions,
  type ListenerName,
  type LoginOptions,
  type MailListenerOptions,
  type MailServerOptions,
  type ReadingListenerName,
  type SmtpListenerName,
} from './mail-server-options.ts'
import { Mailboxes } from './mailboxes.ts'
import type { ConversationOptions, ReceiverOptions } from './options.ts'
import { type Addresses, withPostmaster } from './postmaster.ts'
import { QuotaWatch } from './quota-watch.ts'
import { receiver } from './receiver.ts'
import type { Server, ServerListenOptions } from './server.ts'
import { Submission } from './submission.ts'

/** A mail server that is up. */
export interface RunningMailServer {
  readonly listeners: { readonly [Name in ListenerName]?: Running }
  /** Conversations that are open, over all listeners. */
  readonly connections: number
  /**
   * Stops all listeners as {@link Running.stop} does: conversations end at a safe point, or after `within` milliseconds (default
   * 30,000). Store, directory and queue are the host's to close. May be called again.
   */
  stop(options?: { readonly within?: number }): Promise<Stopped>
}

/** Keeps mail for people and takes mail from them. */
export interface MailServer {
  /** Begins to listen, everywhere or nowhere. Rejects with a `config` MailError that says what to do where that cannot be. */
  start(): Promise<RunningMailServer>
  /**
   * Serves one connection as that listener would, however it was made: a link in memory, a socket of the host's own. The listener
   * must be among those of the options. `startTls`: the transport can be secured.
   */
  serve(listener: ListenerName, transport: Transport, options?: { readonly startTls?: boolean }): Conversation
  /** Ends what `serve` began. */
  stop(options?: { readonly within?: number }): Promise<Stopped>
}

/**
 * A mail server over a directory and a store: mail from other servers and from people, into mailboxes. It relays for nobody but
 * those who have logged in. Throws a `config` MailError for options that cannot be.
 *
 * ```ts
 * import { accountDirectory, mailServer } from 'posthorn'
 * import { certificates, passwords } from 'posthorn/node'
 * import { sqlite } from 'posthorn/sqlite'
 *
 * const db = sqlite({ path: 'mail.db' })
 * const server = mailServer({
 *   hostname: 'mail.example.org',
 *   directory: accountDirectory({ records: db.accounts, passwords: passwords() }),
 *   store: db.store,
 *   keyValue: db.keyValue,
 *   postmaster: 'anna@example.org',
 *   tls: certificates({ cert: 'mail.crt', key: 'mail.key' }),
 *   listen: { mx: { port: 25 }, submission: { port: 587 }, submissions: { port: 465 }, imap: { port: 143 }, imaps: { port: 993
 * } },
 * })
 * const running = await server.start()
 * await running.stop({ within: 30_000 })
 * ```
 */
export function mailServer(options: MailServerOptions): MailServer {
  return new ComposedServer(options)
}

/** {@link mailServer}, which tells of each message that it has taken over before the client hears of it. */
export class ComposedServer implements MailServer {
  private readonly options: MailServerOptions
  private readonly services = new Map<ListenerName, Server>()
  private readonly bodies: BodyStore

  constructor(options: MailServerOptions, taken?: Taken) {
    checkMailServerOptions(options)
    this.options = options
    this.bodies = options.bodies ?? spoolBodies()
    // Guessing at one door is guessing at all of them.
    const guard = options.login?.guard ?? guardOver(options.keyValue, observerOf(options))
    const login = { guard, ...options.login }
    // However an account fills up, each warning comes once.
    const warnings = new QuotaWatch(options.store, options.clock ?? nodeClock, observerOf(options))
    const roles = rolesOf(options, login, warnings, taken)
    for (const name of smtpListeners) {
      const listener = options.listen[name]
      if (listener) this.services.set(name, receiver(this.receiverOptions(name, listener, roles[name])))
    }
    this.addReading(['imap', 'imaps'], () => imapServerWith(warnings, this.imapOptions(login)))
    this.addReading(['pop3', 'pop3s'], () => pop3Server(this.pop3Options(login)))
  }

  async start(): Promise<RunningMailServer> {
    const running = new Map<ListenerName, Running>()
    try {
      for (const [name, one] of this.services) running.set(name, await one.listen(this.listenOptions(name)))
    } catch (error) {
      await Promise.all([...running.values()].map((listener) => listener.stop({ within: 0 })))
      await this.letGo()
      throw error
    }
    return new RunningListeners(running, () => this.letGo())
  }

  serve(listener: ListenerName, transport: Transport, options: { readonly startTls?: boolean } = {}): Conversation {
    const found = this.services.get(listener)
    if (!found) throw new MailError('misuse', `serve: there is no listener ${listener}; name it in the options of mailServer().`)
    return found.serve(transport, { ...options, name: listener })
  }

  async stop(options: { readonly within?: number } = {}): Promise<Stopped> {
    const stopped = sum(await Promise.all([...new Set(this.services.values())].map((one) => one.stop(options))))
    await this.letGo()
    return stopped
  }

  private async letGo(): Promise<void> {
    if (this.options.bodies === undefined) await this.bodies.close?.()
  }

  /** One server for its listeners: they count the same connections, and POP3's keep each other from the same maildrop. */
  private addReading(names: readonly ReadingListenerName[], make: () => Server): void {
    const wanted = names.filter((name) => this.options.listen[name])
    if (wanted.length === 0) return
    const server = make()
    for (const name of wanted) this.services.set(name, server)
  }

  private pop3Options(login: LoginOptions): Pop3ServerOptions {
    const { hostname, directory, store, observe, clock, random, plaintextAuth, pop3 = {} } = this.options
    const { connections, ...rest } = pop3
    return {
      hostname,
      directory,
      store,
      login,
      pop3: rest,
      ...(connections === undefined ? {} : { connections }),
      ...(plaintextAuth === undefined ? {} : { plaintextAuth }),
      ...(observe === undefined ? {} : { observe }),
      ...(clock === undefined ? {} : { clock }),
      ...(random === undefined ? {} : { random }),
    }
  }

  private imapOptions(login: LoginOptions): ImapServerOptions {
    const { hostname, directory, store, keyValue, learn, inMemory, observe, clock, random, plaintextAuth } = this.options
    const { connections, id, ...rest } = this.options.imap ?? {}
    return {
      hostname,
      directory,
      store,
      login,
      bodies: this.bodies,
      imap: rest,
      ...(keyValue === undefined ? {} : { keyValue }),
      ...(learn === undefined ? {} : { learn }),
      ...(connections === undefined ? {} : { connections }),
      ...(id === undefined ? {} : { id }),
      ...(plaintextAuth === undefined ? {} : { plaintextAuth }),
      ...(inMemory === undefined ? {} : { inMemory }),
      ...(observe === undefined ? {} : { observe }),
      ...(clock === undefined ? {} : { clock }),
      ...(random === undefined ? {} : { random }),
    }
  }

  private receiverOptions(name: SmtpListenerName, listener: MailListenerOptions, role: Role): ReceiverOptions {
    const { hostname, inMemory, trusted, observe, clock, random } = this.options
    // One server makes all the connections there.
    const usual = name === 'lmtp' ? { address: Infinity } : {}
    return {
      hostname,
      bodies: this.bodies,
      connections: listener.connections === false ? false : { ...usual, ...listener.connections },
      ...(inMemory === undefined ? {} : { inMemory }),
      ...(trusted === undefined ? {} : { trusted }),
      ...(observe === undefined ? {} : { observe }),
      ...(clock === undefined ? {} : { clock }),
      ...(random === undefined ? {} : { random }),
      ...role,
      ...(listener.profile === undefined ? {} : { profile: listener.profile }),
      policies: [...(role.policies ?? []), ...(listener.policies ?? (name === 'mx' ? this.options.policies : undefined) ?? [])],
      smtp: merged(this.options.smtp, listener.smtp, role.smtp),
    }
  }

  private listenOptions(name: ListenerName): ServerListenOptions {
    const options: MailListenerOptions = this.options.listen[name]!
    const { tls: own, profile: _1, policies: _2, connections: _3, smtp: _4, ...where } = options
    const certificates = own ?? (name === 'lmtp' ? undefined : this.options.tls)
    const implicit = name === 'submissions' || name === 'imaps' || name === 'pop3s'
    if (implicit && !certificates && where.proxy === undefined) {
      throw new MailError('config', `listen.${name}: TLS comes first there: give it tls, or a proxy that has ended TLS.`)
    }
    const mode = implicit ? 'implicit' : 'starttls'
    return { ...where, name, ...(certificates ? { tls: { mode, certificates } } : {}) }
  }
}

const smtpListeners: readonly SmtpListenerName[] = ['mx', 'submission', 'submissions', 'lmtp']

function observerOf({ observe }: MailServerOptions): Observer {
  return observe ? quietly(observe) : () => undefined
}

/** What sets one listener apart from the others. */
type Role = Partial<ReceiverOptions> & Pick<ReceiverOptions, 'accepts' | 'deliver' | 'profile'>

function rolesOf(
  options: MailServerOptions, login: LoginOptions, warnings: QuotaWatch, taken: Taken | undefined,
): Record<SmtpListenerName, Role> {
  const { hostname, directory, store, plaintextAuth = false, hideClient = false } = options
  const { clock = nodeClock, random = randomBytes } = options
  const observe = observerOf(options)
  const failed = (what: string, error: unknown): void => observe({ kind: 'failed', at: clock.now(), what, error })
  const addresses = addressesOf(options)
  const mailboxes = new Mailboxes(store, clock, observe, directory, warnings)
  const queue = options.queue ?? new LocalQueue(addresses, mailboxes, store)
  const addressing = new Addressing(addresses, mailboxes, queue)
  const local = new LocalDelivery({ addressing, mailboxes, queue, taken, failed })
  const submission = new Submission({ hostname, directory, queue, taken, random, failed })
  const fromPeople: Role = {
    profile: 'submission',
    accepts: addressing.anybody,
    deliver: submission.deliver,
    policies: [submission.policy],
    authenticate: authenticate({
      ...login,
      directory,
      hostname,
      right: 'smtp',
      crypto: { ...nodeCrypto, random },
    }),
    authRequired: true,
    plaintextAuth,
    hideClient,
    // RFC 8314 §4: nobody's password crosses the wire in the clear.
    smtp: { tlsRequired: plaintextAuth !== true },
  }
  return {
    mx: { profile: 'mx', accepts: addressing.ours, deliver: local.toAll, trace: 'final' },
    submission: fromPeople,
    submissions: fromPeople,
    lmtp: { profile: 'lmtp', accepts: addressing.ours, deliver: local.toEach, trace: 'final' },
  }
}

function addressesOf({ directory, hostname, postmaster }: MailServerOptions): Addresses {
  if (postmaster === undefined) return directory
  const address = readAddress(postmaster)
  if (!address) throw new MailError('config', `mailServer: postmaster is ${JSON.stringify(postmaster)}; it takes an address.`)
  return withPostmaster(directory, hostname, address)
}

/** Options of conversations; the later ones count, limit by limit. */
function merged(...several: readonly (ConversationOptions | undefined)[]): ConversationOptions {
  const all = several.filter((one) => one !== undefined)
  const nested = ['rules', 'extensions', 'limits', 'timeouts'] as const
  const together = nested.map((name) => [name, Object.assign({}, ...all.map((one) => one[name]))] as const)
  return { ...Object.assign({}, ...all), ...Object.fromEntries(together) } as ConversationOptions
}

class RunningListeners implements RunningMailServer {
  readonly listeners: { readonly [Name in ListenerName]?: Running }
  private readonly all: readonly Running[]
  private readonly released: () => Promise<void>
  private stopping: Promise<Stopped> | undefined

  constructor(running: ReadonlyMap<ListenerName, Running>, released: () => Promise<void>) {
    this.listeners = Object.fromEntries(running)
    this.all = [...running.values()]
    this.released = released
  }

  get connections(): number {
    return this.all.reduce((open, { connections }) => open + connections, 0)
  }

  stop(options: { readonly within?: number } = {}): Promise<Stopped> {
    return (this.stopping ??= this.end(options))
  }

  private async end(options: { readonly within?: number }): Promise<Stopped> {
    const stopped = sum(await Promise.all(this.all.map((listener) => listener.stop(options))))
    await this.released()
    return stopped
  }
}

function sum(several: readonly Stopped[]): Stopped {
  const total = (which: keyof Stopped): number => several.reduce((all, stopped) => all + stopped[which], 0)
  return { completed: total('completed'), cut: total('cut') }
}

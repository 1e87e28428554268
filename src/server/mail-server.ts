import { nodeClock } from '../adapters/node/index.ts'
import { type EnqueuingTransport, enqueuingTransport } from '../adapters/nodemailer/enqueue.ts'
import { spoolBodies } from '../adapters/node/spool.ts'
import type { BodyStore } from '../contracts/bodies.ts'
import type { EnqueuedMail, NewMail } from '../contracts/new-mail.ts'
import type { Conversation } from '../protocol/session/drive.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { Transport } from '../protocol/session/transport.ts'
import { awake } from './awake.ts'
import { guardOver } from './guarding.ts'
import { HostMail } from './host-mail.ts'
import type { Running, Stopped } from './listening.ts'
import type { Taken } from './local-delivery.ts'
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
import type { ConversationOptions, ReceiverOptions } from './options.ts'
import { QuotaWatch } from './quota-watch.ts'
import { receiver } from './receiver.ts'
import { observerOf, type Role, type Roles, rolesOf } from './roles.ts'
import type { Server, ServerListenOptions } from './server.ts'

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
  /**
   * Takes over a message of the application's own, as submission does one of its people: what is missing in its header is added,
   * blind copies are taken out. Resolves when it is as safe as the queue makes it; without a queue, when it is in the mailboxes
   * here. It is on its way then, also before `start`; after `stop` it waits in the queue for the next time.
   *
   * Rejects with `temporary`, `quota` or `permanent` where nothing was taken; with `config` where what is given makes no sense.
   * Recipients that are refused are told of, as long as there is another; what `content` throws is thrown on.
   */
  enqueue(mail: NewMail): Promise<EnqueuedMail>
  /**
   * A transport for `nodemailer.createTransport`, which hands its mail to {@link MailServer.enqueue}: no socket, no log-in.
   * `account`: for all of it.
   */
  transport(options?: { readonly account?: string }): EnqueuingTransport
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
  private readonly roles: Roles
  private readonly hostMail: HostMail
  private isStopped = false

  constructor(options: MailServerOptions, taken?: Taken) {
    checkMailServerOptions(options)
    this.options = options
    this.bodies = options.bodies ?? spoolBodies()
    // Guessing at one door is guessing at all of them.
    const guard = options.login?.guard ?? guardOver(options.keyValue, observerOf(options))
    const login = { guard, ...options.login }
    // However an account fills up, each warning comes once.
    const warnings = new QuotaWatch(options.store, options.clock ?? nodeClock, observerOf(options))
    this.roles = rolesOf(options, login, warnings, taken)
    const { addressing, submission, dispatch: queue } = this.roles
    const { inMemory = 256 * 1024, clock = nodeClock } = options
    this.hostMail = new HostMail({ addressing, submission, queue, bodies: this.bodies, inMemory, clock })
    for (const name of smtpListeners) {
      const listener = options.listen[name]
      if (listener) this.services.set(name, receiver(this.receiverOptions(name, listener, this.roles.of[name])))
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
      await this.letGo({ within: 0 })
      throw error
    }
    this.deliver()
    return new RunningListeners(running, (how, listeners) => this.letGo(how, listeners))
  }

  serve(listener: ListenerName, transport: Transport, options: { readonly startTls?: boolean } = {}): Conversation {
    const found = this.services.get(listener)
    if (!found) throw new MailError('misuse', `serve: there is no listener ${listener}; name it in the options of mailServer().`)
    this.deliver()
    return found.serve(transport, { ...options, name: listener })
  }

  async enqueue(mail: NewMail): Promise<EnqueuedMail> {
    const taken = await this.hostMail.enqueue(mail)
    if (!this.isStopped) this.deliver()
    return taken
  }

  transport({ account }: { readonly account?: string } = {}): EnqueuingTransport {
    return enqueuingTransport((mail) => this.enqueue(mail), account)
  }

  async stop(options: { readonly within?: number } = {}): Promise<Stopped> {
    const listeners = Promise.all([...new Set(this.services.values())].map((one) => one.stop(options)))
    await this.letGo(options, listeners)
    return sum(await listeners)
  }

  private deliver(): void {
    this.isStopped = false
    this.roles.outgoing?.start()
  }

  /** Ends what is not a listener's; what listeners still take in waits in the queue for the next time. */
  private letGo(how: { readonly within?: number }, listeners?: Promise<unknown>): Promise<void> {
    return awake(this.options.clock ?? nodeClock, this.end(how, listeners))
  }

  private async end({ within = 30_000 }: { readonly within?: number }, listeners?: Promise<unknown>): Promise<void> {
    this.isStopped = true
    await Promise.all([this.roles.outgoing?.stop({ within }), listeners])
    await this.roles.webhooks?.close()
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
    const { hostname, inMemory, trusted, observe, clock, random, resolver, explain } = this.options
    // One server makes all the connections there.
    const usual = name === 'lmtp' ? { address: Infinity } : {}
    return {
      hostname,
      bodies: this.bodies,
      connections: listener.connections === false ? false : { ...usual, ...listener.connections },
      ...(inMemory === undefined ? {} : { inMemory }),
      ...(trusted === undefined ? {} : { trusted }),
      ...(resolver === undefined ? {} : { resolver }),
      ...(explain === undefined ? {} : { explain }),
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
  private readonly released: (how: { readonly within?: number }, listeners: Promise<unknown>) => Promise<void>
  private stopping: Promise<Stopped> | undefined

  constructor(running: ReadonlyMap<ListenerName, Running>, released: RunningListeners['released']) {
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
    const listeners = Promise.all(this.all.map((listener) => listener.stop(options)))
    await this.released(options, listeners)
    return sum(await listeners)
  }
}

function sum(several: readonly Stopped[]): Stopped {
  const total = (which: keyof Stopped): number => several.reduce((all, stopped) => all + stopped[which], 0)
  return { completed: total('completed'), cut: total('cut') }
}

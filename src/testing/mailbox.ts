import { type LinkSocket, socketOf } from '../adapters/memory/duplex.ts'
import { type ClientTransport, linkedTransports } from '../adapters/memory/link.ts'
import { patience } from '../adapters/node/event-loop.ts'
import { randomBytes } from '../adapters/node/random.ts'
import { type MailTransport, mailTransport } from '../adapters/nodemailer/transport.ts'
import type { Verdict } from '../contracts/policy.ts'
import type { ReceivedMessage } from '../contracts/received.ts'
import type { ServerEvent } from '../observe/events.ts'
import { observers } from '../observe/observers.ts'
import type { Conversation } from '../protocol/session/drive.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { ReceiverOptions } from '../server/options.ts'
import { type Receiver, receiver } from '../server/receiver.ts'
import { type TestClient, testClient } from './client.ts'
import { described, type MailMatch, mismatches, short } from './mail-match.ts'
import { ArrivedMail, type MailboxMail } from './mailbox-mail.ts'
import { Observed } from './observed.ts'

/** Options of a mailbox. */
export interface TestMailboxOptions {
  /** Claims recipients beside the mailbox's own domain: `() => true` takes mail to anybody. */
  readonly accepts?: ReceiverOptions['accepts']
  /** More for the receiver behind it: policies, limits, authentication, how `deliver` answers. */
  readonly receiver?: Partial<Omit<ReceiverOptions, 'accepts'>>
}

/** How long to wait, in milliseconds of real time. */
export interface Patience {
  readonly within?: number
}

/** A mailbox of a test's own, with a server of its own in this process: nothing that another test sends can get here. */
export interface TestMailbox {
  /** `inbox@` a domain that no other mailbox has. */
  readonly address: string
  /** Every address here is this mailbox's. */
  readonly domain: string
  /** Another address of this mailbox: `billing@…`. */
  alias(name: string): string
  /**
   * For the application under test: `nodemailer.createTransport(mailbox.transport)`, or `mailbox.transport.sendMail(…)`. No
   * port, but SMTP.
   */
  readonly transport: MailTransport
  /** A connected socket to the mailbox's server, for clients of any other kind. */
  connect(): LinkSocket
  /** A client to talk SMTP with by hand. */
  client(): TestClient
  /** All that has come, in order. A message is here before its sender hears 250. */
  readonly messages: readonly MailboxMail[]
  /**
   * The first message that matches and was not given out by `next` before, as soon as it is there. Rejects after `within`
   * milliseconds (default 2,000) with what came instead, and why that does not match.
   */
  next(match?: MailMatch, options?: Patience): Promise<MailboxMail>
  /** The first message that matches, as soon as it is there, given out before or not. Rejects as `next` does. */
  receives(match?: MailMatch, options?: Patience): Promise<MailboxMail>
  /**
   * Resolves when nothing that matches is there and nothing has come within so many milliseconds (default 50). Rejects as
   * soon as it has.
   */
  receivesNothing(match?: MailMatch, options?: Patience): Promise<void>
  /** Forgets what has come. */
  clear(): void
  /** Ends its connections; whoever still waits for a message is told. */
  close(): void
}

/** Makes a mailbox. Close it when the test is over. */
export function testMailbox(options: TestMailboxOptions = {}): TestMailbox {
  return new OwnMailbox(options)
}

let made = 0

class OwnMailbox extends Observed implements TestMailbox {
  readonly address: string
  readonly domain: string
  readonly transport: MailTransport
  readonly #receiver: Receiver
  readonly #conversations = new Set<Conversation>()
  readonly #messages: ArrivedMail[] = []
  readonly #given = new WeakSet<ArrivedMail>()
  readonly #refusals: string[] = []
  #closed = false

  constructor(options: TestMailboxOptions) {
    super()
    const chance = Buffer.from(randomBytes(4)).toString('hex')
    this.domain = `m${(++made).toString(36)}${chance}.test`
    this.address = `inbox@${this.domain}`
    this.transport = mailTransport(`mx.${this.domain}`, () => this.connect())
    const { accepts, receiver: more = {} } = options
    this.#receiver = receiver({
      hostname: `mx.${this.domain}`,
      // The message is as it was sent, and stays in memory.
      trace: false,
      inMemory: Infinity,
      ...more,
      accepts: (to, context) => to.domain === this.domain || accepts?.(to, context),
      deliver: async (message, context) => {
        const answer = await more.deliver?.(message, context)
        if ((Array.isArray(answer) ? answer : [answer]).some(takes)) this.#arrived(message)
        return answer
      },
      observe: observers((event) => this.#watched(event), more.observe),
    })
  }

  get messages(): readonly MailboxMail[] {
    return this.#messages
  }

  alias(name: string): string {
    return `${name}@${this.domain}`
  }

  connect(): LinkSocket {
    return socketOf(this.#link())
  }

  client(): TestClient {
    return testClient(this.#link())
  }

  next(match: MailMatch = {}, options: Patience = {}): Promise<MailboxMail> {
    return this.#wait(match, options, true)
  }

  receives(match: MailMatch = {}, options: Patience = {}): Promise<MailboxMail> {
    return this.#wait(match, options, false)
  }

  async receivesNothing(match: MailMatch = {}, options: Patience = {}): Promise<void> {
    const found = await this.#within(options.within ?? 50, () => this.#messages.find((mail) => matches(mail, match)))
    if (!found) return
    const unwanted = Object.keys(match).length === 0 ? 'nothing' : `nothing like ${described(match)}`
    throw new Error(`The mailbox was to receive ${unwanted}, but there came\n${line(found)}`)
  }

  clear(): void {
    this.#messages.length = 0
    this.#refusals.length = 0
  }

  close(): void {
    this.#closed = true
    for (const conversation of this.#conversations) conversation.drain()
    this.changed()
  }

  /** `taking`: gives out what `next` has not given out before. */
  async #wait(match: MailMatch, { within = 2000 }: Patience, taking: boolean): Promise<MailboxMail> {
    // Given out at once when it is found: two who wait never get the same.
    const found = await this.#within(within, () => {
      const mail = this.#messages.find((one) => !(taking && this.#given.has(one)) && matches(one, match))
      if (taking && mail) this.#given.add(mail)
      return mail
    })
    if (!found) throw new Error(`Expected ${described(match)} within ${within} ms. ${this.#story(match)}`)
    return found
  }

  /** What `look` finds now or after a change; `undefined` when the time is up. */
  async #within<T>(milliseconds: number, look: () => T | undefined): Promise<T | undefined> {
    let found: T | undefined
    let late = false
    const timer = patience(milliseconds, () => {
      late = true
      this.changed()
    })
    try {
      await this.until(() => {
        found = look()
        if (found === undefined && this.#closed) throw closed('while somebody waited for mail')
        return found !== undefined || late
      })
    } finally {
      timer.cancel()
    }
    return found
  }

  /** What came instead, and why that is not it. */
  #story(match: MailMatch): string {
    const count = this.#messages.length
    const told = this.#messages.map((mail) => {
      const reasons = mismatches(mail, match)
      return `\n${line(mail)}\n     ${reasons.length > 0 ? reasons.join('; ') : 'it was given out before'}`
    })
    const came = count === 0 ? 'None came.' : `There came${count === 1 ? '' : ` ${count}`}:${told.join('')}`
    return this.#refusals.length === 0 ? came : `${came}\nRefused:${this.#refusals.map((refusal) => `\n  - ${refusal}`).join('')}`
  }

  #link(): ClientTransport {
    if (this.#closed) throw closed('before this connection: the test that it belongs to is over')
    const peer = { address: '127.0.0.1', port: 25_000, localAddress: '127.0.0.1', localPort: 25 }
    const { server, client } = linkedTransports({ peer })
    this.#conversations.add(this.#receiver.serve(server))
    return client
  }

  #arrived(message: ReceivedMessage): void {
    this.#messages.push(new ArrivedMail(message))
    this.changed()
  }

  #watched(event: ServerEvent): void {
    if (event.kind !== 'refused') return
    const whom = event.recipient ?? event.sender
    this.#refusals.push(`${whom === undefined ? event.stage : `${event.stage} ${whom}`}: ${event.code} ${event.text}`)
  }
}

const takes = (verdict: Verdict | undefined | void): boolean => verdict?.kind !== 'reject' && verdict?.kind !== 'defer'

const matches = (mail: MailboxMail, match: MailMatch): boolean => mismatches(mail, match).length === 0

const closed = (when: string): MailError => new MailError('closed', `The mailbox was closed ${when}.`)

const line = (mail: MailboxMail): string => `  - ${short(mail.subject)} from ${mail.from || '<>'} to ${mail.to.join(', ')}`

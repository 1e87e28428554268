import type { Body } from '../../contracts/bodies.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { drive, type Conversation, type Host } from '../../protocol/session/drive.ts'
import type { TlsFacts } from '../../protocol/session/tls.ts'
import type { Transport } from '../../protocol/session/transport.ts'
import {
  type ClientMessage,
  type ContentChunk,
  type ContentNeeds,
  type DoneEvent,
  type FailedEvent,
  type OutcomeEvent,
  type ReadyQuestion,
  type SmtpClientConfig,
  smtpClientSession,
  type SmtpClientEvent,
} from '../../protocol/smtp/index.ts'

/** A message for a courier to take along. */
export interface Errand {
  readonly message: ClientMessage
  readonly body: Body
  /**
   * The content in a form that needs no more than `to`, where there is one that says the same; `undefined`: it cannot go. Asked
   * for when the server cannot take it as it is.
   */
  convert(to: '7bit' | '8bit'): Promise<{ readonly needs: ContentNeeds; readonly body: Body } | undefined>
}

/** What has become of an errand: an outcome for each recipient of the message, in their order. */
export interface ErrandEnd {
  readonly outcomes: readonly OutcomeEvent[]
  readonly done: DoneEvent
}

/** What a courier works with. */
export interface CourierTerms {
  readonly config: SmtpClientConfig
  readonly clock: Clock
  /** Hears what our own side did wrong: a body that cannot be read, a conversion that fails. */
  readonly failed: (error: unknown) => void
}

/** An errand on its way. */
interface Way {
  readonly errand: Errand
  readonly outcomes: OutcomeEvent[]
  readonly resolve: (end: ErrandEnd) => void
  content: AsyncIterator<Uint8Array> | undefined
  body: Body
  /** One chunk ahead, so that the last is known to be the last. */
  ahead: Uint8Array | undefined
}

/**
 * One connection to a server that takes mail, as the rest of the delivery sees it: it is free, takes an errand, and tells how
 * that ended. Whatever happens, each errand ends, and `over` resolves.
 */
export class Courier {
  /** Resolves when the connection has gone: with what was wrong, or nothing where it was ended by us. */
  readonly over: Promise<FailedEvent | undefined>
  private readonly conversation: Conversation
  private readonly ways = new Map<number, Way>()
  private question: ReadyQuestion | undefined
  private answer: ((message: ClientMessage | undefined) => void) | undefined
  private waiting: (() => void)[] = []
  private failure: FailedEvent | undefined
  private isOver = false
  private readonly ended: (failure: FailedEvent | undefined) => void
  private readonly terms: CourierTerms

  constructor(transport: Transport, terms: CourierTerms) {
    this.terms = terms
    let ended: (failure: FailedEvent | undefined) => void
    this.over = new Promise((resolve) => (ended = resolve))
    this.ended = ended!
    const session = smtpClientSession(terms.config, transport.peer, terms.clock.ticks())
    this.conversation = drive<SmtpClientEvent>(session, transport, this.host, {
      clock: terms.clock,
      failed: (error) => terms.failed(error),
      closed: (error) => this.close(error),
    })
  }

  /** It waits for an errand. */
  get isFree(): boolean {
    return this.answer !== undefined && !this.isOver
  }

  /** What the server offers; `undefined` while it is not free. */
  get offer(): ReadyQuestion | undefined {
    return this.question
  }

  /** What is known of TLS, once it was free. */
  tls: TlsFacts | undefined
  /** Why the transport broke, once it is over. */
  broken: Error | undefined

  /** Resolves when it is free, or will never be again: whether it is. */
  async free(): Promise<boolean> {
    while (!this.isFree && !this.isOver && this.failure === undefined) {
      await new Promise<void>((resolve) => this.waiting.push(resolve))
    }
    return this.isFree
  }

  /** Takes an errand along; it must be free. Never rejects. */
  send(errand: Errand): Promise<ErrandEnd> {
    const { question, answer } = this
    this.question = undefined
    this.answer = undefined
    return new Promise((resolve) => {
      const { body } = errand
      this.ways.set(question!.id, { errand, outcomes: [], resolve, content: undefined, body, ahead: undefined })
      answer!(errand.message)
    })
  }

  /** Says goodbye as soon as nothing is under way. */
  quit(): void {
    const { answer } = this
    this.question = undefined
    this.answer = undefined
    if (answer) answer(undefined)
    else this.conversation.drain()
  }

  /** Breaks the connection off. */
  reset(): void {
    this.conversation.reset()
  }

  private readonly host: Host<SmtpClientEvent> = {
    derive: ({ hash, password, salt, iterations }) => {
      return this.terms.config.auth!.crypto.pbkdf2(hash, password, salt, iterations)
    },
    ready: (question) => {
      this.question = question
      this.tls = question.tls
      const answered = new Promise<ClientMessage | undefined>((resolve) => (this.answer = resolve))
      this.wake()
      return answered
    },
    convert: async ({ message, to }) => {
      const way = this.ways.get(message)!
      const converted = await way.errand.convert(to)
      if (converted) way.body = converted.body
      return converted?.needs
    },
    content: ({ message }) => {
      const way = this.ways.get(message)!
      return way.body.bytes ? { bytes: way.body.bytes, last: true } : this.chunk(way)
    },
    outcome: (event) => void this.ways.get(event.message)!.outcomes.push(event),
    done: (event) => {
      const { outcomes, resolve, content } = this.ways.get(event.message)!
      this.ways.delete(event.message)
      void content?.return?.().catch(this.terms.failed)
      resolve({ outcomes: outcomes.sort((a, b) => a.recipient - b.recipient), done: event })
    },
    abandoned: ({ question }) => {
      if (question !== undefined && question !== this.question?.id) return
      this.question = undefined
      this.answer = undefined
    },
    failed: (event) => {
      this.failure = event
      this.wake()
    },
  }

  private async chunk(way: Way): Promise<ContentChunk> {
    if (!way.content) {
      way.content = way.body.read()[Symbol.asyncIterator]()
      way.ahead = (await way.content.next()).value
    }
    const bytes = way.ahead ?? new Uint8Array(0)
    way.ahead = (await way.content.next()).value
    return { bytes, last: way.ahead === undefined }
  }

  private wake(): void {
    const { waiting } = this
    this.waiting = []
    for (const resolve of waiting) resolve()
  }

  private close(error: Error | undefined): void {
    this.isOver = true
    this.broken = error
    this.question = undefined
    this.answer = undefined
    // What the session did not take, since no command can say it: no server has heard of it.
    for (const [message, { errand, resolve }] of this.ways) resolve(unsaid(message, errand))
    this.ways.clear()
    this.wake()
    this.ended(this.failure)
  }
}

function unsaid(message: number, { message: { recipients } }: Errand): ErrandEnd {
  const verdict = { result: 'permanent', phase: 'sender', reason: 'host', reply: undefined, code: 554, status: '5.3.0' } as const
  const outcomes = recipients.map((_, recipient): OutcomeEvent => ({ kind: 'outcome', message, recipient, ...verdict }))
  const counts = { accepted: 0, temporary: 0, permanent: recipients.length, unknown: 0, octets: 0 }
  return { outcomes, done: { kind: 'done', message, ...counts, dsn: false } }
}

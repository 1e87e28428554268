import { hasControl } from '../../bytes/text.ts'
import { MailError } from '../../session/errors.ts'
import { Outbox } from '../../session/outbox.ts'
import type { AnswerTo, BodyRange, Output } from '../../session/session.ts'
import type { TlsFacts } from '../../session/tls.ts'
import type { Reply } from '../reply.ts'
import { noCapabilities, type SmtpCapabilities } from './capabilities.ts'
import { derived } from './commands/auth.ts'
import { sendContent, takeContent } from './commands/data.ts'
import { sendEnvelope } from './commands/envelope.ts'
import { greeting, sayHello } from './commands/hello.ts'
import { checkNeeds } from './composing.ts'
import type { SmtpClientConfig } from './config.ts'
import type { ClientContext, Failure, SessionPhase, Slot, Transaction } from './context.ts'
import type { SmtpClientPeer, SmtpClientSession } from './contract.ts'
import type { ClientPhase, ContentChunk, SmtpClientEvent } from './events.ts'
import type { Login } from './login.ts'
import type { ClientMessage, ContentNeeds } from './message.ts'
import { codesOf, tellAll, tellRest, verdictOf, verdictWithout } from './outcomes.ts'
import { mostRecipients, planMessage, type Planned } from './planning.ts'
import { ReplyReader } from './reply-reader.ts'
import { beginTransaction, countsOf, phaseOf } from './transaction.ts'

/*
 * The client's side of an SMTP or LMTP conversation.
 *
 *   phase      what is done                                        leaves for
 *   greeting   waits for the greeting                              hello
 *   hello      EHLO, STARTTLS, AUTH, each when its reply is there  handshake, idle
 *   handshake  TLS; any octet here is an attack                    hello, everything learned in the clear forgotten
 *   idle       asks for a message, waits for it                    envelope, leaving
 *   envelope   sends RSET, MAIL, RCPT, DATA; awaits the replies    content; idle where nothing comes of the message
 *   content    asks for content and sends it                       idle: what is said of it is awaited beside what comes next
 *   leaving    awaits what is owed, says QUIT                      closed
 *   closed     nothing                                             –
 *
 * Replies are matched with what was sent by their order: a slot for each. Anything else that the server says ends the conversation.
 */

/** A question that waits for its answer. */
type Open = Extract<SmtpClientEvent, { readonly id: number }>

const phases: Readonly<Record<SessionPhase, ClientPhase>> = {
  greeting: 'connect',
  hello: 'hello',
  handshake: 'tls',
  idle: 'idle',
  envelope: 'sender',
  content: 'content',
  leaving: 'idle',
  closed: 'idle',
}

const quit: Slot = { phase: 'idle', patience: 'quit', goesOn: true, settle: (context) => context.enter('closed') }
const noop: Slot = { phase: 'idle', patience: 'command', settle: () => {} }

/** Begins a conversation on a connection that was just made. What the session tells and asks is {@link SmtpClientEvent}. */
export function smtpClientSession(config: SmtpClientConfig, peer: SmtpClientPeer, now: number): SmtpClientSession {
  return new ClientSession(config, peer, now)
}

class ClientSession implements SmtpClientSession, ClientContext {
  readonly config: SmtpClientConfig
  secure: boolean
  tls: TlsFacts | undefined
  capabilities: SmtpCapabilities = noCapabilities
  mechanism: string | undefined
  login: Login | undefined
  unclean = false
  mails = 0
  readonly domains = new Set<string>()
  private now: number
  private phase: SessionPhase = 'greeting'
  private readonly reader: ReplyReader
  private readonly outbox = new Outbox()
  private readonly slots: Slot[] = []
  private readonly events: SmtpClientEvent[] = []
  private open: Open | undefined
  /** The message whose commands or content are sent; the one before it, of which all is sent. */
  private current: Transaction | undefined
  private finishing: Transaction | undefined
  private messages = 0
  private lastId = 0
  private inputEnded = false
  private draining = false
  private failed = false
  private quitSaid = false
  /** When the first slot became that, when the question was put, when the phase began, when nothing was left to do. */
  private headSince: number
  private askedAt: number
  private phaseSince: number
  private idleSince: number
  /** Since when output waits to be taken. */
  private unsaid: number | undefined

  constructor(config: SmtpClientConfig, { tls }: SmtpClientPeer, now: number) {
    this.config = config
    this.tls = tls
    this.secure = tls !== undefined || config.tls === 'implicit'
    this.now = this.headSince = this.askedAt = this.phaseSince = this.idleSince = now
    this.reader = new ReplyReader(config.limits)
    this.slots.push(greeting)
  }

  // The session as its driver sees it.

  receive(now: number, bytes: Uint8Array): void {
    this.now = now
    if (this.phase === 'closed' || this.inputEnded || bytes.length === 0) return
    // RFC 3207 §4.2, CVE-2011-0411: plaintext behind the reply to STARTTLS.
    if (this.phase === 'handshake') this.breakOff({ phase: 'tls', reason: 'protocol' })
    else this.reader.push(bytes)
  }

  receiveEnd(now: number): void {
    this.now = now
    this.inputEnded = true
  }

  disconnect(now: number): void {
    this.now = now
    this.inputEnded = true
    // What was heard counts, looked at or not: it may say that a message was taken.
    while (this.listen());
    this.lost()
    this.outbox.clear()
  }

  advance(now: number): void {
    if (now > this.now) this.now = now
    for (;;) {
      const { deadline } = this
      if (deadline === undefined || deadline > now) return
      this.expire()
    }
  }

  next(): SmtpClientEvent | undefined {
    for (;;) {
      if (this.events.length > 0) return this.events.shift()
      if (!this.step()) return undefined
    }
  }

  answer<Q extends SmtpClientEvent>(question: Q, answer: AnswerTo<Q> | undefined): boolean {
    const { open } = this
    if (open === undefined || (question as SmtpClientEvent) !== open) return false
    switch (open.kind) {
      case 'ready':
        this.takeMessage(open.id, answer as ClientMessage | undefined)
        break
      case 'convert':
        this.takeNeeds(answer as ContentNeeds | undefined)
        break
      case 'content':
        this.takeChunk(answer as ContentChunk | undefined)
        break
      default:
        this.open = undefined
        derived(this, answer as Uint8Array | undefined)
    }
    return true
  }

  fail(question: SmtpClientEvent): boolean {
    return this.answer(question, undefined)
  }

  takeOutput(): readonly (Output | BodyRange)[] {
    const output = this.outbox.take()
    if (output.length === 0) return output
    this.unsaid = undefined
    for (const transaction of [this.finishing, this.current]) if (transaction?.end === 'said') transaction.end = 'taken'
    return output
  }

  tlsEstablished(now: number, tls: TlsFacts): void {
    this.now = now
    if (this.phase !== 'handshake') return
    this.reader.clear()
    this.secure = true
    this.tls = tls
    sayHello(this)
  }

  drain(now: number): void {
    this.now = now
    this.draining = true
    if (this.open?.kind !== 'ready') return
    this.withdraw('end')
    this.enter('leaving')
  }

  get wantsInput(): boolean {
    return this.phase !== 'closed'
  }

  get closed(): boolean {
    return this.phase === 'closed' && this.events.length === 0
  }

  get deadline(): number | undefined {
    if (this.phase === 'closed') return undefined
    const { timeouts } = this.config
    const [head] = this.slots
    let at = (this.unsaid ?? Infinity) + timeouts.block
    if (head !== undefined) at = Math.min(at, this.headSince + timeouts[head.patience])
    if (this.phase === 'handshake') at = Math.min(at, this.phaseSince + timeouts.handshake)
    if (this.open !== undefined) at = Math.min(at, this.patienceWithHost(this.open))
    const transaction = this.finishing ?? this.current
    if (transaction !== undefined) at = Math.min(at, transaction.began + timeouts.transaction)
    return at === Infinity ? undefined : at
  }

  // The session as its commands see it.

  get owed(): number {
    return this.slots.length
  }

  get hasInput(): boolean {
    return this.reader.held > 0
  }

  get pipelines(): boolean {
    return this.capabilities.keywords.has('PIPELINING')
  }

  get mayWrite(): boolean {
    // RFC 2920 §3.1: nothing follows NOOP.
    return this.slots.length < (this.pipelines ? this.config.limits.window : 1) && this.slots[0] !== noop
  }

  id(): number {
    return ++this.lastId
  }

  say(line: string, slot: Slot): void {
    if (hasControl(line)) throw new MailError('misuse', 'a command must not hold control characters')
    this.write(`${line}\r\n`)
    this.expect(slot)
  }

  write(octets: Uint8Array | string): void {
    this.unsaid ??= this.now
    this.outbox.write(octets)
  }

  expect(slot: Slot): void {
    if (this.slots.length === 0) this.headSince = this.now
    this.slots.push(slot)
  }

  emit(event: SmtpClientEvent): void {
    this.events.push(event)
  }

  ask(question: Open): void {
    this.open = question
    this.askedAt = this.now
    this.emit(question)
  }

  withdraw(why: 'end' | 'timeout' | 'refused'): void {
    if (this.open === undefined) return
    this.emit({ kind: 'abandoned', why, question: this.open.id })
    this.open = undefined
  }

  enter(phase: SessionPhase): void {
    this.phase = phase
    this.phaseSince = this.now
    if (phase !== 'closed') return
    this.slots.length = 0
    this.reader.clear()
    this.emit({ kind: 'closed', why: this.failed ? 'failed' : 'quit' })
  }

  breakOff(failure: Failure): void {
    if (this.phase === 'closed') return
    this.withdraw('end')
    for (const transaction of [this.finishing, this.current]) {
      if (transaction === undefined) continue
      tellRest(this, transaction, { ...failure, phase: phaseOf(transaction) })
      this.finish(transaction)
    }
    // Above all no end of content, of which it was just said that it did not go out.
    this.outbox.clear()
    this.unsaid = undefined
    this.tellFailed(failure)
    this.enter('closed')
  }

  giveUp(failure: Failure): void {
    this.tellFailed(failure)
    this.enter('leaving')
  }

  sent(transaction: Transaction): void {
    transaction.end = 'said'
    this.finishing = transaction
    this.current = undefined
    this.enter('idle')
  }

  finish(transaction: Transaction): void {
    this.emit({ kind: 'done', message: transaction.id, ...countsOf(transaction), dsn: this.capabilities.keywords.has('DSN') })
    this.idleSince = this.now
    if (this.finishing === transaction) this.finishing = undefined
    else {
      this.current = undefined
      this.enter('idle')
    }
  }

  // How it goes on.

  /** Does one thing; false where something must come first. */
  private step(): boolean {
    if (this.phase === 'closed') return false
    if (this.listen()) return true
    if (this.inputEnded) this.lost()
    else if (this.outbox.full || this.open !== undefined) return false
    else if (this.phase === 'idle') return this.beIdle()
    else if (this.phase === 'envelope') return sendEnvelope(this, this.current!)
    else if (this.phase === 'content') return sendContent(this, this.current!)
    else if (this.phase === 'leaving') return this.leave()
    else return false
    return true
  }

  /** Looks at the next reply; false where there is none. */
  private listen(): boolean {
    const reply = this.phase === 'closed' ? undefined : this.reader.next()
    if (reply === undefined) return false
    if (reply === 'garbage') this.breakOff({ phase: this.here, reason: 'protocol' })
    else this.heard(reply)
    return true
  }

  private heard(reply: Reply): void {
    const slot = this.slots.shift()
    this.headSince = this.now
    const isRefusal = reply.code >= 400
    if (slot === undefined) {
      // It comes unasked: the server does not want the content it is sent, or the connection.
      if (isRefusal && this.phase === 'content') tellAll(this, this.current!, verdictOf(reply, 'content'))
      this.breakOff({ phase: this.here, reason: isRefusal ? 'refused' : 'protocol', reply })
    } else if (reply.code >= 300 && !isRefusal && slot.goesOn !== true) {
      this.breakOff({ phase: slot.phase, reason: 'protocol', reply })
    } else {
      // RFC 5321 §3.8: behind 421 the connection is closed.
      const isLast = reply.code === 421 && slot !== quit
      if (!isLast || slot.transaction !== undefined) slot.settle(this, reply, slot)
      if (isLast) this.breakOff({ phase: slot.phase, reason: 'refused', reply })
    }
  }

  private beIdle(): boolean {
    const { config, capabilities, finishing, secure, tls, mechanism, messages } = this
    if (this.draining || this.mails >= Math.min(config.limits.messages, capabilities.limits.mailMax ?? Infinity)) {
      this.enter('leaving')
      return true
    }
    // Where a chunk may yet be refused, RSET has to come next (RFC 3030 §4.2).
    if (finishing !== undefined && (!this.pipelines || finishing.plan!.chunked)) return false
    this.idleSince = this.now
    this.ask({ kind: 'ready', id: this.id(), capabilities, secure, tls, mechanism, recipients: mostRecipients(this), messages })
    return true
  }

  private leave(): boolean {
    if (this.quitSaid || this.slots.length > 0) return false
    this.quitSaid = true
    this.say('QUIT', quit)
    return true
  }

  /** The connection has ended. */
  private lost(): void {
    if (this.phase === 'leaving' && this.finishing === undefined) this.enter('closed')
    else this.breakOff({ phase: this.here, reason: 'lost' })
  }

  /** How far the conversation has come. */
  private get here(): ClientPhase {
    return this.slots[0]?.phase ?? (this.login === undefined ? phases[this.phase] : 'auth')
  }

  private tellFailed({ phase, reason, reply }: Failure): void {
    if (this.failed) return
    this.failed = true
    const { code, status } = reply === undefined || reason !== 'refused' ? verdictWithout({ phase, reason }) : codesOf(reply, phase)
    this.emit({ kind: 'failed', phase, reason, reply, code, status })
  }

  private takeMessage(id: number, message: ClientMessage | undefined): void {
    if (message === undefined) {
      this.open = undefined
      return this.enter('leaving')
    }
    const transaction = beginTransaction(id, message, this.now)
    const planned = planMessage(this, transaction)
    this.open = undefined
    this.messages++
    this.current = transaction
    this.enter('envelope')
    this.go(transaction, planned)
  }

  private takeNeeds(needs: ContentNeeds | undefined): void {
    if (needs !== undefined) checkNeeds(needs)
    const transaction = this.current!
    transaction.converted = true
    if (needs !== undefined) transaction.needs = needs
    const planned = planMessage(this, transaction)
    this.open = undefined
    this.go(transaction, planned)
  }

  /** What was decided of a message is done. */
  private go(transaction: Transaction, planned: Planned): void {
    if ('to' in planned) return this.ask({ kind: 'convert', id: this.id(), message: transaction.id, to: planned.to })
    if ('reason' in planned) tellAll(this, transaction, verdictWithout({ phase: 'sender', reason: planned.reason }))
    else transaction.plan = planned
    if ('reason' in planned || planned.rcpt.length === 0) this.finish(transaction)
  }

  private takeChunk(chunk: ContentChunk | undefined): void {
    if (chunk !== undefined && !(chunk.bytes instanceof Uint8Array && typeof chunk.last === 'boolean')) {
      throw new MailError('misuse', 'content is given as { bytes, last }')
    }
    this.open = undefined
    if (chunk === undefined) this.breakOff({ phase: 'content', reason: 'host' })
    else takeContent(this.current!, chunk)
  }

  private patienceWithHost(question: Open): number {
    const { answer, idle, keepAlive } = this.config.timeouts
    if (question.kind !== 'ready') return this.askedAt + answer
    if (this.slots.length > 0) return Infinity
    return Math.min(this.idleSince + idle, Math.max(this.idleSince, this.headSince) + keepAlive)
  }

  /** The deadline has passed. */
  private expire(): void {
    const { open } = this
    if (open === undefined || this.patienceWithHost(open) > this.now) {
      if (this.phase === 'leaving' && this.finishing === undefined) this.enter('closed')
      else this.breakOff({ phase: this.here, reason: 'timeout' })
    } else if (open.kind !== 'ready') {
      this.emit({ kind: 'abandoned', why: 'timeout', question: open.id })
      this.fail(open)
    } else if (this.idleSince + this.config.timeouts.idle <= this.now) {
      this.withdraw('timeout')
      this.enter('leaving')
    } else this.say('NOOP', noop)
  }
}

import { hasControl } from '../../bytes/text.ts'
import { MailError } from '../../session/errors.ts'
import { Outbox } from '../../session/outbox.ts'
import type { AnswerTo, BodyRange, Output } from '../../session/session.ts'
import type { TlsFacts } from '../../session/tls.ts'
import type { Reply } from '../reply.ts'
import { noCapabilities, type SmtpCapabilities } from './capabilities.ts'
import { settle } from './answers.ts'
import { noop, quit } from './commands/control.ts'
import { sendContent } from './commands/data.ts'
import { sendEnvelope } from './commands/envelope.ts'
import { greeting, sayHello } from './commands/hello.ts'
import type { SmtpClientConfig } from './config.ts'
import type { ClientContext, Failure, Open, SessionPhase, Slot, Transaction } from './context.ts'
import type { SmtpClientPeer, SmtpClientSession } from './contract.ts'
import type { ClientPhase, SmtpClientEvent } from './events.ts'
import type { Login } from './login.ts'
import { tellAll, tellRest, verdictOf, verdictOn } from './outcomes.ts'
import { mostRecipients } from './planning.ts'
import { ReplyReader } from './reply-reader.ts'
import { countsOf, phaseOf, phases } from './transaction.ts'
import { deadlineOf, idleUntil, patienceWithHost, type Waiting } from './waiting.ts'

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
 * Replies are matched with what was sent by their order: a slot for each. Anything else that is said ends the conversation.
 */

/** Begins a conversation on a connection that was just made. What the session tells and asks is {@link SmtpClientEvent}. */
export function smtpClientSession(config: SmtpClientConfig, peer: SmtpClientPeer, now: number): SmtpClientSession {
  return new ClientSession(config, peer, now)
}

class ClientSession implements SmtpClientSession, ClientContext, Waiting {
  readonly config: SmtpClientConfig
  readonly hearsWhileSending = true
  secure: boolean
  tls: TlsFacts | undefined
  capabilities: SmtpCapabilities = noCapabilities
  mechanism: string | undefined
  login: Login | undefined
  unclean = false
  mails = 0
  readonly domains = new Set<string>()
  now: number
  phase: SessionPhase = 'greeting'
  private readonly reader: ReplyReader
  private readonly outbox = new Outbox()
  readonly slots: Slot[] = []
  private readonly events: SmtpClientEvent[] = []
  open: Open | undefined
  transaction: Transaction | undefined
  finishing: Transaction | undefined
  private messages = 0
  private lastId = 0
  private inputEnded = false
  private draining = false
  private failed = false
  private quitSaid = false
  headSince: number
  askedAt: number
  phaseSince: number
  idleSince: number
  unsaid: number | undefined

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
    settle(this, open, answer as AnswerTo<Open> | undefined)
    return true
  }

  fail(question: SmtpClientEvent): boolean {
    return this.answer(question, undefined)
  }

  takeOutput(): readonly (Output | BodyRange)[] {
    const output = this.outbox.take()
    if (output.length === 0) return output
    this.unsaid = undefined
    for (const transaction of [this.finishing, this.transaction]) if (transaction?.end === 'said') transaction.end = 'taken'
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
    const at = this.phase === 'closed' ? Infinity : deadlineOf(this)
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

  answered(): void {
    this.open = undefined
  }

  begin(transaction: Transaction): void {
    this.messages++
    this.transaction = transaction
    this.enter('envelope')
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
    for (const transaction of [this.finishing, this.transaction]) {
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
    this.transaction = undefined
    this.enter('idle')
  }

  finish(transaction: Transaction): void {
    this.emit({ kind: 'done', message: transaction.id, ...countsOf(transaction), dsn: this.capabilities.keywords.has('DSN') })
    this.idleSince = this.now
    if (this.finishing === transaction) this.finishing = undefined
    else {
      this.transaction = undefined
      this.enter('idle')
    }
  }

  // How it goes on.

  /**
   * Does one thing; false where something must come first. What can be said is said before the next reply is looked at, so that
   * it is the same however replies come.
   */
  private step(): boolean {
    if (this.phase === 'closed') return false
    if (!this.inputEnded && !this.outbox.full && this.open === undefined && this.goOn()) return true
    if (this.listen()) return true
    if (this.inputEnded) this.lost()
    return this.inputEnded
  }

  private goOn(): boolean {
    switch (this.phase) {
      case 'idle':
        return this.beIdle()
      case 'envelope':
        return sendEnvelope(this, this.transaction!)
      case 'content':
        return sendContent(this, this.transaction!)
      case 'leaving':
        return this.leave()
      default:
        return false
    }
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
      if (isRefusal && this.phase === 'content') tellAll(this, this.transaction!, verdictOf(reply, 'content'))
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
    const { code, status } = verdictOn({ phase, reason, reply })
    this.emit({ kind: 'failed', phase, reason, reply, code, status })
  }

  /** The deadline has passed. */
  private expire(): void {
    const { open } = this
    if (open === undefined || patienceWithHost(this, open) > this.now) {
      if (this.phase === 'leaving' && this.finishing === undefined) this.enter('closed')
      else this.breakOff({ phase: this.here, reason: 'timeout' })
    } else if (open.kind !== 'ready') {
      this.emit({ kind: 'abandoned', why: 'timeout', question: open.id })
      this.fail(open)
    } else if (idleUntil(this) <= this.now) {
      this.withdraw('timeout')
      this.enter('leaving')
    } else this.say('NOOP', noop)
  }
}

import { Input } from '../../bytes/input.ts'
import type { AbandonedEvent, AnswerTo, Output } from '../../session/session.ts'
import type { TlsFacts } from '../../session/tls.ts'
import type { SmtpServerConfig } from '../config.ts'
import type { CloseReason, SmtpServerEvent } from '../events.ts'
import { authLine, endAuth } from './commands/auth.ts'
import { quit } from './commands/control.ts'
import { commandOf, settle, standsLast } from './commands/index.ts'
import type { SmtpPeer, SmtpServerSession } from './contract.ts'
import type { Command, SaslState, ServerContext, Swallowing, Transaction } from './context.ts'
import { carriesMore, checkLine } from './line.ts'
import { readChunk, readContent, readSwallowed } from './reading.ts'
import { failed, failedClosing, replies } from './replies.ts'
import { Slots } from './slots.ts'
import { lineOf, refusalOf } from './told.ts'
import { contentDeadline, lastMoment, lineDeadline, type Waiting } from './waiting.ts'

/*
 * The server's side of an SMTP or LMTP conversation.
 *
 *   phase      what the next octets are             leaves for
 *   COMMAND    a command line                       CONTENT (DATA), CHUNK or SWALLOW (BDAT), SASL (AUTH), HANDSHAKE (STARTTLS)
 *   CONTENT    a message, up to CRLF . CRLF         COMMAND at its end
 *   CHUNK      the octets that BDAT announced       COMMAND behind the last of them
 *   SWALLOW    octets of a refused BDAT             COMMAND behind the last of them
 *   SASL       a line of an AUTH exchange           COMMAND when it ends
 *   HANDSHAKE  TLS; any octet here is an attack     COMMAND, everything learned in the clear forgotten
 *   CLOSED     nothing                              –
 *
 * In each, nothing further is read while a reply waits for the host's answer; only RCPT may follow RCPT meanwhile.
 */
const COMMAND = 0
const CONTENT = 1
const CHUNK = 2
const SWALLOW = 3
const SASL = 4
const HANDSHAKE = 5
const CLOSED = 6
const phases = { command: COMMAND, content: CONTENT, chunk: CHUNK, swallow: SWALLOW, sasl: SASL, handshake: HANDSHAKE } as const

/** Octets of input from which on the session asks not to be fed, and of output from which on it waits to be relieved. */
const MARK = 65_536

/** Nothing to do before more comes in. */
const WAIT = Symbol('wait')
const NOTHING: readonly Output[] = []

/** Begins a conversation: its first event is the `connect` question. */
export function smtpServerSession(config: SmtpServerConfig, peer: SmtpPeer, now: number): SmtpServerSession {
  return new ServerSession(config, peer, now)
}

class ServerSession implements SmtpServerSession, ServerContext, Waiting {
  readonly config: SmtpServerConfig
  readonly trusted: boolean
  secure: boolean
  tls: TlsFacts | undefined
  now: number
  hello: 'EHLO' | 'HELO' | 'LHLO' | undefined
  account: string | undefined
  transaction: Transaction | undefined
  sasl: SaslState | undefined
  swallowing: Swallowing | undefined
  senderRefused = false
  dataRefused = false
  refusedRecipients = 0
  failedAuth = 0
  transactions = 0
  commands = 0
  earlyInput = 0
  refused = false
  readonly began: number
  greetedAt: number
  since: number
  lineSince: number | undefined
  private phase: 0 | 1 | 2 | 3 | 4 | 5 | 6 = COMMAND
  private readonly input = new Input()
  private readonly slots = new Slots()
  private readonly events: SmtpServerEvent[] = []
  /** The command that is being answered. */
  private latest: Command | undefined
  private lastId = 0
  private greeted = false
  /** Nobody has been greeted yet; after XCLIENT somebody has. */
  private fresh = true
  private inputEnded = false
  private errors = 0
  private draining = false
  private told = false
  private why: CloseReason | undefined

  constructor(config: SmtpServerConfig, peer: SmtpPeer, now: number) {
    this.config = config
    this.tls = peer.tls
    this.secure = peer.secure ?? peer.tls !== undefined
    this.trusted = peer.trusted ?? false
    this.now = this.began = this.greetedAt = this.since = now
  }

  // The session as its driver sees it.

  receive(now: number, bytes: Uint8Array): void {
    this.now = now
    if (this.phase === CLOSED || this.inputEnded) return
    // S11: who speaks before the greeting does not listen; spam engines do that.
    if (this.fresh && this.config.rules.earlyTalk === 'refuse') return this.close('protocol', replies.earlyTalk, true)
    if (!this.slots.empty && this.latest && standsLast(this.latest) && this.tooEarly()) return
    this.input.push(bytes)
  }

  receiveEnd(now: number): void {
    this.now = now
    this.inputEnded = true
  }

  disconnect(now: number): void {
    this.now = now
    this.close('end')
    this.slots.clear()
  }

  advance(now: number): void {
    if (now > this.now) this.now = now
    for (;;) {
      this.slots.release(now)
      const { deadline } = this
      if (deadline === undefined || deadline > now) return
      this.expire()
    }
  }

  next(): SmtpServerEvent | undefined {
    for (;;) {
      if (this.events.length > 0) return this.events.shift()
      if (this.slots.out.length >= MARK) return undefined
      const step = this.step()
      if (step === WAIT) return undefined
      if (step === undefined) continue
      if (this.events.length === 0) return step
      // What was emitted on the way came first.
      this.events.push(step)
    }
  }

  answer<Q extends SmtpServerEvent>(question: Q, answer: AnswerTo<Q> | undefined): boolean {
    const slot = this.slots.take(question)
    if (!slot) return false
    let wire: string
    try {
      wire = settle(this, question, answer)
    } catch (error) {
      slot.question = question
      throw error
    }
    this.since = this.now
    const closing = wire.startsWith('421')
    // RFC 5321 §3.8: nothing comes after 421.
    if (closing) this.withdrawn(this.slots.dropBehind(slot))
    if (question.kind === 'connect') this.greet()
    this.slots.fill(slot, wire)
    if (closing) this.close('refused')
    else if (question.kind === 'recipient' && this.refusedRecipients >= this.config.limits.refusedRecipients) {
      this.close('limit', replies.tooManyRefused)
    }
    return true
  }

  fail(question: SmtpServerEvent): boolean {
    return this.answer(question, (question.kind === 'connect' ? failedClosing : failed) as AnswerTo<SmtpServerEvent>)
  }

  takeOutput(): readonly Output[] {
    const { out } = this.slots
    if (out === '') return NOTHING
    this.slots.out = ''
    return [out]
  }

  tlsEstablished(now: number, tls: TlsFacts): void {
    this.now = now
    if (this.phase !== HANDSHAKE) return
    // RFC 3207 §4.2: what was learned in the clear is forgotten.
    this.secure = true
    this.tls = tls
    this.hello = undefined
    this.account = undefined
    this.senderRefused = false
    this.input.clear()
    this.phase = COMMAND
    this.since = this.greetedAt = now
  }

  drain(now: number): void {
    this.now = now
    this.draining = true
  }

  get wantsInput(): boolean {
    return this.phase !== CLOSED && this.input.held < MARK
  }

  get closed(): boolean {
    return this.told && this.events.length === 0
  }

  get deadline(): number | undefined {
    const at = this.slots.due ?? this.phaseDeadline()
    return at === Infinity ? undefined : at
  }

  // The session as its commands see it.

  id(): number {
    return ++this.lastId
  }

  say(wire: string): void {
    const told = this.config.tell === undefined ? undefined : refusalOf(wire)
    if (told !== undefined) this.emit(told)
    this.slots.say(wire)
  }

  complain(wire: string): void {
    this.say(wire)
    if (++this.errors >= this.config.limits.errors) this.close('errors', replies.tooManyErrors)
  }

  ask(question: SmtpServerEvent & { readonly id: number }, patience = this.config.timeouts.answer): SmtpServerEvent {
    this.slots.ask(question, this.now + patience)
    return question
  }

  emit(event: SmtpServerEvent): void {
    this.events.push(event)
  }

  sayLater(wire: string, delay: number): void {
    this.slots.sayAt(wire, this.now + delay)
  }

  abandon(why: AbandonedEvent['why']): void {
    if (this.transaction && !this.transaction.void) this.emit({ kind: 'abandoned', why })
    this.transaction = undefined
  }

  /** `instead`: the last words stand for all replies that are owed. */
  close(why: CloseReason, wire = '', instead = false): undefined {
    if (this.why !== undefined) return
    this.say(wire)
    this.why = why
    this.withdrawn(this.slots.withdraw(instead ? '' : replies.failed))
    this.abandon(why === 'timeout' ? 'timeout' : 'end')
    this.phase = CLOSED
    this.input.clear()
  }

  expect(what: keyof typeof phases): void {
    this.phase = phases[what]
    if (what === 'command') this.latest = undefined
  }

  restart(): void {
    this.tls = undefined
    this.hello = undefined
    this.account = undefined
    this.greeted = false
    this.senderRefused = false
  }

  // How it goes on.

  private withdrawn(ids: readonly number[]): void {
    for (const question of ids) this.emit({ kind: 'abandoned', why: 'end', question })
  }

  private greet(): void {
    this.greeted = true
    this.fresh = false
    this.greetedAt = this.now
  }

  /** Octets came behind a command that must be the last of its batch (S12); true where that is the end. */
  private tooEarly(): boolean {
    this.latest = undefined
    this.earlyInput++
    if (this.config.rules.pipelining === 'flag') return false
    this.close('protocol', replies.pipelined, true)
    return true
  }

  private step(): SmtpServerEvent | undefined | typeof WAIT {
    if (this.phase === CLOSED) return this.farewell()
    const idle = this.slots.empty
    if (!idle && !this.mayOverlap()) return WAIT
    if (idle && this.draining && (this.phase === COMMAND || this.phase === SASL)) return this.close('drained', replies.drained)
    if (idle && !this.greeted) return this.ask({ kind: 'connect', id: this.id() })
    switch (this.phase) {
      case CONTENT:
        return this.read(readContent)
      case CHUNK:
        return this.read(readChunk)
      case SWALLOW:
        return this.read(readSwallowed)
      case HANDSHAKE:
        if (this.input.bytes === undefined && !this.inputEnded) return WAIT
        // RFC 3207 §4.1 and CVE-2011-0411: never to be taken for what comes over TLS.
        return this.close(this.inputEnded ? 'end' : 'protocol')
      default:
        return this.line()
    }
  }

  private farewell(): SmtpServerEvent | typeof WAIT {
    if (this.told || !this.slots.empty) return WAIT
    this.told = true
    return { kind: 'closed', why: this.why! }
  }

  /** Nothing is left to read: if nothing will come, the conversation is over. */
  private starved(): typeof WAIT | undefined {
    if (!this.inputEnded || !this.slots.empty) return WAIT
    this.close('end')
    return undefined
  }

  /** While recipients are being looked up, the next may be asked for, as long as none can be one too many. */
  private mayOverlap(): boolean {
    const { limits } = this.config
    const { transaction, slots } = this
    if (this.phase !== COMMAND || !transaction || slots.length >= limits.window || !slots.onlyRecipients) return false
    if (transaction.accepted + slots.length >= limits.recipients) return false
    return this.input.peek(5).toUpperCase() === 'RCPT '
  }

  private line(): SmtpServerEvent | undefined | typeof WAIT {
    const { limits } = this.config
    const sasl = this.phase === SASL
    const text = this.input.line(Math.max(limits.commandOctets, limits.authOctets))
    const octets = text === undefined ? this.input.begun : this.input.lineOctets
    if (octets > limits.skippedOctets) return this.close('limit', sasl ? replies.authLineTooLong : replies.lineTooLong)
    if (text === undefined) {
      if (octets > 0) this.lineSince ??= this.now
      return this.starved()
    }
    this.since = this.now
    this.lineSince = undefined
    if (!sasl && ++this.commands > limits.commands) return this.close('limit', replies.tooManyCommands)
    const checked = checkLine(this.config, text, octets, sasl)
    if (typeof checked !== 'string') return this.badLine(text, checked.wire)
    if (!sasl) return this.command(checked)
    this.phase = COMMAND
    return authLine(this, checked)
  }

  /** A line that is not executed. Inside an AUTH exchange it ends that too. */
  private badLine(text: string, wire: string): undefined {
    if (this.phase === SASL) {
      this.phase = COMMAND
      return endAuth(this, wire)
    }
    // What follows here is not commands, and would be taken for them.
    if (this.dataRefused || carriesMore(text)) return this.close('protocol', wire)
    this.complain(wire)
  }

  private command(line: string): SmtpServerEvent | undefined {
    const space = line.indexOf(' ')
    const verb = space < 0 ? line : line.slice(0, space)
    const command = commandOf(this.config, verb)
    if (this.config.tell === 'commands') this.emit(lineOf(command && verb, this.input.lineOctets))
    if (this.refused && command !== quit) return this.badLine(line, replies.refusedConnection)
    if (command === undefined) return this.badLine(line, replies.unknownCommand)
    this.latest = command
    if (this.input.bytes !== undefined && standsLast(command) && this.tooEarly()) return undefined
    this.dataRefused = false
    return command(this, space < 0 ? '' : line.slice(space + 1))
  }

  private read(some: (context: ServerContext, input: Input) => boolean): undefined | typeof WAIT {
    if (!some(this, this.input)) return this.starved()
    this.since = this.now
    return undefined
  }

  private phaseDeadline(): number {
    if (this.phase === CLOSED) return Infinity
    if (this.phase === HANDSHAKE) return this.since + this.config.timeouts.handshake
    const content = this.phase === CONTENT || this.phase === CHUNK || this.phase === SWALLOW
    return content ? contentDeadline(this) : lineDeadline(this)
  }

  /** The deadline has passed: whoever kept the other waiting loses. */
  private expire(): void {
    const question = this.slots.overdue(this.now)
    if (question) {
      this.emit({ kind: 'abandoned', why: 'timeout', question: (question as { id: number }).id })
      this.fail(question)
    } else this.close('timeout', this.phase === HANDSHAKE ? '' : this.now >= lastMoment(this) ? replies.tooLong : replies.timeout)
  }
}

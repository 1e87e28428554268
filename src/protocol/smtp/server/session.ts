import { Input } from '../../bytes/input.ts'
import type { AnswerTo, Output, Session } from '../../session/session.ts'
import type { TlsFacts } from '../../session/tls.ts'
import type { SmtpServerConfig } from '../config.ts'
import type { CloseReason, SmtpServerEvent } from '../events.ts'
import { authLine } from './commands/auth.ts'
import { commandOf, settle, standsLast } from './commands/index.ts'
import type { SaslState, ServerContext, Transaction } from './context.ts'
import { checkLine } from './line.ts'
import { readChunk, readContent, readSwallowed } from './reading.ts'
import { replies } from './replies.ts'
import { Slots } from './slots.ts'

/*
 * The server's side of an SMTP or LMTP conversation.
 *
 *   phase      what the next octets are             leaves for
 *   COMMAND    a command line                       CONTENT on DATA, CHUNK or SWALLOW on BDAT, SASL on a challenge, HANDSHAKE on STARTTLS
 *   CONTENT    a message, up to CRLF . CRLF         COMMAND at its end
 *   CHUNK      the octets that BDAT announced       COMMAND behind the last of them
 *   SWALLOW    octets of a refused BDAT             COMMAND behind the last of them
 *   SASL       a line of an AUTH exchange           COMMAND when it ends
 *   HANDSHAKE  TLS; any octet here is an attack     COMMAND, everything learned in the clear forgotten
 *   CLOSED     nothing                              –
 *
 * In each, nothing further is read while a reply waits for the host's answer; only RCPT may follow RCPT meanwhile.
 */
type Phase = 0 | 1 | 2 | 3 | 4 | 5 | 6
const COMMAND: Phase = 0
const CONTENT: Phase = 1
const CHUNK: Phase = 2
const SWALLOW: Phase = 3
const SASL: Phase = 4
const HANDSHAKE: Phase = 5
const CLOSED: Phase = 6
const phases = { command: COMMAND, content: CONTENT, chunk: CHUNK, swallow: SWALLOW, sasl: SASL, handshake: HANDSHAKE } as const

/** Input above which the session asks not to be fed, and output above which it waits to be relieved: octets. */
const INPUT_MARK = 65_536
const OUTPUT_MARK = 65_536

/** Nothing to do before more comes in. */
const WAIT = Symbol('wait')
const NOTHING: readonly Output[] = []

/** Facts about a connection that a session begins with. */
export interface SmtpPeer {
  /** TLS is active already. */
  readonly secure?: boolean
  /** It may use XCLIENT and XFORWARD. */
  readonly trusted?: boolean
}

/** The server's side of one SMTP or LMTP conversation. */
export interface SmtpServerSession extends Session<SmtpServerEvent> {
  /** How often the peer sent octets behind a command that must be the last of its batch (S12). */
  readonly earlyInput: number
}

/** Begins a conversation: its first event is the `connect` question. */
export function smtpServerSession(config: SmtpServerConfig, peer: SmtpPeer, now: number): SmtpServerSession {
  return new ServerSession(config, peer, now)
}

class ServerSession implements SmtpServerSession, ServerContext {
  readonly config: SmtpServerConfig
  readonly trusted: boolean
  secure: boolean
  now: number
  hello: 'EHLO' | 'HELO' | 'LHLO' | undefined
  account: string | undefined
  transaction: Transaction | undefined
  sasl: SaslState | undefined
  swallowing: ServerContext['swallowing']
  refusedRecipients = 0
  failedAuth = 0
  messages = 0
  earlyInput = 0
  private phase: Phase = COMMAND
  private readonly input = new Input()
  private readonly slots = new Slots()
  private readonly events: SmtpServerEvent[] = []
  private lastId = 0
  private greeted = false
  private refused = false
  private inputEnded = false
  private commands = 0
  private errors = 0
  private draining = false
  private why: CloseReason | undefined
  private told = false
  /** When the connection began, when the greeting went out, when the present wait began, when the open line began. */
  private readonly began: number
  private greetedAt: number
  private since: number
  private lineSince = 0

  constructor(config: SmtpServerConfig, peer: SmtpPeer, now: number) {
    this.config = config
    this.secure = peer.secure ?? false
    this.trusted = peer.trusted ?? false
    this.now = this.began = this.greetedAt = this.since = now
  }

  // The session as its driver sees it.

  receive(now: number, bytes: Uint8Array): void {
    this.now = now
    if (this.phase === CLOSED || this.inputEnded) return
    // S11: who speaks before the greeting does not listen; spam engines do that.
    if (!this.greeted && this.config.rules.earlyTalk === 'refuse') {
      this.close('protocol', replies.earlyTalk)
      return
    }
    this.input.push(bytes)
  }

  receiveEnd(now: number): void {
    this.now = now
    this.inputEnded = true
  }

  advance(now: number): void {
    if (now > this.now) this.now = now
    this.slots.release(now)
    for (let due = this.deadline; due !== undefined && due <= now; due = this.deadline) this.expire()
  }

  next(): SmtpServerEvent | undefined {
    for (;;) {
      if (this.events.length > 0) return this.events.shift()
      if (this.slots.out.length >= OUTPUT_MARK) return undefined
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
    if (question.kind === 'connect') this.greet()
    else if (question.kind === 'message') this.counted()
    this.slots.fill(slot, wire)
    if (this.refusedRecipients >= this.config.limits.refusedRecipients) this.close('limit', replies.tooManyRefused)
    else if (wire.startsWith('421')) this.close('refused')
    return true
  }

  fail(question: SmtpServerEvent): boolean {
    const closing = question.kind === 'connect'
    const reply = { code: closing ? 421 : 451, enhanced: '4.3.0', text: closing ? 'Temporary failure, closing connection' : 'Temporary failure, try again later' }
    return this.answer(question, reply as AnswerTo<SmtpServerEvent>)
  }

  takeOutput(): readonly Output[] {
    const { out } = this.slots
    if (out === '') return NOTHING
    this.slots.out = ''
    return [out]
  }

  tlsEstablished(now: number, _tls: TlsFacts): void {
    this.now = now
    if (this.phase !== HANDSHAKE) return
    // RFC 3207 §4.2: what was learned in the clear is forgotten.
    this.secure = true
    this.hello = undefined
    this.account = undefined
    this.input.clear()
    this.phase = COMMAND
    this.since = this.greetedAt = now
  }

  drain(now: number): void {
    this.now = now
    this.draining = true
  }

  get wantsInput(): boolean {
    return this.phase !== CLOSED && this.input.held < INPUT_MARK
  }

  get closed(): boolean {
    return this.told && this.events.length === 0
  }

  get deadline(): number | undefined {
    if (this.slots.due !== undefined) return this.slots.due
    const { timeouts } = this.config
    switch (this.phase) {
      case CLOSED:
        return undefined
      case HANDSHAKE:
        return this.since + timeouts.handshake
      case CONTENT:
      case CHUNK:
      case SWALLOW:
        return Math.min(this.since + timeouts.data, this.slowest())
      default: {
        const wait = this.refused ? timeouts.farewell : timeouts.idle
        const line = this.input.begun > 0 ? this.lineSince + timeouts.command : Infinity
        const hello = this.hello ? Infinity : this.greetedAt + timeouts.greeting
        const total = this.transaction ? Infinity : this.began + timeouts.total
        return Math.min(this.since + wait, line, hello, total)
      }
    }
  }

  // The session as its commands see it.

  id(): number {
    return ++this.lastId
  }

  say(wire: string): void {
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

  abandon(why: 'reset' | 'end' | 'timeout' | 'refused'): void {
    if (!this.transaction) return
    this.transaction = undefined
    this.emit({ kind: 'abandoned', why })
  }

  close(why: CloseReason, wire = ''): undefined {
    if (this.why !== undefined) return
    this.say(wire)
    this.why = why
    for (const question of this.slots.withdraw(replies.failed)) this.emit({ kind: 'abandoned', why: 'end', question })
    this.abandon(why === 'timeout' ? 'timeout' : 'end')
    this.phase = CLOSED
    this.input.clear()
  }

  expect(what: keyof typeof phases): void {
    this.phase = phases[what]
  }

  refuseConnection(): void {
    this.refused = true
  }

  restart(): void {
    this.hello = undefined
    this.account = undefined
    this.greeted = false
  }

  // How it goes on.

  private counted(): void {
    this.commands = 0
    this.messages++
  }

  private greet(): void {
    this.greeted = true
    this.greetedAt = this.now
  }

  private step(): SmtpServerEvent | undefined | typeof WAIT {
    if (this.phase === CLOSED) return this.farewell()
    if (!this.slots.empty && !this.mayOverlap()) return WAIT
    if (this.draining && this.phase === COMMAND && this.slots.empty) return this.close('drained', replies.drained)
    if (!this.greeted && this.slots.empty) return this.ask({ kind: 'connect', id: this.id() })
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
    const before = this.input.begun
    const text = this.input.line(Math.max(limits.commandOctets, limits.authOctets))
    if (text === undefined) {
      if (before === 0) this.lineSince = this.now
      if (this.input.begun > limits.skippedOctets) return this.giveUp(sasl)
      return this.starved()
    }
    this.since = this.now
    const octets = this.input.lineOctets
    if (octets > limits.skippedOctets) return this.giveUp(sasl)
    if (!sasl && ++this.commands > limits.commands) return this.close('limit', replies.tooManyCommands)
    const checked = checkLine(this.config, text, octets, sasl)
    if ('wire' in checked) return this.badLine(checked.wire)
    if (!sasl) return this.command(checked.line)
    this.phase = COMMAND
    return authLine(this, checked.line)
  }

  /** A line that is not executed. Inside an AUTH exchange it ends that too. */
  private badLine(wire: string): undefined {
    if (this.phase === SASL) {
      this.phase = COMMAND
      this.sasl = undefined
    }
    this.complain(wire)
  }

  private giveUp(sasl: boolean): undefined {
    return this.close('limit', sasl ? replies.authLineTooLong : replies.lineTooLong)
  }

  private command(line: string): SmtpServerEvent | undefined {
    const space = line.indexOf(' ')
    const verb = space < 0 ? line : line.slice(0, space)
    const command = commandOf(this.config, verb)
    if (this.refused && verb.toUpperCase() !== 'QUIT') return void this.complain(replies.refusedConnection)
    if (command === undefined) return void this.complain(replies.unknownCommand)
    if (this.input.bytes !== undefined && standsLast(command)) {
      this.earlyInput++
      if (this.config.rules.pipelining === 'enforce') return this.close('protocol', replies.pipelined)
    }
    return command(this, space < 0 ? '' : line.slice(space + 1))
  }

  private read(some: (context: ServerContext, input: Input) => boolean): undefined | typeof WAIT {
    if (!some(this, this.input)) return this.starved()
    this.since = this.now
    return undefined
  }

  /** When content that keeps up the slowest rate allowed would be overdue. */
  private slowest(): number {
    const content = this.transaction?.content
    if (!content) return Infinity
    const { data, dataRate } = this.config.timeouts
    return dataRate === 0 ? Infinity : content.began + data + (content.reader.octets * 1000) / dataRate
  }

  /** The deadline has passed: whoever kept the other waiting loses. */
  private expire(): void {
    const question = this.slots.overdue(this.now)
    if (question) {
      this.emit({ kind: 'abandoned', why: 'timeout', question: (question as { id: number }).id })
      this.fail(question)
      return
    }
    const { timeouts } = this.config
    this.close('timeout', this.phase === HANDSHAKE ? '' : this.now >= this.began + timeouts.total ? replies.tooLong : replies.timeout)
  }
}

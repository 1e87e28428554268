import { channelOf, type SaslChannel } from '../../sasl/channel.ts'
import type { AnswerTo, BodyRange, Output } from '../../session/session.ts'
import type { TlsFacts } from '../../session/tls.ts'
import { capabilitiesOf } from '../capabilities.ts'
import type { ImapServerConfig } from '../config.ts'
import { responseText } from '../encode.ts'
import type { ImapCloseReason, ImapServerEvent } from '../events.ts'
import { type Announced, Fragments } from '../fragments.ts'
import type { NameForm } from '../mailbox-name.ts'
import type { Reader } from '../reader.ts'
import { type ImapQuestion, type Run, UNAVAILABLE, type Wait } from '../run.ts'
import { CommandReading } from './command-reading.ts'
import { commandNamed } from './commands/index.ts'
import type { Enabled, Invocation, Selected } from './context.ts'
import { greeting } from './greeting.ts'
import { execute, heard, isWait, type Runner } from './running.ts'
import { octetsOf, Outbox } from './outbox.ts'
import type { ImapPeer, ImapServerSession } from './session-types.ts'
import { deadlineOf } from './waiting.ts'

/*
 * The server's side of an IMAP conversation. One command runs at a time, in the order in which they came; what the client
 * pipelines waits in the input.
 *
 *   what runs     what it waits for                            goes on with
 *   nothing       a command: lines, literals                   the command, once it is whole (or, where it streams, once begun)
 *   a command     an answer, a line, news, a literal, TLS …    whatever came of that; at its end what is new in the mailbox is
 *                                                              told, then the tagged response
 *
 * The states of RFC 9051 §3 follow from what is known: no account, an account, a selected mailbox.
 */
/** Octets of input from which on the session asks not to be fed. */
const MOST_HELD = 65_536

const WAIT = Symbol('wait')

/** Begins a conversation: its first event is the `connect` question. */
export function imapServerSession(config: ImapServerConfig, peer: ImapPeer, now: number): ImapServerSession {
  return new ServerSession(config, peer, now)
}

class ServerSession implements ImapServerSession, Runner {
  readonly config: ImapServerConfig
  now: number
  channel: SaslChannel
  client: ReadonlyMap<string, string | undefined> = new Map()
  account: string | undefined
  selected: Selected | undefined
  readonly enabled = new Set<Enabled>()
  compressed = false
  failedAuth = 0
  readonly fragments = new Fragments()
  /** When the last command ended, or the connection began. */
  since: number
  /** When the command that is being read began. */
  begunAt: number | undefined
  began: number
  /** What runs, and what it waits for; `undefined`: it is to be resumed. */
  run: Run<unknown> | undefined
  waiting: Wait | ImapQuestion | undefined
  waitingSince: number
  /** Octets that were taken last. */
  onItsWay = 0
  readonly reading: CommandReading
  private resumeWith: unknown
  private readonly events: ImapServerEvent[] = []
  private readonly outbox = new Outbox()
  /** Messages have come in, or come in, that were not appended. */
  private uploading = false
  private lastId = 0
  private errors = 0
  private commands = 0
  private inputEnded = false
  private draining = false
  private why: ImapCloseReason | undefined
  private told = false

  constructor(config: ImapServerConfig, peer: ImapPeer, now: number) {
    this.config = config
    this.channel = channelOf(peer.secure ?? peer.tls !== undefined, peer.tls)
    this.now = this.since = this.began = this.waitingSince = now
    this.reading = new CommandReading(this.fragments, config.literals)
    this.run = greeting(this)
  }

  // The session as its driver sees it.

  receive(now: number, bytes: Uint8Array): void {
    this.now = now
    if (this.why !== undefined || this.inputEnded) return
    // RFC 9051 §11.1: plaintext behind STARTTLS, never to be taken for what comes over TLS (I11).
    if (this.waiting?.kind === 'tls') return this.end('protocol')
    // A message that nobody wants any more takes the time it takes (I2).
    if (this.begunAt !== undefined && this.account !== undefined && this.fragments.inLiteral) this.begunAt = now
    this.fragments.push(bytes)
  }

  receiveEnd(now: number): void {
    this.now = now
    this.inputEnded = true
  }

  disconnect(now: number): void {
    this.receiveEnd(now)
    this.end('end')
    this.outbox.clear()
  }

  advance(now: number): void {
    if (now > this.now) this.now = now
    const at = this.deadline
    if (at === undefined || at > now) return
    const { waiting } = this
    if (waiting !== undefined && 'id' in waiting) {
      this.events.push({ kind: 'abandoned', why: 'timeout', question: waiting.id })
      this.resume(undefined)
    } else if (waiting?.kind === 'news') this.resume('time')
    else if (waiting?.kind === 'pause') this.resume(undefined)
    else this.expire()
  }

  next(): ImapServerEvent | undefined {
    for (;;) {
      if (this.events.length > 0) return this.events.shift()
      if (this.outbox.full && this.why === undefined) return undefined
      const step = this.step()
      if (step === WAIT) return undefined
      if (step !== undefined) this.events.push(step)
    }
  }

  answer<Q extends ImapServerEvent>(question: Q, answer: AnswerTo<Q> | undefined): boolean {
    if (this.waiting !== (question as ImapServerEvent)) return false
    this.resume(answer)
    return true
  }

  fail(question: ImapServerEvent): boolean {
    return this.answer(question, { refused: UNAVAILABLE, code: 'UNAVAILABLE', temporary: true } as never)
  }

  takeOutput(): readonly (Output | BodyRange)[] {
    const output = this.outbox.take()
    if (output.length > 0) this.onItsWay = octetsOf(output)
    return output
  }

  tlsEstablished(now: number, tls: TlsFacts): void {
    this.now = now
    if (this.waiting?.kind !== 'tls') return
    // RFC 9051 §6.2.1: nothing that was learned in the clear counts.
    this.fragments.clear()
    this.client = new Map()
    this.enabled.clear()
    this.channel = channelOf(true, tls)
    this.resume(undefined)
  }

  drain(now: number): void {
    this.now = now
    this.draining = true
  }

  changed(mailbox: string): void {
    if (this.selected?.mailbox === mailbox) this.selected.changed = true
  }

  get wantsInput(): boolean {
    return this.why === undefined && this.fragments.held < MOST_HELD
  }

  get closed(): boolean {
    return this.told
  }

  get deadline(): number | undefined {
    return this.why === undefined ? deadlineOf(this) : undefined
  }

  // What commands use.

  get nameForm(): NameForm {
    return this.enabled.has('UTF8=ACCEPT') || this.enabled.has('IMAP4REV2') ? 'utf-8' : 'utf-7'
  }

  say(line: string): void {
    this.write(`${line}\r\n`)
  }

  write(octets: string | Uint8Array): void {
    this.outbox.write(octets)
  }

  writeBody(message: string, start: number, end: number): void {
    this.outbox.writeBody(message, start, end)
  }

  emit(event: ImapServerEvent): void {
    if (event.kind === 'upload') this.uploading = true
    else if (event.kind === 'abandoned') this.uploading = false
    this.events.push(event)
  }

  close(why: ImapCloseReason, text: string): void {
    if (this.why !== undefined) return
    if (text !== '') this.say(`* BYE ${responseText(text)}`)
    this.end(why)
  }

  get full(): boolean {
    return this.outbox.full
  }

  forgetAccount(): void {
    this.account = undefined
    this.enabled.clear()
    // As if it had just connected.
    this.began = this.now
    this.commands = 0
  }

  capabilities(): string {
    const { account, client, channel, compressed } = this
    return capabilitiesOf(this.config, { secure: channel.secure, account, client, compressed }, channel)
  }

  private end(why: ImapCloseReason): void {
    if (this.why !== undefined) return
    this.why = why
    this.fragments.clear()
    const { waiting } = this
    if (waiting !== undefined && 'id' in waiting) this.events.push({ kind: 'abandoned', why: 'end', question: waiting.id })
    else if (this.uploading) this.events.push({ kind: 'abandoned', why: 'end' })
    if (this.selected !== undefined) this.events.push({ kind: 'unselected', mailbox: this.selected.mailbox })
    this.selected = undefined
    this.run = undefined
    this.waiting = undefined
  }

  private expire(): void {
    this.close('timeout', this.account !== undefined && this.begunAt === undefined ? 'Idle timeout' : 'Too slow')
  }

  private resume(value: unknown): void {
    this.waiting = undefined
    this.resumeWith = value
  }

  private step(): ImapServerEvent | undefined | typeof WAIT {
    if (this.why !== undefined) return this.farewell()
    if (this.run === undefined) return this.readCommand()
    if (this.waiting === undefined) return this.proceed(this.run)
    return this.hear(this.waiting)
  }

  private farewell(): ImapServerEvent | typeof WAIT {
    const was = this.told
    this.told = true
    return was ? WAIT : { kind: 'closed', why: this.why! }
  }

  /** Goes on with what runs, up to what it waits for next. */
  private proceed(run: Run<unknown>): ImapServerEvent | undefined {
    const value = this.resumeWith
    this.resumeWith = undefined
    const step = run.next(value)
    // It may have ended the conversation.
    if (this.why !== undefined) return undefined
    if (step.done === true) {
      this.run = undefined
      this.since = this.now
      return undefined
    }
    this.waitingSince = this.now
    const wanted = step.value
    if (isWait(wanted)) {
      this.begin(wanted)
      return undefined
    }
    const question = { ...wanted, id: ++this.lastId } as ImapQuestion
    if (question.kind === 'append') this.uploading = false
    this.waiting = question
    return question
  }

  private begin(wanted: Wait): void {
    this.waiting = wanted
    // I11: whatever stands behind STARTTLS in the clear, together with it or not.
    if (wanted.kind === 'tls' && this.fragments.held > 0) return this.end('protocol')
    if (wanted.kind !== 'literal' && wanted.kind !== 'stream' && wanted.kind !== 'skip') return
    const { octets, waits } = wanted.announced
    this.fragments[wanted.kind === 'literal' ? 'collect' : wanted.kind](octets)
    if (waits) this.say('+ Go on')
  }

  /** Looks whether there is what a command waits for. */
  private hear(waiting: Wait | ImapQuestion): ImapServerEvent | undefined | typeof WAIT {
    switch (waiting.kind) {
      case 'room':
        return void this.resume(undefined)
      case 'line':
        // Of an exchange that is to log somebody in nothing is lost.
        if (this.draining && this.fragments.begun === 0) return void this.close('drained', 'Server shutting down')
        return this.hearLine()
      case 'rest':
        return this.hearLine()
      case 'news':
        if (this.selected?.changed === true) return void this.resume('changed')
        if (this.draining) return void this.close('drained', 'Server shutting down')
        return this.hearLine()
      case 'literal':
      case 'stream':
      case 'skip':
        return this.hearLiteral()
      default:
        return this.inputEnded && waiting.kind === 'tls' ? void this.end('end') : WAIT
    }
  }

  private hearLine(): undefined | typeof WAIT {
    const piece = this.fragments.next(this.most[0])
    if (piece === undefined) return this.starved()
    this.since = this.now
    if (piece.kind === 'misannounced') return void this.close('protocol', 'A literal that cannot be')
    this.reading.announced = 'literal' in piece ? (piece.literal as Announced | undefined) : undefined
    this.resume(heard(piece))
    return undefined
  }

  private hearLiteral(): ImapServerEvent | undefined | typeof WAIT {
    const piece = this.fragments.next(0)
    if (piece === undefined) return this.starved()
    this.waitingSince = this.now
    if (piece.kind === 'octets') return { kind: 'body', bytes: piece.bytes }
    return void this.resume(piece.kind === 'literal' ? piece.octets : undefined)
  }

  /** Nothing is left to read: if nothing will come, the conversation is over. */
  private starved(): typeof WAIT | undefined {
    return this.inputEnded ? void this.end('end') : WAIT
  }

  /** Octets of a line, and of the literals of a command. */
  private get most(): readonly [line: number, literals: number] {
    const { limits } = this.config
    if (this.account === undefined) return [limits.lineOctetsBefore, limits.literalOctetsBefore]
    return [limits.lineOctets, limits.literalOctets]
  }

  /** Between commands. */
  private readCommand(): ImapServerEvent | undefined | typeof WAIT {
    const { reading } = this
    if (this.draining && reading.between) return void this.close('drained', 'Server shutting down')
    const read = reading.next(...this.most)
    if (read === undefined) {
      if (this.fragments.begun > 0 || !reading.between) this.begunAt ??= this.now
      return this.starved()
    }
    this.since = this.now
    switch (read.kind) {
      case 'continue':
        this.say('+ Go on')
        return undefined
      case 'refused':
        this.complain(read.tag, read.text)
        if (read.fatal) this.close('protocol', read.text)
        return undefined
      default:
        this.begunAt = undefined
        return this.begunCommand(read.tag, read.name, read.reader, { tag: read.tag, announced: read.announced })
    }
  }

  private begunCommand(tag: string, name: string, reader: Reader, invocation: Invocation): undefined {
    const command = commandNamed(name)
    if (++this.commands > this.config.limits.commandsBefore && this.account === undefined) {
      return void this.close('limit', 'Too many commands before log-in')
    }
    const state = this.selected ? 'selected' : this.account !== undefined ? 'authenticated' : 'not authenticated'
    if (command === undefined) this.refuseCommand(tag, 'Unknown command', invocation)
    else if (!command.states.includes(state)) this.refuseCommand(tag, `Not in this state: ${state}`, invocation)
    else this.run = execute(this, command, reader, invocation)
    return undefined
  }

  private refuseCommand(tag: string, why: string, invocation: Invocation): void {
    this.reading.passOver(invocation.announced)
    this.complain(tag, why)
  }

  get isOver(): boolean {
    return this.why !== undefined
  }

  complain(tag: string, text: string): void {
    this.say(`${tag} BAD ${responseText(text)}`)
    if (++this.errors >= this.config.limits.errors) this.close('errors', 'Too many errors')
  }
}

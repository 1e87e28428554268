import { Input } from '../../bytes/input.ts'
import { asciiUpper } from '../../bytes/text.ts'
import { channelOf, type SaslChannel } from '../../sasl/channel.ts'
import type { AnswerTo, Output, Session } from '../../session/session.ts'
import type { TlsFacts } from '../../session/tls.ts'
import type { Pop3ServerConfig } from '../config.ts'
import type { Pop3CloseReason, Pop3ServerEvent } from '../events.ts'
import type { Maildrop } from '../maildrop.ts'
import { replyLine } from '../reply.ts'
import {
  type Asked,
  err,
  Mistaken,
  mistake,
  type Pop3Question,
  Refused,
  type Result,
  type Run,
  UNAVAILABLE,
  type Wait,
} from '../run.ts'
import { commandNamed } from './commands/index.ts'
import type { Command, Pop3Context } from './context.ts'
import { greeting } from './greeting.ts'
import { deadlineOf, type Patience } from './waiting.ts'

/*
 * The server's side of a POP3 conversation. One command runs at a time, in the order in which they came; what the client
 * pipelines waits in the input.
 *
 *   state (RFC 1939 §3)   what is known        commands                            ends with
 *   AUTHORIZATION         no maildrop          USER PASS AUTH STLS UTF8 CAPA QUIT   the maildrop that `open` gives; QUIT
 *   TRANSACTION           a maildrop           STAT LIST UIDL RETR TOP DELE …       QUIT
 *   UPDATE                QUIT is at work      none                                 the answer to `expunge`
 *
 * Any other end deletes nothing.
 */

/** What the session must know of its connection. */
export interface Pop3Peer {
  readonly tls?: TlsFacts
  /** Encrypted, though nothing is known of how. */
  readonly secure?: boolean
}

/** Octets of input from which on the session asks not to be fed, and of a line at which it ends the conversation. */
const MOST_HELD = 65_536
/** Octets of output from which on the session waits to be relieved. */
const MOST_SAID = 65_536

const WAIT = Symbol('wait')
const NOTHING: readonly Output[] = []
const waits: ReadonlySet<string> = new Set<Wait['kind']>(['line', 'pause', 'room', 'tls'])
const isWait = (step: Asked | Wait): step is Wait => waits.has(step.kind)

/** Begins a conversation: its first event is the `connect` question. */
export function pop3ServerSession(config: Pop3ServerConfig, peer: Pop3Peer, now: number): Session<Pop3ServerEvent> {
  return new ServerSession(config, peer, now)
}

class ServerSession implements Session<Pop3ServerEvent>, Pop3Context, Patience {
  readonly config: Pop3ServerConfig
  now: number
  channel: SaslChannel
  username: string | undefined
  utf8 = false
  maildrop: Maildrop | undefined
  failedAuth = 0
  /** When the connection began; when the last command ended; when the line that is being read began. */
  readonly began: number
  since: number
  begunAt: number | undefined
  waiting: Wait | Pop3Question | undefined
  waitingSince: number
  private readonly input = new Input()
  private run: Run<void> | undefined
  private resumeWith: unknown
  private readonly events: Pop3ServerEvent[] = []
  private output: Output[] = []
  private said = 0
  private lastId = 0
  private errors = 0
  private commands = 0
  private inputEnded = false
  private draining = false
  private why: Pop3CloseReason | undefined
  private told = false

  constructor(config: Pop3ServerConfig, peer: Pop3Peer, now: number) {
    this.config = config
    this.channel = channelOf(peer.secure ?? peer.tls !== undefined, peer.tls)
    this.now = this.since = this.began = this.waitingSince = now
    this.run = greeting(this)
  }

  // The session as its driver sees it.

  receive(now: number, bytes: Uint8Array): void {
    this.now = now
    if (this.why !== undefined || this.inputEnded || bytes.length === 0) return
    // RFC 2595 §4: plaintext behind STLS, never to be taken for what comes over TLS.
    if (this.waiting?.kind === 'tls') return this.end('protocol')
    this.input.push(bytes)
  }

  receiveEnd(now: number): void {
    this.now = now
    this.inputEnded = true
  }

  disconnect(now: number): void {
    this.now = now
    this.end('end')
    this.takeOutput()
  }

  advance(now: number): void {
    if (now > this.now) this.now = now
    const at = this.deadline
    if (at === undefined || at > now || this.why !== undefined) return
    const { waiting } = this
    if (waiting !== undefined && 'id' in waiting) {
      this.events.push({ kind: 'abandoned', why: 'timeout', question: waiting.id })
      this.resume(undefined)
    } else if (waiting?.kind === 'pause') this.resume(undefined)
    // RFC 1939 §3: without a response, and without the UPDATE state.
    else this.end('timeout')
  }

  next(): Pop3ServerEvent | undefined {
    for (;;) {
      if (this.events.length > 0) return this.events.shift()
      if (this.said >= MOST_SAID && this.why === undefined) return undefined
      const step = this.step()
      if (step === WAIT) return undefined
      if (step !== undefined) this.events.push(step)
    }
  }

  answer<Q extends Pop3ServerEvent>(question: Q, answer: AnswerTo<Q> | undefined): boolean {
    if (this.waiting !== (question as Pop3ServerEvent)) return false
    this.resume(answer)
    return true
  }

  fail(question: Pop3ServerEvent): boolean {
    return this.answer(question, { refused: UNAVAILABLE, code: 'SYS/TEMP', temporary: true } as never)
  }

  takeOutput(): readonly Output[] {
    const { output } = this
    if (output.length === 0) return NOTHING
    this.output = []
    this.said = 0
    return output
  }

  tlsEstablished(now: number, tls: TlsFacts): void {
    this.now = now
    if (this.waiting?.kind !== 'tls') return
    // RFC 2595 §4: nothing that was learned in the clear counts.
    this.username = undefined
    this.utf8 = false
    this.channel = channelOf(true, tls)
    this.resume(undefined)
  }

  drain(now: number): void {
    this.now = now
    this.draining = true
  }

  get wantsInput(): boolean {
    return this.why === undefined && this.input.held < MOST_HELD
  }

  get closed(): boolean {
    return this.told
  }

  get deadline(): number | undefined {
    return this.told ? undefined : deadlineOf(this)
  }

  get isLoggedIn(): boolean {
    return this.maildrop !== undefined
  }

  get isRunning(): boolean {
    return this.run !== undefined
  }

  // What commands use.

  write(octets: string | Uint8Array): void {
    if (this.why !== undefined || octets.length === 0) return
    const at = this.output.length - 1
    const before = this.output[at]
    if (typeof octets === 'string' && typeof before === 'string') this.output[at] = before + octets
    else this.output.push(octets)
    this.said += octets.length
  }

  emit(event: Pop3ServerEvent): void {
    this.events.push(event)
  }

  close(why: Pop3CloseReason, last?: Result): void {
    if (last !== undefined) this.write(replyLine(last))
    this.end(why)
  }

  // How it goes on.

  private end(why: Pop3CloseReason): void {
    if (this.why !== undefined) return
    this.why = why
    this.input.clear()
    const { waiting } = this
    if (waiting !== undefined && 'id' in waiting) this.events.push({ kind: 'abandoned', why: 'end', question: waiting.id })
    this.run = undefined
    this.waiting = undefined
    this.maildrop = undefined
  }

  private resume(value: unknown): void {
    this.waiting = undefined
    this.waitingSince = this.now
    this.resumeWith = value
  }

  private step(): Pop3ServerEvent | undefined | typeof WAIT {
    if (this.why !== undefined) return this.farewell()
    if (this.run === undefined) return this.readCommand()
    if (this.waiting === undefined) return this.proceed(this.run)
    return this.hear(this.waiting)
  }

  private farewell(): Pop3ServerEvent | typeof WAIT {
    if (this.told) return WAIT
    this.told = true
    return { kind: 'closed', why: this.why! }
  }

  /** Goes on with what runs, up to what it waits for next. */
  private proceed(run: Run<void>): Pop3ServerEvent | undefined {
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
    if (!isWait(wanted)) {
      const question = { ...wanted, id: ++this.lastId } as Pop3Question
      this.waiting = question
      return question
    }
    this.waiting = wanted
    // Came with STLS in one piece: the same as behind it.
    if (wanted.kind === 'tls' && this.input.bytes !== undefined) this.end('protocol')
    return undefined
  }

  /** Looks whether there is what a command waits for. */
  private hear(waiting: Wait | Pop3Question): undefined | typeof WAIT {
    if (waiting.kind === 'room') return void this.resume(undefined)
    if (waiting.kind === 'line') {
      const line = this.readLine()
      if (line === undefined) return this.starved()
      return void this.resume(line.octets > this.config.limits.authOctets ? undefined : line.text)
    }
    return waiting.kind === 'tls' ? this.starved() : WAIT
  }

  /** Nothing is left to read: if nothing will come, the conversation is over. */
  private starved(): typeof WAIT | undefined {
    if (this.why !== undefined) return undefined
    if (!this.inputEnded) return WAIT
    this.end('end')
    return undefined
  }

  /** The next line without its end, as far as any line may be long. None of any length is waited for. */
  private readLine(): { readonly text: string; readonly octets: number } | undefined {
    const { input } = this
    const { lineOctets, authOctets } = this.config.limits
    const line = input.line(Math.max(lineOctets, authOctets))
    if ((line === undefined ? input.begun : input.lineOctets) > MOST_HELD) {
      this.close('limit', err('Line too long'))
      return undefined
    }
    return line === undefined ? undefined : { text: line.endsWith('\r') ? line.slice(0, -1) : line, octets: input.lineOctets }
  }

  /** Between commands. */
  private readCommand(): undefined | typeof WAIT {
    if (this.draining) return void this.close('drained', err('Server shutting down', 'SYS/TEMP'))
    const line = this.readLine()
    if (line === undefined) {
      if (this.input.begun > 0) this.begunAt ??= this.now
      return this.starved()
    }
    this.begunAt = undefined
    this.since = this.waitingSince = this.now
    if (++this.commands > this.config.limits.commandsBefore && !this.isLoggedIn) {
      return void this.close('limit', err('Too many commands before log-in'))
    }
    this.run = this.execute(line.text, line.octets)
    return undefined
  }

  private *execute(line: string, octets: number): Run<void> {
    const result = yield* this.result(line, octets)
    if (result === undefined || this.why !== undefined) return
    this.write(replyLine(result))
    if (result.mistaken === true && ++this.errors >= this.config.limits.errors) this.end('errors')
  }

  private *result(line: string, octets: number): Run<Result | undefined> {
    const space = line.indexOf(' ')
    const name = asciiUpper(space < 0 ? line : line.slice(0, space))
    const { lineOctets, authOctets } = this.config.limits
    if (octets > (name === 'AUTH' ? authOctets : lineOctets)) return mistake('Line too long')
    const command: Command | undefined = commandNamed(name)
    if (command === undefined) return mistake('Unknown command')
    if (!command.states.includes(this.isLoggedIn ? 'transaction' : 'authorization')) {
      return mistake(this.isLoggedIn ? 'Only before log-in' : 'Log in first')
    }
    try {
      return yield* command.run(this, space < 0 ? '' : line.slice(space + 1))
    } catch (error) {
      if (error instanceof Mistaken) return mistake(error.message)
      if (error instanceof Refused) return err(error.message, error.code)
      throw error
    }
  }
}

import { octetsOf, type Outbox } from './outbox.ts'
import { UNAVAILABLE } from './refusal.ts'
import type { AbandonedEvent, AnswerTo, BodyRange, Output, Session, SessionEvent } from './session.ts'
import type { TlsFacts } from './tls.ts'
import { type CommandRefusalEvent, type LineEvent, type Tell, withCode } from './told.ts'

/** A question before it has its id. */
export type Unasked<Event> = Event extends { readonly id: number } ? Omit<Event, 'id'> : never

/** A command at work: it yields what it asks of the host and what it waits for, and is resumed with what came of it. */
export type CommandRun<Event, Wait, Value> = Generator<Unasked<Event> | Wait, Value, unknown>

/** What a session waits for: something of the client's or the driver's, or the answer to a question. */
export type Awaited<Event, Wait> = Wait | Extract<Event, { readonly id: number }>

/** Nothing further can happen until something comes. */
export const WAIT = Symbol('wait')

/** The conversation is over. */
interface Closed<Why> extends SessionEvent {
  readonly kind: 'closed'
  readonly why: Why
}

/** What comes out of every such session, beside what is the protocol's own. */
type Common<Why> = AbandonedEvent | LineEvent | CommandRefusalEvent | Closed<Why | 'end' | 'protocol'>

/** What the client has said and was not consumed. */
interface Heard {
  /** Octets. */
  readonly held: number
  push(bytes: Uint8Array): void
  clear(): void
}

/** Octets of input from which on a session asks not to be fed. */
export const MOST_HELD = 65_536

/**
 * The server's side of a conversation in which one command runs at a time, in the order in which they came; what the client
 * pipelines waits in the input. A command is a generator that yields questions and waits.
 *
 *   what runs     what it waits for             goes on with
 *   nothing       a command                     the command
 *   a command     an answer, a line, TLS …      whatever came of that
 *
 * A protocol says how a command is read, what ends a wait, and how long anything may take. Times in milliseconds.
 */
export abstract class CommandSession<
  Event extends SessionEvent,
  Wait extends { readonly kind: string },
  Why extends string,
  Input extends Heard,
> implements Session<Event | Common<Why>> {
  now: number
  /** When the connection began; when the last command ended; when the command began that is being read. */
  began: number
  since: number
  begunAt: number | undefined
  /** What the running command waits for; `undefined`: it is to be resumed. */
  waiting: Awaited<Event, Wait> | undefined
  waitingSince: number
  /** Octets that were taken last. */
  onItsWay = 0
  protected run: CommandRun<Event, Wait, unknown> | undefined
  protected readonly input: Input
  protected readonly outbox: Outbox
  protected inputEnded = false
  protected draining = false
  /** What is to be told before the session goes on; most of the time there is nothing. */
  private events: (Event | Common<Why>)[] | undefined
  private resumeWith: unknown
  private lastId = 0
  private why: Why | 'end' | 'protocol' | undefined
  private told = false

  constructor(now: number, input: Input, outbox: Outbox) {
    this.now = this.since = this.began = this.waitingSince = now
    this.input = input
    this.outbox = outbox
  }

  /** What the host wants to hear beside. */
  protected abstract readonly tell: Tell | undefined

  /** The code of a temporary failure. */
  protected abstract readonly unavailable: string

  /** When something must have happened. */
  protected abstract lastMoment(): number

  /** Whether a step waits for something other than the host's answer. */
  protected abstract isWait(step: Unasked<Event> | Wait): step is Wait

  /** Between commands: has the next one run, ends the conversation, or is {@link starved}. */
  protected abstract readCommand(): Event | undefined | typeof WAIT

  /** Looks whether there is what a command waits for, and resumes it with that. */
  protected abstract hear(waiting: Awaited<Event, Wait>): Event | undefined | typeof WAIT

  /** The last moment has passed of a wait, or of a command that is to be read. */
  protected abstract late(waiting: Wait | undefined): void

  /** TLS is up: what was learned in the clear counts no more. */
  protected abstract secured(tls: TlsFacts): void

  // As its driver sees it.

  receive(now: number, bytes: Uint8Array): void {
    this.now = now
    if (this.isOver || this.inputEnded || bytes.length === 0) return
    // Plaintext behind STARTTLS, never to be taken for what comes over TLS (RFC 9051 §11.1, RFC 2595 §4; I11).
    if (this.waiting?.kind === 'tls') return this.end('protocol')
    this.input.push(bytes)
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
    if (waiting === undefined || !isQuestion(waiting)) return this.late(waiting as Wait | undefined)
    this.later({ kind: 'abandoned', why: 'timeout', question: waiting.id })
    this.resume(undefined)
  }

  next(): Event | Common<Why> | undefined {
    for (;;) {
      const event = this.events?.shift()
      if (event !== undefined) return event
      this.events = undefined
      if (this.outbox.full && !this.isOver) return undefined
      const step = this.step()
      if (step === WAIT) return undefined
      if (step === undefined) continue
      // What came up on the way to it comes before it.
      if (this.events === undefined) return step
      this.later(step)
    }
  }

  answer<Q extends SessionEvent>(question: Q, answer: AnswerTo<Q> | undefined): boolean {
    if ((this.waiting as SessionEvent | undefined) !== question) return false
    this.resume(answer)
    return true
  }

  fail(question: SessionEvent): boolean {
    return this.answer(question, { refused: UNAVAILABLE, code: this.unavailable, temporary: true } as never)
  }

  takeOutput(): readonly (Output | BodyRange)[] {
    const output = this.outbox.take()
    if (output.length > 0) this.onItsWay = octetsOf(output)
    return output
  }

  tlsEstablished(now: number, tls: TlsFacts): void {
    this.now = now
    if (this.waiting?.kind !== 'tls') return
    this.input.clear()
    this.secured(tls)
    this.resume(undefined)
  }

  drain(now: number): void {
    this.now = now
    this.draining = true
  }

  get wantsInput(): boolean {
    return !this.isOver && this.input.held < MOST_HELD
  }

  get closed(): boolean {
    return this.told
  }

  get deadline(): number | undefined {
    return this.isOver ? undefined : this.lastMoment()
  }

  // What commands use.

  write(octets: string | Uint8Array): void {
    if (!this.isOver) this.outbox.write(octets)
  }

  emit(event: Event): void {
    this.later(event)
  }

  /** Tells of a command that has come: its name, if it is one. */
  protected tellCommand(verb: string | undefined, octets: number): void {
    if (this.tell === 'commands') this.later({ kind: 'line', verb, octets })
  }

  /** Tells of what the session refuses of its own accord; no status: without a word. */
  tellRefusal(status: string, code: string | undefined, text: string, limit?: string): void {
    if (this.tell !== undefined) this.later({ kind: 'refusal', response: withCode(status, code), text, limit })
  }

  get full(): boolean {
    return this.outbox.full
  }

  get isOver(): boolean {
    return this.why !== undefined
  }

  get isRunning(): boolean {
    return this.run !== undefined
  }

  // How it goes on.

  /** Ends the conversation, which may be over already. */
  protected end(why: Why | 'end' | 'protocol'): void {
    if (this.why !== undefined) return
    this.why = why
    this.input.clear()
    const { waiting } = this
    if (waiting !== undefined && isQuestion(waiting)) this.later({ kind: 'abandoned', why: 'end', question: waiting.id })
    this.run = undefined
    this.waiting = undefined
  }

  /** Goes on with what waits. */
  protected resume(value: unknown): void {
    this.waiting = undefined
    this.waitingSince = this.now
    this.resumeWith = value
  }

  /** Nothing is left to read: if nothing will come, the conversation is over. */
  protected starved(): typeof WAIT | undefined {
    if (!this.isOver && !this.inputEnded) return WAIT
    this.end('end')
    return undefined
  }

  /** The command waits for this from now on. */
  protected begin(wanted: Awaited<Event, Wait>): void {
    this.waiting = wanted
    // Came with STARTTLS in one piece: the same as behind it.
    if (wanted.kind === 'tls' && this.input.held > 0) this.end('protocol')
  }

  private later(event: Event | Common<Why>): void {
    this.events ??= []
    this.events.push(event)
  }

  private step(): Event | Closed<Why | 'end' | 'protocol'> | undefined | typeof WAIT {
    if (this.why !== undefined) return this.farewell(this.why)
    if (this.run === undefined) return this.readCommand()
    if (this.waiting === undefined) return this.proceed(this.run)
    return this.hear(this.waiting)
  }

  private farewell(why: Why | 'end' | 'protocol'): Closed<Why | 'end' | 'protocol'> | typeof WAIT {
    const was = this.told
    this.told = true
    return was ? WAIT : { kind: 'closed', why }
  }

  /** Goes on with what runs, up to what it waits for next. */
  private proceed(run: CommandRun<Event, Wait, unknown>): Event | undefined {
    const value = this.resumeWith
    this.resumeWith = undefined
    const step = run.next(value)
    // It may have ended the conversation.
    if (this.isOver) return undefined
    if (step.done === true) {
      this.run = undefined
      this.since = this.now
      return undefined
    }
    this.waitingSince = this.now
    const wanted = step.value
    if (this.isWait(wanted)) {
      this.begin(wanted)
      return undefined
    }
    const question = { ...wanted, id: ++this.lastId } as unknown as Extract<Event, { readonly id: number }>
    this.begin(question)
    return question
  }
}

function isQuestion(waiting: { readonly kind: string }): waiting is { readonly kind: string; readonly id: number } {
  return 'id' in waiting
}

import type { Alarm } from './clock.ts'
import type { Conversation, DriveOptions, Host } from './conversation.ts'
import { MailError } from './errors.ts'
import type { BodyRange, Output, Question, Session, SessionEvent } from './session.ts'
import { isRange, type Outlet, stream } from './streaming.ts'
import type { TlsFacts } from './tls.ts'
import type { Transport, TransportSink } from './transport.ts'

export type { Conversation, DriveOptions, Handler, Host } from './conversation.ts'

/** Runs a session on a transport: feeds it, puts its questions to the host, writes its output in one piece per batch. */
export function drive<Event extends SessionEvent>(
  session: Session<Event>,
  transport: Transport,
  host: Host<Event>,
  options: DriveOptions,
): Conversation {
  const driven = new Driven(session as unknown as Session<SessionEvent>, transport, host as Handlers, options)
  transport.open(driven)
  driven.pump()
  return driven
}

type Handlers = Readonly<Record<string, ((event: SessionEvent, conversation: Conversation) => unknown) | undefined>>

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

/** How much is written; of a range what it takes to say that it is more than a little. */
function octetsOf(output: readonly (Output | BodyRange)[]): number {
  let octets = 0
  for (const piece of output) octets += isRange(piece) ? Infinity : piece.length
  return octets
}

const NOTHING: readonly Output[] = []

const isQuestion = (event: SessionEvent): event is Question<string, unknown> => 'id' in event

/** Octets that wait for what else is said soon, at the most. */
const HELD = 32_768

class Driven implements Conversation, TransportSink, Outlet {
  private readonly session: Session<SessionEvent>
  private readonly transport: Transport
  private readonly host: Handlers
  private readonly options: DriveOptions
  private alarm: Alarm | undefined
  private alarmAt = 0
  /** A handler other than a question's is at work. */
  private busy = false
  private congested = false
  /** Octets of messages are on their way: what the session says next comes behind them. */
  private streaming = false
  private whenRoom: (() => void) | undefined
  /** Questions whose handlers are at work. */
  private asked = 0
  /** What was said while some were; it is written with their answers where those come soon. */
  private held: readonly (Output | BodyRange)[] = NOTHING
  private waking = false
  private paused = false
  private pumping = false
  /** The session has thrown: it is not asked again. */
  private broken = false
  /** The transport has closed. */
  private over = false
  private error: Error | undefined
  private ending = false
  private told = false
  /** Of questions whose handlers are at work, where one was asked for or the question is void. */
  private controllers: Map<number, AbortController> | undefined

  constructor(session: Session<SessionEvent>, transport: Transport, host: Handlers, options: DriveOptions) {
    this.session = session
    this.transport = transport
    this.host = host
    this.options = options
  }

  signal(question: { readonly id: number }): AbortSignal {
    const controller = this.controllerOf(question.id)
    if (this.told) controller.abort()
    return controller.signal
  }

  drain(): void {
    this.session.drain(this.options.clock.ticks())
    this.pump()
  }

  reset(): void {
    if (this.over) return
    this.ending = true
    this.transport.reset()
  }

  touch(): void {
    if (!this.over) this.pump()
  }

  received(bytes: Uint8Array): void {
    this.session.receive(this.options.clock.ticks(), bytes)
    this.pump()
  }

  ended(): void {
    this.session.receiveEnd(this.options.clock.ticks())
    this.pump()
  }

  drained(): void {
    this.congested = false
    // What a slow peer has taken is progress: the session counts from now on, not from the last thing it was told.
    this.session.advance(this.options.clock.ticks())
    this.whenRoom?.()
    this.pump()
  }

  secured(tls: TlsFacts): void {
    this.session.tlsEstablished(this.options.clock.ticks(), tls)
    this.options.secured?.(tls)
    this.pump()
  }

  closed(error?: Error): void {
    if (this.over) return
    this.over = true
    this.error = error
    this.alarm?.cancel()
    this.whenRoom?.()
    this.session.disconnect(this.options.clock.ticks())
    this.pump()
  }

  /** Takes events until there is none, writes what came of them, and again until nothing comes. `all`: nothing is held back. */
  pump(all = false): void {
    // A handler may reach this through the conversation it was given: the outer call goes on with it.
    if (this.pumping) return
    this.pumping = true
    try {
      do {
        for (let event = this.next(); event !== undefined; event = this.next()) this.dispatch(event)
        // What the peer has no room for stays with the session, which knows how much that may be.
      } while ((!this.congested || this.session.closed) && this.flush(all) && !this.congested)
    } finally {
      this.pumping = false
    }
    if (this.over) this.finish()
    else this.settle()
  }

  /** The next event, unless a handler must be waited for. */
  private next(): SessionEvent | undefined {
    if (this.busy || this.broken || (this.streaming && !this.over)) return undefined
    try {
      return this.session.next()
    } catch (error) {
      // A session runs what the host gave it: SASL mechanisms, checks of its parameters.
      this.broken = true
      this.options.failed?.(error, { kind: 'session' })
      this.reset()
      return undefined
    }
  }

  /** Whether anything was written. */
  private flush(all: boolean): boolean {
    const said = this.session.takeOutput()
    const output = this.held.length === 0 ? said : [...this.held, ...said]
    this.held = NOTHING
    if (output.length === 0 || this.over || this.ending) return false
    if (!all && this.asked > 0 && this.hold(output)) return false
    if (this.options.read !== undefined && output.some(isRange)) {
      void this.stream(output)
      return false
    }
    if (!this.transport.write(output as readonly Output[])) this.congested = true
    return true
  }

  /**
   * Keeps a little back for as long as it takes a handler that has all it needs at hand: two writes where one would do cost
   * more than the commands that they answer.
   */
  private hold(output: readonly (Output | BodyRange)[]): boolean {
    const { transport } = this
    if (!transport.soon || this.session.closed || octetsOf(output) > HELD) return false
    this.held = output
    if (!this.waking) {
      this.waking = true
      transport.soon(() => {
        this.waking = false
        if (this.held.length > 0) this.pump(true)
      })
    }
    return true
  }

  /** Writes pieces of which some lie elsewhere, no faster than the peer takes them. */
  private async stream(output: readonly (Output | BodyRange)[]): Promise<void> {
    this.streaming = true
    try {
      await stream(output, this.options, this)
    } catch (error) {
      this.options.failed?.(error, { kind: 'session' })
      this.session.disconnect(this.options.clock.ticks())
      this.reset()
    }
    this.streaming = false
    this.pump()
  }

  /** The transport has closed, or is to. */
  get isShut(): boolean {
    return this.over || this.ending
  }

  /** Writes, for what is streamed; what it gives resolves once the peer has taken enough of it. */
  send(pieces: readonly Output[]): Promise<void> | undefined {
    if (this.transport.write(pieces)) return undefined
    this.congested = true
    return new Promise<void>((resolve) => {
      this.whenRoom = () => {
        this.whenRoom = undefined
        resolve()
      }
    })
  }

  /** The transport is gone; the host learns of it when its last handler is done, so that nothing is left at work unseen. */
  private finish(): void {
    if (this.told || this.busy) return
    this.told = true
    this.abort(undefined)
    this.options.closed?.(this.error, this)
  }

  private settle(): void {
    const { session, transport } = this
    if (session.closed && !this.busy && !this.ending && !this.streaming) {
      this.ending = true
      transport.end()
    }
    if (this.ending) {
      this.alarm?.cancel()
      this.alarm = undefined
      return
    }
    const isStuffed = this.congested && session.hearsWhileSending !== true
    const pause = isStuffed || this.busy || this.streaming || !session.wantsInput
    if (pause !== this.paused) {
      this.paused = pause
      if (pause) transport.pause()
      else transport.resume()
    }
    const at = session.deadline
    // A later deadline leaves the alarm as it is: it rings early, once, and is set anew then.
    if (at !== undefined && (this.alarm === undefined || at < this.alarmAt)) this.set(at)
  }

  private set(at: number): void {
    this.alarm?.cancel()
    this.alarmAt = at
    this.alarm = this.options.clock.alarm(at, () => {
      this.alarm = undefined
      this.session.advance(this.options.clock.ticks())
      // It has lost patience with a peer that does not take what is on its way.
      if (this.streaming && this.session.deadline === undefined) this.reset()
      this.pump()
    })
  }

  private dispatch(event: SessionEvent): void {
    if (event.kind === 'abandoned') this.abort((event as { question?: number }).question)
    const handler = this.host[event.kind]
    let result: unknown
    try {
      if (event.kind === 'startTls') {
        this.flush(true)
        this.transport.startTls()
      } else if (event.kind === 'compress') this.compress()
      result = handler?.call(this.host, event, this)
    } catch (error) {
      this.broke(error, event)
      return
    }
    if (isPromise(result)) this.later(result, event)
    else if (isQuestion(event)) this.answered(event, result)
  }

  private compress(): void {
    const { transport } = this
    if (!transport.compress) throw new MailError('misuse', 'the session offers compression on a transport that cannot compress')
    this.flush(true)
    transport.compress()
  }

  private later(result: Promise<unknown>, event: SessionEvent): void {
    const question = isQuestion(event)
    if (question) this.asked++
    else this.busy = true
    result.then(
      (answer) => {
        if (question) {
          this.asked--
          // The deadlines that follow from the answer are counted from now on.
          this.session.advance(this.options.clock.ticks())
          this.answered(event, answer)
        } else this.busy = false
        this.pump()
      },
      (error: unknown) => {
        if (question) {
          this.asked--
          this.session.advance(this.options.clock.ticks())
        } else this.busy = false
        this.broke(error, event)
        this.pump()
      },
    )
  }

  private answered(event: Question<string, unknown>, answer: unknown): void {
    this.controllers?.delete(event.id)
    try {
      this.session.answer(event, answer as never)
    } catch (error) {
      // The answer was none that can be given: the host's mistake, never the peer's.
      this.broke(error, event)
    }
  }

  private broke(error: unknown, event: SessionEvent): void {
    this.options.failed?.(error, event)
    if (isQuestion(event)) {
      this.controllers?.delete(event.id)
      this.session.fail(event)
    } else if (event.kind !== 'abandoned' && event.kind !== 'closed') {
      // Part of a body may be lost: nothing but the end of the connection keeps the peer, and nothing but the end of the
      // session the rest of the host, from believing otherwise.
      this.session.disconnect(this.options.clock.ticks())
      this.reset()
    }
  }

  private controllerOf(question: number): AbortController {
    this.controllers ??= new Map()
    let controller = this.controllers.get(question)
    if (!controller) this.controllers.set(question, (controller = new AbortController()))
    return controller
  }

  /** Of one question, also where its handler asks for the signal only later; or of all. */
  private abort(question: number | undefined): void {
    if (question !== undefined) this.controllerOf(question).abort()
    else this.controllers?.forEach((controller) => controller.abort())
  }
}

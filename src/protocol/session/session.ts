import type { TlsFacts } from './tls.ts'

/** Octets to send: bytes, or a string whose code units are octets (0–255), which costs no encoding. */
export type Output = Uint8Array | string

/** Octets of a message to send, `start` to `end` (exclusive); whoever drives the session fetches them by its name. */
export interface BodyRange {
  readonly message: string
  readonly start: number
  readonly end: number
}

/** What `next()` yields: plain data, told apart by `kind`. */
export interface SessionEvent {
  readonly kind: string
}

/** What was asked or begun is void: open questions need no answer, a body under way will not be completed. */
export interface AbandonedEvent extends SessionEvent {
  readonly kind: 'abandoned'
  /**
   * `reset`: the peer or the protocol gave it up; `end`: the conversation is over; `timeout`: a deadline passed; `refused`: the
   * session refuses it. How much of a refused body was given before depends on how its bytes came in.
   */
  readonly why: 'reset' | 'end' | 'timeout' | 'refused'
  /** Set when only this question is void. */
  readonly question?: number
}

/** The output so far announces TLS: write it, then secure the transport and call `tlsEstablished`. */
export interface StartTlsEvent extends SessionEvent {
  readonly kind: 'startTls'
}

/** The output so far announces compression: write it, then have the transport compress. */
export interface CompressEvent extends SessionEvent {
  readonly kind: 'compress'
}

declare const answerType: unique symbol

/**
 * An event that waits for exactly one answer of type `Answer`. The host answers whenever it likes, through
 * {@link Session.answer}; until then the session holds back what depends on it.
 */
export interface Question<Kind extends string, Answer> extends SessionEvent {
  readonly kind: Kind
  /** Unique within its session, ascending. */
  readonly id: number
  /** Never present; carries the type of the answer. */
  readonly [answerType]?: Answer
}

/** The answer that an event waits for; `never` where it waits for none. */
export type AnswerTo<Event> = Event extends Question<string, infer Answer> ? Answer : never

/**
 * One conversation, client or server: bytes, time and answers go in; events and bytes come out. It never calls back,
 * never awaits and never looks at a clock.
 *
 * The driving rule: after any input (`receive`, `receiveEnd`, `disconnect`, `advance`, `answer`, `tlsEstablished`) call `next()`
 * until it yields `undefined`, then write what `takeOutput()` gives, read the socket only while `wantsInput`, and call `advance`
 * at `deadline`. Times are milliseconds on one monotonic scale of the caller's choice.
 */
export interface Session<Event extends SessionEvent = SessionEvent> {
  /**
   * Takes bytes from the peer. The session keeps views of them until they are consumed: the caller must not write to
   * them afterwards.
   */
  receive(now: number, bytes: Uint8Array): void
  /** The peer will send no more. */
  receiveEnd(now: number): void
  /**
   * The transport has gone: nothing can be heard or said any more. What is open is void, and the last events tell so; later
   * answers have no effect.
   */
  disconnect(now: number): void
  /** Time has passed. Early or needless calls do nothing. Call it before an answer that comes late. */
  advance(now: number): void
  /** The next event, or `undefined`: waiting for bytes, an answer or the deadline. */
  next(): Event | undefined
  /** Answers a question; `false` (and no effect) when it has been withdrawn or answered. `undefined` means the default answer. */
  answer<Q extends Event>(question: Q, answer: AnswerTo<Q> | undefined): boolean
  /** The host found no answer: the session gives the temporary failure of its protocol (451). Like `answer` otherwise. */
  fail(question: Event): boolean
  /** All output since the last take: one write for a whole batch. */
  takeOutput(): readonly (Output | BodyRange)[]
  /** The transport is secured: plaintext that was left over is gone, the conversation starts anew. */
  tlsEstablished(now: number, tls: TlsFacts): void
  /** Asks the session to end at its next safe point (421, BYE). */
  drain(now: number): void
  /** `false`: stop reading the socket (back-pressure). */
  readonly wantsInput: boolean
  /**
   * `true`: input is wanted even while the peer does not take what it is sent. A client is told so why its content is refused;
   * what a server would hear are but more commands. Absent: it is not.
   */
  readonly hearsWhileSending?: boolean
  /** When to call `advance` at the latest. */
  readonly deadline: number | undefined
  /** Nothing more will come out; when the last output is written, close the transport. */
  readonly closed: boolean
}

import type { Clock } from './clock.ts'
import type { AnswerTo, BodyRange, Question, SessionEvent } from './session.ts'
import type { TlsFacts } from './tls.ts'

/**
 * Handles one kind of event. A question's handler returns the answer, or a promise of it; an absent or empty answer is the
 * default one. Any other handler may return a promise: nothing further happens in the conversation until it resolves,
 * which is how a host slows a peer down.
 */
export type Handler<Event> = (
  event: Event,
  conversation: Conversation,
) => Event extends Question<string, unknown>
  ? AnswerTo<Event> | undefined | void | Promise<AnswerTo<Event> | undefined | void>
  : void | Promise<void>

/** What answers a session: a handler for each kind of event of interest. Shared between conversations or made for each. */
export type Host<Event extends SessionEvent> = {
  readonly [Kind in Event['kind']]?: Handler<Extract<Event, { readonly kind: Kind }>>
}

/** What {@link drive} needs beside session, transport and host, and whom it tells. */
export interface DriveOptions {
  readonly clock: Clock
  /** TLS is up, and the session knows. */
  secured?(tls: TlsFacts): void
  /** Called once, when the transport has closed. `error` is set when it broke. */
  closed?(error: Error | undefined, conversation: Conversation): void
  /**
   * What a handler threw or rejected with, or why its answer was none. A question gets the session's temporary failure; after any
   * other event, part of what the handler was given may be lost, so the connection is reset. `event.kind` is `session` where the
   * host's own parameter checks or SASL mechanisms failed inside the session: that resets too.
   */
  failed?(error: unknown, event: SessionEvent): void
  /**
   * The octets of a message that a session wants sent, exactly as many as the range has; none of the chunks is written to again.
   * Needed for sessions whose output has such ranges. Where it throws, the connection is reset: half a message was announced.
   */
  read?(range: BodyRange): AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>
  /**
   * The octets of several ranges that are sent one after the other, where those are cheaper to have together; `undefined` for
   * each that is to be read. Throws as `read` does.
   */
  octets?(ranges: readonly BodyRange[]): Promise<readonly (Uint8Array | undefined)[]> | undefined
}

/** One session running on one transport. */
export interface Conversation {
  /** Aborts when the question is withdrawn: reset, disconnect, deadline. Made on first use. */
  signal(question: { readonly id: number }): AbortSignal
  /** Ends the conversation at its next safe point. */
  drain(): void
  /** Ends it now; nothing more is sent. */
  reset(): void
  /** The session was told something by other ways than its transport: goes on from there. */
  touch(): void
}

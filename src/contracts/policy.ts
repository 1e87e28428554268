import type { Address } from '../message/address.ts'
import type { Authentication } from './authentication.ts'
import type { Note } from './note.ts'
import type { PolicyStage, Verdict } from './verdict.ts'
import type { Resolver } from './resolver.ts'
import type { Connection, Envelope, ReceivedMessage, Recipient } from './received.ts'

export type { PolicyReply, PolicyStage, Verdict } from './verdict.ts'

/** Takes down what a policy has learned. */
export interface Notebook {
  /** A word to find the message by. */
  tag(tag: string): void
  /** Points for or against, to be summed up; the higher, the worse. */
  score(score: number, why: string): void
  /** A header field for the message. The value is text; it is encoded and folded when written. */
  header(name: string, value: string): void
  /** Takes a field out of the message's header: one of `message.headers.fields`. At the message stage only. */
  remove(field: { readonly start: number; readonly end: number }): void
  /** Who sent it, as far as is known by now. */
  authentication(found: Authentication): void
}

/** What a policy is given beside its subject. */
export interface Stage {
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** This server's name. */
  readonly hostname: string
  readonly connection: Connection
  /** The transaction so far; `undefined` before MAIL. */
  readonly envelope: Envelope | undefined
  readonly notes: Notebook
  /** What policies have noted so far: at earlier stages, and at this one those that have decided before. A live view. */
  readonly noted: readonly Note[]
  /** Asks the DNS, as the server it belongs to does. */
  readonly resolver: Resolver
  /** Aborted when the answer is no longer wanted. */
  readonly signal: AbortSignal
  /**
   * Resolves after that many milliseconds, on the clock of the server. Rejects when the stage's signal aborts, or `until` does:
   * it is not needed any more, and nothing is left of it.
   */
  wait(milliseconds: number, until?: AbortSignal): Promise<void>
  /** Tells those who watch the server what went wrong and kept the policy from nothing: a list that is off, a failing store. */
  trouble(error: unknown): void
}

/** At once or later. */
export type Awaitable<T> = T | Promise<T>

/** What a method of a policy returns; nothing means `pass`. */
export type Decision = Awaitable<Verdict | undefined | void>

/** A rule for mail that arrives: a name, and a method for each stage it has a say in. Subjects are read-only. */
export interface Policy {
  readonly name: string
  /**
   * The most milliseconds for which it keeps a client waiting on purpose. A server whose own time-outs for answers are not longer
   * refuses it: all it would come to is 451.
   */
  readonly waits?: { readonly [Stage in PolicyStage]?: number }
  /** A client has connected. */
  connect?(connection: Connection, stage: Stage): Decision
  /** It has said who it is. */
  hello?(name: string, stage: Stage): Decision
  /** Its credentials have been judged; `account` is `undefined` where they were wrong. */
  auth?(
    attempt: { readonly username: string; readonly mechanism: string; readonly account: string | undefined },
    stage: Stage,
  ): Decision
  /** MAIL FROM; `null` is the null sender. */
  sender?(sender: Address | null, stage: Stage): Decision
  /** One recipient. Those accepted before are in `stage.envelope`. */
  recipient?(to: Recipient, stage: Stage): Decision
  /** The message is there, whole. */
  message?(message: ReceivedMessage, stage: Stage): Decision
  /**
   * All policies together have judged the message, and `stage.noted` has what they found. Not asked for anything: what is thrown
   * here is told to those who watch the server, and changes nothing.
   */
  judged?(message: ReceivedMessage, verdict: Verdict, stage: Stage): void
  /** The connection is over, for any reason. Called once for every `connect`, also for one that was refused. */
  closed?(connection: Connection): void
}

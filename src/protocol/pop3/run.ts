import type { CommandRun, Unasked } from '../session/command-session.ts'
import { granted } from '../session/refusal.ts'
import type { AnswerTo } from '../session/session.ts'
import type { Pop3Refusal, Pop3ServerEvent } from './events.ts'

/** An event that waits for an answer. */
export type Pop3Question = Extract<Pop3ServerEvent, { readonly id: number }>

type QuestionOf<Kind extends Pop3Question['kind']> = Extract<Pop3Question, { readonly kind: Kind }>

/** A question before it has its id. */
export type Asked = Unasked<Pop3ServerEvent>

type Granted<Kind extends Pop3Question['kind']> = Exclude<AnswerTo<QuestionOf<Kind>>, Pop3Refusal>

/** What a command waits for that is not the host's answer. */
export type Wait =
  /** The next line of the client's, which is no command. Resumes with its text, or nothing where it is too long. */
  | { readonly kind: 'line' }
  /** A time. Resumes with nothing then. */
  | { readonly kind: 'pause'; readonly until: number }
  /** That what was said so far is on its way. Resumes with nothing. */
  | { readonly kind: 'room' }
  /** TLS. Resumes with nothing when it is up. */
  | { readonly kind: 'tls' }

/** How a command ends: +OK where it is `fine`, else -ERR; a response code without its brackets. */
export interface Result {
  readonly fine: boolean
  readonly code?: string
  readonly text: string
  /** The client broke the rules: that is counted. */
  readonly mistaken?: boolean
  /** Worth telling those who watch. */
  readonly told?: boolean
  /** The bound that was reached, for those who watch. */
  readonly limit?: string
}

/** A command at work. */
export type Run<Value = Result> = CommandRun<Pop3ServerEvent, Wait, Value>

/** The client broke the rules: ends the command with -ERR, which is counted. `message` is what is said. */
export class Mistaken extends Error {
  constructor(text: string) {
    super(text)
    this.name = 'Mistaken'
  }
}

/** Asks the host. Throws {@link Refused} where it refuses or has no answer. */
export function* ask<Question extends Asked>(question: Question): Run<Granted<Question['kind']>> {
  return granted(yield question, 'SYS/TEMP')
}

/** Waits for something other than an answer. */
export function* wait<Value>(what: Wait): Run<Value> {
  return (yield what) as Value
}

/** Ends with +OK. */
export const ok = (text: string): Result => ({ fine: true, text })

/** Ends with -ERR. */
export const err = (text: string, code?: string): Result =>
  code === undefined ? { fine: false, text } : { fine: false, code, text }

/** Ends with -ERR for what no client should have said. */
export const mistake = (text: string): Result => ({ fine: false, text, mistaken: true })

/** Ends with -ERR: a line is longer than may be; that is counted. */
export const tooLong = (limit: 'lineOctets' | 'authOctets'): Result => ({ ...mistake('Line too long'), limit })

/** Ends with -ERR: nobody's password crosses the wire in the clear. */
export const tlsFirst: Result = { fine: false, text: 'TLS first', told: true }

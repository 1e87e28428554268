import type { AnswerTo } from '../session/session.ts'
import type { Pop3Refusal, Pop3ServerEvent } from './events.ts'

/** An event that waits for an answer. */
export type Pop3Question = Extract<Pop3ServerEvent, { readonly id: number }>

type QuestionOf<Kind extends Pop3Question['kind']> = Extract<Pop3Question, { readonly kind: Kind }>

/** A question before it has its id. */
export type Asked<Kind extends Pop3Question['kind'] = Pop3Question['kind']> = Kind extends Pop3Question['kind']
  ? Omit<QuestionOf<Kind>, 'id'>
  : never

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
}

/** A command at work: it yields what it asks of the host and what it waits for, and is resumed with what came of it. */
export type Run<Value = Result> = Generator<Asked | Wait, Value, unknown>

/** The host has refused: ends the command with -ERR unless it is caught. */
export class Refused extends Error {
  readonly code: string | undefined

  constructor(code: string | undefined, text: string) {
    super(text)
    this.name = 'Refused'
    this.code = code
  }
}

/** The client broke the rules: ends the command with -ERR, which is counted. `message` is what is said. */
export class Mistaken extends Error {
  constructor(text: string) {
    super(text)
    this.name = 'Mistaken'
  }
}

/** What is said where the host has no answer, with the code `SYS/TEMP` (RFC 3206 §4). */
export const UNAVAILABLE = 'Temporary failure, try again later'

/** Asks the host. Throws {@link Refused} where it refuses or has no answer. */
export function* ask<Question extends Asked>(question: Question): Run<Granted<Question['kind']>> {
  const answer = (yield question) as Granted<Question['kind']> | Pop3Refusal | undefined
  if (answer === undefined) throw new Refused('SYS/TEMP', UNAVAILABLE)
  if (isRefusal(answer)) throw new Refused(answer.code, answer.refused)
  return answer as Granted<Question['kind']>
}

/** Waits for something other than an answer. */
export function* wait<Value>(what: Wait): Run<Value> {
  return (yield what) as Value
}

/** Whether an answer refuses. */
export function isRefusal(answer: unknown): answer is Pop3Refusal {
  return typeof answer === 'object' && answer !== null && 'refused' in answer
}

/** Ends with +OK. */
export const ok = (text: string): Result => ({ fine: true, text })

/** Ends with -ERR. */
export const err = (text: string, code?: string): Result =>
  code === undefined ? { fine: false, text } : { fine: false, code, text }

/** Ends with -ERR for what no client should have said. */
export const mistake = (text: string): Result => ({ fine: false, text, mistaken: true })

import type { CommandRun, Unasked } from '../session/command-session.ts'
import { granted } from '../session/refusal.ts'
import type { AnswerTo } from '../session/session.ts'
import type { ImapCloseReason, ImapServerEvent, Refusal } from './events.ts'
import type { Announced } from './fragments.ts'

/** An event that waits for an answer. */
export type ImapQuestion = Extract<ImapServerEvent, { readonly id: number }>

/** A kind of question. */
export type ImapQuestionKind = ImapQuestion['kind']

type QuestionOf<Kind extends ImapQuestionKind> = Extract<ImapQuestion, { readonly kind: Kind }>

/** A question before it has its id. */
export type Asked = Unasked<ImapServerEvent>

/** What a question is answered with where it is not refused. */
export type Granted<Kind extends ImapQuestionKind> = Exclude<AnswerTo<QuestionOf<Kind>>, Refusal>

/** What a command waits for that is not the host's answer. */
export type Wait =
  /** The next line of the client's, which is no command. Resumes with a {@link Heard}. */
  | { readonly kind: 'line' }
  /** A line of the client's, a change in the mailbox, or the time. Resumes with a {@link Heard}, `changed` or `time`. */
  | { readonly kind: 'news'; readonly until: number }
  /** The announced literal, collected. Resumes with its octets as a string. */
  | { readonly kind: 'literal'; readonly announced: Announced }
  /** The announced literal goes to the host in `body` events, or nowhere. Resumes with nothing at its end. */
  | { readonly kind: 'stream' | 'skip'; readonly announced: Announced }
  /** The rest of the line behind a literal. Resumes with a {@link Heard}. */
  | { readonly kind: 'rest' }
  /** A time. Resumes with nothing then. */
  | { readonly kind: 'pause'; readonly until: number }
  /** That what was said so far is on its way. Resumes with nothing. */
  | { readonly kind: 'room' }
  /** TLS. Resumes with nothing when it is up. */
  | { readonly kind: 'tls' }

/** A line that was waited for. */
export interface Heard {
  readonly text: string
  /** It announces a literal. */
  readonly announced: Announced | undefined
  /** It is too long, or announces what cannot be: nothing that follows can be trusted to be what it seems. */
  readonly broken: boolean
}

/** How a command ends: what its tagged response says. */
export interface Result {
  readonly status: 'OK' | 'NO' | 'BAD'
  /** Without brackets: `READ-WRITE`, `APPENDUID 3 4`. */
  readonly code?: string
  /** Tells, where it has no other code, up to which mod-sequence the client then knows everything (RFC 7162 §3.2.7). */
  readonly tellsModSeq?: boolean
  /** Ends the conversation behind it; `limit`: the bound that was reached. */
  readonly ends?: { readonly why: ImapCloseReason; readonly text: string; readonly limit?: string }
  readonly text: string
  /** What those who watch are told of it, where `text` repeats what the client has sent. */
  readonly told?: string
  /** The bound that was reached, for those who watch. */
  readonly limit?: string | undefined
}

/** A command at work. */
export type Run<Value = Result> = CommandRun<ImapServerEvent, Wait, Value>

/** Asks the host. Throws {@link Refused} where it refuses or has no answer. */
export function* ask<Question extends Asked>(question: Question): Run<Granted<Question['kind']>> {
  return granted(yield question, 'UNAVAILABLE')
}

/** Waits for something other than an answer. */
export function* wait<Value>(what: Wait): Run<Value> {
  return (yield what) as Value
}

/** Waits until what was said so far is on its way, where that is much. */
export function* flow(context: { readonly full: boolean }): Run<void> {
  if (context.full) yield { kind: 'room' }
}

/** Ends with OK. */
export const ok = (text: string, code?: string): Result => withCode({ status: 'OK', text }, code)

/** Ends with NO. */
export const no = (text: string, code?: string): Result => withCode({ status: 'NO', text }, code)

/** Ends with NO: a bound was reached. */
export const tooMuch = (limit: string, text: string, code = 'LIMIT'): Result => ({ status: 'NO', text, code, limit })

/** Ends with BAD. */
export const bad = (text: string, code?: string): Result => withCode({ status: 'BAD', text }, code)

const withCode = (result: Result, code: string | undefined): Result => (code === undefined ? result : { ...result, code })

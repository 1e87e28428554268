import type { Fragments, Piece } from '../fragments.ts'
import { responseText } from '../encode.ts'
import { Malformed, type Reader } from '../reader.ts'
import type { Asked, Heard, Result, Run, Wait } from '../run.ts'
import { Refused } from '../../session/refusal.ts'
import type { CommandReading } from './command-reading.ts'
import type { Command, ImapContext, Invocation, Selected } from './context.ts'
import { tellNews } from './notifying.ts'
import { tellingProgress } from './progress.ts'

/** What running a command takes of the session beyond what the command sees. */
export interface Runner extends ImapContext {
  readonly fragments: Fragments
  readonly reading: CommandReading
  /** The conversation is over. */
  readonly isOver: boolean
  /** Says BAD, and counts it. */
  complain(tag: string, said: Said): void
  /** Tells those who watch of a response that refuses. */
  tellRefusal(status: string, code: string | undefined, text: string, limit?: string): void
}

/** What a response says, and what is told of it to those who watch. */
export type Said = Pick<Result, 'text' | 'code' | 'told' | 'limit'>

/** What ends with NO and is told: most of what is refused so is nobody's concern but the client's. */
const worthTelling: ReadonlySet<string | undefined> = new Set(['OVERQUOTA', 'PRIVACYREQUIRED'])

/** Runs a command, tells what is new in the mailbox, and says how the command ended. */
export function* execute(session: Runner, command: Command, reader: Reader, invocation: Invocation): Run<void> {
  // RFC 4978 §3: the client waits for the answer. What it sent before would be taken for something else.
  if (command.endsInput && session.fragments.held > 0) return session.close('protocol', 'Nothing may follow before the answer')
  let result: Result | undefined
  try {
    const run = command.run(session, reader, invocation)
    result = yield* command.isLong ? tellingProgress(session, invocation.tag, run) : run
  } catch (error) {
    result = resultOf(error)
  }
  // What it did not take in of itself is nobody's.
  if (command.streams) session.reading.passOver(session.fragments.inLiteral ? session.reading.announced : undefined)
  if (result === undefined || session.isOver) return
  yield* tellNews(session, command.holdsExpunge !== true, result.tellsModSeq === true)
  if (session.isOver) return
  const { status, text } = result
  const knows = result.tellsModSeq === true && session.enabled.has('QRESYNC') && session.selected !== undefined
  const code = result.code ?? (knows ? `HIGHESTMODSEQ ${knownUpTo(session.selected!)}` : undefined)
  if (status === 'BAD') session.complain(invocation.tag, result)
  else session.say(`${invocation.tag} ${status} ${code === undefined ? '' : `[${code}] `}${responseText(text)}`)
  if (status === 'NO' && (result.limit !== undefined || worthTelling.has(code))) {
    session.tellRefusal('NO', code, text, result.limit)
  }
  if (result.ends) session.close(result.ends.why, result.ends.text, result.ends.limit)
}

/** How a command ends that has thrown. */
function resultOf(error: unknown): Result {
  if (error instanceof Malformed) {
    const { message: text, why: told, code, limit } = error
    return { status: 'BAD', text, told, limit, ...(code === undefined ? {} : { code }) }
  }
  if (!(error instanceof Refused)) throw error
  const { message: text, code, limit } = error
  return { status: 'NO', text, limit, ...(code === undefined ? {} : { code }) }
}

/** Up to which mod-sequence the client knows everything. */
const knownUpTo = ({ modSeq, unsaid }: Selected): number => unsaid ?? modSeq

const waits: ReadonlySet<string> = new Set<Wait['kind']>([
  'line', 'news', 'literal', 'stream', 'skip', 'rest', 'pause', 'room', 'tls',
])

/** Whether a step waits for something other than the host's answer. */
export function isWait(step: Asked | Wait): step is Wait {
  return waits.has(step.kind)
}

/** A piece as a line that was waited for. */
export function heard(piece: Piece): Heard {
  if (piece.kind === 'line') return { text: piece.text, announced: piece.literal, broken: false }
  return { text: 'text' in piece ? piece.text : '', announced: undefined, broken: true }
}

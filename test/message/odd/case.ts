import type { MessageOddity } from '../../../src/message/facts.ts'
import type { Part } from '../../../src/message/structure.ts'

/** An odd message, written for this project, and what its facts must be. */
export interface OddCase {
  readonly name: string
  /** Its octets as a string of code units 0–255. */
  readonly message: string
  /** {@link outline} of its structure. */
  readonly structure: readonly string[]
  /** The kinds, in the order in which they were first noticed. */
  readonly oddities: readonly MessageOddity[]
  /** What IMAP's ENVELOPE says. */
  readonly envelope?: string
  /** What IMAP's BODYSTRUCTURE says. */
  readonly bodyStructure?: string
  readonly preview?: string
  readonly attachments?: number
}

/** Lines with CRLF between them; end with an empty one for a CRLF at the end. */
export function mail(...lines: string[]): string {
  return lines.join('\r\n')
}

/**
 * A line a part, indented by its depth: type, where its header begins, where its body begins and ends, the LFs in its body, and
 * what else is to be said of it.
 */
export function outline(part: Part, indent = ''): string[] {
  const marks = [part.opaque && 'opaque', part.eightBit && '8bit', part.nul && 'nul', part.envelope && 'message', part.encoding]
  const place = `${part.header}-${part.body}-${part.end} ${part.lines}`
  const line = `${indent}${part.type}/${part.subtype} ${place} ${marks.filter(Boolean).join(' ')}`
  return [line.trimEnd(), ...(part.parts ?? []).flatMap((inner) => outline(inner, `${indent}  `))]
}

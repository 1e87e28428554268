import type { Scanned } from '../../contracts/scanner.ts'
import { octets, octetString } from '../../protocol/bytes/text.ts'
import { MOST_NAME, nonsense, oneLine, Unscannable } from './said.ts'

/*
 * The protocol of clamd, as clamd(8) has it. A command that begins with `z` ends with NUL, and so does its answer.
 */

/** Octets of an answer. */
export const MOST_ANSWER = 4096
/** What ends an answer. */
export const ANSWER_END = 0

/** Octets of one chunk. */
const CHUNK = 65_536

/** Asks which version it is. */
export const VERSION: Uint8Array = octets('zVERSION\0')

/** A message as INSTREAM wants it: chunks behind their lengths, of 4 octets each, and an empty one at the end. */
export async function* streamed(message: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield octets('zINSTREAM\0')
  for await (const bytes of message) {
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const chunk = bytes.subarray(at, at + CHUNK)
      yield lengthOf(chunk.length)
      yield chunk
    }
  }
  yield lengthOf(0)
}

function lengthOf(octets: number): Uint8Array {
  return Uint8Array.of(octets >>> 24, (octets >>> 16) & 255, (octets >>> 8) & 255, octets & 255)
}

/** The text of an answer. Throws `temporary` where its end is missing. */
export function readClamdText(answer: Uint8Array): string {
  const end = answer.indexOf(ANSWER_END)
  if (end < 0) throw nonsense('it has no end')
  return oneLine(octetString(answer, 0, end), MOST_ANSWER)
}

/**
 * What clamd found: `stream: OK`, `stream: Eicar-Signature FOUND`, or `… ERROR`. Throws `temporary` for anything else, and
 * `permanent` for a message that is longer than its StreamMaxLength.
 */
export function readClamdAnswer(answer: Uint8Array): Scanned {
  const text = readClamdText(answer)
  if (text === 'stream: OK') return { action: 'pass', findings: [] }
  if (text.startsWith('stream: ') && text.endsWith(' FOUND')) {
    const name = oneLine(text.slice('stream: '.length, -' FOUND'.length), MOST_NAME)
    return { action: 'reject', findings: [{ name: name === '' ? 'unnamed' : name }] }
  }
  if (text.endsWith('ERROR')) {
    const isTooLarge = text.includes('size limit exceeded')
    throw new Unscannable(isTooLarge ? 'permanent' : 'temporary', `it says: ${oneLine(text)}`)
  }
  throw nonsense(JSON.stringify(oneLine(text, 60)))
}

import { MailError } from '../../protocol/session/errors.ts'

/*
 * What a scanner says goes into headers, logs and replies. Much of it is made of the message it looked at, which a stranger has
 * written: none of it is taken as it comes.
 */

/** Findings of one message that are kept. */
export const MOST_FINDINGS = 500
/** Characters of a name. */
export const MOST_NAME = 120
/** Characters of a text. */
export const MOST_TEXT = 500

/** The scanner has answered, and can say nothing of this one message: no sign that it is sick. */
export class Unscannable extends MailError {}

/** An answer that makes no sense. */
export const nonsense = (what: string): MailError => new MailError('temporary', `its answer makes no sense: ${what}`)

/** A text as one line of characters that can be shown, no longer than so many; anything but a text is empty. */
export function oneLine(text: unknown, most = MOST_TEXT): string {
  if (typeof text !== 'string') return ''
  // Line ends of any kind, controls, halves of characters.
  return text.slice(0, most).replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ').replace(/\p{Surrogate}/gu, '\ufffd').trim()
}

/** A number that can be counted with, or `undefined`. */
export const finite = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined

/** A decimal number as programs print it, or `undefined`. */
export function decimal(text: string): number | undefined {
  const trimmed = text.trim()
  return /^[+-]?\d{1,15}(\.\d{1,15})?$/.test(trimmed) ? Number(trimmed) : undefined
}

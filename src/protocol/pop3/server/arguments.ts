import { Mistaken } from '../run.ts'
import { Refused } from '../../session/refusal.ts'
import type { Pop3Context } from './context.ts'

/** Makes sure that a command got no argument. */
export function none(argument: string): void {
  if (words(argument).length > 0) throw new Mistaken('It takes no argument')
}

/** The words of an argument; more spaces than needed do no harm. */
export function words(argument: string): string[] {
  return argument.split(' ').filter((word) => word !== '')
}

/** A number from 0 on. */
export function number(word: string | undefined): number {
  if (word === undefined || word.length > 15) throw new Mistaken('It takes a number')
  for (let at = 0; at < word.length; at++) {
    const unit = word.charCodeAt(at)
    if (unit < 48 || unit > 57) throw new Mistaken('It takes a number')
  }
  return Number(word)
}

/** The number of a message that is there and not marked. */
export function message(context: Pop3Context, word: string | undefined): number {
  const named = number(word)
  // RFC 1939 §5: it is an error to name one that is marked as deleted.
  if (!context.maildrop!.has(named)) throw new Refused(undefined, 'There is no such message')
  return named
}

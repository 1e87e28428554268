import type { Address } from '../message/address.ts'
import { parsePath } from '../protocol/smtp/path.ts'

/** What may stand around an address in running text. */
const OPENING = '<\'"([{*`'
const CLOSING = '>\'")]}*`.,;:!?'

/** The address that a word is, whatever brackets, quotes and full stops stand around it; `undefined` where it is none. */
export function addressIn(word: string): Address | undefined {
  if (word.length > 600 || !word.includes('@')) return undefined
  const plain = addressOf(word)
  if (plain) return plain
  let from = 0
  let to = word.length
  while (from < to && OPENING.includes(word.charAt(from))) from++
  while (to > from && CLOSING.includes(word.charAt(to - 1))) to--
  const inside = word.slice(from, to)
  return addressOf(/^mailto:/i.test(inside) ? inside.slice(7) : inside)
}

function addressOf(text: string): Address | undefined {
  // A source route is for envelopes.
  if (text.startsWith('@')) return undefined
  const parsed = parsePath(`<${text}>`, 0, { lenient: true, recipient: false })
  if (!('path' in parsed) || !parsed.path || parsed.end !== text.length + 2) return undefined
  return { local: parsed.path.local, domain: parsed.path.domain }
}

import { hasControl } from '../protocol/bytes/text.ts'
import { FieldLexer } from './field-lexer.ts'
import { isBlank } from './lexemes.ts'

/** Ids that {@link parseMessageIds} reads; what follows is left out. */
export const MOST_IDS = 1_000
/** RFC 5322 §2.1.1: an id cannot be folded. */
const MOST_LENGTH = 998

const QUOTE = 34
const OPEN = 40
const COMMA = 44
const SEMICOLON = 59
const LESS = 60
const GREATER = 62
const ENDS = new Set([QUOTE, OPEN, COMMA, SEMICOLON, LESS, GREATER])

/**
 * The message ids in a Message-ID, In-Reply-To or References field (RFC 5322 §3.6.4), in order, each in its angle brackets.
 * Total, linear time. Brackets may hold anything but control characters; blanks in them, left by wrong folding, are dropped.
 * Phrases and comments of the obsolete syntax (§4.5.4) are passed over. Where there are no brackets at all, words with an `@`
 * are taken for ids.
 */
export function parseMessageIds(value: string, most = MOST_IDS): string[] {
  return plainIds(value, most) ?? oddIds(value, most)
}

/** The ids in a value that is made of nothing but them and blanks, as nearly all are; `undefined` for any other. */
function plainIds(value: string, most: number): string[] | undefined {
  const ids: string[] = []
  for (let at = 0; at < value.length && ids.length < most; at++) {
    const from = at
    let unit = value.charCodeAt(at)
    if (isBlank(unit)) continue
    if (unit !== LESS) return undefined
    do unit = value.charCodeAt(++at)
    while (unit > 32 && unit < 127 && unit !== LESS && unit !== GREATER)
    if (unit !== GREATER || at - from < 2 || at - from > MOST_LENGTH + 1) return undefined
    ids.push(value.slice(from, at + 1))
  }
  return ids
}

function oddIds(value: string, most: number): string[] {
  const ids: string[] = []
  const bare: string[] = []
  const lexer = new FieldLexer(value)
  while (!lexer.done && ids.length < most) {
    lexer.skip()
    if (lexer.peek() === LESS) {
      const id = readId(lexer)
      if (id !== '' && id.length <= MOST_LENGTH && !hasControl(id)) ids.push(`<${id}>`)
    } else if (lexer.peek() === QUOTE) lexer.quoted()
    else {
      const word = lexer.run(endsWord)
      // What ends words but begins nothing: `,`, `>`, a parenthesis without its partner.
      if (word === '') lexer.at++
      const sign = word.lastIndexOf('@')
      const isId = sign > 0 && sign < word.length - 1 && word.length <= MOST_LENGTH && !hasControl(word)
      if (isId && bare.length < most) bare.push(`<${word}>`)
    }
  }
  return ids.length > 0 ? ids : bare
}

function endsWord(unit: number): boolean {
  return isBlank(unit) || ENDS.has(unit)
}

function endsPiece(unit: number): boolean {
  return isBlank(unit) || unit === LESS || unit === GREATER
}

/** At `<`: what stands between it and `>`, without blanks; empty where another `<` or the end comes first. */
function readId(lexer: FieldLexer): string {
  lexer.at++
  let id = ''
  while (!lexer.done) {
    id += lexer.run(endsPiece)
    const unit = lexer.peek()
    if (unit === LESS) return ''
    if (!lexer.done) lexer.at++
    if (unit === GREATER) return id
  }
  return ''
}

/**
 * A new message id in its brackets. `random`: at least 16 bytes of good randomness, so that nobody makes the same one or
 * guesses it; `hostname`: a domain of the sender's, of which only what can stand in one is kept.
 */
export function createMessageId(random: Uint8Array, hostname: string): string {
  let left = ''
  for (const octet of random) left += octet.toString(16).padStart(2, '0')
  return `<${left}@${hostname.replace(/[^0-9A-Za-z._\[\]:-]/g, '') || 'localhost'}>`
}

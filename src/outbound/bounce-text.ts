import type { Address } from '../message/address.ts'
import { findStatus } from '../message/enhanced-status.ts'
import type { Headers } from '../message/headers.ts'
import { parseMessageIds } from '../message/message-id.ts'
import { addressIn } from './bounce-address.ts'
import { delays, endings, failures, introductions } from './bounce-phrases.ts'

/** What a bounce in words says of one recipient. */
export interface ToldRecipient {
  readonly recipient: Address
  readonly action: 'failed' | 'delayed'
  readonly status: string | undefined
  /** What is said of it, lines joined. */
  readonly text: string
}

/** What a bounce in words says. */
export interface ToldBounce {
  readonly recipients: readonly ToldRecipient[]
  /** Of the message that came back. */
  readonly messageId: string | undefined
}

/** Lines that are looked at, characters of each, recipients, and characters kept of what is said of one. */
const MOST_LINES = 2_000
const MOST_LINE = 1_000
const MOST_RECIPIENTS = 500
const MOST_SAID = 4_000

const FIELD = 'message-id:'

/**
 * Reads what servers write to people: qmail, Exim, Postfix, Sendmail, Exchange, Outlook, Gmail, Yahoo, AOL and whoever writes
 * like them: a line that begins with an address, or names one behind words that announce it, begins what is said of that
 * recipient.
 * `undefined`: nothing in it says that mail was not delivered, or to whom.
 */
export function readBounceText(header: Headers, text: string): ToldBounce | undefined {
  const lines = text.split('\n', MOST_LINES).map((line) => line.slice(0, MOST_LINE).trimEnd())
  const end = endOfWords(lines)
  const words = lines.slice(0, end)
  const said = `${header.text('subject') ?? ''}\n${words.join('\n')}`.toLowerCase()
  const isDelay = delays.some((phrase) => said.includes(phrase))
  const failed = header.value('x-failed-recipients')
  if (!isDelay && failed === undefined && !failures.some((phrase) => said.includes(phrase))) return undefined
  const found = new Recipients()
  let last: string[] = []
  words.forEach((line, at) => {
    const opening = recipientAt(line) ?? announced(line, words[at + 1] ?? '')
    const told = opening && found.at(opening.address)
    if (told) last = told
    // What comes before the first address is about none of them.
    last.push(opening ? opening.rest : line.trim())
  })
  for (const word of (failed ?? '').split(',', MOST_RECIPIENTS)) found.add(word.trim())
  // A transcript alone: it names those that were spoken of.
  if (found.size === 0) for (const line of words) found.add(behind(line, 'rcpt to:'))
  if (found.size === 0) return undefined
  const action = isDelay ? 'delayed' : 'failed'
  return { recipients: found.told(action, words), messageId: idBehind(lines, end) }
}

/** The SMTP reply code in what was said: three digits that stand alone, 4xx or 5xx. */
export function replyCodeIn(text: string): number | undefined {
  for (let at = 0; at + 3 <= text.length; at++) {
    const unit = text.charCodeAt(at)
    if ((unit !== 52 && unit !== 53) || isJoined(text.charCodeAt(at - 1)) || isJoined(text.charCodeAt(at + 3))) continue
    const [second, third] = [text.charCodeAt(at + 1) - 48, text.charCodeAt(at + 2) - 48]
    // RFC 5321 §4.2.1: the second digit is 0 to 5.
    if (second >= 0 && second <= 5 && third >= 0 && third <= 9) return (unit - 48) * 100 + second * 10 + third
  }
  return undefined
}

/** Digits, letters, and what stands within numbers and names: `5500`, `a550`, `10.550`, `550.1`, `550@x`. */
function isJoined(unit: number): boolean {
  return (unit >= 48 && unit <= 57) || ((unit | 32) >= 97 && (unit | 32) <= 122) || unit === 46 || unit === 64
}

/** Those found, in order, with what is said of each. Addresses that differ in letter case alone are one. */
class Recipients {
  readonly #found = new Map<string, { readonly address: Address; readonly lines: string[] }>()

  get size(): number {
    return this.#found.size
  }

  /** The lines about an address. */
  at(address: Address): string[] | undefined {
    const key = `${address.local}@${address.domain}`.toLowerCase()
    const known = this.#found.get(key)
    if (known || this.#found.size >= MOST_RECIPIENTS) return known?.lines
    const lines: string[] = []
    this.#found.set(key, { address, lines })
    return lines
  }

  /** Adds an address that was named without words about it. */
  add(word: string): void {
    const address = addressIn(word)
    if (address) this.at(address)
  }

  told(action: ToldRecipient['action'], all: readonly string[]): ToldRecipient[] {
    const whole = all.join(' ')
    return [...this.#found.values()].map(({ address, lines }) => {
      const own = lines.filter((line) => line !== '').join(' ')
      const status = statusIn(own)
      // One alone is what the whole text is about.
      const isAlone = this.#found.size === 1 && status === undefined && replyCodeIn(own) === undefined
      const text = (isAlone && (own === '' || statusIn(whole) !== undefined) ? whole : own).slice(0, MOST_SAID)
      return { recipient: address, action, status: status ?? (isAlone ? statusIn(whole) : undefined), text }
    })
  }
}

/** The first status whose subject is one of RFC 3463 (§3), so that versions of programs are none. */
function statusIn(text: string): string | undefined {
  for (let found = findStatus(text); found; found = findStatus(text, found.to)) {
    if (found.status.charAt(0) !== '2' && found.status.charAt(3) === '.' && found.status.charAt(2) <= '7') return found.status
  }
  return undefined
}

/** Where what came back begins. */
function endOfWords(lines: readonly string[]): number {
  const end = lines.findIndex((line) => {
    const lower = line.toLowerCase()
    return endings.some((phrase) => lower.includes(phrase)) || lower.startsWith('received: ') || lower.startsWith('return-path: ')
  })
  return end < 0 ? lines.length : end
}

/** A line that begins with an address, and what stands behind it: `<a@b>: …`, `a@b`, `'a@b' on …`, `a@b<mailto:a@b>`. */
function recipientAt(line: string): { readonly address: Address; readonly rest: string } | undefined {
  const text = line.trimStart()
  const first = text.charAt(0)
  const close = first === '<' ? text.indexOf('>') : first === "'" ? text.indexOf("'", 1) : -1
  if (close > 0) {
    const address = addressIn(text.slice(1, close))
    return address && { address, rest: withoutColon(text.slice(close + 1)) }
  }
  const blank = text.search(/[ \t<(]/)
  const word = blank < 0 ? text : text.slice(0, blank)
  const rest = blank < 0 ? '' : text.slice(blank).trimStart()
  const address = addressIn(word)
  // Of a sentence that begins with an address, nobody knows what it says.
  const isOpening = rest === '' || word.endsWith(':') || rest.startsWith('(') || rest.startsWith('<') || rest.startsWith('...')
  return address && isOpening ? { address, rest } : undefined
}

function withoutColon(text: string): string {
  const rest = text.trimStart()
  return rest.startsWith(':') ? rest.slice(1).trimStart() : rest
}

/** An address that words on the line announce, on it or on the next. */
function announced(line: string, next: string): { readonly address: Address; readonly rest: string } | undefined {
  const lower = line.toLowerCase()
  for (const phrase of introductions) {
    const at = lower.indexOf(phrase)
    if (at < 0) continue
    const behindIt = line.slice(at + phrase.length).trim()
    const [word = ''] = (behindIt === '' ? next.trim() : behindIt).split(/[ \t]/, 1)
    const address = addressIn(word)
    if (address) return { address, rest: line }
  }
  return undefined
}

/** What stands behind a word on the line. */
function behind(line: string, word: string): string {
  const at = line.toLowerCase().indexOf(word)
  return at < 0 ? '' : line.slice(at + word.length).trim()
}

/** The id in the header of what came back, quoted or indented as it may be. */
function idBehind(lines: readonly string[], end: number): string | undefined {
  for (let at = end; at < lines.length; at++) {
    const line = withoutQuoting(lines[at]!)
    if (!line.slice(0, FIELD.length).toLowerCase().startsWith(FIELD)) continue
    const here = line.slice(FIELD.length).trim()
    return parseMessageIds(here === '' ? (lines[at + 1] ?? '') : here, 1)[0]
  }
  return undefined
}

function withoutQuoting(line: string): string {
  let at = 0
  while (at < line.length && ' \t>|'.includes(line.charAt(at))) at++
  return line.slice(at)
}

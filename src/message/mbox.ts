import { parseDate } from './date.ts'

/*
 * mbox (RFC 4155): messages one after the other in a text file with LF line ends. Each begins with a line `From `, its sender and
 * a date as asctime() writes it in UTC, and ends with an empty line. Lines of a message that look like that are quoted:
 *
 *   mboxrd   `From `, `>From `, `>>From ` … get one more `>`: what was written is read again
 *   mboxo    `From ` gets a `>`, and nothing tells `>From ` that was quoted from `>From ` that was not
 */

/** How lines that begin with `From ` are told from those that begin a message. */
export type MboxQuoting = 'mboxrd' | 'mboxo'

/** What the line before a message says. */
export interface FromLine {
  /** As it stands there; `MAILER-DAEMON` for the null sender, `-` where the writer knew none. */
  readonly sender: string
  /** Milliseconds since the Unix epoch; the line is taken for UTC where it names no zone. */
  readonly date: number | undefined
}

/** Longer lines are text, whatever they begin with. */
export const MOST_FROM_LINE = 1000

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Milliseconds; asctime() has four digits for the year. */
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59)

/**
 * The line before a message, LF included: `From alice@example.org Thu Nov 24 18:22:48 1986`. What a sender cannot have there
 * (blanks, control characters, what is not ASCII) becomes `?`; no sender, `MAILER-DAEMON`. Dates before 1970 become its first
 * second, those after 9999 its last. `date`: milliseconds since the Unix epoch.
 */
export function formatFromLine(sender: string | null, date: number): string {
  let name = ''
  for (const character of sender ?? '') name += character > ' ' && character <= '~' ? character : '?'
  const at = new Date(Math.min(LAST, Math.max(0, date)) || 0)
  const [day, month] = [DAYS[at.getUTCDay()], MONTHS[at.getUTCMonth()]]
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
  return `From ${name || 'MAILER-DAEMON'} ${day} ${month} ${String(at.getUTCDate()).padStart(2)} ${time} ${at.getUTCFullYear()}\n`
}

/**
 * Reads such a line, with or without its line end. `undefined` where it does not look like one: it has to begin with `From ` and
 * to end in a date in the order of asctime(), with or without seconds or a zone, or in nothing where the sender is `-`.
 */
export function parseFromLine(line: string): FromLine | undefined {
  if (!line.startsWith('From ') || line.length > MOST_FROM_LINE) return undefined
  const words = line.slice(5).split(/[ \t\r\n]/).filter((word) => word !== '')
  if (words.length === 1 && words[0] === '-') return { sender: '-', date: undefined }
  const day = words.findLastIndex((word, index) => isDay(word) && isMonth(words[index + 1]))
  const rest = words.slice(day + 1)
  // UUCP put the host behind the date.
  const remote = rest.indexOf('remote')
  const date = day < 0 ? undefined : parseDate((remote < 0 ? rest : rest.slice(0, remote)).join(' '))
  return date && { sender: words.slice(0, day).join(' '), date: date.epochMs }
}

const isDay = (word: string): boolean => DAYS.includes(word.endsWith(',') ? word.slice(0, -1) : word)
const isMonth = (word: string | undefined): boolean => word !== undefined && MONTHS.includes(word.slice(0, 3))

import { withoutComments } from './lexemes.ts'

/** A moment, and the clock it was read from. */
export interface DateTime {
  /** Milliseconds since the Unix epoch. */
  readonly epochMs: number
  /** Minutes the sender's clock was ahead of UTC; 0 also where the field does not tell (`-0000`, no zone, a military zone). */
  readonly zoneMinutes: number
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** RFC 5322 §4.3. The single letters were defined the wrong way round in RFC 822 and mean nothing. */
const ZONES = new Map([
  ['ut', 0], ['gmt', 0], ['utc', 0], ['z', 0], ['est', -300], ['edt', -240], ['cst', -360], ['cdt', -300], ['mst', -420],
  ['mdt', -360], ['pst', -480], ['pdt', -420], ['bst', 60], ['cet', 60], ['met', 60], ['mez', 60], ['cest', 120], ['mesz', 120],
  ['eet', 120], ['eest', 180], ['msk', 180], ['jst', 540], ['kst', 540],
])

/** Longer values are no dates: the bound keeps hostile ones cheap. */
const MOST_LENGTH = 200

/**
 * Reads a date-time (RFC 5322 §3.3), its obsolete forms (§4.3: two- and three-digit years, zone names, comments and blanks
 * anywhere), and what else is found in Date fields: no day name, no seconds, no zone, months in full, hyphens, `ctime` order,
 * ISO 8601. `undefined` where there is no date to be had. The day of the week is ignored, even if it is the wrong one.
 */
export function parseDate(value: string): DateTime | undefined {
  if (value.length > MOST_LENGTH && !value.includes('(')) return undefined
  const text = withoutComments(value)
  return text.length > MOST_LENGTH ? undefined : new Pieces(text).date()
}

/** Milliseconds; the year has four digits up to here (RFC 5322 §3.3). */
const MOST_TIME = Date.UTC(9999, 11, 30)

/**
 * As RFC 5322 §3.3 writes it: `Fri, 21 Nov 1997 09:55:06 -0600`. Milliseconds are dropped. Total: a zone beyond a day is taken
 * for UTC, a time that no calendar has for the epoch.
 */
export function formatDate(epochMs: number, zoneMinutes = 0): string {
  const zone = Math.abs(zoneMinutes) < 24 * 60 ? Math.trunc(zoneMinutes) : 0
  const second = Math.floor(epochMs / 1000)
  // Servers write thousands of dates a second, all the same one.
  if (second !== last.second || zone !== last.zone) last = { second, zone, text: written(epochMs, zone) }
  return last.text
}

/** The last date that was written. */
let last = { second: NaN, zone: 0, text: '' }

function written(epochMs: number, zone: number): string {
  const local = new Date((Math.abs(epochMs) < MOST_TIME ? epochMs : 0) + zone * 60_000)
  const name = MONTHS[local.getUTCMonth()]!
  const month = name[0]!.toUpperCase() + name.slice(1)
  const date = `${local.getUTCDate()} ${month} ${digits(local.getUTCFullYear(), 4)}`
  const time = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].map((part) => digits(part, 2)).join(':')
  const offset = Math.abs(zone)
  const clock = `${zone < 0 ? '-' : '+'}${digits(Math.trunc(offset / 60), 2)}${digits(offset % 60, 2)}`
  return `${DAYS[local.getUTCDay()]!}, ${date} ${time} ${clock}`
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0')
}

/** The pieces of a date in any order that makes sense. */
class Pieces {
  readonly #tokens: readonly string[]
  #day: number | undefined
  #month: number | undefined
  #year: number | undefined
  #seconds: number | undefined
  #zone: number | undefined

  constructor(text: string) {
    this.#tokens = tokensOf(text)
  }

  date(): DateTime | undefined {
    const tokens = this.#tokens
    for (let at = 0; at < tokens.length; ) at += this.#take(at)
    const [year, month, day, seconds] = [this.#year, this.#month, this.#day, this.#seconds]
    if (year === undefined || month === undefined || day === undefined || seconds === undefined) return undefined
    const midnight = Date.UTC(year, month, day)
    if (day < 1 || new Date(midnight).getUTCMonth() !== month) return undefined
    const zoneMinutes = this.#zone ?? 0
    return { epochMs: midnight + seconds * 1_000 - zoneMinutes * 60_000, zoneMinutes }
  }

  /** How many tokens make up the piece at `at`. */
  #take(at: number): number {
    const token = this.#tokens[at]!
    const next = this.#tokens[at + 1]
    if (isLetter(token)) return this.#word(token.toLowerCase())
    if (isDigit(token)) return next === ':' && this.#seconds === undefined ? this.#time(at) : this.#number(token, at)
    const isZone = (token === '+' || token === '-') && this.#seconds !== undefined && next !== undefined && isDigit(next)
    return isZone ? this.#offset(token, at) : 1
  }

  #word(word: string): number {
    const month = MONTHS.indexOf(word.slice(0, 3))
    const zone = ZONES.get(word)
    if (month >= 0 && this.#month === undefined) this.#month = month
    else if (zone !== undefined && this.#zone === undefined) this.#zone = zone
    else if (word === 'pm' && this.#seconds !== undefined && this.#seconds < 43_200) this.#seconds += 43_200
    else if (word === 'am' && this.#seconds !== undefined && this.#seconds >= 43_200) this.#seconds -= 43_200
    return 1
  }

  /** hour ":" minute [":" second ["." fraction]] */
  #time(at: number): number {
    const [hour, , minute = '', colon, second = ''] = this.#tokens.slice(at, at + 5)
    if (!isDigit(minute) || hour!.length > 2 || minute.length > 2) return 2
    const hasSecond = colon === ':' && isDigit(second)
    const seconds = hasSecond ? Number(second) : 0
    // 60 is a leap second (RFC 5322 §3.3).
    if (Number(hour) > 23 || Number(minute) > 59 || seconds > 60) return 3
    this.#seconds = Number(hour) * 3_600 + Number(minute) * 60 + seconds
    const used = hasSecond ? 5 : 3
    const isFraction = this.#tokens[at + used] === '.' && isDigit(this.#tokens[at + used + 1] ?? '')
    return isFraction ? used + 2 : used
  }

  /** `+0200`, `+02:00`, `+2`. */
  #offset(sign: string, at: number): number {
    const first = this.#tokens[at + 1]!
    const isParted = this.#tokens[at + 2] === ':' && first.length <= 2
    const minutes = isParted ? (this.#tokens[at + 3] ?? '') : first.length > 2 ? first.slice(-2) : '0'
    const hours = first.length > 2 ? first.slice(0, -2) : first
    const offset = Number(hours) * 60 + Number(isDigit(minutes) ? minutes : 0)
    // A zone name before the offset (`GMT+0200`) says less than the offset.
    if (first.length <= 4 && Number(minutes) < 60 && offset < 24 * 60) this.#zone = sign === '-' && offset > 0 ? -offset : offset
    return isParted ? 4 : 2
  }

  #number(token: string, at: number): number {
    const value = Number(token)
    const isFirst = this.#day === undefined && this.#year === undefined
    if (isFirst && token.length === 4 && this.#tokens[at + 1] === '-') return this.#iso(at, value)
    if (this.#day === undefined && token.length <= 2) this.#day = value
    else if (this.#year === undefined && token.length <= 4) this.#year = fullYear(value, token.length)
    return 1
  }

  /** year "-" month "-" day ["T"] */
  #iso(at: number, year: number): number {
    const [, , month = '', dash, day = ''] = this.#tokens.slice(at, at + 5)
    if (!isDigit(month) || dash !== '-' || !isDigit(day)) return 1
    this.#year = year
    this.#month = Number(month) - 1
    this.#day = Number(day)
    return 5
  }
}

/** RFC 5322 §4.3. */
function fullYear(value: number, length: number): number {
  if (length >= 4) return value
  return length <= 2 && value < 50 ? value + 2_000 : value + 1_900
}

/** Runs of letters, runs of digits, and single characters; without blanks. */
function tokensOf(text: string): string[] {
  const tokens: string[] = []
  for (let at = 0; at < text.length; ) {
    const from = at
    const letters = isLetter(text[at]!)
    const numbers = isDigit(text[at]!)
    do at++
    while (at < text.length && ((letters && isLetter(text[at]!)) || (numbers && isDigit(text[at]!))))
    if (letters || numbers || text.charCodeAt(from) > 32) tokens.push(text.slice(from, at))
  }
  return tokens
}

/** Of a token, its first character tells. */
function isLetter(token: string): boolean {
  const unit = token.charCodeAt(0) | 0x20
  return unit >= 0x61 && unit <= 0x7a
}

function isDigit(token: string): boolean {
  const unit = token.charCodeAt(0)
  return unit >= 0x30 && unit <= 0x39
}

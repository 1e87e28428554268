import { randomHex } from './digest.ts'

/*
 * Names of messages: `1276528487.M364837P9451Q1R0badcafe.kurkku,S=1355,W=1394:2,FS`.
 *
 *   base   up to the colon: unique, never changed, what a message is known by
 *   S, W   octets in the file; octets when every line ends in CRLF (Maildir++, Dovecot)
 *   info   after `:2,`: a letter a flag, in ASCII order
 */

/** What a name says. */
export interface FileName {
  readonly base: string
  /** The letters after `:2,`; `undefined` where there is no such thing. */
  readonly info: string | undefined
}

/** Takes a name apart. */
export function parseFileName(name: string): FileName {
  const colon = name.indexOf(':')
  if (colon < 0) return { base: name, info: undefined }
  return { base: name.slice(0, colon), info: name.startsWith('2,', colon + 1) ? name.slice(colon + 3) : undefined }
}

/** The number after `,S=` or `,W=` in a base. */
export function sizeIn(base: string, key: 'S' | 'W'): number | undefined {
  const from = base.indexOf(`,${key}=`)
  if (from < 0) return undefined
  let at = from + 3
  let value = 0
  for (; at < base.length && base.charCodeAt(at) >= 0x30 && base.charCodeAt(at) <= 0x39; at++) {
    value = value * 10 + base.charCodeAt(at) - 0x30
  }
  return at > from + 3 && Number.isSafeInteger(value) ? value : undefined
}

/** Whether it can stand in `dovecot-uidlist`, a line each, and is no hidden or temporary file. */
export function isMessageName(name: string): boolean {
  if (name.startsWith('.') || name.startsWith(':') || name.includes('\ufffd')) return false
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) < 0x20) return false
  return true
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

/** Where the digits that begin at `at` end, and where the first of them stands that is not a leading zero. */
function digitsAt(name: string, at: number): { first: number; end: number } {
  let end = at
  while (isDigit(name.charCodeAt(end))) end++
  let first = at
  while (first < end - 1 && name.charCodeAt(first) === 0x30) first++
  return { first, end }
}

/**
 * In the order of delivery as the names tell it: digits count as numbers, since neither the microseconds (`M99999`,
 * `M100000`) nor the count of a process (`Q9`, `Q10`) are padded; all else goes by code unit.
 */
export function compareBases(a: string, b: string): number {
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(j)]
    if (isDigit(x) && isDigit(y)) {
      const [left, right] = [digitsAt(a, i), digitsAt(b, j)]
      const longer = left.end - left.first - (right.end - right.first)
      if (longer !== 0) return longer
      const [digits, others] = [a.slice(left.first, left.end), b.slice(right.first, right.end)]
      if (digits !== others) return digits < others ? -1 : 1
      i = left.end
      j = right.end
    } else if (x !== y) return x - y
    else {
      i++
      j++
    }
  }
  const left = a.length - i - (b.length - j)
  // Names that differ in leading zeros only still need one order.
  return left !== 0 ? left : a < b ? -1 : a > b ? 1 : 0
}

/** Gives names that no file had before: time, process, count, chance and host, as the Maildir text has it. */
export class UniqueNames {
  readonly #host: string
  #count = 0

  /** `hostname`: slashes and colons in it are written as the Maildir text says. */
  constructor(hostname: string) {
    let host = ''
    for (const character of hostname) {
      if (character === '/') host += '\\057'
      else if (character === ':') host += '\\072'
      else if (character > ' ' && character <= '~' && character !== ',') host += character
    }
    this.#host = host.slice(0, 100) || 'localhost'
  }

  /** A name without sizes. `now`: milliseconds since the Unix epoch. */
  next(now: number): string {
    const seconds = Math.max(0, Math.floor(now / 1000)) || 0
    const micros = Math.max(0, Math.floor((now % 1000) * 1000)) || 0
    return `${seconds}.M${micros}P${process.pid}Q${++this.#count}R${randomHex(4)}.${this.#host}`
  }
}

/** A base with its sizes: octets in the file, and octets with CRLF line ends where they are known. */
export function withSizes(unique: string, octets: number, crlfOctets: number): string {
  return `${unique},S=${octets},W=${crlfOctets}`
}

import { linksOfText } from './links.ts'

/** Words that announce a code, in lower case. */
const announcing = ['code', 'pin', 'otp', 'password', 'token', 'verif', 'confirm', 'security', 'login', 'log in', 'sign in']
/** Characters before a code in which the announcement is looked for. */
const NEAR = 100

/**
 * The one-time codes of a text, such as people are asked to type: 4 to 8 digits, also as `123 456`, `123-456` and `1 2 3 4 5
 * 6`, or 5 to 10 capitals and digits mixed. What stands between halves is left out. Those that stand alone on a line or come
 * behind a word like "code" go first. Amounts, dates, times, telephone numbers and what is part of a link are no codes.
 */
export function codesOf(text: string): string[] {
  const plain = withoutLinks(text)
  const words = wordsOf(plain)
  const sure: string[] = []
  const possible: string[] = []
  for (let at = 0; at < words.length;) {
    const group = groupAt(plain, words, at)
    at += group.words
    const { text: code, from, to } = group
    if (!isCode(code) || !standsFree(plain, from, to)) continue
    const near = plain.slice(Math.max(0, from - NEAR), from).toLowerCase()
    if (isAlone(plain, from, to) || announcing.some((word) => near.includes(word))) sure.push(code)
    else if (!isYear(code)) possible.push(code)
  }
  return [...new Set([...sure, ...possible])]
}

function withoutLinks(text: string): string {
  let plain = ''
  let from = 0
  for (const link of linksOfText(text)) {
    const at = text.indexOf(link, from)
    plain += `${text.slice(from, at)}\n`
    from = at + link.length
  }
  return plain + text.slice(from)
}

interface Word {
  readonly text: string
  readonly from: number
  readonly to: number
}

/** Runs of letters and digits. */
const wordsOf = (text: string): Word[] =>
  Array.from(text.matchAll(/[\p{L}\p{N}]+/gu), (found) => ({
    text: found[0],
    from: found.index,
    to: found.index + found[0].length,
  }))

/** The word at hand, or the whole of which it is the first part: two halves of three or four digits, or single digits. */
function groupAt(text: string, words: readonly Word[], at: number): Word & { readonly words: number } {
  const first = words[at]!
  const isPart = first.text.length === 1 ? /^\d$/ : first.text.length === 3 ? /^\d{3}$/ : /^\d{4}$/
  let count = 1
  while (at + count < words.length && isJoined(text, words[at + count - 1]!, words[at + count]!, isPart)) count++
  const whole = words.slice(at, at + count)
  // Three groups of several digits are a telephone number, or a card's.
  const isTooLong = first.text.length > 1 && count > 2
  const joined = isTooLong ? '' : whole.map((word) => word.text).join('')
  return { text: joined, from: first.from, to: whole.at(-1)!.to, words: count }
}

function isJoined(text: string, one: Word, other: Word, isPart: RegExp): boolean {
  const between = text.slice(one.to, other.from)
  return isPart.test(one.text) && isPart.test(other.text) && (between === ' ' || (between === '-' && one.text.length > 1))
}

const isCode = (text: string): boolean =>
  /^\d{4,8}$/.test(text) || (/^[A-Z0-9]{5,10}$/.test(text) && /\d/.test(text) && /[A-Z]/.test(text))

const isYear = (text: string): boolean => /^(19|20)\d\d$/.test(text)

/** Not part of an amount, a date, a time, a telephone number, an address or a number in a longer chain. */
function standsFree(text: string, from: number, to: number): boolean {
  const before = text.slice(Math.max(0, from - 2), from)
  const after = text.slice(to, to + 2)
  if (/[\p{L}\p{N}][.,:/\-@_]$/u.test(before) || /^[.,:/\-@_][\p{L}\p{N}]/u.test(after)) return false
  if (/[#+$€£%&=] ?$/.test(before) || /^ ?[$€£%]/.test(after)) return false
  return !/\d[ -]$/.test(before) && !/^[ -]\d/.test(after)
}

/** Nothing but blanks around it on its line. */
function isAlone(text: string, from: number, to: number): boolean {
  const before = text.slice(Math.max(0, from - NEAR), from)
  const after = text.slice(to, to + NEAR)
  return /(^|\n)[^\S\n]*$/.test(before) && /^[^\S\n]*(\n|$)/.test(after)
}

import type { MailboxMail } from './mailbox-mail.ts'

/** A text must be contained, a regular expression must match. */
export type TextMatch = string | RegExp

/** What a mail is to be like. What is left out does not matter. */
export interface MailMatch {
  readonly subject?: TextMatch
  /** The author or the envelope's sender. A text is compared as a whole, upper and lower case aside. */
  readonly from?: TextMatch
  /** A recipient of the envelope, or one that To or Cc names. A text is compared as a whole, upper and lower case aside. */
  readonly to?: TextMatch
  readonly text?: TextMatch
  readonly html?: TextMatch
  /** By name. `true`: it is there. */
  readonly header?: Readonly<Record<string, TextMatch | true>>
  /** Anything else. */
  readonly where?: (mail: MailboxMail) => boolean
}

/** Why a mail does not match, in words; empty where it does. */
export function mismatches(mail: MailboxMail, match: MailMatch): string[] {
  const found: string[] = []
  const compare = (what: string, actual: string | undefined, wanted: TextMatch | undefined): void => {
    if (wanted === undefined) return
    if (actual === undefined) found.push(`it has no ${what}`)
    else if (!fits(actual, wanted)) found.push(`its ${what} is ${short(actual)}`)
  }
  const compareAddresses = (what: string, actual: readonly string[], wanted: TextMatch | undefined): void => {
    if (wanted === undefined || actual.some((address) => fitsAddress(address, wanted))) return
    found.push(`it is ${what} ${actual.length === 0 ? 'nobody' : actual.join(', ')}`)
  }
  compare('subject', mail.subject, match.subject)
  compareAddresses('from', mail.senders, match.from)
  compareAddresses('to', mail.recipients, match.to)
  compare('text', mail.text, match.text)
  compare('HTML', mail.html, match.html)
  for (const [name, wanted] of Object.entries(match.header ?? {})) {
    const fields = mail.received.headers.all(name).map((field) => field.text)
    if (wanted === true ? fields.length > 0 : fields.some((value) => fits(value, wanted))) continue
    found.push(fields.length === 0 ? `it has no ${name}` : `its ${name} is ${fields.map(short).join(', ')}`)
  }
  if (match.where && !match.where(mail)) found.push('it is not what `where` asks for')
  return found
}

function fits(actual: string, wanted: TextMatch): boolean {
  if (typeof wanted === 'string') return actual.includes(wanted)
  // With `g` or `y` a regular expression remembers where it was.
  wanted.lastIndex = 0
  return wanted.test(actual)
}

const fitsAddress = (actual: string, wanted: TextMatch): boolean =>
  typeof wanted === 'string' ? actual.toLowerCase() === wanted.toLowerCase() : fits(actual, wanted)

/** A match in words. */
export function described(match: MailMatch): string {
  const parts = Object.entries(match).map(([name, wanted]) => `${name}: ${shown(wanted)}`)
  return parts.length === 0 ? 'any mail' : `a mail with { ${parts.join(', ')} }`
}

function shown(wanted: unknown): string {
  if (wanted instanceof RegExp) return String(wanted)
  if (typeof wanted === 'function') return 'a function'
  if (typeof wanted !== 'object' || wanted === null) return JSON.stringify(wanted)
  return `{ ${Object.entries(wanted)
    .map(([name, value]) => `${JSON.stringify(name)}: ${shown(value)}`)
    .join(', ')} }`
}

/** Quoted, and cut where it is long. */
export function short(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)
}

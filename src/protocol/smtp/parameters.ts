import type { Address } from '../../message/address.ts'
import { asciiUpper, hasControl, isAscii } from '../bytes/text.ts'
import { dateTimeOf } from './date-time.ts'
import { isLetterDigitHyphen } from './literal.ts'
import { parsePath } from './path.ts'
import { type Reply, reply } from './reply.ts'
import { decodeXtext } from './xtext.ts'

/** The parameters of MAIL FROM, read and checked. */
export interface MailParameters {
  /** RFC 1870: octets that the client means to send. */
  readonly size?: number
  /** RFC 6152, RFC 3030. */
  readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME'
  /** RFC 6531. */
  readonly smtpUtf8: boolean
  /** RFC 4954 §5: who submitted the message as far as the client knows; `null` for `<>`, unknown. */
  readonly auth?: Address | null
  /** RFC 3461 §4.3: how much of the message a failure report gives back. */
  readonly ret?: 'FULL' | 'HDRS'
  /** RFC 3461 §4.4, decoded. */
  readonly envid?: string
  /** RFC 8689. */
  readonly requireTls: boolean
  /** RFC 2852: seconds from now; `return` it when late, or only `notify`; `trace` each hop. */
  readonly deliverBy?: { readonly seconds: number; readonly mode: 'return' | 'notify'; readonly trace: boolean }
  /** RFC 6710: -9 to 9. */
  readonly priority?: number
  /** RFC 4865: seconds, or a date-time of RFC 3339. */
  readonly hold?: { readonly seconds: number } | { readonly until: string }
  /** Parameters that the host registered, by upper-case keyword. */
  readonly other: ReadonlyMap<string, string | undefined>
}

/** The parameters of RCPT TO, read and checked. */
export interface RecipientParameters {
  /** RFC 3461 §4.1; empty for NEVER. */
  readonly notify?: readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[]
  /** RFC 3461 §4.2: the type (`rfc822`, `utf-8`) and the address, decoded. */
  readonly originalRecipient?: { readonly type: string; readonly address: string }
  readonly other: ReadonlyMap<string, string | undefined>
}

/** What a reader of parameters writes into. */
export type Draft<T> = { -readonly [Key in keyof T]: T[Key] }
type Extra = { other: ReadonlyMap<string, string | undefined> }

/** Reads one parameter into the draft; an error text where its value is not sound. */
export type ParameterReader<T> = (value: string | undefined, draft: Draft<T>) => string | undefined

/** The readers by keyword, in upper case. */
export type ParameterReaders<T> = ReadonlyMap<string, ParameterReader<T>>

const NONE: ReadonlyMap<string, string | undefined> = new Map()

/** What MAIL FROM without parameters means. */
export const plainMail: MailParameters = Object.freeze({ body: '7BIT', smtpUtf8: false, requireTls: false, other: NONE })
/** What RCPT TO without parameters means. */
export const plainRecipient: RecipientParameters = Object.freeze({ other: NONE })

/** One that stands alone: no value. */
const flag =
  <T>(set: (draft: Draft<T>) => void): ParameterReader<T> =>
  (value, draft) => {
    if (value !== undefined) return 'takes no value'
    set(draft)
    return undefined
  }

/** A whole number of 1 to `digits` digits, or -1. */
function wholeNumber(text: string | undefined, digits: number): number {
  if (text === undefined || text.length === 0 || text.length > digits) return -1
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 48 || text.charCodeAt(at) > 57) return -1
  return Number(text)
}

/** Every parameter of MAIL FROM that this package knows. Which are offered is the configuration's. */
export const mailReaders: ParameterReaders<MailParameters> = new Map<string, ParameterReader<MailParameters>>([
  [
    'SIZE',
    (value, draft) => {
      const size = wholeNumber(value, 20)
      if (size < 0) return 'takes a number of octets'
      draft.size = size
      return undefined
    },
  ],
  [
    'BODY',
    (value, draft) => {
      const body = upper(value)
      if (body !== '7BIT' && body !== '8BITMIME' && body !== 'BINARYMIME') return 'takes 7BIT, 8BITMIME or BINARYMIME'
      draft.body = body
      return undefined
    },
  ],
  ['SMTPUTF8', flag((draft) => (draft.smtpUtf8 = true))],
  ['REQUIRETLS', flag((draft) => (draft.requireTls = true))],
  [
    'AUTH',
    (value, draft) => {
      const decoded = value === undefined ? undefined : decodeXtext(value)
      if (decoded === undefined) return 'takes a mailbox or <> in xtext'
      // RFC 4954 §5: `<>` says that the client does not know. Clients send the mailbox with and without brackets.
      if (decoded === '<>') draft.auth = null
      else {
        const parsed = parsePath(decoded, 0, { lenient: true, recipient: false })
        if ('error' in parsed || parsed.end !== decoded.length) return 'takes a mailbox or <> in xtext'
        draft.auth = parsed.path
      }
      return undefined
    },
  ],
  [
    'RET',
    (value, draft) => {
      const ret = upper(value)
      if (ret !== 'FULL' && ret !== 'HDRS') return 'takes FULL or HDRS'
      draft.ret = ret
      return undefined
    },
  ],
  [
    'ENVID',
    (value, draft) => {
      const envid = value === undefined || value.length > 100 ? undefined : decodeXtext(value)
      if (envid === undefined || !isPrintable(envid)) return 'takes printable xtext of at most 100 characters'
      draft.envid = envid
      return undefined
    },
  ],
  ['BY', readDeliverBy],
  [
    'MT-PRIORITY',
    (value, draft) => {
      const negative = value?.charAt(0) === '-'
      const level = wholeNumber(negative ? value?.slice(1) : value, 1)
      if (level < 0 || (negative && level === 0)) return 'takes -9 to 9'
      draft.priority = negative ? 0 - level : level
      return undefined
    },
  ],
  [
    'HOLDFOR',
    (value, draft) => {
      const seconds = wholeNumber(value, 9)
      if (seconds < 0) return 'takes seconds'
      if (draft.hold) return 'and HOLDUNTIL exclude each other'
      draft.hold = { seconds }
      return undefined
    },
  ],
  [
    'HOLDUNTIL',
    (value, draft) => {
      if (value === undefined || dateTimeOf(value) === undefined) return 'takes a date and time of RFC 3339'
      if (draft.hold) return 'and HOLDFOR exclude each other'
      draft.hold = { until: value }
      return undefined
    },
  ],
])

/** RFC 2852 §4: `BY=[+|-]seconds;(N|R)[T]`. */
function readDeliverBy(value: string | undefined, draft: Draft<MailParameters>): string | undefined {
  const wrong = 'takes seconds;R or seconds;N, with T behind for a trace'
  const semicolon = value?.indexOf(';') ?? -1
  if (value === undefined || semicolon < 1) return wrong
  const signed = value.charAt(0) === '-' || value.charAt(0) === '+'
  const amount = wholeNumber(value.slice(signed ? 1 : 0, semicolon), 9)
  const mode = asciiUpper(value.slice(semicolon + 1))
  if (amount < 0 || !['N', 'NT', 'R', 'RT'].includes(mode)) return wrong
  const seconds = value.charAt(0) === '-' ? -amount : amount
  // §4: a time in the past makes no sense for return mode.
  if (mode.startsWith('R') && seconds <= 0) return 'is already over'
  draft.deliverBy = { seconds, mode: mode.startsWith('R') ? 'return' : 'notify', trace: mode.endsWith('T') }
  return undefined
}

/** Every parameter of RCPT TO that this package knows. */
export const recipientReaders: ParameterReaders<RecipientParameters> = new Map<string, ParameterReader<RecipientParameters>>([
  [
    'NOTIFY',
    (value, draft) => {
      const wrong = 'takes NEVER, or SUCCESS, FAILURE and DELAY with commas'
      const words = upper(value)?.split(',', 5) ?? []
      if (words.length === 1 && words[0] === 'NEVER') {
        draft.notify = []
        return undefined
      }
      const sound = words.every((word) => word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY')
      if (words.length === 0 || !sound || new Set(words).size !== words.length) return wrong
      draft.notify = words as ('SUCCESS' | 'FAILURE' | 'DELAY')[]
      return undefined
    },
  ],
  [
    'ORCPT',
    (value, draft) => {
      const semicolon = value?.indexOf(';') ?? -1
      const type = value?.slice(0, semicolon) ?? ''
      // RFC 6533 §3: utf-8 addresses may come as they are; xtext is decoded where it is xtext.
      const raw = value?.slice(semicolon + 1) ?? ''
      const decoded = decodeXtext(raw)
      // RFC 3461 §4.2: printable; it will stand in a report's header field.
      const address = decoded === undefined ? (type.toLowerCase() === 'utf-8' ? raw : '') : isPrintable(decoded) ? decoded : ''
      if (semicolon < 1 || value!.length > 500 || !isKeyword(type) || address === '') return 'takes type;address in xtext'
      draft.originalRecipient = { type: type.toLowerCase(), address }
      return undefined
    },
  ],
])

const upper = (value: string | undefined): string | undefined => (value === undefined ? undefined : asciiUpper(value))

/** ASCII without control characters. */
function isPrintable(text: string): boolean {
  return isAscii(text) && !hasControl(text)
}

/** RFC 5321 §4.1.2 esmtp-keyword, and RFC 3461 §4.2 of types of addresses. */
export function isKeyword(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (!isLetterDigitHyphen(text.charCodeAt(at))) return false
  return text.length > 0 && text.charCodeAt(0) !== 45
}

/** RFC 5321 §4.1.2 esmtp-value: printable, no space, no `=`; RFC 6531 §3.3 adds UTF-8. */
function isValue(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit <= 32 || unit === 61 || unit === 127) return false
  }
  return text.length > 0
}

/**
 * Reads the parameters in `text` from `from` on. `readers` are those offered on this connection; a keyword that is not among
 * them gets 555, a malformed or doubled one 501 (S29, S30).
 */
export function readParameters<T extends Extra>(
  text: string,
  from: number,
  plain: T,
  readers: ReadonlyMap<string, ParameterReader<T>>,
): { parameters: T } | { refusal: Reply } {
  if (from >= text.length) return { parameters: plain }
  if (text.charCodeAt(from) !== 32) return { refusal: syntax('a space must follow the address') }
  const draft = { ...plain } as Draft<T>
  const seen = new Set<string>()
  for (const word of text.slice(from).split(' ')) {
    if (word === '') continue
    const equals = word.indexOf('=')
    const keyword = asciiUpper(equals < 0 ? word : word.slice(0, equals))
    const value = equals < 0 ? undefined : word.slice(equals + 1)
    if (!isKeyword(keyword) || (value !== undefined && !isValue(value))) return { refusal: syntax('a parameter is malformed') }
    const reader = readers.get(keyword)
    if (!reader) return { refusal: reply(555, '5.5.4', `Parameter ${keyword} is not recognised or not offered`) }
    if (seen.has(keyword)) return { refusal: syntax(`${keyword} is given twice`) }
    seen.add(keyword)
    const wrong = reader(value, draft)
    if (wrong !== undefined) return { refusal: syntax(`${keyword} ${wrong}`) }
  }
  return { parameters: draft as T }
}

const syntax = (what: string): Reply => reply(501, '5.5.4', `Syntax error: ${what}`)

/** A reader for a parameter of the host's own: kept in `other`. */
export function otherReader<T extends Extra>(
  keyword: string,
  check?: (value: string | undefined) => string | undefined,
): ParameterReader<T> {
  return (value, draft) => {
    const wrong = check?.(value)
    if (wrong === undefined) draft.other = new Map(draft.other).set(keyword, value)
    return wrong
  }
}

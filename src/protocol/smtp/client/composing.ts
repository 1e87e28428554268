import type { Address } from '../../../message/address.ts'
import { asciiDomain } from '../../../message/domain.ts'
import { hasControl, isAscii, utf8Octets } from '../../bytes/text.ts'
import { MailError } from '../../session/errors.ts'
import { isKeyword } from '../parameters.ts'
import { encodeMailbox, isDomain } from '../path.ts'
import { encodeXtext } from '../xtext.ts'
import type { ClientMessage, ClientRecipient, ContentNeeds } from './message.ts'

/** An argument of a command, as a string of octets; whether it is ASCII alone. */
export interface Argument {
  readonly octets: string
  readonly ascii: boolean
}

/** A message whose every part can stand in a command. */
export interface Composed {
  readonly sender: Argument
  /** `dsn`: the parameters of RFC 3461, each with a space before it. */
  readonly recipients: readonly (Argument & { readonly domain: string; readonly dsn: string })[]
  /** Parameters of MAIL by the extension that brings them, likewise. */
  readonly parameters: ReadonlyMap<string, string>
}

/**
 * Makes arguments of what the host gave. Throws a `misuse` MailError for what can stand in no command: above all, what holds
 * control characters would be commands of its own.
 */
export function compose(message: ClientMessage): Composed {
  const { sender, recipients } = message
  if (!Array.isArray(recipients) || recipients.length === 0) throw misuse('recipients', 'a message has at least one')
  checkNeeds(message.content)
  return {
    sender: sender === null ? { octets: '<>', ascii: true } : path('sender', sender, false),
    recipients: recipients.map((recipient: ClientRecipient) => ({
      ...path('recipients', recipient, true),
      domain: asciiDomain(recipient.domain),
      dsn: recipientParameters(recipient),
    })),
    parameters: mailParameters(message),
  }
}

/** Throws a `misuse` MailError for what can be said of no content. */
export function checkNeeds({ encoding, size }: ContentNeeds): void {
  if (!['7bit', '8bit', 'binary'].includes(encoding)) throw misuse('content.encoding', 'it is 7bit, 8bit or binary')
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0)) throw misuse('content.size', 'it is a number of octets')
}

/** A path in angle brackets. S10: its domain in A-labels, so that as little as can be is asked of the server. */
function path(what: string, { local, domain }: Address, mayLackDomain: boolean): Argument {
  const name = isAscii(domain) ? domain : asciiDomain(domain)
  const octets = utf8Octets(encodeMailbox({ local, domain: name }))
  if (local === '' && name === '') throw misuse(what, 'it is empty')
  if (hasControl(local) || !(isDomain(name) || (name === '' && mayLackDomain))) {
    throw misuse(what, `${JSON.stringify(encodeMailbox({ local, domain }))} is no address`)
  }
  return { octets: `<${octets}>`, ascii: isAscii(local + name) }
}

function mailParameters(message: ClientMessage): ReadonlyMap<string, string> {
  const { ret, envid, deliverBy, priority, hold, auth } = message
  const all = new Map<string, string>()
  let dsn = ''
  if (ret !== undefined) {
    if (ret !== 'FULL' && ret !== 'HDRS') throw misuse('ret', 'it is FULL or HDRS')
    dsn += ` RET=${ret}`
  }
  if (envid !== undefined) {
    if (hasControl(envid) || !isAscii(envid) || envid === '') throw misuse('envid', 'it is printable ASCII')
    dsn += ` ENVID=${encodeXtext(envid)}`
  }
  if (dsn !== '') all.set('DSN', dsn)
  if (message.requireTls === true) all.set('REQUIRETLS', ' REQUIRETLS')
  if (deliverBy !== undefined) {
    const { seconds, mode, trace } = deliverBy
    if (!isWhole(seconds, 999_999_999)) throw misuse('deliverBy.seconds', 'they are a whole number of at most nine digits')
    all.set('DELIVERBY', ` BY=${seconds};${mode === 'return' ? 'R' : 'N'}${trace ? 'T' : ''}`)
  }
  if (priority !== undefined) {
    if (!isWhole(priority, 9)) throw misuse('priority', 'it is a whole number from -9 to 9')
    all.set('MT-PRIORITY', ` MT-PRIORITY=${priority}`)
  }
  if (hold !== undefined) all.set('FUTURERELEASE', holdParameter(hold))
  // RFC 4954 §5: xtext of a mailbox, or `<>`.
  if (auth !== undefined) all.set('AUTH', ` AUTH=${auth === null ? '<>' : encodeXtext(mailbox(auth))}`)
  return all
}

const mailbox = (address: Address): string => path('auth', address, false).octets.slice(1, -1)

function holdParameter(hold: NonNullable<ClientMessage['hold']>): string {
  if ('seconds' in hold) {
    if (!isWhole(hold.seconds, 999_999_999) || hold.seconds < 0) throw misuse('hold.seconds', 'they are a whole number')
    return ` HOLDFOR=${hold.seconds}`
  }
  if (!isAscii(hold.until) || hasControl(hold.until) || hold.until.includes(' ') || hold.until.includes('=')) {
    throw misuse('hold.until', 'it is a date and time of RFC 3339')
  }
  return ` HOLDUNTIL=${hold.until}`
}

const words: ReadonlySet<string> = new Set(['SUCCESS', 'FAILURE', 'DELAY'])

function recipientParameters({ notify, originalRecipient }: ClientRecipient): string {
  let dsn = ''
  if (notify !== undefined) {
    if (!notify.every((word) => words.has(word))) throw misuse('notify', 'it is of SUCCESS, FAILURE and DELAY')
    dsn += ` NOTIFY=${notify.length === 0 ? 'NEVER' : notify.join(',')}`
  }
  if (originalRecipient !== undefined) {
    const { type, address } = originalRecipient
    if (!isKeyword(type) || hasControl(address) || address === '') {
      throw misuse('originalRecipient', 'it is a type of address, and an address without control characters')
    }
    dsn += ` ORCPT=${type};${type.toLowerCase() === 'utf-8' ? unitext(address) : encodeXtext(utf8Octets(address))}`
  }
  return dsn
}

/**
 * RFC 6533 §3: `\x{…}` for what may not stand there. The form that is ASCII alone goes everywhere; an address that came escaped
 * stays so.
 */
function unitext(address: string): string {
  let out = ''
  for (const character of address) {
    const point = character.codePointAt(0)!
    const plain = point > 32 && point < 127 && point !== 43 && point !== 61
    out += plain ? character : `\\x{${point.toString(16).toUpperCase().padStart(2, '0')}}`
  }
  return out
}

/** Whole, and not further from 0 than `most`. */
const isWhole = (value: unknown, most: number): boolean => Number.isInteger(value) && Math.abs(value as number) <= most

const misuse = (what: string, why: string): MailError => new MailError('misuse', `${what}: ${why}.`)

import type { Address } from '../message/address.ts'
import { encodeUtf8, fromUtf8Octets } from '../protocol/bytes/text.ts'
import type { SaslCrypto } from '../protocol/sasl/crypto.ts'
import { sameBytes } from '../protocol/sasl/octets.ts'
import { MailError } from '../protocol/session/errors.ts'
import { dayOf, dayStamp, isWithinDays } from './day-stamp.ts'

/** How senders are made that tell which message and recipient a bounce is about. */
export interface VerpOptions {
  /** What the local part begins with, lower case: a name of its own, or a mailbox and its tag. Default `bounce+`. */
  readonly prefix?: string
  /** Mail for it comes back here. */
  readonly domain: string
  /** Keys, at least one: the first one signs, all of them are taken from addresses that come back. 16 octets or more are good. */
  readonly keys: readonly Uint8Array[]
  readonly crypto: Pick<SaslCrypto, 'hmac'>
  /** Days that a bounce may take. Default 30; 1 to 1000. */
  readonly days?: number
}

/** What a bounce is about. */
export interface VerpSubject {
  /** The id of the message. */
  readonly message: string
  /** The place of the recipient in the message's envelope, from 0. */
  readonly recipient: number
}

/** What became of an address that a bounce came to. */
export type VerpRead =
  | VerpSubject
  /** `none`: it is no such address; `forged`: not signed by us; `expired`: it was ours, too long ago. */
  | { readonly refused: 'none' | 'forged' | 'expired' }

/** Senders that tell what a bounce is about (variable envelope return paths). */
export interface Verp {
  /**
   * The sender for one recipient of a message. `now`: milliseconds since the Unix epoch. Throws `misuse` where it would have more
   * than the 64 octets of a local part that everybody takes (RFC 5321 §4.5.3.1.1).
   */
  encode(subject: VerpSubject, now: number): Address
  /** Reads such an address, in whatever letter case it came back. Never throws. */
  decode(address: Address, now: number): VerpRead
}

const MOST_LOCAL = 64
/** Base32 digits of the signature: 50 bits. */
const SIGNATURE = 10
const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567'
/** Before an id that had to be spelt in base32, because letter case is lost on the way. */
const SPELT = '='

/**
 * Makes and reads senders of the form `bounce+day-recipient-id-signature`. All of it survives a change of letter case, nothing of
 * it can be made or changed without the key, and it says nothing to strangers but an id and a day. Ids of lower-case letters,
 * digits, `-`, `_` and `.` stand as they are and may have 40 characters or so, others half as many. Throws `misuse` for options
 * that make no sense.
 */
export function verp(options: VerpOptions): Verp {
  const { prefix = 'bounce+', domain, keys, days = 30 } = options
  if (keys.length === 0) throw new MailError('misuse', 'verp() needs a key to sign with: keys')
  if (!isPlain(prefix.replace('+', '')) || prefix.startsWith('.') || prefix.length > 20) {
    throw new MailError('misuse', 'verp(): prefix is up to 20 lower-case letters, digits, -, _, . and one +')
  }
  if (!(days >= 1 && days <= 1000)) throw new MailError('misuse', 'verp(): days is 1 to 1000')
  const sign = (key: Uint8Array, payload: string): string =>
    // What it is for is part of it: a key that signs other things too signs no address by that.
    base32(options.crypto.hmac('SHA-256', key, encodeUtf8(`verp ${payload}@${domain.toLowerCase()}`))).slice(0, SIGNATURE)
  return {
    encode({ message, recipient }, now) {
      const id = isPlain(message) ? message : SPELT + base32(encodeUtf8(message))
      const payload = `${dayStamp(dayOf(now)).toLowerCase()}-${recipient.toString(36)}-${id}`
      const local = `${prefix}${payload}-${sign(keys[0]!, payload)}`
      if (message === '' || !Number.isSafeInteger(recipient) || recipient < 0 || local.length > MOST_LOCAL) {
        throw new MailError('misuse', `No sender can tell of recipient ${recipient} of the message ${JSON.stringify(message)}.`)
      }
      return { local, domain }
    },
    decode({ local, domain: host }, now) {
      const text = local.toLowerCase()
      if (local.length > MOST_LOCAL || !text.startsWith(prefix) || host.toLowerCase() !== domain.toLowerCase()) {
        return { refused: 'none' }
      }
      const read = readPayload(text.slice(prefix.length))
      if (!read) return { refused: 'none' }
      const { payload, signature, day, subject } = read
      if (!keys.some((key) => sameBytes(encodeUtf8(sign(key, payload)), encodeUtf8(signature)))) return { refused: 'forged' }
      return isWithinDays(day, dayOf(now), days) ? subject : { refused: 'expired' }
    },
  }
}

/** `day-recipient-id-signature`, the id holding hyphens if it likes. */
function readPayload(text: string) {
  const end = text.length - SIGNATURE - 1
  const [day = '', place = ''] = text.split('-', 2)
  const from = day.length + place.length + 2
  const id = text.slice(from, end)
  const recipient = isPlain(place) && place.length <= 10 ? Number.parseInt(place, 36) : NaN
  if (text.charAt(end) !== '-' || day.length !== 2 || id === '' || !(recipient.toString(36) === place)) return undefined
  const message = id.startsWith(SPELT) ? fromBase32(id.slice(SPELT.length)) : id
  if (message === undefined) return undefined
  return { payload: text.slice(0, end), signature: text.slice(end + 1), day, subject: { message, recipient } }
}

function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    const isName = (unit >= 97 && unit <= 122) || (unit >= 48 && unit <= 57) || unit === 45 || unit === 46 || unit === 95
    if (!isName) return false
  }
  // A dot-string has no dots at its ends, nor two together (RFC 5321 §4.1.2); signatures and days stand around an id.
  return text !== '' && !text.includes('..')
}

/** RFC 4648 §6 in lower case, without padding. */
function base32(bytes: Uint8Array): string {
  let out = ''
  let held = 0
  let bits = 0
  for (const octet of bytes) {
    held = (held << 8) | octet
    bits += 8
    while (bits >= 5) {
      bits -= 5
      out += DIGITS.charAt((held >> bits) & 31)
    }
    held &= (1 << bits) - 1
  }
  return bits === 0 ? out : out + DIGITS.charAt((held << (5 - bits)) & 31)
}

/** The text whose UTF-8 was spelt, or `undefined`. */
function fromBase32(text: string): string | undefined {
  let out = ''
  let held = 0
  let bits = 0
  for (const character of text) {
    const value = DIGITS.indexOf(character)
    if (value < 0) return undefined
    held = ((held << 5) | value) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    out += String.fromCharCode((held >> bits) & 255)
  }
  return fromUtf8Octets(out)
}

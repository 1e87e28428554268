import type { Address } from '../message/address.ts'
import { encodeBase64 } from '../protocol/bytes/base64.ts'
import { encodeUtf8, utf8Octets } from '../protocol/bytes/text.ts'
import type { SaslCrypto } from '../protocol/sasl/crypto.ts'
import { sameBytes } from '../protocol/sasl/octets.ts'
import { MailError } from '../protocol/session/errors.ts'
import { dayOf, dayStamp, isWithinDays } from './day-stamp.ts'

/** How senders of forwarded mail are rewritten. */
export interface SrsOptions {
  /** The domain that rewritten senders are of; mail for it comes back here. */
  readonly domain: string
  /** Keys, at least one: the first one signs, all of them are taken from addresses that come back. 16 octets or more are good. */
  readonly keys: readonly Uint8Array[]
  readonly crypto: Pick<SaslCrypto, 'hmac'>
  /** Behind `SRS0` and `SRS1`. Default `=`. */
  readonly separator?: '=' | '-' | '+'
  /** Characters of the signature, 4 to 27. Default 8: 48 bits, which nobody guesses. PostSRSd and libsrs2 write 4. */
  readonly hashLength?: number
  /** Days that a bounce may take. Default 21, as everybody has it; 1 to 1000. */
  readonly days?: number
}

/** What became of an address that came back. */
export type SrsReversed =
  | { readonly address: Address }
  /** `none`: it is no rewritten address; `forged`: not ours; `expired`: it was ours, too long ago. */
  | { readonly refused: 'none' | 'forged' | 'expired' }

/** The Sender Rewriting Scheme. */
export interface Srs {
  /**
   * The sender under which mail from `sender` is forwarded: of our domain, so that SPF holds, and reversible by us alone.
   * The null sender stays itself, and so does a sender of our domain. `undefined`: it would have over 256 octets of a local
   * part, which nobody takes. `now`: milliseconds since the Unix epoch.
   */
  forward(sender: Address | null, now: number): Address | null | undefined
  /** Whom a bounce to `recipient`, an address of our domain, is for. */
  reverse(recipient: Address, now: number): SrsReversed
}

/** Octets of a local part: RFC 5321 §4.5.3.1.1 has 64, which rewritten ones have always gone beyond. */
const MOST_LOCAL = 256
const SEPARATORS = '=-+'
/** Base64 digits of SHA-1 without the padding. */
const MOST_HASH = 27
const LEAST_HASH = 4
const USUAL_HASH = 8

/**
 * The Sender Rewriting Scheme (Wong and Shevek, 2004), as libsrs2 and PostSRSd speak it: `SRS0=hash=day=domain=local`, and for
 * what was rewritten elsewhere before, `SRS1=hash=domain==…`, which leads back to the first one past all that forwarded later.
 * Throws `misuse` for options that make no sense.
 */
export function srs(options: SrsOptions): Srs {
  const { domain, keys, separator = '=', hashLength = USUAL_HASH, days = 21 } = options
  if (keys.length === 0) throw new MailError('misuse', 'srs() needs a key to sign with: keys')
  if (!(hashLength >= LEAST_HASH && hashLength <= MOST_HASH)) throw new MailError('misuse', 'srs(): hashLength is 4 to 27')
  if (!(days >= 1 && days <= 1000)) throw new MailError('misuse', 'srs(): days is 1 to 1000')
  const digest = (key: Uint8Array, parts: readonly string[]): string =>
    encodeBase64(options.crypto.hmac('SHA-1', key, encodeUtf8(asciiLower(parts.join('')))))
  const sign = (parts: readonly string[]): string => digest(keys[0]!, parts).slice(0, hashLength)
  const isOurs = (hash: string, parts: readonly string[]): boolean =>
    hash.length >= hashLength && hash.length <= MOST_HASH &&
    keys.some((key) => sameBytes(encodeUtf8(asciiLower(digest(key, parts).slice(0, hash.length))), encodeUtf8(asciiLower(hash))))

  const rewritten = ({ local, domain: host }: Address, now: number): string => {
    const kind = kindOf(local)
    if (kind === 'SRS1') {
      // Only the first forwarder is of interest: the one in between is left out.
      const parts = cut(local.slice(5), 2)
      if (parts) return `SRS1${separator}${sign(parts.slice(1))}=${parts[1]}=${parts[2]}`
    } else if (kind === 'SRS0') {
      const rest = local.slice(4)
      return `SRS1${separator}${sign([host, rest])}=${host}=${rest}`
    }
    const stamp = dayStamp(dayOf(now))
    return `SRS0${separator}${sign([stamp, host, local])}=${stamp}=${host}=${local}`
  }

  return {
    forward(sender, now) {
      if (sender === null || asciiLower(sender.domain) === asciiLower(domain)) return sender
      const local = rewritten(sender, now)
      return utf8Octets(local).length > MOST_LOCAL ? undefined : { local, domain }
    },
    reverse({ local, domain: place }, now) {
      // The domain is not signed: what is signed counts in no other.
      if (asciiLower(place) !== asciiLower(domain)) return { refused: 'none' }
      const kind = kindOf(local)
      if (kind === 'SRS1') {
        const parts = cut(local.slice(5), 2)
        const [hash = '', host = '', rest = ''] = parts ?? []
        if (!parts || !SEPARATORS.includes(rest.charAt(0))) return { refused: 'none' }
        return isOurs(hash, [host, rest]) ? { address: { local: `SRS0${rest}`, domain: host } } : { refused: 'forged' }
      }
      const parts = kind === 'SRS0' ? cut(local.slice(5), 3) : undefined
      if (!parts) return { refused: 'none' }
      const [hash = '', stamp = '', host = '', user = ''] = parts
      if (!isOurs(hash, [stamp, host, user])) return { refused: 'forged' }
      return isWithinDays(stamp, dayOf(now), days) ? { address: { local: user, domain: host } } : { refused: 'expired' }
    },
  }
}

/** Whether the local part is a rewritten one, in any letter case: others on the way may have changed it. */
function kindOf(local: string): 'SRS0' | 'SRS1' | undefined {
  const kind = local.slice(0, 4).toUpperCase()
  if (local.length < 6 || !SEPARATORS.includes(local.charAt(4))) return undefined
  return kind === 'SRS0' || kind === 'SRS1' ? kind : undefined
}

/** Cut at the first `count` equals signs: none of the pieces but the last may be empty. The last may hold more of them. */
function cut(text: string, count: number): string[] | undefined {
  const parts: string[] = []
  let from = 0
  for (let piece = 0; piece < count; piece++) {
    const end = text.indexOf('=', from)
    if (end <= from) return undefined
    parts.push(text.slice(from, end))
    from = end + 1
  }
  return from < text.length ? [...parts, text.slice(from)] : undefined
}

/** As C has it: other letters stay as they are, so that every implementation signs the same. */
function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

import type { AccountRecord, AccountRecords } from '../contracts/accounts.ts'
import type { Rights } from '../contracts/directory.ts'
import type { Quota } from '../contracts/mailbox.ts'
import type { Address } from '../message/address.ts'
import { encodeUtf8 } from '../protocol/bytes/text.ts'
import { MailError } from '../protocol/session/errors.ts'
import { type OptionKind, shownValue } from '../protocol/session/options.ts'
import { encodeMailbox } from '../protocol/smtp/path.ts'
import { addressKey, foldCase, readAddress } from './address.ts'
import { keyIn } from './look-ups.ts'
import { MOST_PASSWORD, passwordText } from './password-text.ts'

/*
 * What an administrator gives is looked at once, here; records and directory rely on it. Every refusal says what to give instead.
 */

/** Addresses of an account, members of an alias: above, whoever wants them wants a list server. */
export const MOST_LISTED = 1000
/** Octets of a local part (RFC 5321 §4.5.3.1.1). Others may have longer ones; ours reach every server. */
const MOST_LOCAL = 64
const MOST_TEXT = 255

/** Whole numbers from 0 on, or `null`. */
export const aBound: OptionKind = {
  takes: 'a whole number from 0 on, or null',
  is: (value) => value === null || (Number.isSafeInteger(value) && (value as number) >= 0),
}

/** Refuses what was given: `misuse`. */
export function refuse(what: string, value: unknown, fix: string): never {
  throw new MailError('misuse', `${what}: ${shownValue(value)} ${fix}`)
}

/** An address, wherever it is. */
export function checkedAddress(what: string, text: string): Address {
  return readAddress(text)
    ?? refuse(what, text, 'is no address. Write name@example.org, with quotes where they must be: "a name"@example.org.')
}

/** The key of an address in a domain of ours, and not one that only stands for another. */
export async function ownKey(records: AccountRecords, what: string, text: string): Promise<string> {
  const address = checkedAddress(what, text)
  const domain = await records.domain(address.domain)
  if (!domain) refuse(what, text, `is in no domain of this server. Add it first: domains.set({ name: '${address.domain}' }).`)
  if (domain.aliasOf !== undefined) {
    refuse(what, text, `is in a domain that stands for ${domain.aliasOf}. Give the address there: it is good for both.`)
  }
  if (encodeUtf8(address.local).length > MOST_LOCAL) refuse(what, text, `has more than ${MOST_LOCAL} octets before the @.`)
  if (!isPlain(address.local)) {
    refuse(what, text, 'has characters that are not seen, or forms of others. Write it in plain letters.')
  }
  return keyIn(domain, address.local)
}

/**
 * Whether a name is what it looks like (RFC 8264 §4.2, RFC 8265 §3.3): nothing that cannot be seen or turns the direction of
 * writing, nothing that is another character in full width, as a ligature, as a superscript. Two people would have one name.
 */
function isPlain(local: string): boolean {
  return !/[\p{Cf}\p{Co}\p{Cn}]/u.test(local) && local.normalize('NFKC') === local.normalize('NFC')
}

/** Where mail may go, as it is kept: by the rules of its domain where it is one of ours, else with its case. */
export async function destinationKey(records: AccountRecords, what: string, text: string): Promise<string> {
  const address = checkedAddress(what, text)
  const domain = await records.domain(address.domain)
  return domain && !domain.aliasOf ? keyIn(domain, address.local) : addressKey(address, true)
}

/** Each once, in the order given. */
export async function keysOf(
  records: AccountRecords,
  what: string,
  given: readonly string[],
  key: (records: AccountRecords, what: string, text: string) => Promise<string>,
): Promise<readonly string[]> {
  if (given.length > MOST_LISTED) refuse(what, given, `has ${given.length} addresses; ${MOST_LISTED} is the most.`)
  const keys = new Set<string>()
  for (const text of given) keys.add(await key(records, what, text))
  return [...keys]
}

/** Names to log in with. */
export function checkedLogins(logins: readonly string[]): readonly string[] {
  if (logins.length > MOST_LISTED) refuse('logins', logins, `has ${logins.length} names; ${MOST_LISTED} is the most.`)
  return [...new Set(logins.map((login) => foldCase(checkedText('logins', login))))]
}

/** A name or label: text on one line, 1 to 255 octets of UTF-8, no blanks around it. */
export function checkedText(what: string, text: string): string {
  const octets = encodeUtf8(text).length
  const isFit = octets > 0 && octets <= MOST_TEXT && text.trim() === text && !/[\p{Cc}\p{Cs}]/u.test(text)
  if (isFit) return text
  return refuse(what, text, `cannot be it. Give 1 to ${MOST_TEXT} octets of text without blanks around it or control characters.`)
}

/** Fingerprints, as openssl prints them or without colons. */
export function checkedCertificates(certificates: readonly string[]): readonly string[] {
  if (certificates.length > MOST_LISTED) refuse('certificates', certificates, `is too long; ${MOST_LISTED} is the most.`)
  return [...new Set(certificates.map((text) => {
    const hex = text.replaceAll(':', '').toLowerCase()
    if (/^[0-9a-f]{64}$/.test(hex)) return hex
    return refuse('certificates', text, 'is no SHA-256 fingerprint. Give its 64 hexadecimal digits.')
  }))]
}

/** A password as it is to be hashed. What it is never stands in an error. */
export function checkedPassword(password: string): string {
  return passwordText(password)
    ?? refuse('password', 'what was given', `cannot be one. Give 1 to ${MOST_PASSWORD} octets without control characters.`)
}

/** The kinds of rights, for options that name some of them. */
export function checkedRights(what: string, rights: Partial<Rights>): Partial<Rights> {
  for (const [name, value] of Object.entries(rights)) {
    if (!['smtp', 'imap', 'admin'].includes(name)) refuse(what, name, 'is no right. There are smtp, imap and admin.')
    if (typeof value !== 'boolean') refuse(`${what}.${name}`, value, 'is neither true nor false.')
  }
  return rights
}

/** A quota as it is kept. `Infinity` is `null` there, JSON having none. */
export function checkedQuota(quota: { readonly [K in keyof Quota]?: number | null }): NonNullable<AccountRecord['quota']> {
  const kept: { -readonly [K in keyof Quota]?: number | null } = {}
  for (const [name, value] of Object.entries(quota)) {
    if (name !== 'octets' && name !== 'messages') refuse('quota', name, 'is not counted. There are octets and messages.')
    const bound = value === Infinity ? null : value
    if (!aBound.is(bound)) refuse(`quota.${name}`, value, `is none. It takes ${aBound.takes}.`)
    kept[name] = bound
  }
  return kept
}

/** The first address in a domain of which `is` holds, of accounts and aliases: a walk through all of them. */
export async function findIn(
  records: AccountRecords,
  domain: string,
  is: (key: string) => boolean = () => true,
): Promise<string | undefined> {
  const found = (key: string): boolean => key.endsWith(`@${domain}`) && is(key)
  for await (const page of records.accounts()) {
    for (const { addresses } of page) for (const key of addresses) if (found(key)) return key
  }
  for await (const page of records.aliases()) for (const { address } of page) if (found(address)) return address
  return undefined
}

/** Whether a key is what it would be in a domain that does not tell case. */
export function isCaseless(key: string): boolean {
  const address = readAddress(key)
  return address === undefined || addressKey(address) === encodeMailbox(address)
}

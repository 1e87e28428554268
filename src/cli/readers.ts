import { addressSet } from '../adapters/node/addresses.ts'
import { asciiDomain } from '../message/domain.ts'
import { isDomain, parsePath } from '../protocol/smtp/index.ts'
import type { ReferenceUser } from '../server/reference-accounts.ts'
import type { ReferenceCheck } from '../server/reference-checks.ts'
import type { Smarthost } from '../server/reference-outgoing.ts'
import { type LogLevel, logLevels } from '../observe/logger.ts'

/** Reads a value that somebody wrote; `undefined` where it is not what the setting takes. */
export type Read<T> = (text: string) => T | undefined

/** A port: 0 for any that is free, `null` for none. */
export const readPort: Read<number | null> = (text) => {
  if (text === 'auto') return 0
  const port = wholeNumber(text)
  if (port === undefined || port > 65_535) return undefined
  return port === 0 ? null : port
}

/** A name that a server may go by; comes in lower case and A-labels, as domains are kept. */
export const readDomain: Read<string> = (text) => {
  const domain = asciiDomain(text)
  return isDomain(text) && isDomain(domain) && !domain.startsWith('[') ? domain : undefined
}

/** One address of this machine. */
export const readAddress: Read<string> = (text) => (text.includes('/') ? undefined : readNetwork(text))

/** An address or a CIDR. */
export const readNetwork: Read<string> = (text) => {
  try {
    addressSet('', [text])
    return text
  } catch {
    return undefined
  }
}

/** `address:password`. */
export const readUser: Read<ReferenceUser> = (text) => {
  const colon = text.indexOf(':')
  const found = colon < 0 ? undefined : parsePath(`<${text.slice(0, colon)}>`, 0, { lenient: false, recipient: true })
  const password = text.slice(colon + 1)
  if (!found || !('path' in found) || found.path === null || found.end !== colon + 2 || password === '') return undefined
  const { local, domain } = found.path
  const own = readDomain(domain)
  return own === undefined ? undefined : { local, domain: own, password }
}

/** `0` or `1`. */
export const readSwitch: Read<boolean> = (text) => (text === '0' ? false : text === '1' ? true : undefined)

const units = new Map([
  ['', 1], ['b', 1], ['kb', 1e3], ['mb', 1e6], ['gb', 1e9], ['kib', 2 ** 10], ['mib', 2 ** 20], ['gib', 2 ** 30],
])

/** Octets: `52428800`, `50MiB`. At least one. */
export const readSize: Read<number> = (text) => {
  const { count, unit } = quantity(text)
  const factor = units.get(unit)
  const octets = count === undefined || factor === undefined ? 0 : count * factor
  return octets > 0 && Number.isSafeInteger(octets) ? octets : undefined
}

const seconds = new Map([['s', 1], ['m', 60], ['h', 3600], ['d', 86_400]])

/** Milliseconds: `30s`, `5m`, `4h`, `5d`. */
export const readTime: Read<number> = (text) => {
  const { count, unit } = quantity(text)
  const factor = seconds.get(unit)
  return count === undefined || factor === undefined || count === 0 ? undefined : count * factor * 1000
}

/** `192.0.2.53:53`, `[2001:db8::53]:53`, `localhost:53`. */
export const readAddressPort: Read<string> = (text) => {
  const local = text.startsWith('localhost:') ? text.replace('localhost', '127.0.0.1') : text
  const host = local.slice(0, local.lastIndexOf(':'))
  const isAddress = host.startsWith('[') || readAddress(host) !== undefined
  return isAddress ? readHostPort(local) : undefined
}

/** `host:port`, `[IPv6 address]:port`. */
const readHostPort: Read<string> = (text) => {
  const colon = text.lastIndexOf(':')
  const host = text.slice(0, colon)
  const port = wholeNumber(text.slice(colon + 1))
  const literal = host.startsWith('[') && host.endsWith(']')
  const isHost = (literal ? readAddress(host.slice(1, -1)) : readDomain(host)) !== undefined
  return colon > 0 && isHost && port !== undefined && port > 0 && port <= 65_535 ? text : undefined
}

/** `smtp://user:password@host:port`; what stands in a password is percent-encoded where it must be. */
export const readSmarthost: Read<Smarthost> = (text) => {
  const [scheme, rest] = split(text, '://')
  if (rest === undefined || (scheme !== 'smtp' && scheme !== 'smtps') || rest.includes('/')) return undefined
  const at = rest.lastIndexOf('@')
  const place = rest.slice(at + 1)
  const usual = scheme === 'smtps' ? 465 : 587
  const isPortGiven = place.lastIndexOf(':') > place.lastIndexOf(']')
  const whole = isPortGiven ? place : `${place}:${usual}`
  if (readHostPort(whole) === undefined) return undefined
  const colon = whole.lastIndexOf(':')
  const name = whole.slice(0, colon)
  const host = name.startsWith('[') ? name.slice(1, -1) : name
  const login = at < 0 ? undefined : loginOf(rest.slice(0, at))
  if (at >= 0 && login === undefined) return undefined
  return { host, port: Number(whole.slice(colon + 1)), implicitTls: scheme === 'smtps', login }
}

function loginOf(text: string): Smarthost['login'] {
  const [username, password] = split(text, ':')
  try {
    const login = { username: decodeURIComponent(username), password: decodeURIComponent(password ?? '') }
    return login.username === '' || login.password === '' ? undefined : login
  } catch {
    return undefined
  }
}

/** What is before and behind the first `mark`. */
function split(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)]
}

/** How many connections of a kind. */
export interface ConnectionBound {
  readonly kind: 'smtp' | 'imap'
  readonly most: number
}

/** `smtp:100`. */
export const readConnectionBound: Read<ConnectionBound> = (text) => {
  const [kind, count = ''] = text.split(':', 2)
  const most = wholeNumber(count)
  const isKnown = kind === 'smtp' || kind === 'imap'
  return isKnown && most !== undefined && most > 0 && text === `${kind}:${count}` ? { kind, most } : undefined
}

/** How much to log. */
export const readLevel: Read<LogLevel> = (text) => logLevels.find((level) => level === text)

/** A path, or whatever is not empty. */
export const readPath: Read<string> = (text) => (text === '' || text.includes('\0') ? undefined : text)

/** Digits alone, and not too many of them to be exact. */
function wholeNumber(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
}

/** A whole number and the letters behind it, in lower case. */
function quantity(text: string): { count: number | undefined; unit: string } {
  const trimmed = text.trim()
  let end = 0
  while (end < trimmed.length && trimmed.charCodeAt(end) >= 48 && trimmed.charCodeAt(end) <= 57) end++
  return { count: wholeNumber(trimmed.slice(0, end)), unit: trimmed.slice(end).trim().toLowerCase() }
}

/** `spf`, `dkim`, `dmarc`, `dnsbl=ZONE`, `greylist=SECONDS`, `clamd=HOST:PORT`, `spamd=HOST:PORT`, `rspamd=URL`. */
export const readCheck: Read<ReferenceCheck> = (text) => {
  const [kind, what] = split(text, '=')
  switch (kind) {
    case 'spf':
    case 'dkim':
    case 'dmarc':
      return what === undefined ? { kind } : undefined
    case 'dnsbl': {
      const zone = readDomain(what ?? '')
      return zone === undefined ? undefined : { kind, zone }
    }
    case 'greylist': {
      const wait = wholeNumber(what ?? '')
      return wait === undefined ? undefined : { kind, wait: wait * 1000 }
    }
    case 'clamd':
    case 'spamd': {
      const place = readHostPort(what ?? '')
      const colon = place?.lastIndexOf(':') ?? -1
      const host = place?.slice(0, colon) ?? ''
      const bare = host.startsWith('[') ? host.slice(1, -1) : host
      return place === undefined ? undefined : { kind, host: bare, port: Number(place.slice(colon + 1)) }
    }
    case 'rspamd':
      return isWebAddress(what ?? '') ? { kind, url: what! } : undefined
    default:
      return undefined
  }
}

const isWebAddress = (text: string): boolean => URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)

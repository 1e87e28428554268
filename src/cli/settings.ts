import { MailError } from '../protocol/session/errors.ts'
import type { ReferenceSettings } from '../server/reference.ts'
import { collect, type Environment, type Given, type SettingsFile, variableOf } from './given.ts'
import type { LogLevel } from '../observe/logger.ts'
import {
  type Read,
  readAddress,
  readAddressPort,
  readCheck,
  readConnectionBound,
  readDomain,
  readLevel,
  readNetwork,
  readPath,
  readPort,
  readSize,
  readSmarthost,
  readSwitch,
  readTime,
  readUser,
} from './readers.ts'

/** One setting: what it takes, what it is when nobody says, and how it is read. */
interface Setting<T> {
  readonly takes: string
  /** As somebody would write it; empty for none. */
  readonly fallback: string
  readonly list: boolean
  readonly read: Read<T>
}

const one = <T>(fallback: string, takes: string, read: Read<T>): Setting<T> => ({ takes, fallback, list: false, read })
const list = <T>(fallback: string, takes: string, read: Read<T>): Setting<T> => ({ takes, fallback, list: true, read })

const port = 'a port from 1 to 65535, auto for one that is free, 0 for off'

/** Everything that can be set, as docs/reference-server.md has it. */
const settings = {
  hostname: one('localhost', 'a domain name, such as mail.example.org', readDomain),
  bind: one('127.0.0.1', 'an address of this machine, such as 127.0.0.1 or ::', readAddress),
  data: one('./data', 'a folder', readPath),
  domains: list('example.test', 'domain names, comma-separated', readDomain),
  users: list('alice@example.test:wonderland', 'address:password, comma-separated', readUser),
  mxPort: one('2525', port, readPort),
  submissionPort: one('2587', port, readPort),
  smtpsPort: one('2465', port, readPort),
  lmtpPort: one('0', port, readPort),
  imapPort: one('2143', port, readPort),
  imapsPort: one('2993', port, readPort),
  tlsCert: one('', 'the path of a PEM file (default: self-signed, made in the data folder)', readPath),
  tlsKey: one('', 'the path of a PEM file', readPath),
  tlsClientCa: one('', 'the path of a PEM file', readPath),
  plaintextAuth: one('0', '1 to let people of this machine log in without TLS, or 0', readSwitch),
  proxyFrom: list('', 'addresses and CIDRs, such as 10.0.0.0/8, comma-separated', readNetwork),
  smarthost: one('', 'smtp://user:password@host:port, or smtps:// for TLS from the start', readSmarthost),
  dns: one('', 'address:port of a resolver, such as 127.0.0.1:53', readAddressPort),
  dkim: one('1', '1 to sign what people send, with keys that are made in the data folder, or 0', readSwitch),
  retry: list('5m,15m,30m,1h,2h,4h,8h,16h,24h', 'times such as 5m or 4h, comma-separated', readTime),
  maxSize: one('50MiB', 'octets, such as 52428800, 50MiB or 1GB', readSize),
  quota: one('1GiB', 'octets, such as 1073741824, 500MB or 2GiB', readSize),
  maxConnections: list('smtp:100,imap:200', 'smtp:N, imap:N or both, comma-separated', readConnectionBound),
  checks: list(
    'spf,dkim,dmarc',
    'spf, dkim, dmarc, dnsbl=ZONE, greylist=SECONDS, clamd=HOST:PORT, spamd=HOST:PORT, rspamd=URL, comma-separated; empty: none',
    readCheck,
  ),
  log: one('info', 'one of trace, debug, info, warn, error', readLevel),
} satisfies Record<string, Setting<unknown>>

/** Settings of what does not exist yet, and what that is. */
const missing = new Map([
  ['httpPort', 'the admin API'],
])

/** Settings for which nothing at all is something to say. */
const emptied: ReadonlySet<string> = new Set(['checks'])

type Key = keyof typeof settings
type Value<K extends Key> = Exclude<ReturnType<(typeof settings)[K]['read']>, undefined>

/** What the command line needs to know to serve. */
export interface ServeSettings {
  readonly reference: ReferenceSettings
  readonly log: LogLevel
}

/**
 * The settings in the environment and in a file, which wins.
 *
 * @throws MailError `config` that names the setting and says what it takes
 */
export function readSettings(environment: Environment, file?: SettingsFile): ServeSettings {
  const given = collect([...Object.keys(settings), ...missing.keys()], environment, file, emptied)
  for (const [key, what] of missing) refuse(given.get(key), what)
  const domains = many(given, 'domains')
  const ports = {
    mx: single(given, 'mxPort'),
    submission: single(given, 'submissionPort'),
    smtps: single(given, 'smtpsPort'),
    lmtp: single(given, 'lmtpPort'),
    imap: single(given, 'imapPort'),
    imaps: single(given, 'imapsPort'),
  }
  if (Object.values(ports).every((one) => one === null)) {
    throw new MailError('config', `${nameOf(given, 'mxPort')}: every listener is off. It takes ${port}`)
  }
  const bounds = many(given, 'maxConnections')
  return {
    reference: {
      hostname: single(given, 'hostname'),
      bind: single(given, 'bind'),
      data: single(given, 'data'),
      domains,
      users: usersOf(given, domains),
      ports,
      tls: tlsOf(given),
      tlsClientCa: many(given, 'tlsClientCa')[0],
      plaintextAuth: single(given, 'plaintextAuth'),
      proxyFrom: many(given, 'proxyFrom'),
      smarthost: many(given, 'smarthost')[0],
      dns: many(given, 'dns')[0],
      dkim: single(given, 'dkim'),
      retry: many(given, 'retry'),
      maxSize: single(given, 'maxSize'),
      quota: single(given, 'quota'),
      checks: many(given, 'checks'),
      isExplicit: given.has('checks') || given.has('dns'),
      explain: ['trace', 'debug'].includes(single(given, 'log')),
      maxConnections: {
        smtp: bounds.findLast(({ kind }) => kind === 'smtp')?.most ?? 100,
        imap: bounds.findLast(({ kind }) => kind === 'imap')?.most ?? 200,
      },
    },
    log: single(given, 'log'),
  }
}

/** A line for each setting: what it is called, what it takes, what it is otherwise. */
export function describeSettings(): string {
  const lines = Object.entries(settings).map(([key, { takes, fallback }]) => {
    return `  ${variableOf(key).padEnd(26)}${takes}${fallback === '' ? '' : ` [${fallback}]`}`
  })
  const file = 'In a file: { "mxPort": 25, "domains": ["example.org"] }, as JSON or as the default export of a module.'
  return ['Settings, as environment variables:', ...lines, '', file].join('\n')
}

/** The flag of commands that work on a data folder, and what it says. */
export const dataFlag = ['--data <folder>', 'the data folder of the server (default: POSTHORN_DATA, or ./data)'] as const

/** The data folder, for commands that need nothing else. */
export function dataFolder(environment: Environment): string {
  return environment[variableOf('data')]?.trim() || settings.data.fallback
}

/** Never faked: whoever asks for what is not there is told so. */
function refuse(given: Given | undefined, what: string): void {
  if (!given || given.texts.every((text) => text.trim() === '0')) return
  throw new MailError('config', `${given.name}: ${what} is not available in this version. Leave it out, or give 0`)
}

function single<K extends Key>(given: ReadonlyMap<string, Given>, key: K): Value<K> {
  return read(key, textsOf(given, key))[0]!
}

function many<K extends Key>(given: ReadonlyMap<string, Given>, key: K): Value<K>[] {
  return read(key, textsOf(given, key))
}

function textsOf(given: ReadonlyMap<string, Given>, key: Key): Given {
  const { fallback } = settings[key]
  return given.get(key) ?? { name: variableOf(key), texts: fallback === '' ? [] : [fallback], joined: true }
}

function read<K extends Key>(key: K, { name, texts, joined }: Given): Value<K>[] {
  const { takes, list, read } = settings[key] as Setting<Value<K>>
  // The entries of a list in a file are what they are: a password there may hold a comma.
  const entries = list && joined ? texts.flatMap((text) => text.split(',')) : texts
  const kept = entries.map((entry) => entry.trim()).filter((entry) => entry !== '')
  const values = kept.map(read)
  const isEmpty = kept.length === 0 && texts.length > 0
  const bad = isEmpty || (kept.length > 1 && !list) ? 0 : values.findIndex((value) => value === undefined)
  if (bad < 0) return values as Value<K>[]
  throw new MailError('config', `${name}: ${shown(key, kept[bad] ?? texts[0]!, bad)} will not do. It takes ${takes}`)
}

/** Never a password: errors end up in logs. */
function shown(key: Key, text: string, entry: number): string {
  if (key === 'smarthost') {
    const scheme = ['smtp://', 'smtps://'].find((each) => text.startsWith(each)) ?? ''
    return JSON.stringify(`${scheme}…${text.slice(Math.max(text.lastIndexOf('@') + 1, scheme.length))}`)
  }
  if (key !== 'users') return JSON.stringify(text)
  const colon = text.indexOf(':')
  const before = colon < 0 ? text : text.slice(0, colon)
  // What is no address may be the rest of a password with a comma in it. The first entry begins with no such thing.
  if (entry > 0 && !before.includes('@')) return `entry ${entry + 1}`
  return JSON.stringify(colon < 0 ? before : `${before}:…`)
}

function nameOf(given: ReadonlyMap<string, Given>, key: Key): string {
  return given.get(key)?.name ?? variableOf(key)
}

/** Whom nobody names is the user of the manual, in the first of the domains. */
function usersOf(given: ReadonlyMap<string, Given>, domains: readonly string[]): ReferenceSettings['users'] {
  const users = many(given, 'users')
  if (!given.has('users')) return users.map((user) => ({ ...user, domain: domains[0]! }))
  const foreign = users.find(({ domain }) => !domains.includes(domain))
  if (!foreign) return users
  const address = `${foreign.local}@${foreign.domain}`
  const known = `${nameOf(given, 'domains')} (${domains.join(', ')})`
  throw new MailError('config', `${nameOf(given, 'users')}: ${address} is in none of the domains in ${known}`)
}

function tlsOf(given: ReadonlyMap<string, Given>): ReferenceSettings['tls'] {
  const [cert] = many(given, 'tlsCert')
  const [key] = many(given, 'tlsKey')
  if (cert !== undefined && key !== undefined) return { cert, key }
  if (cert === undefined && key === undefined) return undefined
  const [has, lacks] = cert === undefined ? (['tlsKey', 'tlsCert'] as const) : (['tlsCert', 'tlsKey'] as const)
  throw new MailError('config', `${nameOf(given, has)} is given, ${variableOf(lacks)} is not: it takes ${settings[lacks].takes}`)
}

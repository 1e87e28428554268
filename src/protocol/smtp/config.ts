import { asciiUpper, hasControl, isAscii } from '../bytes/text.ts'
import type { SaslChannel } from '../sasl/channel.ts'
import type { SaslMechanism } from '../sasl/exchange.ts'
import { MailError } from '../session/errors.ts'
import {
  aCount,
  aList,
  aNumber,
  anObject,
  aSwitch,
  aText,
  checkOptions,
  oneOf,
  type OptionKinds,
  orFalse,
  required,
  texts,
} from '../session/options.ts'
import { ehloReply, isOffered, type SmtpExtensions } from './extensions.ts'
import { defaultLimits, defaultTimeouts, type SmtpLimits, type SmtpTimeouts } from './limits.ts'
import {
  type MailParameters,
  mailReaders,
  otherReader,
  type ParameterReader,
  type ParameterReaders,
  type RecipientParameters,
  recipientReaders,
} from './parameters.ts'
import { isDomain } from './path.ts'

/**
 * A preset of strictness: a public mail exchanger, a submission server, an LMTP server, or a lenient one for tests and
 * devices.
 */
export type Profile = 'mx' | 'submission' | 'lmtp' | 'test'

/** What to be strict about. Defaults come from the profile. */
export interface SmtpRules {
  /** Execute commands that end in a bare LF (S5). */
  readonly bareLineFeed: boolean
  /** Accept addresses without brackets and domains with a trailing dot (S24, S25). */
  readonly lenientPaths: boolean
  /** Octets before the greeting: `refuse` with 554 and close, or `accept` them (S11). */
  readonly earlyTalk: 'refuse' | 'accept'
  /** Commands sent behind one that must be the last of its batch (S12): `enforce` with 503 and close, or `flag` them. */
  readonly pipelining: 'enforce' | 'flag'
  /** Bare CR or LF in the content: refuse the message, or make each a CRLF (S1). Never passed on raw. */
  readonly bareLineEnds: 'reject' | 'normalize'
  /** Text lines over the limit (S7). Never cut. */
  readonly longLines: 'accept' | 'reject'
}

/** Something of the host's own. */
export interface CustomParameter {
  readonly keyword: string
  /** An error text where the value is not sound. */
  readonly check?: (value: string | undefined) => string | undefined
}

/** What a server of SMTP or LMTP can be told; {@link smtpServerConfig} checks it. */
export interface SmtpServerOptions {
  /** The server's own name, in greeting and EHLO. */
  readonly hostname: string
  /** Default `mx`. */
  readonly profile?: Profile
  /** Follows `ESMTP` in the greeting. Default: nothing, which tells attackers least. */
  readonly banner?: string
  /** Offer STARTTLS: the transport can be secured. */
  readonly startTls?: boolean
  /** Refuse mail without TLS with 530 (RFC 3207 §4). */
  readonly tlsRequired?: boolean
  /** Offer AUTH. */
  readonly auth?: {
    /** In the order in which they are offered; each of them to connections that can use it. */
    readonly mechanisms: readonly SaslMechanism[]
    /** Refuse mail without AUTH with 530. */
    readonly required?: boolean
    /** Offer plaintext mechanisms without TLS. Default false. */
    readonly withoutTls?: boolean
  }
  readonly rules?: Partial<SmtpRules>
  readonly extensions?: Partial<SmtpExtensions>
  readonly limits?: Partial<SmtpLimits>
  readonly timeouts?: Partial<SmtpTimeouts>
  /** Verbs of the host's own; each comes as a `command` question. */
  readonly verbs?: readonly string[]
  /** EHLO lines of the host's own. */
  readonly keywords?: readonly string[]
  readonly mailParameters?: readonly CustomParameter[]
  readonly recipientParameters?: readonly CustomParameter[]
  /** Events for whoever watches: what the session refuses of its own accord; with `commands` each command too. */
  readonly tell?: 'refusals' | 'commands'
}

/** Options, checked and with their defaults: made once, shared by all sessions of a listener. */
export interface SmtpServerConfig {
  readonly hostname: string
  readonly profile: Profile
  readonly lmtp: boolean
  readonly greeting: string
  readonly startTls: boolean
  readonly tlsRequired: boolean
  readonly authRequired: boolean
  readonly authWithoutTls: boolean
  readonly mechanisms: ReadonlyMap<string, SaslMechanism>
  readonly rules: SmtpRules
  readonly extensions: SmtpExtensions
  readonly limits: SmtpLimits
  readonly timeouts: SmtpTimeouts
  readonly verbs: ReadonlySet<string>
  readonly keywords: readonly string[]
  readonly mailReaders: ParameterReaders<MailParameters>
  readonly recipientReaders: ParameterReaders<RecipientParameters>
  readonly tell: 'refusals' | 'commands' | undefined
  /** The reply to EHLO in a state of the connection, encoded; made on first use. */
  ehlo(channel: SaslChannel, authenticated: boolean, trusted: boolean): string
}

const strict: SmtpRules = {
  bareLineFeed: false,
  lenientPaths: false,
  earlyTalk: 'refuse',
  pipelining: 'flag',
  bareLineEnds: 'reject',
  longLines: 'accept',
}

const profiles: Record<Profile, SmtpRules> = {
  mx: strict,
  submission: { ...strict, earlyTalk: 'accept', bareLineEnds: 'normalize' },
  lmtp: { ...strict, earlyTalk: 'accept', bareLineEnds: 'normalize' },
  test: { ...strict, bareLineFeed: true, lenientPaths: true, earlyTalk: 'accept', bareLineEnds: 'normalize' },
}

const defaultExtensions: SmtpExtensions = {
  smtpUtf8: true,
  binaryMime: true,
  dsn: false,
  requireTls: false,
  deliverBy: false,
  priority: false,
  futureRelease: false,
}

const kinds: OptionKinds<SmtpServerOptions> = {
  hostname: required(aText),
  profile: oneOf('mx', 'submission', 'lmtp', 'test'),
  banner: aText,
  startTls: aSwitch,
  tlsRequired: aSwitch,
  auth: anObject,
  rules: anObject,
  extensions: anObject,
  limits: anObject,
  timeouts: anObject,
  verbs: texts,
  keywords: texts,
  mailParameters: aList,
  recipientParameters: aList,
  tell: oneOf('refusals', 'commands'),
}

const ruleKinds: OptionKinds<SmtpRules> = {
  bareLineFeed: aSwitch,
  lenientPaths: aSwitch,
  earlyTalk: oneOf('refuse', 'accept'),
  pipelining: oneOf('enforce', 'flag'),
  bareLineEnds: oneOf('reject', 'normalize'),
  longLines: oneOf('accept', 'reject'),
}

const isOn = aSwitch.is
const extensionKinds: OptionKinds<SmtpExtensions> = {
  smtpUtf8: aSwitch,
  binaryMime: aSwitch,
  dsn: aSwitch,
  requireTls: aSwitch,
  deliverBy: { takes: 'true, false or whole seconds', is: (value) => isOn(value) || (aCount.is(value) && value !== Infinity) },
  priority: { takes: 'true, false or the name of a profile', is: (value) => isOn(value) || aText.is(value) },
  futureRelease: orFalse({ ...anObject, takes: 'an object with seconds and until' }),
}

/** Checks options and fills in their defaults. Throws a `config` MailError that names what is wrong. */
export function smtpServerConfig(options: SmtpServerOptions): SmtpServerConfig {
  checkOptions('smtp', options, kinds)
  checkOptions('rules', options.rules ?? {}, ruleKinds)
  checkOptions('extensions', options.extensions ?? {}, extensionKinds)
  const profile = options.profile ?? 'mx'
  // RFC 6531 §3.7.1: in greeting and EHLO, A-labels only.
  if (!isDomain(options.hostname) || !isAscii(options.hostname)) {
    throw new MailError('config', `hostname: ${JSON.stringify(options.hostname)} is not a domain name in ASCII.`)
  }
  const banner = options.banner ?? ''
  if (hasControl(banner)) throw new MailError('config', 'banner: must not hold control characters.')
  const extensions = { ...defaultExtensions, ...withoutUndefined(options.extensions ?? {}) }
  const { priority, futureRelease } = extensions
  if (hasControl(`${priority}${futureRelease ? futureRelease.until : ''}`)) {
    throw new MailError('config', 'extensions: must not hold control characters.')
  }
  const mechanisms = new Map((options.auth?.mechanisms ?? []).map((mechanism) => [mechanism.name, mechanism]))
  const ehlo = new Map<string, string>()
  const config: SmtpServerConfig = {
    hostname: options.hostname,
    profile,
    lmtp: profile === 'lmtp',
    greeting: `${options.hostname} ${profile === 'lmtp' ? 'LMTP' : 'ESMTP'}${banner === '' ? '' : ` ${banner}`}`,
    startTls: options.startTls ?? false,
    tlsRequired: options.tlsRequired ?? false,
    authRequired: options.auth?.required ?? false,
    authWithoutTls: options.auth?.withoutTls ?? false,
    mechanisms,
    rules: { ...profiles[profile], ...withoutUndefined(options.rules ?? {}) },
    extensions,
    limits: limitsOf(options.limits),
    timeouts: { ...defaultTimeouts, ...checkedNumbers('timeouts', defaultTimeouts, options.timeouts) },
    verbs: new Set((options.verbs ?? []).map(verbOf)),
    keywords: (options.keywords ?? []).map(keywordLine),
    mailReaders: readers(
      mailReaders,
      offered(mailKeywords, extensions, mechanisms.size > 0),
      options.mailParameters,
      'mailParameters',
    ),
    recipientReaders: readers(
      recipientReaders,
      extensions.dsn ? ['NOTIFY', 'ORCPT'] : [],
      options.recipientParameters,
      'recipientParameters',
    ),
    tell: options.tell,
    ehlo: (channel, authenticated, trusted) => {
      const offered = authenticated ? '' : namesOffered(config, channel)
      const state = `${channel.secure}${trusted}${offered}`
      let wire = ehlo.get(state)
      if (wire === undefined) ehlo.set(state, (wire = ehloReply(config, channel.secure, trusted, offered)))
      return wire
    },
  }
  return config
}

/** The mechanisms that a connection may use, as EHLO names them. */
function namesOffered(config: SmtpServerConfig, channel: SaslChannel): string {
  let names = ''
  for (const mechanism of config.mechanisms.values()) {
    if (isOffered(config, mechanism, channel)) names += names === '' ? mechanism.name : ` ${mechanism.name}`
  }
  return names
}

const mailKeywords: readonly (readonly [string, (extensions: SmtpExtensions, auth: boolean) => boolean])[] = [
  ['SIZE', () => true],
  ['BODY', () => true],
  ['SMTPUTF8', (extensions) => extensions.smtpUtf8],
  ['AUTH', (_, auth) => auth],
  ['RET', (extensions) => extensions.dsn],
  ['ENVID', (extensions) => extensions.dsn],
  ['REQUIRETLS', (extensions) => extensions.requireTls],
  ['BY', (extensions) => extensions.deliverBy !== false],
  ['MT-PRIORITY', (extensions) => extensions.priority !== false],
  ['HOLDFOR', (extensions) => extensions.futureRelease !== false],
  ['HOLDUNTIL', (extensions) => extensions.futureRelease !== false],
]

const offered = (table: typeof mailKeywords, extensions: SmtpExtensions, auth: boolean): string[] =>
  table.filter(([, offers]) => offers(extensions, auth)).map(([keyword]) => keyword)

function readers<T extends { other: ReadonlyMap<string, string | undefined> }>(
  all: ParameterReaders<T>,
  keywords: readonly string[],
  custom: readonly CustomParameter[] | undefined,
  option: string,
): ParameterReaders<T> {
  const chosen = new Map<string, ParameterReader<T>>()
  for (const keyword of keywords) chosen.set(keyword, all.get(keyword)!)
  for (const { keyword, check } of custom ?? []) {
    const name = word(option, keyword)
    if (all.has(name)) throw new MailError('config', `${option}: ${name} is a parameter of the standard.`)
    chosen.set(name, otherReader(name, check))
  }
  return chosen
}

/** A keyword or verb in upper case. */
function word(option: string, text: string): string {
  const upper = asciiUpper(text)
  let sound = upper.length > 0
  for (let at = 0; at < upper.length; at++) {
    const unit = upper.charCodeAt(at)
    if (!((unit >= 65 && unit <= 90) || (unit >= 48 && unit <= 57) || (unit === 45 && at > 0))) sound = false
  }
  if (!sound) throw new MailError('config', `${option}: ${JSON.stringify(text)} is not letters, digits and hyphens.`)
  return upper
}

const standardVerbs: ReadonlySet<string> = new Set(
  'EHLO HELO LHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP AUTH STARTTLS XCLIENT XFORWARD'.split(' '),
)

function verbOf(verb: string): string {
  const upper = word('verbs', verb)
  if (standardVerbs.has(upper)) throw new MailError('config', `verbs: ${upper} is a verb of the standard.`)
  return upper
}

function keywordLine(line: string): string {
  word('keywords', line.split(' ', 1)[0]!)
  if (hasControl(line)) throw new MailError('config', `keywords: ${JSON.stringify(line)} holds a control character.`)
  return line
}

function limitsOf(given: Partial<SmtpLimits> | undefined): SmtpLimits {
  const limits = { ...defaultLimits, ...checkedNumbers('limits', defaultLimits, given, aCount) }
  // Shorter lines are not measured.
  if (limits.textLineOctets < 64) throw new MailError('config', 'limits.textLineOctets: must be at least 64.')
  return limits
}

/** Numbers by the names that the defaults have. */
function checkedNumbers<T extends object>(option: string, defaults: T, given: Partial<T> = {}, kind = aNumber): Partial<T> {
  checkOptions(option, given, Object.fromEntries(Object.keys(defaults).map((name) => [name, kind])))
  return withoutUndefined(given)
}

/** Only what is given, so that nothing stands in the way of a default. */
function withoutUndefined<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T
}

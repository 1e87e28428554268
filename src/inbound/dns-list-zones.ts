import type { Stage } from '../contracts/policy.ts'
import { asciiDomain } from '../message/domain.ts'
import { MailError } from '../protocol/session/errors.ts'
import {
  aSwitch, aText, checkOptions, oneOf, type OptionKind, type OptionKinds, shownValue, texts,
} from '../protocol/session/options.ts'
import { DnsList, LISTED } from './dns-list.ts'
import { type CodeMatch, codeMatch } from './return-code.ts'

/**
 * What a list is asked for: the client's `address`, its `reverseName` (what the DNS calls it), the name in EHLO (`hello`), the
 * domain of the `sender`, or the hosts of `links` in the message.
 */
export type DnsListSubject = 'address' | 'reverseName' | 'hello' | 'sender' | 'links'

/** A list in the DNS. `T`: what may follow where something is on it. */
export interface DnsZone<T> {
  /** The name under which it is asked: `zen.example`. */
  readonly zone: string
  /** What it is asked for (default `address`): of a list of names one thing or several, but not addresses as well. */
  readonly of?: DnsListSubject | readonly DnsListSubject[]
  /** What follows where something is on it, whatever it answers: see {@link DnsZone.codes}. */
  readonly then?: T
  /**
   * What follows by its answer, the strongest of them where there are several: `{ '127.0.0.2': 'reject', '127.0.0.4-7': 3,
   * '127.0.1.*': 1, '127.0.0.&8': 2 }`. Answers that are not named are none then. Without it, all answers are meant.
   */
  readonly codes?: Readonly<Record<string, T>>
  /**
   * Answers by which it says that it does not want to be asked (default: `127.255.255.*`, and those that lists give instead,
   * unless `codes` names them: `127.0.0.1`, and `127.0.0.255` of a list of good senders).
   */
  readonly blocked?: readonly string[]
  /**
   * Its entry that is always there, where that is another than RFC 5782 §5 asks for (127.0.0.2; `test` of a list of names), for
   * instance `dbltest.example`; `false`: it has none, and is believed without a test.
   */
  readonly test?: boolean | string
}

/** A zone as it is asked. */
export interface ListZone<T> {
  readonly list: DnsList
  readonly subjects: readonly DnsListSubject[]
  readonly entries: readonly { readonly match: CodeMatch; readonly then: T }[]
}

/** Something that is on a list. */
export interface Listed<T> {
  readonly zone: string
  readonly subject: DnsListSubject
  /** The address or name as it is, not as it was asked for. */
  readonly what: string
  readonly then: T
}

const subjects = oneOf('address', 'reverseName', 'hello', 'sender', 'links')
const testKinds = [aSwitch, aText]

const kinds = (then: OptionKind): OptionKinds<DnsZone<unknown>> => ({
  zone: { ...aText, required: true },
  of: {
    takes: `${subjects.takes}, or a list of them`,
    is: (value) => [value].flat().every(subjects.is) && [value].flat().length > 0,
  },
  then,
  codes: {
    takes: `an object that says for answers ${then.takes}`,
    is: (value) => typeof value === 'object' && value !== null && Object.values(value).every(then.is),
  },
  blocked: texts,
  test: { takes: 'true, false or a text', is: (value) => testKinds.some(({ is }) => is(value)) },
})

/** How zones are read. */
export interface ZoneReading<T> {
  /** The policy. */
  readonly where: string
  readonly takes: OptionKind
  /** What follows unless a zone says so. */
  readonly then: T
  /** What lists of this kind answer to those who are not to ask. */
  readonly blocked: readonly string[]
}

/** Characters of a zone: with what it is asked for, it has to stay a name. */
const MOST_ZONE = 180

/** Reads the zones of a policy. Throws a `config` MailError. */
export function readZones<T>(given: readonly (string | DnsZone<T>)[], reading: ZoneReading<T>): ListZone<T>[] {
  if (given.length === 0) throw new MailError('config', `${reading.where}: zones: name a list; without one nothing is on any.`)
  return given.map((zone) => readZone(typeof zone === 'string' ? { zone } : zone, reading))
}

function readZone<T>(options: DnsZone<T>, { where, takes, then, blocked }: ZoneReading<T>): ListZone<T> {
  checkOptions(`${where}: a zone`, options, kinds(takes))
  const { of = 'address', codes, test = true } = options
  const zone = asciiDomain(options.zone)
  if (zone === '' || zone.length > MOST_ZONE) {
    throw new MailError('config', `${where}: zone is ${shownValue(options.zone)}; it takes a domain.`)
  }
  const subjects = typeof of === 'string' ? [of] : of
  const lists = subjects.includes('address') ? 'addresses' : 'names'
  if (lists === 'addresses' && subjects.length > 1) {
    throw new MailError('config', `${where}: ${zone} is asked for addresses and for names; a list has one or the other.`)
  }
  const entries = Object.entries(codes ?? { '127.*.*.*': options.then ?? then })
    .map(([pattern, follows]) => ({ match: codeMatch(pattern, `${where}: codes of ${zone}`), then: follows }))
  const isNamed = (code: string): boolean =>
    codes !== undefined && entries.some(({ match }) => match(code.split('.').map(Number)))
  const refusals = options.blocked ?? ['127.255.255.*', ...blocked.filter((pattern) => !isNamed(pattern))]
  const settings = {
    zone,
    lists,
    blocked: refusals.map((pattern) => codeMatch(pattern, `${where}: blocked of ${zone}`)),
    test: test === false ? undefined : test === true ? LISTED[lists] : asciiDomain(test),
  } as const
  return { list: new DnsList(settings), subjects, entries }
}

/** What a zone is asked for: the thing itself, and what stands for it in the question. */
export interface Sought {
  readonly subject: DnsListSubject
  readonly what: string
  readonly asked: string
}

/** Asks all zones for all that they list, side by side, and puts into `found` what is on them, as it comes. Never rejects. */
export async function askZones<T>(
  zones: readonly ListZone<T>[], sought: readonly Sought[], found: Listed<T>[], stage: Stage, signal: AbortSignal,
): Promise<void> {
  const one = async ({ list, entries }: ListZone<T>, { subject, what, asked }: Sought): Promise<void> => {
    const listing = await list.ask(asked, stage, signal)
    for (const { match, then } of entries) {
      if (listing.some(match)) found.push({ zone: list.settings.zone, subject, what, then })
    }
  }
  await Promise.all(zones.flatMap((zone) =>
    sought.filter(({ subject }) => zone.subjects.includes(subject)).map((each) => one(zone, each))))
}

/** Of each zone and subject one, the strongest by `rank`: a sender is not worse for being on a list under two names. */
export function strongestOf<T>(found: readonly Listed<T>[], rank: (then: T) => number): readonly Listed<T>[] {
  const strongest = new Map<string, Listed<T>>()
  for (const listed of found) {
    const key = `${listed.subject} ${listed.zone}`
    const before = strongest.get(key)
    if (before === undefined || rank(listed.then) > rank(before.then)) strongest.set(key, listed)
  }
  return [...strongest.values()]
}

/** Whether any zone is asked for that. */
export const asksFor = (zones: readonly ListZone<unknown>[], ...wanted: readonly DnsListSubject[]): boolean =>
  zones.some(({ subjects }) => subjects.some((subject) => wanted.includes(subject)))

import type { Policy, Stage, Verdict } from '../../contracts/policy.ts'
import {
  aCountAboveZero, aList, aNumberAboveZero, checkOptions, type OptionKinds, required,
} from '../../protocol/session/options.ts'
import { aConsequence, type Consequence, follow } from '../consequence.ts'
import { soughtOfName, soughtOfSender } from '../dns-list-sought.ts'
import {
  asksFor, askZones, type DnsListSubject, type DnsZone, type Listed, readZones, type Sought, strongestOf,
} from '../dns-list-zones.ts'
import { inTime } from '../in-time.ts'
import { messageLinks } from '../message-links.ts'
import { combine, reject } from '../verdict.ts'

/** Which lists {@link dnsbl} asks, and what follows. */
export interface DnsblOptions {
  /** Names of lists of addresses, or lists with all that is to be said of them. */
  readonly zones: readonly (string | DnsZone<Consequence>)[]
  /** Points of all lists together from which on a sender is refused, or a message (default: none, and see {@link score}). */
  readonly rejectAt?: number
  /** Milliseconds for all answers together; lists that have not answered by then list nothing (default 5,000). */
  readonly timeout?: number
  /** Hosts of links in a message that are looked up (default 20): of each up to three names, of each list for links. */
  readonly links?: number
}

const kinds: OptionKinds<DnsblOptions> = {
  zones: required(aList),
  rejectAt: aNumberAboveZero,
  timeout: aNumberAboveZero,
  links: aCountAboveZero,
}

const strength: Readonly<Record<string, number>> = { quarantine: 1e306, defer: 1e307, reject: 1e308 }
const rank = (then: Consequence): number => (typeof then === 'number' ? then : strength[then]!)

/**
 * Asks lists in the DNS (RFC 5782) whether they know a client, its name, its sender or the links in its mail for sending spam. By
 * default what is on a list is refused by `550 5.7.1`; points go to {@link score}, or are added up here (`rejectAt`). What is on
 * a list is tagged `dnsbl:zone`.
 *
 * Clients are judged at MAIL, links once the message is there. Whoever has logged in is exempt. A list that does not answer, or
 * not in time, lists nothing. Lists are tested by the entries that they all have; one that fails, blocks us, lists the world or
 * answers what no list answers is left alone for ten minutes, and the server's observer is told.
 *
 * ```ts
 * import { dnsbl } from 'posthorn'
 *
 * dnsbl({
 *   zones: [
 *     'bl.example',
 *     { zone: 'many.example', codes: { '127.0.0.2': 'reject', '127.0.0.4-7': 3, '127.0.0.10': 1 } },
 *     { zone: 'domains.example', of: ['sender', 'hello', 'links'], then: 5, test: 'listed.example' },
 *   ],
 * })
 * ```
 */
export function dnsbl(options: DnsblOptions): Policy {
  const where = 'dnsbl'
  checkOptions(where, options, kinds)
  const { rejectAt = Infinity, timeout = 5000, links = 20 } = options
  const zones = readZones(options.zones, { where, takes: aConsequence, then: 'reject', blocked: ['127.0.0.1'] })
  const judge = async (stage: Stage, seek: (signal: AbortSignal) => Promise<readonly Sought[]>): Promise<Verdict | undefined> => {
    if (stage.connection.account !== undefined) return undefined
    const found: Listed<Consequence>[] = []
    const ask = async (signal: AbortSignal): Promise<void> => askZones(zones, await seek(signal), found, stage, signal)
    await inTime(stage, timeout, ask, () => undefined)
    return verdictOn(strongestOf(found, rank), rejectAt, stage)
  }
  const wanted = (subject: DnsListSubject): boolean => asksFor(zones, subject)
  const draft: Policy = { name: where }
  if (asksFor(zones, 'address', 'reverseName', 'hello', 'sender')) {
    draft.sender = (_, stage) => judge(stage, (signal) => soughtOfSender(wanted, stage, signal))
  }
  if (wanted('links')) {
    draft.message = (message, stage) => judge(stage, async () => {
      const hosts = await messageLinks(message, links)
      return [...hosts].flatMap((host) => soughtOfName('links', host))
    })
  }
  return draft
}

function verdictOn(found: readonly Listed<Consequence>[], rejectAt: number, stage: Stage): Verdict | undefined {
  const verdicts: Verdict[] = []
  let points = 0
  for (const listed of found) {
    stage.notes.tag(`dnsbl:${listed.zone}`)
    if (typeof listed.then === 'number') points += listed.then
    const verdict = follow(listed.then, { text: textOf(listed), why: `${listed.what} is listed by ${listed.zone}` }, stage)
    if (verdict !== undefined) verdicts.push(verdict)
  }
  if (points >= rejectAt) {
    const zones = new Set(found.map(({ zone }) => zone))
    verdicts.push(reject(550, '5.7.1', `Listed by ${[...zones].join(', ')}`))
  }
  return verdicts.length === 0 ? undefined : combine(verdicts)
}

const said: Record<DnsListSubject, string> = {
  address: 'Your address',
  reverseName: 'The name of your address',
  hello: 'The name in your greeting',
  sender: 'The domain of the sender',
  links: 'A link in this message',
}

const textOf = ({ subject, zone }: Listed<Consequence>): string => `${said[subject]} is listed by ${zone}`

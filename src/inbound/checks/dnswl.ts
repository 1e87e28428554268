import type { Policy, Stage, Verdict } from '../../contracts/policy.ts'
import type { Envelope } from '../../contracts/received.ts'
import { aList, aNumberAboveZero, checkOptions, type OptionKind, required } from '../../protocol/session/options.ts'
import { soughtOfSender } from '../dns-list-sought.ts'
import { asksFor, askZones, type DnsZone, type Listed, readZones, strongestOf } from '../dns-list-zones.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { inTime } from '../in-time.ts'
import { accept } from '../verdict.ts'

/** Which lists {@link dnswl} asks. */
export interface DnswlOptions {
  /**
   * Names of lists of good senders, or lists with all that is to be said of them. What follows is `accept` (the default), or so
   * many points in favour, which {@link score} takes off.
   */
  readonly zones: readonly (string | DnsZone<'accept' | number>)[]
  /** Milliseconds for all answers together; lists that have not answered by then list nothing (default 5,000). */
  readonly timeout?: number
}

const takes: OptionKind = {
  takes: "'accept' or a number of points in favour, above 0",
  is: (value) => value === 'accept' || (aNumberAboveZero.is(value) && value !== Infinity),
}
const rank = (then: 'accept' | number): number => (then === 'accept' ? Infinity : then)

/**
 * Asks lists in the DNS (RFC 5782 §1) whether they vouch for a client, its name or its sender's domain. Who is on a list is
 * accepted, which keeps those from being asked who come behind it in {@link inOrder}: at MAIL, at RCPT and when the message is
 * there. So what must be asked of everybody (authentication, scanners) does not belong behind it. Points are noted at MAIL.
 *
 * Names that a client chooses itself (`hello`, `sender`) prove nothing: ask for them only what comes with a proof. Lists are
 * tested, and left alone while they are of no use, as those of {@link dnsbl}.
 *
 * ```ts
 * import { dnsbl, dnswl, inOrder } from 'posthorn'
 *
 * const good = { zone: 'good.example', codes: { '127.0.*.2-3': 'accept', '127.0.*.1': 2 } } as const
 * inOrder(dnswl({ zones: [good] }), dnsbl({ zones: ['bl.example'] }))
 * ```
 */
export function dnswl(options: DnswlOptions): Policy {
  const where = 'dnswl'
  checkOptions(where, options, { zones: required(aList), timeout: aNumberAboveZero })
  const { timeout = 5000 } = options
  const zones = readZones(options.zones, { where, takes, then: 'accept', blocked: ['127.0.0.1', '127.0.0.255'] })
  if (asksFor(zones, 'links')) {
    throw new MailError('config', 'dnswl: a zone is asked for links; anybody can put a link to a good host into a message.')
  }
  const accepted = new WeakMap<Envelope, Verdict>()
  const later = ({ envelope }: Stage): Verdict | undefined => accepted.get(envelope!)
  return {
    name: where,
    sender: async (_, stage) => {
      const found: Listed<'accept' | number>[] = []
      await inTime(
        stage,
        timeout,
        async (signal) => {
          const sought = await soughtOfSender((subject) => asksFor(zones, subject), stage, signal)
          await askZones(zones, sought, found, stage, signal)
        },
        () => undefined,
      )
      const verdict = verdictOn(strongestOf(found, rank), stage)
      if (verdict !== undefined) accepted.set(stage.envelope!, verdict)
      return verdict
    },
    recipient: (_, stage) => later(stage),
    message: (_, stage) => later(stage),
  }
}

function verdictOn(found: readonly Listed<'accept' | number>[], stage: Stage): Verdict | undefined {
  let verdict: Verdict | undefined
  for (const { what, zone, then } of found) {
    const why = `${what} is listed by ${zone}`
    stage.notes.tag(`dnswl:${zone}`)
    if (then === 'accept') verdict ??= accept(why)
    else stage.notes.score(-then, why)
  }
  return verdict
}

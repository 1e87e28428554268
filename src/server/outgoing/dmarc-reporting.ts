import { gzipped } from '../../adapters/node/index.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { ComposeMail } from '../../contracts/draft.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import type { Note } from '../../contracts/note.ts'
import type { Policy, Verdict } from '../../contracts/policy.ts'
import type { Resolver } from '../../contracts/resolver.ts'
import { type DmarcReporter, dmarcReportDraft, encodeDmarcReport } from '../../outbound/dmarc-report.ts'
import { dmarcReportTargets } from '../../outbound/dmarc-report-targets.ts'
import { type DmarcResults, dmarcResults, type DueDmarcReport } from '../../outbound/dmarc-results.ts'
import type { DmarcDisposition, DmarcTally } from '../../outbound/dmarc-tally.ts'
import type { Judged } from '../../inbound/verdict.ts'
import { DailyReporting, type DailyReportingPlaces } from './daily-reporting.ts'
import { ownMessage } from './own-message.ts'

/** Who reports on mail to the domains in whose names it came. */
export interface DmarcReportOptions {
  /** Whose servers they are, for people. */
  readonly organization: string
  /** An address to ask at. */
  readonly contact: string
}

/** What reports on mail take. */
export interface DmarcReportPlaces extends DailyReportingPlaces {
  readonly hostname: string
  readonly store: KeyValue
  readonly resolver: Resolver
  readonly compose: ComposeMail
  readonly enqueue: (message: OutgoingMessage) => Promise<unknown>
  readonly random: (octets: number) => Uint8Array
}

/**
 * Takes down what became of mail in the names of domains that ask for reports, and mails them one a day (RFC 7489 §7.2). It
 * tells what the policy `authentication` has found, so without that there is nothing to tell.
 */
export class DmarcReporting {
  /** Hears of each message that arrives. */
  readonly policy: Policy
  private readonly options: DmarcReportOptions
  private readonly places: DmarcReportPlaces
  private readonly results: DmarcResults
  private readonly daily: DailyReporting<DmarcTally>

  constructor(options: DmarcReportOptions, places: DmarcReportPlaces) {
    this.options = options
    this.places = places
    this.results = dmarcResults(places.store)
    const { results } = this
    this.daily = new DailyReporting({ about: 'DMARC', results, report: (due) => this.report(due) }, places)
    this.policy = {
      name: 'dmarcReports',
      judged: ({ envelope, connection }, verdict, { noted }) => {
        const note = noted.findLast((one) => one.kind === 'authentication')
        const { dmarc } = note?.authentication ?? {}
        const source = connection.peer.address
        if (!note || !dmarc || dmarc.record?.get('rua') === undefined || source === undefined) return
        const disposition = dispositionOf(verdict, noted, note.policy)
        const envelopeFrom = envelope.sender?.domain
        this.results.note({ found: { ...note.authentication, dmarc }, source, envelopeFrom, disposition }, places.clock.now())
      },
    }
  }

  /** Begins to report. */
  start(): void {
    this.daily.start()
  }

  /** Keeps what was taken down for the next time. */
  stop(): Promise<void> {
    return this.daily.stop()
  }

  private async report(due: DueDmarcReport): Promise<void> {
    const { resolver, random, hostname } = this.places
    const rua = new Map(due.results.record).get('rua') ?? ''
    const targets = await dmarcReportTargets(rua, due.domain, resolver)
    if (!(await due.take()) || targets.length === 0) return
    const reporter = { ...this.options, domain: hostname, id: Buffer.from(random(12)).toString('hex') }
    const compressed = await gzipped(encodeDmarcReport(due, reporter))
    for (const { address, most } of targets) if (compressed.length <= most) await this.mail(due, compressed, reporter, address)
  }

  private async mail(
    due: DueDmarcReport, compressed: Uint8Array, reporter: DmarcReporter, to: { readonly local: string; readonly domain: string },
  ): Promise<void> {
    const { hostname, random, clock, compose, enqueue } = this.places
    const [id, boundary] = [random(8), random(16)].map((octets) => Buffer.from(octets).toString('hex'))
    const from = { local: 'postmaster', domain: hostname }
    const mail = { from, to: [to], now: clock.now(), messageId: `<${reporter.id}.${id}@${hostname}>`, boundary: boundary! }
    await enqueue(ownMessage([to], await compose(dmarcReportDraft(due, compressed, reporter, mail)), clock.now()))
  }
}

/** What was done on account of what `policy` has found. */
function dispositionOf(verdict: Verdict, notes: readonly Note[], policy: string): DmarcDisposition {
  if (verdict.kind === 'reject' && (verdict as Judged).policy === policy) return 'reject'
  return notes.some((note) => note.kind === 'quarantine' && note.policy === policy) ? 'quarantine' : 'none'
}

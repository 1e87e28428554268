import { gzipped, tlsReportPost } from '../../adapters/node/index.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { ComposeMail } from '../../contracts/draft.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import type { Resolver } from '../../contracts/resolver.ts'
import type { Address } from '../../message/address.ts'
import type { TlsTrouble } from '../../outbound/delivery/connect.ts'
import type { NextHop } from '../../outbound/delivery/target.ts'
import { encodeTlsReport, type TlsReporter, tlsReportDraft } from '../../outbound/tls-report.ts'
import { tlsReportTargets } from '../../outbound/tls-report-targets.ts'
import { type DueTlsReport, type TlsResults, tlsResults } from '../../outbound/tls-results.ts'
import type { PolicyResults } from '../../outbound/tls-tally.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { DailyReporting } from './daily-reporting.ts'
import { ownMessage } from './own-message.ts'

/** Who reports on TLS to domains that ask for it. */
export interface TlsReportOptions {
  /** Whose servers they are, for people. */
  readonly organization: string
  /** Whom to ask: an address or a URL. */
  readonly contact: string
  /** Posts reports that are wanted by HTTPS. Default: to public addresses alone. */
  readonly post?: ReturnType<typeof tlsReportPost>
}

/** What reports on TLS take. */
export interface TlsReportPlaces {
  readonly hostname: string
  readonly store: KeyValue
  readonly resolver: Resolver
  readonly compose: ComposeMail
  readonly enqueue: (message: OutgoingMessage) => Promise<unknown>
  readonly clock: Clock
  readonly random: (octets: number) => Uint8Array
  /** A number from 0 to 1 (exclusive), drawn anew each time. */
  readonly chance: () => number
  readonly failed: (what: string, error: unknown) => void
}

/** Takes down how connections were secured, and tells the domains that want to know, once a day (RFC 8460). */
export class TlsReporting {
  private readonly options: TlsReportOptions
  private readonly places: TlsReportPlaces
  private readonly results: TlsResults
  private readonly daily: DailyReporting<readonly PolicyResults[]>

  constructor(options: TlsReportOptions, places: TlsReportPlaces) {
    this.options = options
    this.places = places
    this.results = tlsResults(places.store)
    const { results } = this
    this.daily = new DailyReporting({ about: 'TLS', results, report: (due) => this.report(due) }, places)
  }

  /** Takes down how a connection was secured. */
  note({ judged, host }: NextHop, address: string, failure: TlsTrouble | undefined): void {
    if (judged) this.results.note({ ...judged, host, address, failure }, this.places.clock.now())
  }

  /** Begins to report. */
  start(): void {
    this.daily.start()
  }

  /** Keeps what was taken down for the next time. */
  stop(): Promise<void> {
    return this.daily.stop()
  }

  private async report(due: DueTlsReport): Promise<void> {
    const { resolver, random, hostname } = this.places
    const targets = await tlsReportTargets(due.domain, resolver)
    if (!(await due.take()) || targets.length === 0) return
    const { organization, contact } = this.options
    const reporter = { organization, contact, domain: hostname, id: Buffer.from(random(12)).toString('hex') }
    const compressed = await gzipped(encodeTlsReport(due, reporter))
    const mail = targets.flatMap((target) => (target.kind === 'mail' ? [target.address] : []))
    if (mail.length > 0) await this.mail(due, compressed, reporter, mail)
    const post = this.options.post ?? tlsReportPost({ resolver })
    for (const target of targets) if (target.kind === 'https') await post(target, compressed)
  }

  private async mail(due: DueTlsReport, compressed: Uint8Array, reporter: TlsReporter, to: readonly Address[]): Promise<void> {
    const { hostname, random, clock, compose, enqueue } = this.places
    const [messageId, boundary] = [`<${reporter.id}@${hostname}>`, Buffer.from(random(16)).toString('hex')]
    const from = { local: 'postmaster', domain: hostname }
    const draft = tlsReportDraft(due, compressed, reporter, { from, to, now: clock.now(), messageId, boundary })
    await enqueue(ownMessage(to, await compose(draft), clock.now()))
  }
}

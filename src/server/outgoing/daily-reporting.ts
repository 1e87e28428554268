import type { DueResults } from '../../outbound/daily-results.ts'
import type { Alarm, Clock } from '../../protocol/session/clock.ts'

/** What is told once a day. */
export interface DailyReports<Results> {
  /** What it is about: `TLS`. */
  readonly about: string
  readonly results: {
    flush(now: number): Promise<void>
    due(now: number): AsyncIterable<DueResults<Results>>
  }
  /** Tells one domain of its day. */
  report(due: DueResults<Results>): Promise<void>
}

/** When it is told, and who hears of what fails. */
export interface DailyReportingPlaces {
  readonly clock: Clock
  /** A number from 0 to 1 (exclusive), drawn anew each time. */
  readonly chance: () => number
  readonly failed: (what: string, error: unknown) => void
}

const MINUTE = 60_000
const DAY = 86_400_000
/** RFC 8460 §4.1: reports of all the world need not come at midnight. */
const SPREAD = 4 * 3_600_000

/** Keeps what was taken down, every minute, and tells it, once a day. */
export class DailyReporting<Results> {
  private readonly reports: DailyReports<Results>
  private readonly places: DailyReportingPlaces
  private alarm: Alarm | undefined
  private dueAt: number
  private turn: Promise<void> = Promise.resolve()

  constructor(reports: DailyReports<Results>, places: DailyReportingPlaces) {
    this.reports = reports
    this.places = places
    // What an earlier process has left may be due already.
    this.dueAt = places.clock.now()
  }

  /** Begins to report. */
  start(): void {
    const { clock } = this.places
    this.alarm = clock.alarm(clock.ticks() + MINUTE, () => {
      this.turn = this.goOn()
      this.start()
    })
  }

  /** Keeps what was taken down for the next time. */
  async stop(): Promise<void> {
    this.alarm?.cancel()
    await this.turn
    await this.flush()
  }

  private async goOn(): Promise<void> {
    const { clock, chance, failed } = this.places
    await this.flush()
    const now = clock.now()
    if (now < this.dueAt) return
    this.dueAt = Math.floor(now / DAY + 1) * DAY + chance() * SPREAD
    try {
      for await (const due of this.reports.results.due(now)) await this.tell(due)
    } catch (error) {
      failed(`report on ${this.reports.about}`, error)
    }
  }

  private async tell(due: DueResults<Results>): Promise<void> {
    try {
      await this.reports.report(due)
    } catch (error) {
      this.places.failed(`report on ${this.reports.about} to ${due.domain}`, error)
    }
  }

  private async flush(): Promise<void> {
    try {
      await this.reports.results.flush(this.places.clock.now())
    } catch (error) {
      this.places.failed(`keep results of ${this.reports.about}`, error)
    }
  }
}

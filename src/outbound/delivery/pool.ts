import type { Alarm, Clock } from '../../protocol/session/clock.ts'
import type { Line } from './connect.ts'

interface Idle {
  readonly line: Line
  readonly alarm: Alarm
}

/** Connections without work, kept a little for what comes next to the same site. */
export class Pool {
  private readonly idle = new Map<string, Idle[]>()
  private readonly clock: Clock
  private readonly patience: number
  private readonly most: number
  private count = 0

  /** `patience`: milliseconds that one is kept. `most`: as many are kept at a time, those that were put back last. */
  constructor(clock: Clock, patience: number, most: number) {
    this.clock = clock
    this.patience = patience
    this.most = most
  }

  /** One that is free, the last that was put back first. */
  take(site: string): Line | undefined {
    const lines = this.idle.get(site)
    while (lines && lines.length > 0) {
      const { line, alarm } = lines.pop()!
      alarm.cancel()
      this.count--
      if (lines.length === 0) this.idle.delete(site)
      if (line.courier.isFree) return line
    }
    return undefined
  }

  /** Keeps one that is free. */
  put(site: string, line: Line): void {
    const alarm = this.clock.alarm(this.clock.ticks() + this.patience, () => this.remove(site, line))
    const lines = this.idle.get(site)
    if (lines) lines.push({ line, alarm })
    else this.idle.set(site, [{ line, alarm }])
    if (++this.count > this.most) {
      const [oldest, [first]] = this.idle.entries().next().value! as [string, [Idle]]
      this.remove(oldest, first.line)
    }
    // The server may have closed it meanwhile.
    void line.courier.over.then(() => this.remove(site, line))
  }

  /** Says goodbye on all of them. */
  close(): void {
    for (const lines of this.idle.values()) {
      for (const { line, alarm } of lines) {
        alarm.cancel()
        line.courier.quit()
      }
    }
    this.idle.clear()
    this.count = 0
  }

  private remove(site: string, line: Line): void {
    const lines = this.idle.get(site)
    const at = lines?.findIndex((each) => each.line === line) ?? -1
    if (at < 0) return
    this.count--
    lines![at]!.alarm.cancel()
    lines!.splice(at, 1)
    if (lines!.length === 0) this.idle.delete(site)
    line.courier.quit()
  }
}

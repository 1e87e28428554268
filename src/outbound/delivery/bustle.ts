import type { Clock } from '../../protocol/session/clock.ts'

/** Whether anything is under way. While it is, the process stays alive; for what is due some day it need not. */
export class Bustle {
  private readonly clock: Clock
  private readonly isOn: () => boolean
  private sleep: (() => void) | undefined
  private waiting: (() => void)[] = []

  /** `isOn`: something is under way. */
  constructor(clock: Clock, isOn: () => boolean) {
    this.clock = clock
    this.isOn = isOn
  }

  /** Something begins. */
  begin(): void {
    this.sleep ??= this.clock.stayAwake?.()
  }

  /** Something has come to its end; perhaps all has. */
  end(): void {
    if (this.isOn()) return
    this.sleep?.()
    this.sleep = undefined
    const { waiting } = this
    this.waiting = []
    for (const resolve of waiting) resolve()
  }

  /** Resolves when nothing is under way. */
  async over(): Promise<void> {
    while (this.isOn()) await new Promise<void>((resolve) => this.waiting.push(resolve))
  }
}

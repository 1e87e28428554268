import { memoryKeyValue } from '../../src/adapters/memory/index.ts'
import type { LoginAttempt } from '../../src/accounts/authenticate.ts'
import { type Guard, type GuardEvent, loginGuard, type LoginGuardOptions } from '../../src/accounts/guard.ts'
import type { KeyValue } from '../../src/contracts/key-value.ts'

/** A full hour: where a window begins. */
export const T = 1_800_000_000_000

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** A guard, the hand of a clock, and what it told. */
export class Guarding {
  readonly keyValue: KeyValue
  readonly guard: Guard
  readonly events: GuardEvent[] = []
  now = T

  constructor(options: Partial<LoginGuardOptions> = {}) {
    this.keyValue = options.keyValue ?? memoryKeyValue()
    const observe = (event: GuardEvent): void => void this.events.push(event)
    this.guard = loginGuard({ keyValue: this.keyValue, observe, ...options })
  }

  attempt(username: string, address: string | undefined, password?: string): LoginAttempt {
    return { username, address, now: this.now, ...(password !== undefined && { password }) }
  }

  /**
   * Somebody tries to log in, and fails or not. Gives the delay of a failure in seconds, or `no` and the limit that bars them.
   */
  async try(username: string, address: string | undefined, right: boolean, password?: string): Promise<string> {
    const attempt = this.attempt(username, address, password)
    const { admitted, delay } = await this.guard.admit(attempt)
    if (!admitted) return `no: ${(this.events.at(-1) as { limit?: string }).limit}`
    if (right) await this.guard.succeeded(attempt)
    else await this.guard.failed(attempt)
    return right ? 'in' : String(delay / SECOND)
  }

  /** The same several times. */
  async tries(times: number, username: string, address: string | undefined, right = false): Promise<string[]> {
    const outcomes: string[] = []
    for (let i = 0; i < times; i++) outcomes.push(await this.try(username, address, right))
    return outcomes
  }

  /** All that is kept. */
  async kept(now = this.now): Promise<[string, string][]> {
    const all: [string, string][] = []
    for await (const page of this.keyValue.list('', now)) all.push(...page.map(([key, value]): [string, string] => [key, value]))
    return all
  }
}

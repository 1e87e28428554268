import type { AccountRecord, AccountRecords, AppPassword, Passwords } from '../contracts/accounts.ts'
import { lackingScram, makeScram, type ScramSettings } from './scram.ts'

/** A use is written down once in so many milliseconds: a program that polls is no reason to write at each poll. */
const NOTED_EVERY = 60_000

/** What {@link Upkeep} works with. */
export interface UpkeepParts {
  readonly records: AccountRecords
  readonly passwords: Passwords
  readonly scram: ScramSettings | undefined
  /** Told of what went wrong; nobody waits for it. */
  readonly onError: (error: unknown, account: string) => void
}

/** A password that was right, while it is known. */
export interface RightPassword {
  readonly record: AccountRecord
  readonly app: AppPassword | undefined
  /** As it is hashed. */
  readonly text: string
  /** Milliseconds since the Unix epoch. */
  readonly now: number
}

/** What is brought up to date when somebody has logged in. Never waited for: a log-in must not fail for it, nor take longer. */
export class Upkeep {
  readonly #with: UpkeepParts
  /** What is under way, so that a storm of log-ins starts it once. Bounded by the log-ins that are under way. */
  readonly #busy = new Set<string>()

  constructor(parts: UpkeepParts) {
    this.#with = parts
  }

  /** Hashes anew what is kept in a weaker form than is wanted now, makes SCRAM keys, notes the use of an app password. */
  passwordWasRight(right: RightPassword): void {
    const { record, app } = right
    const { passwords, scram } = this.#with
    const hash = app ? app.hash : record.password
    const outdated = hash !== undefined && passwords.outdated(hash)
    const unkeyed = !app && scram !== undefined && lackingScram(record, scram).length > 0
    const unnoted = app !== undefined && right.now - (app.lastUsed ?? -Infinity) >= NOTED_EVERY
    if (!outdated && !unkeyed && !unnoted) return
    const renew = (): Promise<void> => (app ? this.#renewApp(right, app, outdated) : this.#renew(right, outdated))
    this.#once(`${app?.id ?? ''} ${record.id}`, record.id, renew)
  }

  /** Notes the time of a log-in. */
  loggedIn(id: string, now: number): void {
    this.#once(id, id, async () => {
      const last = (await this.#with.records.account(id))?.lastLogin
      if (now - (last ?? -Infinity) < NOTED_EVERY) return
      await this.#with.records.updateAccount(id, (record) =>
        record && { ...record, lastLogin: Math.max(now, record.lastLogin ?? 0) })
    })
  }

  async #renew({ record, text }: RightPassword, outdated: boolean): Promise<void> {
    const { passwords, records, scram } = this.#with
    const password = outdated ? await passwords.hash(text) : record.password
    const keys = scram && lackingScram(record, scram).length > 0 ? await makeScram(text, scram) : undefined
    await records.updateAccount(record.id, (current) => {
      // The password was changed meanwhile: what was made of the old one is worth nothing.
      if (current === undefined || current.password !== record.password || password === undefined) return current
      return { ...current, password, ...(keys && { scram: { ...current.scram, ...keys } }) }
    })
  }

  async #renewApp({ record, text, now }: RightPassword, app: AppPassword, outdated: boolean): Promise<void> {
    const hash = outdated ? await this.#with.passwords.hash(text) : app.hash
    await this.#with.records.updateAccount(record.id, (current) => {
      const isIt = (one: AppPassword): boolean => one.id === app.id && one.hash === app.hash
      if (!current?.appPasswords?.some(isIt)) return current
      const appPasswords = current.appPasswords.map((one) => (isIt(one) ? { ...one, hash, lastUsed: now } : one))
      return { ...current, appPasswords }
    })
  }

  #once(what: string, account: string, work: () => Promise<void>): void {
    if (this.#busy.has(what)) return
    this.#busy.add(what)
    work()
      .catch((error: unknown) => this.#with.onError(error, account))
      .finally(() => this.#busy.delete(what))
      // What `onError` throws is nobody's either.
      .catch(() => {})
  }
}

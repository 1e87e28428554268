import type { KeyValue } from '../contracts/key-value.ts'
import { MailError } from '../protocol/session/errors.ts'
import { storeKey } from './store-key.ts'

/** How long greylisting keeps what; milliseconds, and a number of senders and recipients. */
export interface GreylistTimes {
  readonly wait: number
  readonly retryWithin: number
  readonly lifetime: number
  readonly allowAfter: number
}

/** Servers that write the same record at once: each finds another's word and looks again. */
const MOST_TRIES = 10

/** A record that is in use is written anew after this share of its lifetime, rather than with each message. */
const RENEWED = 1 / 16

/**
 * Who has come, in a store.
 *
 * | record                                     | holds                                   | until                    |
 * |--------------------------------------------|-----------------------------------------|--------------------------|
 * | `greylist:t:client:sender:recipient`       | `new`, when it came first               | first + retryWithin      |
 * | the same                                   | `known`, when it was written            | written + lifetime       |
 * | `greylist:c:client`                        | how many have come again, when written  | written + lifetime       |
 */
export class GreylistRecords {
  readonly #store: KeyValue
  readonly #times: GreylistTimes

  constructor(store: KeyValue, times: GreylistTimes) {
    this.#store = store
    this.#times = times
  }

  /** Milliseconds that they still have to wait; 0: they may come in. Rejects as the store does. */
  async left(client: string, sender: string, recipient: string, now: number): Promise<number> {
    const clientKey = storeKey('greylist', 'c', client)
    if (await this.#isAllowed(clientKey, now)) return 0
    const key = storeKey('greylist', 't', client, sender, recipient)
    const { wait, retryWithin, lifetime } = this.#times
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const found = await this.#store.get(key, now)
      const { state, at } = recordOf(found)
      if (state === 'known') {
        await this.#renew(key, found!, `known ${now}`, at, now)
        return 0
      }
      // What is to be far in the future a clock has written that was wrong: nobody waits for that day.
      if (state === undefined || (state === 'new' && at > now + wait)) {
        if (wait === 0) return 0
        if (await this.#store.swap(key, found, `new ${now}`, { now, until: now + retryWithin })) return wait
      } else if (now < at + wait) {
        // Clocks of servers differ, but nobody waits for longer than he was told.
        return Math.min(wait, at + wait - now)
      } else if (await this.#store.swap(key, found, `known ${now}`, { now, until: now + lifetime })) {
        await this.#count(clientKey, now)
        return 0
      }
    }
    throw new MailError('temporary', 'greylist: a record changes faster than it can be read')
  }

  async #isAllowed(key: string, now: number): Promise<boolean> {
    const { allowAfter } = this.#times
    if (allowAfter === 0) return false
    const found = await this.#store.get(key, now)
    const { state, at } = recordOf(found)
    if (!(Number(state) >= allowAfter)) return false
    await this.#renew(key, found!, `${state} ${now}`, at, now)
    return true
  }

  /** One more of a client has come again. */
  async #count(key: string, now: number): Promise<void> {
    if (this.#times.allowAfter === 0) return
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const found = await this.#store.get(key, now)
      const count = Number(recordOf(found).state ?? 0) + 1
      if (await this.#store.swap(key, found, `${count} ${now}`, { now, until: now + this.#times.lifetime })) return
    }
  }

  /** Whoever else renews it at the same time has done so. */
  async #renew(key: string, found: string, value: string, at: number, now: number): Promise<void> {
    const { lifetime } = this.#times
    if (now - at >= lifetime * RENEWED) await this.#store.swap(key, found, value, { now, until: now + lifetime })
  }
}

/** What a record says, and since when. */
function recordOf(record: string | undefined): { readonly state: string | undefined; readonly at: number } {
  const [state, at] = (record ?? '').split(' ')
  return { state: state === '' ? undefined : state, at: Number(at ?? 0) }
}

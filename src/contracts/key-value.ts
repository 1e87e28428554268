import type { Durability } from './durability.ts'

/** Until when something is kept: it is there while `now < until`; `undefined`: for good. Milliseconds since the Unix epoch. */
export interface Keeping {
  readonly now: number
  readonly until?: number
}

/**
 * Small facts that servers share and that may time out: greylists, counters of attempts, suppressions. Keys are 1 to 512
 * characters, by custom `what:whom`; values up to 64 KiB of text. What has come to its `until` is not there; when it is really
 * removed is the store's affair. Each call is one step: nobody sees half of it, and of two at once one comes first.
 *
 * Errors: `temporary`, `closed`. What rejects has changed nothing.
 */
export interface KeyValue {
  readonly traits: { readonly durability: Durability }
  /** What is there under the key. */
  get(key: string, now: number): Promise<string | undefined>
  /** Puts it there, whatever was. */
  set(key: string, value: string, keeping: Keeping): Promise<void>
  /**
   * Puts `value` (`undefined`: removes) if what is there is exactly `expected` (`undefined`: nothing). Whether it did.
   */
  swap(key: string, expected: string | undefined, value: string | undefined, keeping: Keeping): Promise<boolean>
  /**
   * Adds to a whole number, from 0 where there is none, and gives the sum. `until` counts only where the key was not there: a
   * window ends when it was to end, however often it is added to. `misuse` where what is there, or the sum, is no whole number
   * that is exact (up to 2^53 - 1 on both sides of 0).
   */
  add(key: string, amount: number, keeping: Keeping): Promise<number>
  /** Whether it was there. */
  remove(key: string, now: number): Promise<boolean>
  /**
   * Keys that begin so, with their values, ascending by code unit, in pages, none of them empty. What is written meanwhile
   * may be missing; what was there all the time is not.
   */
  list(prefix: string, now: number): AsyncIterable<readonly (readonly [key: string, value: string])[]>
  /** Frees what is past its time. Gives how many. */
  sweep?(now: number): Promise<number>
  /** Rejects later calls with `closed`; may be called again. */
  close?(): Promise<void>
}

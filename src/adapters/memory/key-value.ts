import type { Keeping, KeyValue } from '../../contracts/key-value.ts'
import { MailError } from '../../protocol/session/errors.ts'

/** What is kept under a key. */
interface Kept {
  value: string
  readonly until: number
}

/** Keys given by `list` at a time. */
const PAGE = 200

/** Old keys that each new one has looked at. Two: what has timed out is never more than what is there, and a little. */
const LOOKS = 2

/**
 * Keys and values in memory, gone with the process: for tests, and where what is counted may be forgotten at a restart.
 *
 * It holds what it is given until that has timed out: whoever writes keys that strangers choose bounds them by `until`. What has
 * timed out is removed as new keys come; `sweep` removes all of it.
 */
export function memoryKeyValue(): KeyValue {
  return new MemoryKeyValue()
}

class MemoryKeyValue implements KeyValue {
  readonly traits = { durability: 'none' } as const
  readonly #kept = new Map<string, Kept>()
  /** Goes round and round over all keys. */
  #looking = this.#kept.entries()
  #closed = false

  async get(key: string, now: number): Promise<string | undefined> {
    return this.#there(key, now)?.value
  }

  async set(key: string, value: string, keeping: Keeping): Promise<void> {
    this.#check()
    this.#put(key, value, keeping)
  }

  async swap(key: string, expected: string | undefined, value: string | undefined, keeping: Keeping): Promise<boolean> {
    if (this.#there(key, keeping.now)?.value !== expected) return false
    if (value === undefined) this.#kept.delete(key)
    else this.#put(key, value, keeping)
    return true
  }

  async add(key: string, amount: number, keeping: Keeping): Promise<number> {
    const found = this.#there(key, keeping.now)
    const sum = amount + (found ? wholeNumber(key, found.value) : 0)
    // Beyond 2^53 sums would be wrong without a word.
    if (!Number.isSafeInteger(sum)) throw new MailError('misuse', `${key}: ${amount} cannot be added to ${found?.value ?? '0'}`)
    if (found) found.value = String(sum)
    else this.#put(key, String(sum), keeping)
    return sum
  }

  async remove(key: string, now: number): Promise<boolean> {
    const there = this.#there(key, now) !== undefined
    this.#kept.delete(key)
    return there
  }

  async *list(prefix: string, now: number): AsyncGenerator<readonly (readonly [string, string])[], void, undefined> {
    this.#check()
    const keys = [...this.#kept.keys()].filter((key) => key.startsWith(prefix)).sort()
    for (let from = 0; from < keys.length; from += PAGE) {
      const page: (readonly [string, string])[] = []
      for (const key of keys.slice(from, from + PAGE)) {
        const found = this.#there(key, now)
        if (found) page.push([key, found.value])
      }
      if (page.length > 0) yield page
    }
  }

  async sweep(now: number): Promise<number> {
    this.#check()
    let swept = 0
    for (const [key, { until }] of this.#kept) {
      if (until <= now && this.#kept.delete(key)) swept++
    }
    return swept
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#kept.clear()
  }

  #there(key: string, now: number): Kept | undefined {
    this.#check()
    const found = this.#kept.get(key)
    return found && found.until > now ? found : undefined
  }

  #put(key: string, value: string, { now, until = Infinity }: Keeping): void {
    for (let look = 0; look < LOOKS; look++) {
      const next = this.#looking.next()
      if (next.done) this.#looking = this.#kept.entries()
      else if (next.value[1].until <= now) this.#kept.delete(next.value[0])
    }
    this.#kept.set(key, { value, until })
  }

  #check(): void {
    if (this.#closed) throw new MailError('closed', 'The store was closed')
  }
}

function wholeNumber(key: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && String(number) === text) return number
  throw new MailError('misuse', `${key} is not a whole number: ${JSON.stringify(text.slice(0, 40))}`)
}

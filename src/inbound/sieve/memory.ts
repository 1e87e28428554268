import type { KeyValue } from '../../contracts/key-value.ts'
import type { Awaitable } from '../../contracts/policy.ts'
import { sieveKey } from '../../contracts/sieve-keys.ts'

/** Characters of a key that are what it stands for; what is longer is kept under a number made of it. */
const MOST_KEY = 150
/** Characters of what is remembered that are kept: a value has 64 KiB, and a character may become six. */
const MOST_WHAT = 1500
/** Milliseconds for which an answer that is on its way keeps others back. */
const ON_ITS_WAY = 600_000

/**
 * What scripts remember of messages: which they have seen, whom they have answered. Nothing is written for good before `done`: a
 * message that was not taken comes again, and must not be taken for its own duplicate (RFC 7352 §3).
 */
export class ScriptMemory {
  readonly #store: KeyValue | undefined
  readonly #account: string
  readonly #now: number
  readonly #pending: { readonly key: string; readonly value: string; readonly until: number }[] = []

  constructor(memory: { readonly store: KeyValue; readonly account: string } | undefined, now: number) {
    this.#store = memory?.store
    this.#account = memory?.account ?? ''
    this.#now = now
  }

  /** Whether a message was seen by its unique id, under a handle. It is remembered for `seconds`; `last`: from now on. */
  seen(handle: string, id: string, seconds: number, last: boolean): Awaitable<boolean> {
    const value = JSON.stringify([handle, cut(id)])
    const key = keyOf('sieve-seen', this.#account, value)
    const settle = (found: string | undefined): boolean => {
      const isSeen = found === value
      if (!isSeen || last) this.#later(key, value, seconds)
      return isSeen
    }
    return this.#store ? this.#store.get(key, this.#now).then(settle) : settle(undefined)
  }

  /**
   * Whether an answer may go out that is told by `what` from others, by whom it goes to among its parts; at most one in so many
   * seconds. Of two messages at once one gets it: it holds the place for ten minutes, `message` telling whether it is the same.
   */
  async mayAnswer(what: readonly string[], message: string, seconds: number): Promise<boolean> {
    const identity = JSON.stringify(what.map(cut))
    const key = keyOf('sieve-vacation', this.#account, identity)
    const onItsWay = JSON.stringify(['on its way', identity, cut(message)])
    if (this.#store && seconds > 0) {
      const found = await this.#store.get(key, this.#now)
      if (found !== undefined && found !== onItsWay && isOf(found, identity)) return false
      const keeping = { now: this.#now, until: this.#now + ON_ITS_WAY }
      if (found !== onItsWay && !(await this.#store.swap(key, found, onItsWay, keeping))) return false
      this.#later(key, JSON.stringify(['sent', identity]), seconds)
    }
    return true
  }

  /** Remembers for good what was learned; `undefined` where there is nothing. */
  get done(): (() => Promise<void>) | undefined {
    const store = this.#store
    if (!store || this.#pending.length === 0) return undefined
    return async () => {
      for (const { key, value, until } of this.#pending) await store.set(key, value, { now: this.#now, until })
    }
  }

  #later(key: string, value: string, seconds: number): void {
    if (seconds > 0) this.#pending.push({ key, value, until: this.#now + seconds * 1000 })
  }
}

function cut(text: string): string {
  return text.length > MOST_WHAT ? `${text.length} ${hashes(text)} ${text.slice(0, MOST_WHAT)}` : text
}

/** Whether what is under a key is about the same answer: long ones may share a key. */
function isOf(found: string, identity: string): boolean {
  const parsed: unknown = JSON.parse(found)
  return Array.isArray(parsed) && parsed[1] === identity
}

function keyOf(kind: 'sieve-seen' | 'sieve-vacation', account: string, what: string): string {
  return `${sieveKey(kind, account)}${what.length > MOST_KEY ? `#${hashes(what)}` : what}`
}

/** To tell keys apart, no proof of anything: the value says what it is about. */
function hashes(text: string): string {
  return hash(text, 0x811c9dc5) + hash(text, 0x9747b28c)
}

/** FNV-1a. */
function hash(text: string, seed: number): string {
  let value = seed
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return (value >>> 0).toString(16).padStart(8, '0')
}

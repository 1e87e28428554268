import type { KeyValue } from '../contracts/key-value.ts'
import type { Address } from '../message/address.ts'
import { asciiDomain } from '../message/domain.ts'
import type { BouncedRecipient } from './bounce.ts'

/**
 * Why no mail goes to an address: it does not exist any more (`bounce`), its owner complained or does not want any
 * (`complaint`, `unsubscribed`), somebody has decided so (`manual`).
 */
export type SuppressionReason = 'bounce' | 'complaint' | 'unsubscribed' | 'manual'

/** An address that no mail is to go to. */
export interface Suppression {
  /** `local@domain`: the local part as it is, the domain in lower case and A-labels. */
  readonly address: string
  readonly reason: SuppressionReason
  /** Since when, and until when; `undefined`: for good. Milliseconds since the Unix epoch. */
  readonly since: number
  readonly until: number | undefined
  /** What there is to say of it: a server's reply. */
  readonly detail: string | undefined
}

/** What to put on the list. */
export interface NewSuppression {
  readonly reason: SuppressionReason
  /** Milliseconds since the Unix epoch; left out: for good. */
  readonly until?: number
  readonly detail?: string
}

/** How a list is kept. */
export interface SuppressionListOptions {
  readonly store: KeyValue
  /** The list's name, so that several share a store: one for each customer, say. Up to 60 characters. Default `suppressed`. */
  readonly name?: string
  /** Milliseconds for which a bounce keeps an address on the list. Default 90 days: mailboxes come back. */
  readonly bounceFor?: number
}

/** A list of addresses that no mail is to go to. Errors are those of its store. */
export interface SuppressionList {
  /** What keeps mail from the address, if anything does. */
  find(address: Address, now: number): Promise<Suppression | undefined>
  /**
   * Puts an address on the list. What is there already stays if it lasts as long or longer. `false`: it was so, or the address is
   * longer than any may be (RFC 5321 §4.5.3.1.3).
   */
  add(address: Address, suppression: NewSuppression, now: number): Promise<boolean>
  /** Takes note of a bounce: puts the address on the list if the bounce says that it takes no mail, and tells whether. */
  addBounce(address: Address, bounced: Pick<BouncedRecipient, 'lasting' | 'diagnostic' | 'status'>, now: number): Promise<boolean>
  /** Whether it was there. */
  remove(address: Address, now: number): Promise<boolean>
  /** All of them, in pages, none of them empty, in the order of their addresses. */
  list(now: number): AsyncIterable<readonly Suppression[]>
}

const DAY = 86_400_000
const MOST_DETAIL = 1_000
/** RFC 5321 §4.5.3.1.3: 256 octets of a path, its brackets among them. Far below what a key may have. */
const MOST_ADDRESS = 254
/** Whoever writes at the same time as others tries again so often. */
const MOST_TRIES = 20
const REASONS: ReadonlySet<string> = new Set<SuppressionReason>(['bounce', 'complaint', 'unsubscribed', 'manual'])

/** Keeps a suppression list. */
export function suppressionList({ store, name = 'suppressed', bounceFor = 90 * DAY }: SuppressionListOptions): SuppressionList {
  const prefix = `${name}:`
  const list: SuppressionList = {
    async find(address, now) {
      const key = keyOf(address)
      const value = key === undefined ? undefined : await store.get(prefix + key, now)
      return value === undefined ? undefined : read(key!, value)
    },
    async add(address, { reason, until, detail }, now) {
      const key = keyOf(address)
      if (key === undefined || (until !== undefined && until <= now)) return false
      const value = JSON.stringify({ reason, since: now, until, detail: detail?.slice(0, MOST_DETAIL) })
      const keeping = until === undefined ? { now } : { now, until }
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const there = await store.get(prefix + key, now)
        const known = there === undefined ? undefined : read(key, there)
        if (known && (known.until === undefined || (until !== undefined && known.until >= until))) return false
        if (await store.swap(prefix + key, there, value, keeping)) return true
      }
      // Others keep writing: what they wrote is as good a reason.
      return false
    },
    async addBounce(address, { lasting, diagnostic, status }, now) {
      if (lasting !== 'hard') return false
      const detail = diagnostic ?? status
      return list.add(address, { reason: 'bounce', until: now + bounceFor, ...(detail === undefined ? {} : { detail }) }, now)
    },
    async remove(address, now) {
      const key = keyOf(address)
      return key !== undefined && (await store.remove(prefix + key, now))
    },
    async *list(now) {
      for await (const page of store.list(prefix, now)) {
        const found = page.flatMap(([key, value]) => read(key.slice(prefix.length), value) ?? [])
        if (found.length > 0) yield found
      }
    },
  }
  return list
}

/** The domain without regard to case, the local part with it (RFC 5321 §2.4): only its owner knows whether it counts. */
function keyOf({ local, domain }: Address): string | undefined {
  const key = `${local.normalize('NFC')}@${asciiDomain(domain)}`
  return key.length > MOST_ADDRESS ? undefined : key
}

/** What was put there; `undefined` for what this list did not write. */
function read(address: string, value: string): Suppression | undefined {
  try {
    const { reason, since, until, detail } = JSON.parse(value) as Record<string, unknown>
    if (typeof reason !== 'string' || !REASONS.has(reason) || typeof since !== 'number') return undefined
    return {
      address,
      reason: reason as SuppressionReason,
      since,
      until: typeof until === 'number' ? until : undefined,
      detail: typeof detail === 'string' ? detail : undefined,
    }
  } catch {
    return undefined
  }
}

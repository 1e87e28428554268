import { quotaCrossing } from '../accounts/quota.ts'
import type { Account } from '../contracts/directory.ts'
import type { Quota, Usage } from '../contracts/mailbox.ts'
import type { MailStore } from '../contracts/store.ts'
import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'

/** Below this share of a quota nobody looks closer: no warning is due for some time. */
const FAR = 0.75
/** Accounts whose usage is remembered. */
const MOST_KNOWN = 10_000
/** Milliseconds for which it is believed that an account has room, once it was far from its quota. */
const BELIEVED = 1000

interface Known extends Usage {
  /** When the store was asked, in ticks. */
  readonly asked: number
}

/** What was added to an account: messages, and their octets with the store's overhead, where those are known. */
export interface Added {
  readonly messages: number
  readonly octets: number | undefined
}

/** Warns of accounts that come near their quota, once for each crossing of a level. */
export class QuotaWatch {
  private readonly store: MailStore
  private readonly clock: Clock
  private readonly observe: Observer
  /** What each account held when it was last looked at, and what was added since. */
  private readonly known = new Map<string, Known>()

  constructor(store: MailStore, clock: Clock, observe: Observer) {
    this.store = store
    this.clock = clock
    this.observe = observe
  }

  /** Whether there is so much room that nobody has to ask the store. `octets`: with its overhead. */
  hasRoom({ id, quota }: Account, octets: number): boolean {
    const known = this.known.get(id)
    if (known === undefined || this.clock.ticks() - known.asked >= BELIEVED) return false
    return isFar({ messages: known.messages + 1, octets: known.octets + octets }, quota)
  }

  /** This is what the account holds, before anything is added. */
  looked(account: Account, usage: Usage): void {
    const known = this.known.get(account.id)
    // Near its quota a rise counts when `added` finds it: what others have added meanwhile is not to be passed over.
    const hasRisen = known !== undefined && (usage.octets > known.octets || usage.messages > known.messages)
    if (!hasRisen || isFar(usage, account.quota)) this.remember(account.id, { ...usage, asked: this.clock.ticks() })
  }

  /** Something is about to be added: what the account holds is known from now on, if anything depends on it. Never rejects. */
  async look(account: Account): Promise<void> {
    if (!hasQuota(account) || this.hasRoom(account, 0)) return
    try {
      this.looked(account, await this.store.usage(account.id))
    } catch (error) {
      this.failed(account, error)
    }
  }

  /** This was added. Never rejects. */
  async added(account: Account, { messages, octets }: Added): Promise<void> {
    if (!hasQuota(account)) return
    const before = this.known.get(account.id)
    if (before && octets !== undefined) {
      const guess = { ...before, messages: before.messages + messages, octets: before.octets + octets }
      if (isFar(guess, account.quota)) return this.remember(account.id, guess)
    }
    try {
      const after = await this.store.usage(account.id)
      // Others may have been here while the store was asked: what is known by now counts.
      const since = this.known.get(account.id) ?? { messages: after.messages - messages, octets: after.octets - (octets ?? 0) }
      this.remember(account.id, { ...after, asked: this.clock.ticks() })
      for (const { of, percent } of quotaCrossing(since, after, account.quota)) {
        const [used, limit] = [after[of], account.quota[of]]
        this.observe({ kind: 'quota', at: this.clock.now(), account: account.id, percent, of, used, limit })
      }
    } catch (error) {
      this.failed(account, error)
    }
  }

  private failed({ id }: Account, error: unknown): void {
    this.observe({ kind: 'failed', at: this.clock.now(), what: `usage of ${id}`, error })
  }

  private remember(account: string, usage: Known): void {
    // The oldest goes; of whom nothing is known, the store is asked.
    if (this.known.size >= MOST_KNOWN && !this.known.has(account)) this.known.delete(this.known.keys().next().value!)
    this.known.set(account, usage)
  }
}

/** Whether an account has any bound. */
export function hasQuota({ quota }: Account): boolean {
  return quota.octets !== Infinity || quota.messages !== Infinity
}

function isFar(usage: Usage, quota: Quota): boolean {
  return usage.octets < quota.octets * FAR && usage.messages < quota.messages * FAR
}

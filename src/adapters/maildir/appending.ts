import type { MailboxId, Quota, Usage } from '../../contracts/mailbox.ts'
import type { Account, Place } from './account.ts'
import { withMore } from './room.ts'
import type { Message, State } from './state.ts'
import { type Adding, addMessages } from './transact.ts'

interface Waiting {
  readonly mailbox: MailboxId
  readonly adding: Adding
  readonly quota: Quota | undefined
  readonly resolve: (message: Message) => void
  readonly reject: (error: unknown) => void
}

/** Appends to the mailboxes of an account: those that wait at the same time share the flushes of the disk. */
export class Appending {
  readonly #waiting = new Map<Account, Waiting[]>()

  /** Adds a message. */
  add(account: Account, mailbox: MailboxId, adding: Adding, quota: Quota | undefined): Promise<Message> {
    return new Promise((resolve, reject) => {
      const one: Waiting = { mailbox, adding, quota, resolve, reject }
      const waiting = this.#waiting.get(account)
      if (waiting) {
        waiting.push(one)
        return
      }
      this.#waiting.set(account, [one])
      account.locked(() => this.#addAll(account)).catch((error: unknown) => {
        for (const { reject: fail } of this.#take(account)) fail(error)
      })
    })
  }

  #take(account: Account): readonly Waiting[] {
    const waiting = this.#waiting.get(account) ?? []
    this.#waiting.delete(account)
    return waiting
  }

  async #addAll(account: Account): Promise<void> {
    const byMailbox = new Map<MailboxId, Waiting[]>()
    for (const waiting of this.#take(account)) {
      const those = byMailbox.get(waiting.mailbox)
      if (those) those.push(waiting)
      else byMailbox.set(waiting.mailbox, [waiting])
    }
    for (const [mailbox, waiting] of byMailbox) {
      try {
        const { place, state } = await account.lookOf(mailbox)
        const usage = waiting.some(({ quota }) => quota) ? await account.usageAtOnce() : undefined
        await addTo(place, state, usage === undefined ? waiting : withinQuota(waiting, usage))
      } catch (error) {
        for (const { reject } of waiting) reject(error)
      }
    }
  }
}

async function addTo({ box }: Place, state: State, waiting: readonly Waiting[]): Promise<void> {
  if (waiting.length === 0) return
  const added = await addMessages(box, state, waiting.map(({ adding }) => adding), false)
  waiting.forEach(({ resolve }, index) => resolve(added[index] as Message))
}

/** Those for which there is room, after those before them. */
function withinQuota(waiting: readonly Waiting[], before: Usage): Waiting[] {
  let usage = before
  return waiting.filter(({ adding, quota, reject }) => {
    try {
      usage = withMore(usage, [adding.octets], quota)
      return true
    } catch (error) {
      reject(error)
      return false
    }
  })
}

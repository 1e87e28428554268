import { turn } from '../../adapters/node/event-loop.ts'
import type { MailboxId } from '../../contracts/mailbox.ts'
import type { Changes, MailStore } from '../../contracts/store.ts'
import type { Watchers } from './watchers.ts'

/** Those who ask the same, and the answer to all of them. */
type Asked<Answer> = Map<string, Promise<Answer>>

/**
 * Looks into mailboxes that several sessions have open: when one has changed all of them ask for the same, and most of what a
 * notice costs is the question. Who asks in one turn of the event loop shares one look, which begins after it: each hears of
 * all that had happened when it asked.
 */
export class JointLooks {
  private readonly store: MailStore
  private readonly watchers: Watchers
  private readonly changing: Asked<Changes> = new Map()
  private readonly claiming: Asked<number | undefined> = new Map()

  constructor(store: MailStore, watchers: Watchers) {
    this.store = store
    this.watchers = watchers
  }

  /** What has happened in a mailbox after a mod-sequence. */
  changes(mailbox: MailboxId, since: number): Promise<Changes> {
    if (!this.watchers.isShared(mailbox)) return this.store.changes(mailbox, since)
    return joined(this.changing, `${since} ${mailbox}`, () => this.store.changes(mailbox, since))
  }

  /** From which UID on messages are new to everybody; `null`: none are, or that is not kept. */
  async claim(mailbox: MailboxId): Promise<number | null> {
    const { store, claiming } = this
    if (!store.claim) return null
    if (!this.watchers.isShared(mailbox)) return store.claim(mailbox)
    // RFC 3501 §2.3.2: one of them sees what is recent, the first (I23).
    const isFirst = !claiming.has(mailbox)
    const from = await joined(claiming, mailbox, () => store.claim!(mailbox))
    return isFirst ? from ?? null : null
  }
}

/** The answer that others wait for already, or that of a question that is asked when this turn is over. */
function joined<Answer>(asked: Asked<Answer>, key: string, ask: () => Promise<Answer>): Promise<Answer> {
  const there = asked.get(key)
  if (there) return there
  const answer = turn().then(() => {
    asked.delete(key)
    return ask()
  })
  asked.set(key, answer)
  return answer
}

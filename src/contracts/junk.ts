import type { MailboxId, UidSet } from './mailbox.ts'
import type { Awaitable } from './policy.ts'
import type { MessageId } from './store.ts'

/**
 * What somebody has told of messages of their own. `junk`: they have put them into the mailbox for junk or one below it, or
 * given them the keyword `$Junk`. `notJunk`: they have taken them out of there, but not to throw them away, or have given
 * `$NotJunk` in place of it or taken `$Junk` away. What is delivered there tells nothing, and so do mail programs that judge
 * by themselves, with other keywords.
 */
export interface JunkMarks {
  readonly as: 'junk' | 'notJunk'
  readonly account: string
  /** Where the messages are now, and their UIDs there. */
  readonly mailbox: MailboxId
  readonly uids: UidSet
  /** By the store's own names, by which it gives their octets; at least one, as many as suit the store. */
  readonly messages: readonly MessageId[]
}

/**
 * Learns from what people mark: reads the messages and teaches a filter. Called for one after the other, when the mail program
 * has its answer already or is about to; a rejection is told to the observer, and troubles nobody else. Messages may be gone by
 * the time they are read, and may be marked more than once.
 */
export type LearnJunk = (marks: JunkMarks) => Awaitable<void>

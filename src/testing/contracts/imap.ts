import { modSequences, resynchronisation } from './imap-changes.ts'
import { copies, moves } from './imap-copy.ts'
import { expunges } from './imap-expunge.ts'
import { flags } from './imap-flags.ts'
import { idling } from './imap-idle.ts'
import { interleavings } from './imap-interleaved.ts'
import { mailboxLife, subscriptions } from './imap-mailboxes.ts'
import { manyMessages, messages } from './imap-messages.ts'
import { popped } from './imap-pop3.ts'
import { quotas } from './imap-quota.ts'
import { replaces } from './imap-replace.ts'
import { restarts } from './imap-restart.ts'
import { indexedSearches, searches } from './imap-search.ts'
import type { ImapContractOptions } from './imap-stand.ts'

export type { ImapContractOptions } from './imap-stand.ts'

/**
 * What mail clients find who come to a store by IMAP: servers over the store and clients of them, in one process, by topic.
 * Takes what {@link mailStoreContract} takes, which a store should pass first: that one knows each promise, this one what
 * comes of them together. Whoever wrote a store need not know IMAP: where a check fails it tells which methods to look at
 * first, what they promise, and what clients, server and store said to each other. Takes real time, as the store does; what a
 * store does not offer (`move`, `watch`, `search`, …) is left out, and that is said.
 */
export function imapContract(options: ImapContractOptions): void {
  for (const [topic, define] of topics) options.describe(topic, () => define(options))
}

const topics: readonly (readonly [string, (options: ImapContractOptions) => void])[] = [
  ['mailbox life', mailboxLife],
  ['subscriptions', subscriptions],
  ['messages', messages],
  ['several messages in one APPEND', manyMessages],
  ['flags', flags],
  ['EXPUNGE', expunges],
  ['COPY', copies],
  ['MOVE', moves],
  ['REPLACE', replaces],
  ['CONDSTORE', modSequences],
  ['QRESYNC', resynchronisation],
  ['SEARCH', searches],
  ['SEARCH by the index', indexedSearches],
  ['IDLE', idling],
  ['QUOTA', quotas],
  ['POP3', popped],
  ['several sessions', interleavings],
  ['after a restart', restarts],
]

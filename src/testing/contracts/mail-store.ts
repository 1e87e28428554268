import { appending, appendingAll, appendingMany } from './mail-store-append.ts'
import { changing } from './mail-store-changes.ts'
import { copying, moving } from './mail-store-copy.ts'
import { expunging } from './mail-store-expunge.ts'
import { flagging } from './mail-store-flags.ts'
import { closing, surviving } from './mail-store-lasting.ts'
import { creating, erasing, listingAccounts, removing, subscribing } from './mail-store-mailboxes.ts'
import { modelling } from './mail-store-model.ts'
import { recounting, usage } from './mail-store-quota.ts'
import { claiming, listing, reading, readingSeveral } from './mail-store-read.ts'
import { renaming } from './mail-store-rename.ts'
import { replicating } from './mail-store-replica.ts'
import { replacing } from './mail-store-replace.ts'
import { searching } from './mail-store-search.ts'
import { watching, watchingAccounts } from './mail-store-watch.ts'
import type { MailStoreContractOptions } from './sample-mail.ts'

export type { MailStoreContractOptions, OpenedMailStore } from './sample-mail.ts'

/**
 * What every mail store has to do, whatever it runs on, by topic. What a store does not offer (`move`, `watch`, a durability
 * that a crash could try) is left out, and that is said.
 */
export function mailStoreContract(options: MailStoreContractOptions): void {
  for (const [topic, define] of topics) options.describe(topic, () => define(options))
}

const topics: readonly (readonly [string, (options: MailStoreContractOptions) => void])[] = [
  ['mailboxes', creating],
  ['rename', renaming],
  ['remove', removing],
  ['append', appending],
  ['append, many at once', appendingMany],
  ['appendAll', appendingAll],
  ['entries and list', listing],
  ['changes', changing],
  ['flag', flagging],
  ['expunge', expunging],
  ['copy', copying],
  ['move', moving],
  ['replace', replacing],
  ['usage and quota', usage],
  ['recount', recounting],
  ['erase', erasing],
  ['accounts', listingAccounts],
  ['subscriptions', subscribing],
  ['claim', claiming],
  ['search', searching],
  ['watch', watching],
  ['watchAccount', watchingAccounts],
  ['body', reading],
  ['octets', readingSeveral],
  ['any operations', modelling],
  ['many at once', replicating],
  ['after a crash', surviving],
  ['close', closing],
]

import type { MailboxId, Quota, UidSet } from '../../contracts/mailbox.ts'
import type { Copied } from '../../contracts/store.ts'
import type { Account, Place } from './account.ts'
import { sizeIn } from './file-name.ts'
import { withMore } from './room.ts'
import type { Shared } from './shared.ts'
import { baseOf } from './staging.ts'
import type { Message, State } from './state.ts'
import { type Adding, addMessages } from './transact.ts'

/** Messages of a mailbox that was looked at. */
export interface Source {
  readonly place: Place
  readonly state: State
  readonly uids: UidSet
}

/**
 * Copies messages, all or none, by other names for the same files; or, with `'move'`, takes them away where they were, in the
 * same account. Runs with the locks of both accounts.
 */
export async function copyAll(
  shared: Shared,
  { place, state, uids }: Source,
  target: { readonly account: Account; readonly mailbox: MailboxId },
  how: Quota | 'move' | undefined,
): Promise<readonly Copied[]> {
  const found = state.find(uids)
  const to = await target.account.lookOf(target.mailbox)
  if (found.length === 0) return []
  if (how !== 'move' && how) withMore(await target.account.usageAtOnce(), found.map(({ octets }) => octets), how)
  const adding = await addingOf(shared, place, state, found)
  const added = how === 'move'
    ? await target.account.moveMessages(place, found, to.place, adding)
    : await addMessages(to.place.box, to.state, adding, true)
  return found.map(({ uid }, index) => ({ from: uid, to: (added[index] as Message).uid }))
}

async function addingOf(shared: Shared, { box }: Place, state: State, found: readonly Message[]): Promise<Adding[]> {
  const records = await box.records(state, found)
  return found.map((message, index) => {
    const { base: before, id, received, flags, octets, bareLf } = message
    const [size, crlf] = [sizeIn(before, 'S'), sizeIn(before, 'W')]
    const sized = size !== undefined && crlf !== undefined
    const base = sized ? baseOf(shared, size, crlf) : shared.names.next(shared.now())
    return { source: box.fileOf(message), base, id, received, flags, octets, bareLf, record: records[index] }
  })
}

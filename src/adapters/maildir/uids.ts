import type { UidSet } from '../../contracts/mailbox.ts'
import { setOf } from '../../protocol/bytes/number-set.ts'

/** All there can be. */
export const everything: UidSet = [{ first: 1, last: Number.MAX_SAFE_INTEGER }]

/** The set of the items' UIDs. */
export function uidsOf(items: readonly { readonly uid: number }[]): UidSet {
  return setOf(items.map(({ uid }) => ({ first: uid, last: uid })))
}

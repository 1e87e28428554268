import { isMailError } from '../../protocol/session/errors.ts'
import { Refused } from '../../protocol/session/refusal.ts'
import type { Selection } from '../../contracts/store.ts'
import type { NumberRange, Page, Refusal } from '../../protocol/imap/index.ts'

const unavailable: Refusal = { code: 'UNAVAILABLE', refused: 'Temporary failure, try again later' }

/** What a client is told of an error of the store's. Whatever it cannot explain is temporary. */
export function refusalFor(error: unknown): Refusal {
  if (error instanceof Refused) {
    const { code, message, limit } = error
    return { ...(code === undefined ? {} : { code }), ...(limit === undefined ? {} : { limit }), refused: message }
  }
  if (!isMailError(error)) return unavailable
  switch (error.code) {
    case 'quota':
      return { code: 'OVERQUOTA', refused: 'The account is full' }
    case 'permanent':
      return { code: 'NONEXISTENT', refused: 'There is no such mailbox, or it cannot be so' }
    default:
      return unavailable
  }
}

/** The first page of a listing: the rest is asked for anew, when there is room for it. */
export async function firstPage<Item>(pages: AsyncIterable<readonly Item[]>): Promise<Page<Item>> {
  for await (const items of pages) return { items, last: false }
  return { items: [], last: true }
}

/** Messages of which a session asks, as stores take them. */
export function selection(uids: readonly NumberRange[], since: number): Selection {
  return since > 0 ? { uids, since } : { uids }
}

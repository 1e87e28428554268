import { contains, type NumberSet } from '../../bytes/number-set.ts'
import type { ImapEntry } from '../mailbox.ts'
import type { SearchKey } from '../search-keys.ts'
import type { Selected } from './context.ts'
import { objectId } from './object-id.ts'

/** A day in milliseconds. */
const DAY = 86_400_000

/** What keys may look at beside the messages. */
export interface SearchScope {
  readonly selected: Selected
  /** Sets of the search, resolved: by the key that names them. */
  readonly sets: ReadonlyMap<SearchKey, NumberSet>
  readonly recent: NumberSet
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** What an index has said of words; `null`: it can say nothing. */
  readonly candidates: Map<string, NumberSet | null>
}

/** Whether what a key looks at is known without what the message says. */
export function isOfEntry(key: SearchKey): boolean {
  switch (key.kind) {
    case 'address':
    case 'subject':
    case 'header':
    case 'text':
      return false
    case 'date':
      return key.of !== 'sent'
    case 'id':
      return key.of === 'M'
    default:
      return true
  }
}

/** Whether a message is what a key asks for, all of which is {@link isOfEntry}; anything else is not met. */
export function meets(scope: SearchScope, key: SearchKey, entry: ImapEntry): boolean {
  switch (key.kind) {
    case 'not':
      return !meets(scope, key.key, entry)
    case 'and':
      return key.keys.every((one) => meets(scope, one, entry))
    case 'or':
      return key.keys.some((one) => meets(scope, one, entry))
    case 'all':
      return true
    case 'recent':
      return contains(scope.recent, entry.uid)
    case 'flag':
      return hasFlag(entry, key.flag)
    case 'size':
      return key.how === 'larger' ? entry.octets > key.octets : entry.octets < key.octets
    case 'uids':
    case 'sequences':
      return contains(scope.sets.get(key)!, entry.uid)
    case 'modSeq':
      return entry.modSeq >= key.least
    case 'age': {
      const old = (scope.now - entry.received) / 1000
      return key.how === 'older' ? old >= key.seconds : old <= key.seconds
    }
    case 'date':
      return dateMatches(key, Math.floor((key.of === 'saved' ? entry.saved : entry.received) / DAY) * DAY)
    case 'id':
      return key.id === objectId('M', entry.id)
    default:
      return false
  }
}

/** Keywords are compared without case (RFC 9051 §2.3.2). */
function hasFlag({ flags }: ImapEntry, flag: string): boolean {
  if (flags.includes(flag)) return true
  const lower = flag.toLowerCase()
  return flags.some((one) => one.length === lower.length && one.toLowerCase() === lower)
}

/** Whether a day, NaN for none, is what the key asks for. */
export function dateMatches({ how, day }: Extract<SearchKey, { kind: 'date' }>, found: number): boolean {
  return how === 'on' ? found === day : how === 'before' ? found < day : found >= day
}

import { Malformed, type Reader } from './reader.ts'

/** What STATUS can tell of a mailbox (RFC 9051 §6.3.11). */
export type StatusItem =
  | 'MESSAGES' | 'UIDNEXT' | 'UIDVALIDITY' | 'UNSEEN' | 'DELETED' | 'SIZE' | 'RECENT' | 'HIGHESTMODSEQ' | 'APPENDLIMIT'
  | 'MAILBOXID'
  | 'DELETED-STORAGE'

const statusItems: ReadonlySet<string> = new Set<StatusItem>([
  'MESSAGES', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN', 'DELETED', 'SIZE', 'RECENT', 'HIGHESTMODSEQ', 'APPENDLIMIT', 'MAILBOXID',
  'DELETED-STORAGE',
])

type ReturnOption = 'SUBSCRIBED' | 'CHILDREN' | 'SPECIAL-USE' | 'MYRIGHTS'

const isReturn = (option: string): option is ReturnOption =>
  option === 'SUBSCRIBED' || option === 'CHILDREN' || option === 'SPECIAL-USE' || option === 'MYRIGHTS'

/** A LIST as it was given (RFC 5258). */
export interface ListOrder {
  readonly reference: string
  readonly patterns: readonly string[]
  /** Only what is subscribed to. */
  readonly subscribed: boolean
  /** Only what has a special use. */
  readonly special: boolean
  /** Also what has something below it that was selected. */
  readonly recursive: boolean
  readonly returns: ReadonlySet<ReturnOption>
  readonly status: readonly StatusItem[]
  /** More than the LIST of old: names that match may be said once only. */
  readonly extended: boolean
}

/** Patterns of one LIST. */
const MOST_PATTERNS = 50

/** Reads what follows LIST. */
export function readList(reader: Reader): ListOrder {
  reader.space()
  const selects = new Set<string>()
  const extended = reader.atList
  if (extended) {
    reader.list(() => selects.add(readSelection(reader)), true)
    reader.space()
  }
  // RFC 5258 §3: a base option must be there for it to mean anything.
  if (selects.has('RECURSIVEMATCH') && !selects.has('SUBSCRIBED') && !selects.has('SPECIAL-USE')) {
    throw new Malformed('RECURSIVEMATCH of what?')
  }
  const reference = reader.astring()
  reader.space()
  const several = reader.atList
  const patterns = several ? reader.list(() => reader.listMailbox()) : [reader.listMailbox()]
  if (patterns.length > MOST_PATTERNS) throw new Malformed('Too many patterns')
  const returns = new Set<ReturnOption>()
  let status: readonly StatusItem[] = []
  const hasReturn = reader.maybeSpace()
  if (hasReturn) {
    if (reader.word() !== 'RETURN') throw new Malformed('RETURN is missing')
    reader.space()
    reader.list(() => {
      const option = reader.word()
      if (option === 'STATUS') {
        reader.space()
        status = readStatusItems(reader)
      } else if (isReturn(option)) returns.add(option)
      else throw new Malformed('There is no option', { word: option })
    }, true)
  }
  reader.end()
  return {
    reference,
    patterns,
    subscribed: selects.has('SUBSCRIBED'),
    special: selects.has('SPECIAL-USE'),
    recursive: selects.has('RECURSIVEMATCH'),
    returns,
    status,
    extended: extended || several || hasReturn,
  }
}

function readSelection(reader: Reader): string {
  const option = reader.word()
  if (option === 'SUBSCRIBED' || option === 'REMOTE' || option === 'RECURSIVEMATCH' || option === 'SPECIAL-USE') return option
  throw new Malformed('There is no option', { word: option })
}

/** Reads the items of STATUS in their parentheses. */
export function readStatusItems(reader: Reader): readonly StatusItem[] {
  return reader.list(() => {
    const item = reader.word()
    if (!statusItems.has(item)) throw new Malformed('There is no item', { word: item })
    return item as StatusItem
  })
}

import type { FlagChange } from '../../contracts/store.ts'

/** System flags as RFC 9051 §2.3.2 spells them, by what they are compared by. */
const SYSTEM = new Map(['\\Answered', '\\Deleted', '\\Draft', '\\Flagged', '\\Seen'].map((flag) => [keyOf(flag), flag]))

/** Combinations of flags that are remembered; a mailbox rarely has more than a dozen. */
const MOST_REMEMBERED = 1000

/** Flags of a message in all the shapes they are needed in. */
export interface FlagSet {
  /** As they are kept: separated by spaces. */
  readonly text: string
  /** Frozen, since many messages share it. */
  readonly flags: readonly string[]
  readonly seen: boolean
  readonly deleted: boolean
}

const remembered = new Map<string, FlagSet>()

/** Flags as they are kept. The same object for the same text, mostly. */
export function flagSet(text: string): FlagSet {
  const known = remembered.get(text)
  if (known) return known
  const made = setOf(text === '' ? [] : [...byKey(text.split(' ')).values()], text)
  if (remembered.size >= MOST_REMEMBERED) remembered.clear()
  remembered.set(text, made)
  return made
}

const NONE = flagSet('')

/** Flags as a caller gives them. */
export function givenFlags(flags: readonly string[] | undefined): FlagSet {
  return flags === undefined || flags.length === 0 ? NONE : flagSet([...byKey(flags).values()].join(' '))
}

/** What a change makes of flags; the very same object where it makes no difference. */
export function changing({ kind, flags }: FlagChange): (before: FlagSet) => FlagSet {
  const given = byKey(flags)
  const known = new Map<FlagSet, FlagSet>()
  return (before) => {
    const found = known.get(before)
    if (found) return found
    const made = changed(before, kind, given)
    known.set(before, made)
    return made
  }
}

function changed(before: FlagSet, kind: FlagChange['kind'], given: ReadonlyMap<string, string>): FlagSet {
  const after = kind === 'replace' ? new Map<string, string>() : byKey(before.flags)
  for (const [key, flag] of given) {
    if (kind === 'remove') after.delete(key)
    else if (!after.has(key)) after.set(key, flag)
  }
  const same = after.size === before.flags.length && before.flags.every((flag) => after.has(keyOf(flag)))
  return same ? before : flagSet([...after.values()].join(' '))
}

function setOf(flags: readonly string[], text: string): FlagSet {
  return { text, flags: Object.freeze(flags), seen: flags.includes('\\Seen'), deleted: flags.includes('\\Deleted') }
}

/** RFC 9051 §2.3.2: system flags without case. Keywords octet by octet, as the contract has it. */
function keyOf(flag: string): string {
  return flag.startsWith('\\') ? flag.toLowerCase() : flag
}

/** Each once, system flags in their usual spelling. */
function byKey(flags: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const flag of flags) {
    const key = keyOf(flag)
    if (!found.has(key)) found.set(key, SYSTEM.get(key) ?? flag)
  }
  return found
}

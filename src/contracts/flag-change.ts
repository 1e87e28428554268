import type { FlagChange } from './store.ts'

/** System flags as RFC 9051 §2.3.2 spells them, by what they are compared by. */
const systemFlags = new Map(['\\Answered', '\\Deleted', '\\Draft', '\\Flagged', '\\Seen'].map((flag) => [keyOf(flag), flag]))

/** What flags are compared by: without case where they begin with `\`, octet by octet otherwise. */
function keyOf(flag: string): string {
  return flag.startsWith('\\') ? flag.toLowerCase() : flag
}

/** The flags, each once, system flags in the spelling of RFC 9051 §2.3.2: as a store keeps them. */
export function canonicalFlags(flags: readonly string[]): readonly string[] {
  return [...byKey(flags).values()]
}

/** The {@link canonicalFlags} after a change, or `undefined` where it changes nothing. */
export function changedFlags(before: readonly string[], { kind, flags }: FlagChange): readonly string[] | undefined {
  const after = kind === 'replace' ? new Map<string, string>() : byKey(before)
  for (const [key, flag] of byKey(flags)) {
    if (kind === 'remove') after.delete(key)
    else if (!after.has(key)) after.set(key, flag)
  }
  const same = after.size === before.length && before.every((flag) => after.has(keyOf(flag)))
  return same ? undefined : [...after.values()]
}

function byKey(flags: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const flag of flags) {
    const key = keyOf(flag)
    if (!found.has(key)) found.set(key, systemFlags.get(key) ?? flag)
  }
  return found
}

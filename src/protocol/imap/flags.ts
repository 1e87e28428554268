/** System flags in their one spelling (RFC 9051 §2.3.2): whatever a client writes, this is what others read (I22). */
export const SYSTEM_FLAGS = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'] as const

const canonical: ReadonlyMap<string, string> = new Map(SYSTEM_FLAGS.map((flag) => [flag.toLowerCase(), flag]))

/** Octets of a keyword, and keywords of one command. */
const MOST_OCTETS = 100
const MOST_FLAGS = 128

/**
 * Flags as a client gave them: each once, system flags in their spelling. `undefined` where there is one that a mailbox cannot
 * keep:
 * a `\` flag that nobody defined, a keyword that is too long, too many.
 */
export function normalFlags(flags: readonly string[]): readonly string[] | undefined {
  const seen = new Map<string, string>()
  for (const flag of flags) {
    const lower = flag.toLowerCase()
    const name = flag.startsWith('\\') ? canonical.get(lower) : flag
    if (name === undefined || name.length > MOST_OCTETS) return undefined
    // RFC 9051 §2.3.2: keywords are compared without case; the first spelling stays.
    if (!seen.has(lower)) seen.set(lower, name)
  }
  return seen.size > MOST_FLAGS ? undefined : [...seen.values()]
}

/** Whether the flag is a keyword. */
export const isKeyword = (flag: string): boolean => !flag.startsWith('\\')

/** Texts of flag lists by the list itself: stores give the same list for the same flags again and again. */
const texts = new WeakMap<readonly string[], string>()

/** `(\Seen $Junk)`. */
export function formatFlags(flags: readonly string[], recent = false): string {
  if (recent) return `(${['\\Recent', ...flags].join(' ')})`
  let text = texts.get(flags)
  if (text === undefined) texts.set(flags, (text = `(${flags.join(' ')})`))
  return text
}

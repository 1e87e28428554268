/** What has become of a message for one of those it is to reach in the end. */
export type End = 'copy' | 'failed' | 'dropped'

/** A message, by its Message-ID. */
export interface LedgerEntry {
  readonly key: string
  readonly sender: string | undefined
  /** Whom it is for, as its sender wants it: some of them get it before he is told that it was taken. */
  readonly meant: ReadonlySet<string>
  /** Whom it is owed to: what a 250 was given for. */
  readonly owed: Set<string>
  /** Ends, each with where it came about. */
  readonly ends: { readonly leaf: string; readonly end: End; readonly where: string }[]
  /** What may have made one more of it, each in words. */
  readonly disturbances: string[]
  /** Ticks. */
  readonly began: number
  last: number
}

/**
 * Keeps account of all mail: what was promised, and what has become of it. An address may stand for others (aliases); those at
 * the end of the way, its leaves, are what is counted.
 */
export class Ledger {
  readonly entries = new Map<string, LedgerEntry>()
  /** What breaks a rule at once. */
  readonly violations: string[] = []
  private readonly ticks: () => number
  private readonly leaves = new Map<string, readonly string[]>()

  constructor(ticks: () => number) {
    this.ticks = ticks
  }

  /** An address stands for others. */
  leadsTo(address: string, leaves: readonly string[]): void {
    this.leaves.set(address, leaves)
  }

  /** Where mail for an address ends up. */
  leavesOf(address: string): readonly string[] {
    return this.leaves.get(address) ?? [address]
  }

  /** A message has come into the world, for these addresses. `sender`: `undefined` for the null sender. */
  begin(key: string, sender: string | undefined, to: readonly string[] = []): LedgerEntry {
    const known = this.entries.get(key)
    if (known) return known
    const now = this.ticks()
    const meant = new Set(to.flatMap((address) => this.leavesOf(address)))
    const entry: LedgerEntry = { key, sender, meant, owed: new Set(), ends: [], disturbances: [], began: now, last: now }
    this.entries.set(key, entry)
    return entry
  }

  /** Somebody was told that it is as good as there. */
  promise(key: string, address: string): void {
    const { owed } = this.entries.get(key)!
    for (const leaf of this.leavesOf(address)) owed.add(leaf)
  }

  /** It has come to an end for a leaf. */
  end(key: string | undefined, leaf: string, end: End, where: string): void {
    const entry = this.known(key, `${end} for ${leaf} at ${where}`)
    if (!entry) return
    entry.ends.push({ leaf, end, where })
    entry.last = this.ticks()
  }

  /** A copy was found after all was over. */
  counted(key: string | undefined, leaf: string, where: string): void {
    this.known(key, `a copy for ${leaf} in ${where}`)?.ends.push({ leaf, end: 'copy', where })
  }

  /** It has come to an end for all that an address stands for. */
  endAll(key: string | undefined, address: string, end: End, where: string): void {
    for (const leaf of this.leavesOf(address)) this.end(key, leaf, end, where)
  }

  /** Something has happened after which there may be one more of it. */
  disturb(key: string | undefined, why: string): void {
    this.known(key, why)?.disturbances.push(why)
  }

  /** The same for all messages that are for a leaf. */
  disturbAll(leaf: string, why: string): void {
    for (const { meant, owed, disturbances } of this.entries.values()) {
      if (meant.has(leaf) || owed.has(leaf)) disturbances.push(why)
    }
  }

  /** It is still at work on. */
  touch(key: string | undefined): void {
    const entry = this.entries.get(key ?? '')
    if (entry) entry.last = this.ticks()
  }

  violate(what: string): void {
    this.violations.push(what)
  }

  /** Balances the books: what is wrong with them. */
  balance(): string[] {
    const wrong = [...this.violations]
    for (const entry of this.entries.values()) {
      const leaves = new Set([...entry.owed, ...entry.ends.map(({ leaf }) => leaf)])
      for (const leaf of leaves) {
        const ends = entry.ends.filter((each) => each.leaf === leaf)
        const owed = entry.owed.has(leaf) ? 1 : 0
        const told = ends.map(({ end, where }) => `${end} (${where})`).join(', ')
        if (ends.length < owed) wrong.push(`${entry.key} for ${leaf} is lost`)
        if (ends.length > owed + entry.disturbances.length) {
          const why = entry.disturbances.length === 0 ? 'nothing explains it' : `only ${entry.disturbances.join(', ')}`
          wrong.push(`${entry.key} for ${leaf} has come to ${ends.length} ends: ${told}; ${why}`)
        }
      }
    }
    return wrong
  }

  private known(key: string | undefined, what: string): LedgerEntry | undefined {
    const entry = key === undefined ? undefined : this.entries.get(key)
    if (!entry) this.violate(`A message that nobody has sent (${key}): ${what}`)
    return entry
  }
}

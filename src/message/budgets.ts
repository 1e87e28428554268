/**
 * What a message may cost. Over a budget nothing is refused: what goes beyond is left in one piece (a leaf that is not
 * looked into) or left out, and the facts say so in their oddities.
 */
export interface Budgets {
  /** Parts nested in each other, the message itself being the first. What lies deeper is not taken apart. */
  readonly depth: number
  /** Parts in all, containers and the message itself included. The last one takes all that follows. */
  readonly parts: number
  /** Parameters of Content-Type and Content-Disposition in all parts together. */
  readonly parameters: number
  /** Addresses in all envelopes together. */
  readonly addresses: number
  /** Octets of one header field. The rest of it is not read. */
  readonly field: number
  /** Octets of all headers together. The rest is not read, and the message is not taken apart any further. */
  readonly headers: number
  /** Octets compared while telling delimiters from other lines that begin with dashes, for each octet of the message. */
  readonly work: number
}

/** Depth and parts as Dovecot has them; headers far above what real mail carries. Argued in `docs/limits.md`. */
export const defaultBudgets: Budgets = {
  depth: 100,
  parts: 10_000,
  parameters: 1_000,
  addresses: 10_000,
  field: 256 * 1024,
  headers: 2 * 1024 * 1024,
  work: 16,
}

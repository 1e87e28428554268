/**
 * Characters of facts in a page of a listing, those of a single message aside: what ten thousand parts say. Whoever reads a page
 * does so in one turn of the event loop.
 */
const MOST = 1024 * 1024

/** How many messages a page of a listing may tell of, by the lengths of their facts, in the order of the listing: one or more. */
export function pageOfFacts(lengths: readonly number[]): number {
  let sum = lengths[0] ?? 0
  let count = 1
  while (count < lengths.length && (sum += lengths[count]!) <= MOST) count++
  return count
}

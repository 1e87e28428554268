/** Letters to be put in, taken out, changed, or exchanged with the next to make one word of the other. */
export function distance(one: string, other: string): number {
  let before: number[] = []
  let row = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++) {
      const change = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1)
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1))
      const isExchanged = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      if (isExchanged) next[j] = Math.min(next[j]!, before[j - 2]! + 1)
    }
    before = row
    row = next
  }
  return row[other.length]!
}

/**
 * The word that was meant by one that is not known, or `undefined` where none is near: within `most` letters, and a third of what
 * was spelt. Case does not count.
 */
export function nearest(spelt: string, known: readonly string[], most = 3): string | undefined {
  // What is longer than any word is none of them, and comparing takes its time.
  if (spelt.length > 40) return undefined
  let found: string | undefined
  // In a short word two letters are nearly all of it.
  let least = Math.min(most, Math.max(1, Math.floor(spelt.length / 3)))
  for (const word of known) {
    const far = distance(word.toLowerCase(), spelt.toLowerCase())
    // Of a word of one letter every other is one letter away.
    if (far >= word.length || far >= spelt.length) continue
    if (far < least || (far === least && found === undefined)) [found, least] = [word, far]
  }
  return found
}

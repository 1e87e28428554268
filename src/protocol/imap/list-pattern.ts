import { DELIMITER } from './mailbox-name.ts'

/**
 * Whether a name matches a pattern of LIST: `*` stands for anything, `%` for anything without the delimiter (RFC 9051 §6.3.9).
 * At most as many steps as name and pattern have characters, multiplied; patterns such as `*a*a*a*` cost no more (I40).
 *
 * A `*` never has to be reconsidered once a later `*` has been reached; a `%` not once a later wildcard of either kind matched
 * behind the same delimiter. So two places to go back to are enough.
 */
export function matchesPattern(name: string, pattern: string): boolean {
  let at = 0
  let by = 0
  let star = -1
  let starAt = 0
  let percent = -1
  let percentAt = 0
  for (;;) {
    const wanted = pattern[by]
    if (wanted === '*') {
      star = ++by
      starAt = at
      percent = -1
    } else if (wanted === '%') {
      percent = ++by
      percentAt = at
    } else if (at === name.length && by === pattern.length) return true
    else if (at < name.length && wanted === name[at]) {
      at++
      by++
    } else if (percent >= 0 && percentAt < name.length && name[percentAt] !== DELIMITER) {
      at = ++percentAt
      by = percent
    } else if (star >= 0 && starAt < name.length) {
      at = ++starAt
      by = star
      percent = -1
    } else return false
  }
}

/** Days in two characters, as SRS has them: days since the Unix epoch modulo 1024, in the base32 of RFC 4648. */

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const SLOTS = 1024
const DAY = 86_400_000

/** The day of a time in milliseconds since the Unix epoch. */
export function dayOf(now: number): number {
  return Math.floor(now / DAY)
}

/** Two characters for a day. */
export function dayStamp(day: number): string {
  const slot = ((day % SLOTS) + SLOTS) % SLOTS
  return DIGITS.charAt(slot >> 5) + DIGITS.charAt(slot & 31)
}

/**
 * Whether the day that the stamp means, in any letter case, is `days` ago or less, or tomorrow: two clocks may differ. What is no
 * stamp is not.
 */
export function isWithinDays(stamp: string, today: number, days: number): boolean {
  const upper = stamp.toUpperCase()
  const high = DIGITS.indexOf(upper.charAt(0))
  const low = DIGITS.indexOf(upper.charAt(1))
  if (upper.length !== 2 || high < 0 || low < 0) return false
  const age = (((today - (high * 32 + low)) % SLOTS) + SLOTS) % SLOTS
  return age <= days || age === SLOTS - 1
}

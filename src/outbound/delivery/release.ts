import type { Envelope } from '../../contracts/received.ts'

/** RFC 4865: from when on a message may be delivered, in milliseconds since the Unix epoch. */
export function releaseTime({ hold }: Envelope, received: number): number {
  if (hold === undefined) return received
  return Math.max(received, 'seconds' in hold ? received + hold.seconds * 1000 : timeOf(hold.until) || received)
}

/** RFC 2852: by when a message is to be delivered; `undefined`: any time. */
export function deliverByTime({ deliverBy }: Envelope, received: number): number | undefined {
  return deliverBy && received + deliverBy.seconds * 1000
}

/** RFC 3339: a date-time that has the right shape, in milliseconds; NaN where it has not. */
function timeOf(text: string): number {
  const number = (from: number, to: number): number => Number(text.slice(from, to))
  const midnight = Date.UTC(number(0, 4), number(5, 7) - 1, number(8, 10))
  const minutes = number(11, 13) * 60 + number(14, 16)
  let end = 19
  while (end < text.length && !'Zz+-'.includes(text.charAt(end))) end++
  const fraction = end > 19 ? number(19, end) : 0
  const sign = text.charAt(end) === '-' ? -1 : text.charAt(end) === '+' ? 1 : 0
  const zone = sign === 0 ? 0 : sign * (number(end + 1, end + 3) * 60 + number(end + 4, end + 6))
  return midnight + (minutes - zone) * 60_000 + number(17, 19) * 1000 + Math.floor(fraction * 1000)
}

import { formatDate } from '../../message/date.ts'

const MINUTE = 60_000
const DAY = 86_400_000
/** Modified Julian day of the Unix epoch. */
const EPOCH = 40_587

const two = (number: number): string => String(number).padStart(2, '0')

/** A moment on a clock that is some minutes ahead of UTC. */
interface Local {
  readonly at: number
  readonly date: Date
  readonly zone: number
}

const parts: ReadonlyMap<string, (local: Local) => string> = new Map<string, (local: Local) => string>([
  ['year', ({ date }) => String(date.getUTCFullYear()).padStart(4, '0')],
  ['month', ({ date }) => two(date.getUTCMonth() + 1)],
  ['day', ({ date }) => two(date.getUTCDate())],
  ['date', dateOf],
  ['julian', ({ at, zone }) => String(Math.floor((at + zone * MINUTE) / DAY) + EPOCH)],
  ['hour', ({ date }) => two(date.getUTCHours())],
  ['minute', ({ date }) => two(date.getUTCMinutes())],
  ['second', ({ date }) => two(date.getUTCSeconds())],
  ['time', timeOf],
  // RFC 5260 §4.2: an offset of zero is Z here.
  ['iso8601', (local) => `${dateOf(local)}T${timeOf(local)}${local.zone === 0 ? 'Z' : zoneOf(local.zone, ':')}`],
  ['std11', ({ at, zone }) => formatDate(at, zone)],
  ['zone', ({ zone }) => zoneOf(zone)],
  ['weekday', ({ date }) => String(date.getUTCDay())],
])

/** Whether there is a part of a date by that name (RFC 5260 §4.2). */
export function isDatePart(name: string): boolean {
  return parts.has(name.toLowerCase())
}

/** A part of a date: milliseconds since the Unix epoch, as shown by a clock that is `zone` minutes ahead of UTC. */
export function datePart(name: string, at: number, zone: number): string | undefined {
  return parts.get(name.toLowerCase())?.({ at, date: new Date(at + zone * MINUTE), zone })
}

function dateOf({ date }: Local): string {
  return `${String(date.getUTCFullYear()).padStart(4, '0')}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`
}

function timeOf({ date }: Local): string {
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
}

function zoneOf(zone: number, separator = ''): string {
  const minutes = Math.abs(zone)
  return `${zone < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}${separator}${two(minutes % 60)}`
}

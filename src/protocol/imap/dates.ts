import { Malformed, type Reader } from './reader.ts'

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** `date-time` (RFC 9051 §9), quoted: milliseconds since the Unix epoch (I54). */
export function readDateTime(reader: Reader): number {
  const match = /^( \d|\d\d)-([a-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/.exec(reader.quoted().toLowerCase())
  if (!match) throw new Malformed('A date and time is missing')
  const [, day, month, year, hour, minute, second, sign, zoneHour, zoneMinute] = match as unknown as string[]
  const at = dayOf(Number(day), month!, Number(year))
  const [h, m, s] = [Number(hour), Number(minute), Number(second)]
  const zone = Number(zoneHour) * 60 + Number(zoneMinute)
  // 60: a leap second.
  if (at === undefined || h > 23 || m > 59 || s > 60 || zone > 24 * 60) throw new Malformed('There is no such date and time')
  return at + ((h * 60 + m - (sign === '-' ? -zone : zone)) * 60 + s) * 1000
}

/** `date` (RFC 9051 §9), quoted or not: the day it begins, in milliseconds since the Unix epoch. */
export function readDate(reader: Reader): number {
  const text = reader.astring().toLowerCase()
  const match = /^(\d\d?)-([a-z]{3})-(\d{4})$/.exec(text)
  const at = match ? dayOf(Number(match[1]), match[2]!, Number(match[3])) : undefined
  if (at === undefined) throw new Malformed('A date is missing')
  return at
}

function dayOf(day: number, month: string, year: number): number | undefined {
  const index = MONTHS.indexOf(month)
  // Two digits would be taken for a year of the twentieth century.
  const at = new Date(0).setUTCFullYear(year, index, day)
  return index < 0 || new Date(at).getUTCDate() !== day ? undefined : at
}

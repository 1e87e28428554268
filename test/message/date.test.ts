import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDate, parseDate } from '../../src/message/date.ts'

const at = (text: string): string | undefined => {
  const date = parseDate(text)
  return date && `${new Date(date.epochMs).toISOString().slice(0, 19)} ${date.zoneMinutes}`
}

describe('dates', () => {
  it.each<[string, string, string]>([
    ['RFC 5322 A.1.1', 'Fri, 21 Nov 1997 09:55:06 -0600', '1997-11-21T15:55:06 -360'],
    ['A.1.2', 'Tue, 1 Jul 2003 10:52:37 +0200', '2003-07-01T08:52:37 120'],
    ['A.1.3', 'Thu, 13 Feb 1969 23:32:54 -0330', '1969-02-14T03:02:54 -210'],
    ['A.4', 'Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', '1997-11-21T15:55:06 -360'],
    ['A.5', 'Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)',
      '1969-02-14T03:02:00 -210'],
    ['A.6.2', '21 Nov 97 09:55:06 GMT', '1997-11-21T09:55:06 0'],
    ['two digits below 50', '21 Nov 49 09:55:06 GMT', '2049-11-21T09:55:06 0'],
    ['three digits', '21 Nov 102 09:55:06 GMT', '2002-11-21T09:55:06 0'],
    ['obsolete zones', 'Fri, 21 Nov 1997 09:55:06 PDT', '1997-11-21T16:55:06 -420'],
    ['a military zone', 'Fri, 21 Nov 1997 09:55:06 Q', '1997-11-21T09:55:06 0'],
    ['-0000', 'Fri, 21 Nov 1997 09:55:06 -0000', '1997-11-21T09:55:06 0'],
    ['no zone', 'Fri, 21 Nov 1997 09:55:06', '1997-11-21T09:55:06 0'],
    ['no seconds', 'Fri, 21 Nov 1997 09:55 +0100', '1997-11-21T08:55:00 60'],
    ['no day name, small letters', '21 nov 1997 9:55 +0100', '1997-11-21T08:55:00 60'],
    ['the wrong day name', 'Mon, 21 Nov 1997 09:55:06 +0000', '1997-11-21T09:55:06 0'],
    ['a leap second', 'Sat, 31 Dec 2016 23:59:60 +0000', '2017-01-01T00:00:00 0'],
    ['a leap day', '29 Feb 2000 00:00 +0000', '2000-02-29T00:00:00 0'],
    ['a zone name in a comment', 'Wed, 5 Apr 2006 06:01:08 +0200 (CEST)', '2006-04-05T04:01:08 120'],
    ['a zone name and an offset', 'Wed, 5 Apr 2006 06:01:08 GMT+0200', '2006-04-05T04:01:08 120'],
    ['an offset and a zone name', 'Wed, 5 Apr 2006 06:01:08 +0200 CEST', '2006-04-05T04:01:08 120'],
    ['a colon in the offset', 'Wed, 5 Apr 2006 06:01:08 +02:00', '2006-04-05T04:01:08 120'],
    ['a short offset', 'Wed, 5 Apr 2006 06:01:08 -5', '2006-04-05T11:01:08 -300'],
    ['an offset of 14 hours', '1 Jan 2026 00:00:00 +1400', '2025-12-31T10:00:00 840'],
    ['an impossible offset', '1 Jan 2026 00:00:00 +9999', '2026-01-01T00:00:00 0'],
    ['hyphens', 'Wednesday, 05-Apr-06 06:01:08 GMT', '2006-04-05T06:01:08 0'],
    ['a month in full', '5 April 2006 06:01:08 +0000', '2006-04-05T06:01:08 0'],
    ['ctime', 'Wed Apr  5 06:01:08 2006', '2006-04-05T06:01:08 0'],
    ['ctime with a zone', 'Wed Apr 5 06:01:08 PST 2006', '2006-04-05T14:01:08 -480'],
    ['ISO 8601', '2006-04-05T06:01:08Z', '2006-04-05T06:01:08 0'],
    ['ISO 8601 with an offset', '2006-04-05 06:01:08.123-02:30', '2006-04-05T08:31:08 -150'],
    ['afternoon', 'April 5, 2006 6:01:08 PM', '2006-04-05T18:01:08 0'],
    ['after midnight', 'April 5, 2006 12:01:08 AM', '2006-04-05T00:01:08 0'],
    ['a long comment', `Fri, 21 Nov 1997 09:55:06 -0600 (${'x'.repeat(500)})`, '1997-11-21T15:55:06 -360'],
    ['a comment that never ends', 'Fri, 21 Nov 1997 09:55:06 -0600 (CST', '1997-11-21T15:55:06 -360'],
  ])('%s', (_, text, expected) => {
    expect(at(text)).toBe(expected)
  })

  it.each([
    '', 'today', 'Fri, 21 Nov 1997', '09:55:06', '31 Feb 2006 06:01:08 +0000', '0 Apr 2006 06:01 +0000',
      '29 Feb 1900 00:00 +0000',
    '5 Apr 2006 24:01:08 +0000', '5 Apr 2006 06:60:08 +0000', '5 Apr 2006 06:01:61 +0000', '5 2006 06:01', 'Apr 2006 06:01',
    '2006-13-05T06:01:08Z', '1 2 3 4 5 6', ': : :', `5 Apr 2006 06:01${' '.repeat(300)}`,
  ])('%j is none', (text) => {
    expect(at(text)).toBeUndefined()
  })
})

describe('formatting', () => {
  it('writes what RFC 5322 wants', () => {
    expect(formatDate(Date.UTC(1997, 10, 21, 15, 55, 6), -360)).toBe('Fri, 21 Nov 1997 09:55:06 -0600')
    expect(formatDate(Date.UTC(2026, 0, 1))).toBe('Thu, 1 Jan 2026 00:00:00 +0000')
    expect(formatDate(Date.UTC(2026, 0, 1), 345)).toBe('Thu, 1 Jan 2026 05:45:00 +0545')
  })

  it.each([[Number.NaN, 0], [1e300, 0], [0, 1e9], [0, Number.NaN]])('is total: %d %d', (epochMs, zone) => {
    expect(formatDate(epochMs, zone)).toBe('Thu, 1 Jan 1970 00:00:00 +0000')
  })

  it('is undone by parsing', () => {
    const seconds = fc.integer({ min: Date.UTC(1000, 0, 2) / 1_000, max: Date.UTC(9999, 11, 29) / 1_000 })
    fc.assert(fc.property(seconds, fc.integer({ min: -1_439, max: 1_439 }), (epoch, zoneMinutes) => {
      expect(parseDate(formatDate(epoch * 1_000, zoneMinutes))).toEqual({ epochMs: epoch * 1_000, zoneMinutes })
    }))
  })
})

it('any text parses without an exception, into a time that is a number', () => {
  const pieces = ['1', '12', '1997', '31', ':', '-', '+', ' ', 'Nov', 'T', 'Z', 'GMT', '(', ')', '.', '0600', 'PM', ',',
    '99999999999']
  fc.assert(fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 25 }), (list) => {
    const date = parseDate(list.join(''))
    if (date) expect([Number.isInteger(date.epochMs), Number.isInteger(date.zoneMinutes)]).toEqual([true, true])
  }), { numRuns: 3_000 })
  parseDate('('.repeat(300_000))
  parseDate('()'.repeat(150_000))
})

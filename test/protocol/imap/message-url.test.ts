import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseMessageUrl } from '../../../src/protocol/imap/message-url.ts'

const whole = { path: [], part: 'ALL' }

const good: readonly (readonly [string, unknown])[] = [
  ['/INBOX/;UID=20', { path: ['INBOX'], uidValidity: undefined, uid: 20, section: whole }],
  ['/inbox;uidvalidity=3/;uid=20', { path: ['INBOX'], uidValidity: 3, uid: 20, section: whole }],
  ['/a/b/;UID=1/;SECTION=', { path: ['a', 'b'], uidValidity: undefined, uid: 1, section: whole }],
  ['/a/;UID=1/;SECTION=1.2', { path: ['a'], uidValidity: undefined, uid: 1, section: { path: [1, 2], part: 'ALL' } }],
  ['/a/;UID=1/;section=1.MIME', { path: ['a'], uidValidity: undefined, uid: 1, section: { path: [1], part: 'MIME' } }],
  ['/a/;UID=1/;SECTION=HEADER', { path: ['a'], uidValidity: undefined, uid: 1, section: { path: [], part: 'HEADER' } }],
  ['/%c3%a4%20%25/;UID=1', { path: ['ä %'], uidValidity: undefined, uid: 1, section: whole }],
]

const bad = [
  '',
  '/',
  '/INBOX',
  '/;UID=1',
  'INBOX/;UID=1',
  '//host/INBOX/;UID=1',
  'imap://host/INBOX/;UID=1',
  '/INBOX/;UID=',
  '/INBOX/;UID=0',
  '/INBOX/;UID=4294967296',
  '/INBOX/;UID=1x',
  '/INBOX/;UID=1/;SECTION=1.',
  '/INBOX/;UID=1/;SECTION=0',
  '/INBOX/;UID=1/;SECTION=MIME',
  '/INBOX/;UID=1/;SECTION=HEADER.FIELDS',
  '/INBOX/;UID=1/;SECTION=1 2',
  '/INBOX/;UID=1/;PARTIAL=0.5',
  '/INBOX/;UID=1/;SECTION=1/;PARTIAL=0',
  '/INBOX;UIDVALIDITY=/;UID=1',
  '/INBOX;UIDVALIDITY=x/;UID=1',
  '/%/;UID=1',
  '/%4/;UID=1',
  '/%zz/;UID=1',
  '/%00/;UID=1',
  '/a//b/;UID=1',
  '/%ff/;UID=1',
  `/${'a'.repeat(5000)}/;UID=1`,
]

describe('URLs of messages (RFC 5092)', () => {
  it.each(good)('%s', (url, expected) => {
    expect(parseMessageUrl(url)).toEqual(expected)
  })

  it.each(bad)('not %s', (url) => {
    expect(parseMessageUrl(url)).toBeUndefined()
  })

  it('never throws', () => {
    const piece = fc.constantFrom('/', ';', 'UID=', 'UIDVALIDITY=', 'SECTION=', '%', '1', '.', 'INBOX', 'HEADER', '%41', '\xff')
    fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => void parseMessageUrl(pieces.join(''))))
  })
})

import { describe, expect, it } from 'vitest'
import type { Address } from '../../src/message/address.ts'
import { automated } from '../../src/message/automated.ts'
import { parseHeaderBlock } from '../../src/message/headers.ts'
import { encodeUtf8 } from '../../src/protocol/bytes/text.ts'

const anna = { local: 'anna', domain: 'example.org' }
const told = (text: string, sender?: Address | null): string => {
  const found = automated(parseHeaderBlock(encodeUtf8(`${text}\n\n`)), sender)
  return found.automated ? found.reason : 'person'
}

describe('automated mail', () => {
  it.each<[string, string]>([
    ['From: anna@example.org\nSubject: Hello', 'person'],
    ['', 'person'],
    ['Auto-Submitted: no', 'person'],
    ['Auto-Submitted: NO (really)', 'person'],
    ['Auto-Submitted: auto-replied', 'auto-submitted'],
    ['Auto-Submitted: auto-generated (by cron); owner-email="x@y.example"', 'auto-submitted'],
    ['Auto-Submitted: something-new', 'auto-submitted'],
    ['Content-Type: multipart/report; report-type=delivery-status; boundary=x', 'report'],
    ['Content-Type: message/disposition-notification', 'report'],
    ['Content-Type: multipart/mixed; boundary=x', 'person'],
    ['Return-Path: <>', 'null-sender'],
    ['Return-Path: <anna@example.org>', 'person'],
    ['List-Id: <list.example.org>', 'mailing-list'],
    ['List-Unsubscribe: <mailto:x@y.example>', 'mailing-list'],
    ['Feedback-ID: a:b:c', 'mailing-list'],
    ['Precedence: bulk', 'precedence'],
    ['Precedence: LIST', 'precedence'],
    ['Precedence: first-class', 'person'],
    ['X-Autoreply: yes', 'auto-reply'],
    ['X-Autoreply: no', 'person'],
    ['X-Loop: anna@example.org', 'auto-reply'],
    ['X-Auto-Response-Suppress: All', 'suppressed'],
    ['X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply', 'suppressed'],
    ['X-Auto-Response-Suppress: DR, NDR', 'person'],
    ['From: Mail Delivery System <MAILER-DAEMON@example.org>', 'sender'],
    ['From: "noreply@x.example" <anna@example.org>', 'person'],
    ['From: Shop <no-reply+123@example.org>', 'sender'],
    ['From: noreply-orders@example.org', 'sender'],
    ['Sender: owner-list@example.org', 'sender'],
    ['From: list-request@example.org', 'sender'],
    ['From: a.request@example.org', 'person'],
    ['From: arno.reply@example.org', 'person'],
  ])('%s', (text, expected) => {
    expect(told(text)).toBe(expected)
  })

  it('is told by the envelope where there is one', () => {
    expect(told('Return-Path: <anna@example.org>', null)).toBe('null-sender')
    expect(told('Return-Path: <>', anna)).toBe('person')
    expect(told('From: anna@example.org', { local: 'list-bounces', domain: 'example.org' })).toBe('sender')
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { actionOf, type DeliveryAction } from '../../src/message/delivery-action.ts'
import { type DeliveryStatus, MOST_REPORTED, parseDeliveryStatus } from '../../src/message/delivery-status.ts'
import { findStatus } from '../../src/message/enhanced-status.ts'
import { formatDeliveryStatus } from '../../src/message/format-delivery-status.ts'
import { decodeUtf8Address, encodeUtf8Address } from '../../src/message/utf8-address.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const read = (text: string): DeliveryStatus => parseDeliveryStatus(bytes(text))

describe('a delivery status', () => {
  it('is read as RFC 3464 (appendix E) shows it', () => {
    expect(read([
      'Original-Envelope-ID: QQ314159',
      'Reporting-MTA: dns; cs.utk.edu',
      'Received-From-MTA: dns; client.utk.edu (a comment)',
      'Arrival-Date: Thu, 7 Jul 1994 17:15:49 -0400',
      '',
      'Original-Recipient: rfc822;louisl@larry.slip.umd.edu',
      'Final-Recipient: rfc822;louisl@larry.slip.umd.edu',
      'Action: failed',
      'Status: 4.0.0',
      'Remote-MTA: dns; larry.slip.umd.edu',
      'Diagnostic-Code: smtp; 426 connection timed out (again)',
      'Last-Attempt-Date: Thu, 7 Jul 1994 17:15:49 -0400',
      'Will-Retry-Until: Thu, 7 Jul 1994 18:15:49 -0400',
      'Final-Log-ID: 17',
      '',
    ].join('\r\n'))).toEqual({
      envelopeId: 'QQ314159',
      reportingMta: { type: 'dns', text: 'cs.utk.edu' },
      receivedFrom: { type: 'dns', text: 'client.utk.edu' },
      arrivalDate: Date.UTC(1994, 6, 7, 21, 15, 49),
      recipients: [{
        originalRecipient: { type: 'rfc822', text: 'louisl@larry.slip.umd.edu' },
        finalRecipient: { type: 'rfc822', text: 'louisl@larry.slip.umd.edu' },
        action: 'failed',
        status: '4.0.0',
        remoteMta: { type: 'dns', text: 'larry.slip.umd.edu' },
        diagnosticCode: { type: 'smtp', text: '426 connection timed out (again)' },
        lastAttempt: Date.UTC(1994, 6, 7, 21, 15, 49),
        willRetryUntil: Date.UTC(1994, 6, 7, 22, 15, 49),
        finalLogId: '17',
      }],
    })
  })

  it.each([
    ['nothing', '', []],
    ['fields of the message alone', 'Reporting-MTA: dns; a.example\n', []],
    ['no blank line before the first', 'Reporting-MTA: dns; a.example\nFinal-Recipient: rfc822;a@b\nAction: failed\n', [
      { finalRecipient: { type: 'rfc822', text: 'a@b' }, action: 'failed' },
    ]],
    ['blank lines too many', '\n\nReporting-MTA: a\n\n\nFinal-Recipient: rfc822;a@b\n\nAction: failed\n\nStatus: 5.1.1\n\n', [
      { finalRecipient: { type: 'rfc822', text: 'a@b' }, action: 'failed', status: '5.1.1' },
    ]],
    ['a group that a filter has encoded', `Reporting-MTA: a\nContent-Transfer-Encoding: base64\n\n${
      btoa('Final-Recipient: rfc822;a@b\nStatus: 5.1.1\n')}\n\nFinal-Recipient: rfc822;c@d\n`, [
      { finalRecipient: { type: 'rfc822', text: 'a@b' }, status: '5.1.1' }, { finalRecipient: { type: 'rfc822', text: 'c@d' } },
    ]],
    ['no types', 'Final-Recipient: a@b\nDiagnostic-Code: 550 no; really\n', [
      { finalRecipient: { type: '', text: 'a@b' }, diagnosticCode: { type: '', text: '550 no; really' } },
    ]],
    ['brackets and comments', 'Final-Recipient: RFC822 ; <a@b> (A)\nAction: FAILED (really)\nStatus: 5.1.1 (bad address)\n', [
      { finalRecipient: { type: 'rfc822', text: 'a@b' }, action: 'failed', status: '5.1.1' },
    ]],
    ['nonsense', 'Final-Recipient: ;\nAction: exploded\nStatus: x\nLast-Attempt-Date: soon\n', [{}]],
    ['addresses beyond ASCII', 'Final-Recipient: utf-8;c\\x{E4}sar@b\n\nFinal-Recipient: utf-8; cäsar@b\n', [
      { finalRecipient: { type: 'utf-8', text: 'cäsar@b' } }, { finalRecipient: { type: 'utf-8', text: 'cäsar@b' } },
    ]],
  ])('is read with %s', (_, text, recipients) => {
    expect(read(text).recipients).toEqual(recipients)
  })

  it('has an end', () => {
    expect(read('Final-Recipient: rfc822;a@b\n\n'.repeat(MOST_REPORTED + 10)).recipients).toHaveLength(MOST_REPORTED)
  })

  it('is written as it is read', () => {
    const word = fc.stringMatching(/^[!-'*-:<-~]{1,30}( [!-'*-~]{1,30}){0,8}$/)
    const person = fc.stringMatching(/^[a-zäöüß0-9+=_.-]{1,20}@[a-z]{1,10}\.example$/)
    const address = person.map((text) => ({ type: /^[\0-\x7f]*$/.test(text) ? 'rfc822' : 'utf-8', text }))
    const date = fc.integer({ min: 0, max: 4e9 }).map((seconds) => seconds * 1_000)
    const named = word.map((text) => ({ type: 'dns', text }))
    const recipient = fc.record({
      originalRecipient: address,
      finalRecipient: address,
      action: fc.constantFrom<DeliveryAction>('failed', 'delayed', 'delivered', 'relayed', 'expanded'),
      status: fc.tuple(fc.constantFrom(2, 4, 5), fc.nat(999), fc.nat(999)).map((parts) => parts.join('.')),
      remoteMta: named,
      diagnosticCode: word.map((text) => ({ type: 'smtp', text })),
      lastAttempt: date,
      willRetryUntil: date,
      finalLogId: word,
    }, { requiredKeys: ['finalRecipient', 'action', 'status'] })
    const status = fc.record({
      envelopeId: word, reportingMta: named, dsnGateway: named, receivedFrom: named, arrivalDate: date,
      recipients: fc.array(recipient, { minLength: 1, maxLength: 4 }),
    }, { requiredKeys: ['reportingMta', 'recipients'] })
    fc.assert(fc.property(status, fc.boolean(), (given, utf8) => {
      const text = formatDeliveryStatus(given as DeliveryStatus, utf8)
      expect(utf8 || /^[\0-\x7f]*$/.test(text)).toBe(true)
      expect(read(text)).toEqual(given)
    }), { numRuns: 100 })
  })

  it('has the fields it is to have and no others, whatever the strings hold', () => {
    const pieces = ['\r\n', '\n\n', '\0', 'Action: delivered', 'é', '\ud800', ' ', ';', '<', 'x'.repeat(400)]
    const hostile = fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join(''))
    fc.assert(fc.property(hostile, fc.boolean(), (text, utf8) => {
      const written = formatDeliveryStatus({
        reportingMta: { type: 'dns', text },
        recipients: [
          { finalRecipient: { type: 'utf-8', text }, action: 'failed', status: text, diagnosticCode: { type: 'smtp', text } },
        ],
      }, utf8)
      const { recipients } = read(written)
      expect(recipients).toHaveLength(1)
      expect(recipients[0]!.action).toBe('failed')
      for (const line of written.split('\r\n')) expect(bytes(line).length).toBeLessThanOrEqual(998)
    }), { numRuns: 100 })
  })
})

describe('status codes among text', () => {
  it.each([
    ['5.1.1', '5.1.1'], ['550 5.7.26 no', '5.7.26'], ['(#4.4.1)', '4.4.1'], ['status 5.1.1.', '5.1.1'], ['5.1.1: no', '5.1.1'],
    ['192.5.1.1', undefined], ['5.1.1.1', undefined], ['v5.1.1', undefined], ['3.1.1', undefined], ['5.1', undefined],
    ['5..1', undefined], ['5.1234.1', undefined], ['15.1.1 then 5.2.1', '5.2.1'], ['', undefined],
  ])('%s: %s', (text, status) => {
    expect(findStatus(text)?.status).toBe(status)
  })
})

describe('actions', () => {
  it.each([
    ['failed', 'failed'], [' Delayed (4 hours)', 'delayed'], ['(x) relayed', 'relayed'], ['FAILURE', 'failed'], ['', undefined],
    ['failed-ish', 'failed'], ['gone', undefined],
  ])('%s: %s', (value, action) => {
    expect(actionOf(value)).toBe(action)
  })
})

describe('addresses of type utf-8', () => {
  it.each([
    ['anna@b', 'anna@b'], ['c\\x{E4}sar@b', 'cäsar@b'], ['\\x{1F600}@b', '😀@b'], ['\\x{5C}x@b', '\\x@b'],
    ['\\x{A}@b', '\\x{A}@b'],
    ['\\x{0A}@b', '\\x{0A}@b'], ['\\x{D800}@b', '\\x{D800}@b'], ['\\x{110000}@b', '\\x{110000}@b'], ['\\x{41@b', '\\x{41@b'],
    ['\\x{}@b', '\\x{}@b'], ['\\x{ZZ}\\x{E4}', '\\x{ZZ}ä'],
  ])('%s means %s', (text, meant) => {
    expect(decodeUtf8Address(text)).toBe(meant)
  })

  it('come back as they went, in ASCII without blanks', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      const encoded = encodeUtf8Address(text)
      expect(encoded).toMatch(/^[!-*,-<>-~]*$/)
      expect(decodeUtf8Address(encoded)).toBe(text)
    }), { numRuns: 200 })
  })
})

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readBounce } from '../../src/outbound/bounce.ts'
import { lastingOf } from '../../src/outbound/lasting.ts'
import { bounceSamples } from './bounce-samples.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** What is found in a mail, as the samples say it. */
function found(mail: string) {
  const bounce = readBounce(bytes(mail))
  return bounce && {
    recipients: bounce.recipients.map(({ recipient, action, status, lasting }) =>
      [recipient && `${recipient.local}@${recipient.domain}`, action, status, lasting]),
    ...(bounce.messageId === undefined ? {} : { messageId: bounce.messageId }),
  }
}

describe('what servers write in words', () => {
  it.each(bounceSamples.map((sample) => [sample.name, sample] as const))('%s', (_, sample) => {
    expect(found(sample.mail)).toEqual(sample.found)
    expect(found(sample.mail.replaceAll('\n', '\r\n'))).toEqual(sample.found)
    expect(readBounce(bytes(sample.mail))).toMatchObject({ form: 'text' })
    const stranger = sample.mail.replace(/^From: .*$/m, 'From: Bob <bob@theirs.example>').replace(/^Return-Path: .*$\n/m, '')
    expect(readBounce(bytes(stranger), null)).toBeDefined()
  })

  it.each([
    ['a person', 'From: bob@theirs.example\nSubject: Re: failure notice\n\nI could not deliver it to\ncarol@far.example\n'],
    ['an answering machine', 'Return-Path: <>\nFrom: bob@theirs.example\nSubject: Out of office\n\nAsk carol@far.example\n'],
    ['a notice of being read', [
      'Return-Path: <>', 'From: bob@theirs.example', 'Subject: could not be delivered',
      'Content-Type: multipart/report; report-type=disposition-notification; boundary=b', '',
      '--b', '', 'Your message was read by', 'bob@theirs.example', '--b',
      'Content-Type: message/disposition-notification', '', 'Final-Recipient: rfc822; bob@theirs.example', '--b--', '',
    ].join('\n')],
    ['a report that somebody forwards', [
      'From: bob@theirs.example', 'Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'What is this?', '--b',
      'Content-Type: message/rfc822', '', 'Content-Type: multipart/report; report-type=delivery-status; boundary=c', '', '--c',
      'Content-Type: message/delivery-status', '', 'Reporting-MTA: dns; a.example', '', 'Final-Recipient: rfc822; x@a.example',
      'Action: failed', 'Status: 5.1.1', '--c--', '--b--', '',
    ].join('\n')],
    ['nothing', ''],
  ])('none is %s', (_, mail) => {
    expect(readBounce(bytes(mail))).toBeUndefined()
  })
})

const report = (status: string, extra = ''): string => [
  'From: mailer-daemon@theirs.example', 'Content-Type: multipart/report; report-type=delivery-status; boundary=b', '',
  '--b', '', 'Sorry.', '--b', 'Content-Type: message/delivery-status', '', status, '--b', extra, '--b--', '',
].join('\r\n')

describe('reports', () => {
  it('tell of several recipients, and of their message', () => {
    const mail = report(
      'Original-Envelope-Id: QQ314159\r\nReporting-MTA: dns; mx.theirs.example\r\n\r\n' +
        'Original-Recipient: rfc822;robert@theirs.example\r\nFinal-Recipient: RFC822; <bob@Theirs.example> (Bob)\r\n' +
        'Action: Failed\r\nStatus: 5.0.0 (unknown)\r\nRemote-MTA: dns; mx.far.example\r\n' +
        'Diagnostic-Code: smtp; 550 5.1.1 No such\r\n user (today)\r\n\r\n' +
        'Final-Recipient: rfc822; carol@theirs.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n' +
        'Final-Recipient: rfc822; dave@theirs.example\r\nAction: failed\r\nStatus: 5.2.2\r\n',
      'Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <lunch@ours.example>\r\n',
    )
    expect(readBounce(bytes(mail))).toEqual({
      form: 'report',
      recipients: [
        {
          recipient: { local: 'bob', domain: 'Theirs.example' },
          original: { local: 'robert', domain: 'theirs.example' },
          action: 'failed',
          status: '5.1.1',
          lasting: 'hard',
          diagnostic: '550 5.1.1 No such user (today)',
          remoteMta: 'mx.far.example',
        },
        expect.objectContaining({ action: 'delivered', lasting: undefined }),
        expect.objectContaining({ action: 'failed', status: '5.2.2', lasting: 'soft' }),
      ],
      messageId: '<lunch@ours.example>',
      envelopeId: 'QQ314159',
      reportingMta: 'mx.theirs.example',
    })
  })

  it('tell what they can where fields are missing', () => {
    const odd = 'Reporting-MTA: mx\r\nFinal-Recipient: bob@theirs.example\r\n\r\nAction: failed\r\nStatus: 5.7.1 refused\r\n'
    const found = readBounce(bytes(report(odd)))
    expect(found?.recipients).toMatchObject([{ recipient: { local: 'bob' }, status: '5.7.1', lasting: 'soft' }])
    const none = report('Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: x400; /C=de/S=bob/\r\nStatus: 4.4.1\r\n')
    expect(readBounce(bytes(none))?.recipients).toMatchObject([{ recipient: undefined, action: 'delayed', lasting: 'soft' }])
  })
})

describe('how long a failure lasts', () => {
  it.each([
    ['failed', '5.1.1', '', undefined, 'hard'],
    ['failed', '5.1.1', 'mailbox full', 550, 'hard'],
    ['failed', '4.1.1', 'user unknown', 450, 'soft'],
    ['delayed', '5.1.1', '', undefined, 'soft'],
    ['failed', '5.0.0', '', undefined, 'hard'],
    ['failed', '5.5.0', 'Requested action not taken: mailbox unavailable', 550, 'hard'],
    ['failed', '5.7.1', 'looks like spam', 550, 'soft'],
    ['failed', '5.7.1', '', 550, 'soft'],
    ['failed', '5.7.1', 'Recipient address rejected: Access denied', 550, 'hard'],
    ['failed', undefined, 'Sender domain does not exist', 550, 'soft'],
    ['failed', '5.3.4', '', 552, 'soft'],
    ['failed', undefined, '', 550, 'hard'],
    ['failed', undefined, '', 450, 'soft'],
    ['failed', undefined, '', 554, 'soft'],
    ['failed', undefined, 'gone fishing', undefined, 'soft'],
    ['relayed', '5.1.1', '', undefined, undefined],
  ] as const)('%s %s "%s" %s: %s', (action, status, text, code, lasting) => {
    expect(lastingOf(action, status, text, code)).toBe(lasting)
  })
})

it('never throws, whatever comes', () => {
  const pieces = fc.constantFrom(
    'Return-Path: <>\n', 'From: mailer-daemon@a.example\n', 'Subject: failure notice\n', '\n', '\r\n', '<bob@a.example>:',
    '<', '@',
    '550 5.1.1 ', '--b\n', '--b--', 'Content-Type: multipart/report; report-type=delivery-status; boundary=b\n',
    'Content-Type: message/delivery-status\n', 'Final-Recipient: rfc822; ', 'Action: failed\n', 'Status: 5.', 'Diagnostic-Code: ',
    "Your message wasn't delivered to ", '\\x{', 'RCPT TO:', '--- Below this line is a copy', 'Message-ID: <', '&#', '<style>',
    'Content-Type: text/html\n',
  )
  fc.assert(fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 20 })), { maxLength: 40 }), (parts) => {
    const bounce = readBounce(bytes(parts.join('')))
    expect(bounce === undefined || bounce.recipients.length > 0).toBe(true)
  }), { numRuns: 150 })
})

const folder = resolve(process.env.POSTHORN_CORPORA ?? '../shared/corpora', 'messages')
const present = existsSync(folder)
if (!present) console.log(`skipped: no messages in ${folder} (set POSTHORN_CORPORA)`)

describe.runIf(present)('in the corpora', () => {
  const mails = present
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => [entry.name, resolve(entry.parentPath, entry.name)] as const)
    : []

  it('nothing is too odd, and known bounces are found', () => {
    const taken = new Map(mails.map(([name, path]) => [name, readBounce(readFileSync(path))]))
    const known = mails.map(([name]) => name).filter((name) => /^(bounce|delivery-status)/.test(name))
    expect(known.filter((name) => taken.get(name)?.form !== 'report')).toEqual([])
  })
})

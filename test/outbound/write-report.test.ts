import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { composeMail } from '../../src/adapters/nodemailer/compose.ts'
import { automated } from '../../src/message/automated.ts'
import { parseHeaderBlock } from '../../src/message/headers.ts'
import { indexMessage } from '../../src/message/indexer.ts'
import { bodyText } from '../../src/message/search-text.ts'
import type { Part } from '../../src/message/structure.ts'
import { readBounce } from '../../src/outbound/bounce.ts'
import type { Report } from '../../src/outbound/report.ts'
import { octetsForReport, type ReportOptions, writeReport } from '../../src/outbound/write-report.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const latin1 = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1')
const lines = (...all: string[]): string => all.map((line) => `${line}\r\n`).join('')

const received = Date.UTC(2026, 10, 20, 10)
const options: ReportOptions = {
  hostname: 'mail.a.example', now: received + 120_000, messageId: '<report@mail.a.example>', boundary: '0123456789abcdef',
}
const failure: Report = {
  kind: 'failed', to: { local: 'anna', domain: 'a.example' }, envelopeId: 'QQ314159', ret: 'FULL', smtpUtf8: false,
  requireTls: false, received, receivedFrom: 'client.a.example',
  recipients: [{
    recipient: { local: 'bob', domain: 'b.example' }, original: { type: 'rfc822', address: 'robert@old.example' },
    action: 'failed', status: '5.1.1', reply: { code: 550, enhanced: '5.1.1', text: ['No such user here', 'Ask at the desk'] },
    remoteMta: 'mx.b.example', lastAttempt: received + 60_000,
  }],
}
const original = lines('Message-ID: <lunch@a.example>', 'References: <0@a.example>', 'Subject: Lunch', '', 'At noon?')

/** The report in octets, and what our own indexer sees in it. */
async function composed(report: Report, mail: Uint8Array, given: Partial<ReportOptions> = {}) {
  const all = { ...options, ...given }
  const octets = mail.subarray(0, octetsForReport(report, mail.length, all))
  const written = writeReport(report, octets, mail.length, all)
  const message = await composeMail(written.draft)
  const facts = indexMessage(message)
  const parts = facts.structure.parts ?? []
  const body = (part: Part | undefined): Uint8Array => message.subarray(part!.body, part!.end)
  const types = parts.map(({ type, subtype, encoding }) => `${type}/${subtype}${encoding === undefined ? '' : ` ${encoding}`}`)
  return { written, message, facts, parts, body, types, text: bodyText(parts[0]!, body(parts[0])) }
}

describe('a report', () => {
  it('of a failure is written like this', async () => {
    const { message, written, facts } = await composed(failure, bytes(original))
    expect(latin1(message)).toBe(lines(
      'Auto-Submitted: auto-replied',
      'From: Mail Delivery System <postmaster@mail.a.example>',
      'To: anna@a.example',
      'In-Reply-To: <lunch@a.example>',
      'References: <0@a.example> <lunch@a.example>',
      'Subject: Your message could not be delivered',
      'Message-ID: <report@mail.a.example>',
      'Date: Fri, 20 Nov 2026 10:02:00 +0000',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status;',
      ' boundary="=_0123456789abcdef"',
      '',
      '--=_0123456789abcdef',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 7bit',
      '',
      'Your message could not be delivered to one recipient.',
      '',
      '  Subject: Lunch',
      '  Received: Fri, 20 Nov 2026 10:00:00 +0000',
      '',
      'bob@b.example',
      '  (you had addressed robert@old.example)',
      '  There is no mailbox of that name. Check the address for typing errors,',
      '  or ask the recipient for the right one another way.',
      '  mx.b.example said: 550-5.1.1 No such user here 550 5.1.1 Ask at the',
      '  desk',
      '',
      'No further attempt will be made. The message is attached.',
      '',
      'This report was written by the mail system at mail.a.example.',
      '',
      '--=_0123456789abcdef',
      'Content-Type: message/delivery-status',
      '',
      'Original-Envelope-Id: QQ314159',
      'Reporting-MTA: dns; mail.a.example',
      'Received-From-MTA: dns; client.a.example',
      'Arrival-Date: Fri, 20 Nov 2026 10:00:00 +0000',
      '',
      'Original-Recipient: rfc822; robert@old.example',
      'Final-Recipient: rfc822; bob@b.example',
      'Action: failed',
      'Status: 5.1.1',
      'Remote-MTA: dns; mx.b.example',
      'Diagnostic-Code: smtp; 550-5.1.1 No such user here 550 5.1.1 Ask at the desk',
      'Last-Attempt-Date: Fri, 20 Nov 2026 10:01:00 +0000',
      '',
      '--=_0123456789abcdef',
      'Content-Type: message/rfc822',
      '',
      'Message-ID: <lunch@a.example>',
      'References: <0@a.example>',
      'Subject: Lunch',
      '',
      'At noon?',
      '',
      '--=_0123456789abcdef--',
    ))
    expect(written.envelope).toMatchObject({ sender: null, body: '7BIT', smtpUtf8: false, requireTls: false, ret: undefined })
    expect(written.envelope.recipients).toEqual([{
      local: 'anna', domain: 'a.example', user: 'anna', tag: undefined, wire: 'anna@a.example', notify: [],
      originalRecipient: undefined,
    }])
    expect(facts.oddities).toEqual([])
    expect(facts.references).toEqual(['<0@a.example>', '<lunch@a.example>'])
    expect(automated(parseHeaderBlock(message))).toEqual({ automated: true, reason: 'auto-submitted' })
  })

  it('of a delay says that nothing need be done', async () => {
    const delayed: Report = {
      ...failure, kind: 'delayed',
      recipients: [{
        recipient: { local: 'bob', domain: 'b.example' }, original: undefined, action: 'delayed', status: '4.4.1',
        reason: 'Connection timed out', retryUntil: received + 4 * 86_400_000,
      }],
    }
    const { text, types, facts } = await composed(delayed, bytes(original))
    expect(text).toBe(lines(
      'Your message has not yet been delivered to one recipient.', '', '  Subject: Lunch',
      '  Received: Fri, 20 Nov 2026 10:00:00 +0000', '', 'bob@b.example', "  The recipient's mail system did not answer.",
      '  Details: Connection timed out', '  It is tried again until Tue, 24 Nov 2026 10:00:00 +0000.', '',
      'You need not do anything: it will be tried again, and you will be told',
      'if it cannot be delivered in the end. The header of the message is', 'attached.', '',
      'This report was written by the mail system at mail.a.example.',
    ))
    expect(types).toEqual(['text/plain 7bit', 'message/delivery-status', 'text/rfc822-headers'])
    expect(facts.envelope.subject).toBe('Your message is delayed')
  })

  it('of several successes tells them apart', async () => {
    const succeeded: Report = {
      ...failure, kind: 'succeeded',
      recipients: (['delivered', 'delivered', 'relayed', 'expanded'] as const).map((action, at) => ({
        recipient: { local: `r${at}`, domain: 'b.example' }, original: undefined, action, status: '2.0.0',
      })),
    }
    const { text, facts } = await composed(succeeded, bytes(original))
    expect(facts.envelope.subject).toBe('Your message was delivered')
    expect(text).toContain(lines(
      'Your message was delivered to 2 recipients.', '', '  Subject: Lunch', '  Received: Fri, 20 Nov 2026 10:00:00 +0000', '',
      'r0@b.example', '', 'r1@b.example', '', 'Your message was passed on to a mail system that tells nothing of',
      'delivery, for:', '', 'r2@b.example', '', 'Your message was passed on to the members of:', '', 'r3@b.example', '',
    ))
  })
})

describe('what comes back with a report (RFC 3461 §6.2)', () => {
  const types = async (report: Partial<Report>, mail: string | Uint8Array, given: Partial<ReportOptions> = {}) => {
    const made = await composed({ ...failure, ...report }, typeof mail === 'string' ? bytes(mail) : mail, given)
    const { body, smtpUtf8, requireTls } = made.written.envelope
    return [...made.types.slice(1), body, ...(smtpUtf8 ? ['SMTPUTF8'] : []), ...(requireTls ? ['REQUIRETLS'] : [])]
  }
  const eightBit = lines('Subject: Lunch', '', 'Müsli?')
  const utf8 = lines('Subject: Müsli', '', 'At noon?')
  const status = 'message/delivery-status'

  it.each<[string, Partial<Report>, string, Partial<ReportOptions>, string[]]>([
    ['all of it for RET=FULL', {}, original, {}, [status, 'message/rfc822', '7BIT']],
    ['the header for RET=HDRS', { ret: 'HDRS' }, original, {}, [status, 'text/rfc822-headers', '7BIT']],
    ['the header of what requires TLS, whatever was said', { requireTls: true }, original, {},
      [status, 'text/rfc822-headers', '7BIT', 'REQUIRETLS']],
    ['all of it where nothing was said', { ret: undefined }, original, {}, [status, 'message/rfc822', '7BIT']],
    ['the header where nothing was said, if so wished', { ret: undefined }, original, { unsaid: 'HDRS' },
      [status, 'text/rfc822-headers', '7BIT']],
    ['the header of what did not fail', { kind: 'succeeded' }, original, {}, [status, 'text/rfc822-headers', '7BIT']],
    ['the header of what is too large', {}, original, { mostReturned: original.length - 1 },
      [status, 'text/rfc822-headers', '7BIT']],
    ['all of what is just small enough', {}, original, { mostReturned: original.length }, [status, 'message/rfc822', '7BIT']],
    ['8-bit octets as they are', {}, eightBit, {}, [status, 'message/rfc822 8bit', '8BITMIME']],
    ['no 8-bit octets where they do not pass', {}, eightBit, { eightBit: false }, [status, 'text/rfc822-headers', '7BIT']],
    ['a header in UTF-8', { smtpUtf8: true }, utf8, {}, [status, 'message/global 8bit', '8BITMIME', 'SMTPUTF8']],
    ['a header in UTF-8 alone', { smtpUtf8: true, ret: 'HDRS' }, utf8, {},
      [status, 'message/global-headers 8bit', '8BITMIME', 'SMTPUTF8']],
    ['a header in UTF-8, encoded where it does not pass', { smtpUtf8: true }, utf8, { smtpUtf8: false },
      [status, 'text/rfc822-headers quoted-printable', '7BIT']],
    ['the header of what has octets 0', {}, lines('Subject: x', '', 'a\0b'), {}, [status, 'text/rfc822-headers', '7BIT']],
    ['the header of what has bare line feeds', {}, 'Subject: x\n\nhm\n', {},
      [status, 'text/rfc822-headers quoted-printable', '7BIT']],
    ['the header of what has long lines', {}, lines('Subject: x', '', 'x'.repeat(999)), {},
      [status, 'text/rfc822-headers', '7BIT']],
    ['all of what has lines just short enough', {}, lines('Subject: x', '', 'x'.repeat(998)), {},
      [status, 'message/rfc822', '7BIT']],
    ['nothing of nothing', {}, '', {}, [status, 'message/rfc822', '7BIT']],
    ['a header without an end', { ret: 'HDRS' }, 'Subject: x\r\nTo: y', {}, [status, 'text/rfc822-headers', '7BIT']],
  ])('%s', async (_, report, mail, given, wanted) => {
    expect(await types(report, mail, given)).toEqual(wanted)
  })

  it('windows-1252 octets in a header, as they are or encoded', async () => {
    const mail = Buffer.from(lines('Subject: M\xfcsli', '', 'x'), 'latin1')
    expect(await types({}, mail)).toEqual([status, 'message/rfc822 8bit', '8BITMIME'])
    expect(await types({ ret: 'HDRS' }, mail)).toEqual([status, 'text/rfc822-headers quoted-printable', '7BIT'])
  })

  it('not more than 64 KiB of a header, to a line end', async () => {
    const mail = bytes(`${lines('Subject: x', ...Array.from({ length: 9_000 }, (_, at) => `X-${at}: 12345678`))}\r\nbody`)
    const { parts, body } = await composed({ ...failure, ret: 'HDRS' }, mail)
    const returned = latin1(body(parts[2]))
    expect(returned.length).toBeGreaterThan(65_000)
    expect(returned.length).toBeLessThanOrEqual(65_536)
    expect(latin1(mail).startsWith(returned)).toBe(true)
    expect(returned).toMatch(/\d$|\r\n$/)
  })

  it('octet for octet, whatever it holds: boundaries too', async () => {
    const type = 'Content-Type: multipart/mixed; boundary=x\r\n'
    const pieces = fc.constantFrom('--=_0123456789abcdef', '--', '\r\n', '\r\n.\r\n', 'é', ' ', type, 'x')
    await fc.assert(fc.asyncProperty(fc.array(pieces, { maxLength: 12 }), async (inside) => {
      const mail = bytes(`Subject: x\r\n\r\n${inside.join('')}`)
      const { parts, body } = await composed(failure, mail)
      expect(parts).toHaveLength(3)
      expect(latin1(body(parts[2]))).toBe(latin1(mail))
    }), { numRuns: 50 })
  })
})

describe('addresses beyond ASCII (RFC 6533)', () => {
  const utf8: Report = {
    ...failure, smtpUtf8: true, to: { local: 'änne', domain: 'a.example' },
    recipients: [{
      recipient: { local: 'cäsar', domain: 'b.example' }, original: { type: 'utf-8', address: 'c\\x{E4}sar@old.example' },
      action: 'failed', status: '5.1.1',
    }],
  }

  it('stand as they are where they may', async () => {
    const { types, parts, body, written, text } = await composed(utf8, bytes(original))
    expect(types[1]).toBe('message/global-delivery-status 8bit')
    const status = Buffer.from(body(parts[1])).toString()
    expect(status).toContain('Original-Recipient: utf-8; cäsar@old.example\r\nFinal-Recipient: utf-8; cäsar@b.example\r\n')
    expect(written.envelope).toMatchObject({ body: '8BITMIME', smtpUtf8: true })
    expect(text).toContain('cäsar@b.example\r\n  (you had addressed cäsar@old.example)')
  })

  it('are escaped where they may not', async () => {
    const { types, parts, body, written } = await composed(utf8, bytes(original), { eightBit: false })
    expect(types[1]).toBe('message/delivery-status')
    expect(latin1(body(parts[1]))).toContain('Final-Recipient: utf-8; c\\x{E4}sar@b.example\r\n')
    expect(written.envelope).toMatchObject({ body: '7BIT', smtpUtf8: true })
  })
})

it('is read back as it was written, whatever others have said', async () => {
  const local = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => /^[ -~]+$/.test(text))
  const said = fc.string({ maxLength: 200 })
  const recipient = fc.record({
    recipient: fc.record({ local, domain: fc.constant('b.example') }),
    original: fc.constant(undefined),
    action: fc.constantFrom('failed' as const, 'delayed' as const),
    status: fc.constantFrom('5.1.1', '4.4.1', '5.7.26'),
    reply: fc.record({ code: fc.constantFrom(550, 451), text: said }),
    remoteMta: fc.constant('mx.b.example'),
  })
  const subject = fc.string({ maxLength: 100 }).map((text) => text.replace(/[\r\n]/g, ' '))
  await fc.assert(fc.asyncProperty(fc.array(recipient, { minLength: 1, maxLength: 5 }), subject, async (recipients, about) => {
    const mail = bytes(lines('Message-ID: <lunch@a.example>', `Subject: ${about}`, '', 'x'))
    const { message, parts, facts } = await composed({ ...failure, recipients }, mail)
    expect(parts).toHaveLength(3)
    expect(facts.envelope.to).toEqual([[null, null, 'anna', 'a.example']])
    const bounce = readBounce(message)!
    expect(bounce).toMatchObject({
      form: 'report', messageId: '<lunch@a.example>', envelopeId: 'QQ314159', reportingMta: 'mail.a.example',
    })
    expect(bounce.recipients).toMatchObject(recipients.map(({ recipient: who, action, status }) =>
      ({ recipient: who, action, status, remoteMta: 'mx.b.example' })))
  }), { numRuns: 60 })
})

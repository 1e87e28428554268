import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AuthenticationResults, formatAuthenticationResults, parseAuthenticationResults,
} from '../../src/message/authentication-results.ts'
import { formatComment, formatField } from '../../src/message/format-field.ts'
import { type HeaderField, parseHeaderBlock } from '../../src/message/headers.ts'
import { formatReceived, parseReceived, type ReceivedStamp, transmissionType } from '../../src/message/received.ts'
import { encodeUtf8 } from '../../src/protocol/bytes/text.ts'

/** The only field of a header, as a receiver reads it. */
function only(text: string): HeaderField {
  const header = parseHeaderBlock(encodeUtf8(`${text}\r\n`))
  expect(header.fields.length).toBe(1)
  expect(header.oddities.filter((oddity) => oddity !== '8bit' && oddity !== 'long-line')).toEqual([])
  return header.fields[0]!
}

const stamp: ReceivedStamp = {
  protocol: 'esmtp', tls: true, authenticated: true, helo: 'client.example', reverseName: 'host.example.net',
    address: '192.0.2.1',
  by: 'mx.example.org', id: 'abc123', recipient: { local: 'anna', domain: 'example.org' },
  cipher: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }, epochMs: Date.UTC(2026, 10, 20, 5, 30), zoneMinutes: 60,
}

describe('Received', () => {
  it('is stamped as RFC 5321 §4.4 has it, folded', () => {
    expect(formatReceived(stamp)).toBe(
      'Received: from client.example (host.example.net [192.0.2.1])\r\n (TLSv1.3 TLS_AES_256_GCM_SHA384) by mx.example.org ' +
        'with ESMTPSA id abc123\r\n' +
      ' for <anna@example.org>; Fri, 20 Nov 2026 06:30:00 +0100\r\n',
    )
    expect(formatReceived({ protocol: 'smtp', helo: '[192.0.2.1]', by: 'mx.example.org', id: '1', epochMs: 0 })).toBe(
      'Received: from [192.0.2.1] by mx.example.org with SMTP id 1;\r\n Thu, 1 Jan 1970 00:00:00 +0000\r\n',
    )
  })

  it.each<[Partial<ReceivedStamp>, string]>([
    [{ helo: 'x\r\nEvil: y' }, 'from x??Evil??y (host'],
    [{ helo: '' }, 'from unknown (host'],
    [{ helo: 'a (b) c; d' }, 'from a??b??c??d (host'],
    [{ helo: '[IPv6:2001:db8::1]' }, 'from [IPv6:2001:db8::1] (host'],
    [{ helo: '[x] by y (' }, 'from ?x??by?y?? (host'],
    [{ helo: 'bücher.example' }, 'from b?cher.example (host'],
    [{ helo: 'bücher.example', utf8: true }, 'from bücher.example (host'],
    [{ helo: 'x'.repeat(500) }, `from ${'x'.repeat(255)} (host`],
    [{ address: '2001:db8::1' }, '(host.example.net [IPv6:2001:db8::1])'],
    [{ address: '1)\r\n(' }, '(host.example.net [1????])'],
    [{ reverseName: '' }, 'from client.example ([192.0.2.1])'],
    [{ reverseName: 'a]b c' }, '(a?b?c [192.0.2.1])'],
    [{ id: 'a b;c\r\n' }, 'id a?b?c?? for'],
    [{ id: '' }, 'id ? for'],
    [{ via: 'UUCP' }, 'by mx.example.org via UUCP with ESMTPSA'],
    [{ cipher: { protocol: 'TLS)', cipher: '(x' } }, '(TLS\\) \\(x)'],
    [{ recipient: { local: 'a b', domain: 'x.example' } }, 'for <"a b"@x.example>;'],
    [{ recipient: { local: 'ä', domain: 'x.example' } }, 'id abc123; Fri'],
    [{ recipient: { local: 'ä', domain: 'x.example' }, utf8: true }, 'with UTF8SMTPSA id abc123 for <ä@x.example>;'],
  ])('%j', (change, part) => {
    expect(only(formatReceived({ ...stamp, ...change })).value).toContain(part)
  })

  it.each<[Parameters<typeof transmissionType>[0], string]>([
    [{ protocol: 'smtp' }, 'SMTP'],
    [{ protocol: 'esmtp' }, 'ESMTP'],
    [{ protocol: 'esmtp', tls: true }, 'ESMTPS'],
    [{ protocol: 'esmtp', authenticated: true }, 'ESMTPA'],
    [{ protocol: 'esmtp', tls: true, authenticated: true, utf8: true }, 'UTF8SMTPSA'],
    [{ protocol: 'lmtp', tls: true }, 'LMTPS'],
    [{ protocol: 'lmtp', utf8: true }, 'UTF8LMTP'],
  ])('%j is %s', (transmission, type) => {
    expect(transmissionType(transmission)).toBe(type)
  })

  it('is one field whatever the client says, and says what it was told', () => {
    const any = fc.string({ unit: 'binary', maxLength: 300 })
    fc.assert(fc.property(any, any, any, any, any, fc.boolean(), (helo, reverseName, address, id, text, utf8) => {
      const cipher = { protocol: text, cipher: helo }
      const made = formatReceived({ ...stamp, helo, reverseName, address, id, utf8, cipher,
        recipient: { local: text, domain: helo } })
      const read = parseReceived(only(made).value)
      expect(read).toMatchObject({ by: stamp.by, with: transmissionType({ ...stamp, utf8 }),
        date: { epochMs: stamp.epochMs, zoneMinutes: 60 } })
      for (const line of made.split('\r\n')) expect(line.length).toBeLessThanOrEqual(998)
    }), { numRuns: 500 })
  })

  it.each<[string, string, object]>([
    ['Postfix', 'from mail.example.com (mail.example.com [192.0.2.7])\r\n\t(using TLSv1.3 with cipher X (256/256 ' +
      'bits))\r\n\t(No client certificate)\r\n\t' +
      'by mx.example.org (Postfix) with ESMTPS id 4F\r\n\tfor <anna@example.org>; Thu,  7 Nov 2024 10:00:00 +0100 (CET)',
    { from: 'mail.example.com', address: '192.0.2.7', by: 'mx.example.org', with: 'ESMTPS', id: '4F',
      for: { local: 'anna', domain: 'example.org' },
      date: { epochMs: Date.UTC(2024, 10, 7, 9), zoneMinutes: 60 } }],
    ['Exim', 'from [192.0.2.7] (helo=x.example) by mx.example.org with esmtps (TLS1.3) (Exim 4.96) (envelope-from ' +
      '<a@b.example>) id 1t-0 for anna@example.org; ' +
      'Thu, 07 Nov 2024 10:00:00 +0000',
    { from: '[192.0.2.7]', address: '192.0.2.7', by: 'mx.example.org', with: 'esmtps', id: '1t-0',
      for: { local: 'anna', domain: 'example.org' },
      date: { epochMs: Date.UTC(2024, 10, 7, 10), zoneMinutes: 0 } }],
    ['Exchange', 'from A.B.PROD.OUTLOOK.COM (2603:10a6::1) by C.D.PROD.OUTLOOK.COM (2603:10a6::2) with Microsoft SMTP Server ' +
      '(version=TLS1_2, ' +
      'cipher=X) id 15.20.8137.19; Thu, 7 Nov 2024 10:00:00 +0000',
    { from: 'A.B.PROD.OUTLOOK.COM', by: 'C.D.PROD.OUTLOOK.COM', with: 'Microsoft SMTP Server', id: '15.20.8137.19',
      date: { epochMs: Date.UTC(2024, 10, 7, 10), zoneMinutes: 0 } }],
    ['Gmail', 'by 2002:a17:906:4a4f with SMTP id a15csp1; Thu, 7 Nov 2024 02:00:00 -0800 (PST)',
      { by: '2002:a17:906:4a4f', with: 'SMTP', id: 'a15csp1', date: { epochMs: Date.UTC(2024, 10, 7, 10), zoneMinutes: -480 } }],
    ['an IPv6 literal', 'from x ([IPv6:2001:db8::1]) by y; Thu, 7 Nov 2024 10:00:00 +0000',
      { from: 'x', address: '2001:db8::1', by: 'y', date: { epochMs: Date.UTC(2024, 10, 7, 10), zoneMinutes: 0 } }],
    ['qmail', '(qmail 123 invoked by uid 0); 7 Nov 2024 10:00:00 -0000',
      { date: { epochMs: Date.UTC(2024, 10, 7, 10), zoneMinutes: 0 } }],
    ['obsolete', 'from x by y via z with (w) id "a b" ; 7 Nov 2024 10:00', { from: 'x', by: 'y', via: 'z', id: '"a b"',
      date: { epochMs: Date.UTC(2024, 10, 7, 10), zoneMinutes: 0 } }],
    ['a client called by', 'from by (unknown [192.0.2.1]) by mx.test with SMTP',
      { from: 'by', address: '192.0.2.1', by: 'mx.test', with: 'SMTP' }],
    ['a client called with', 'from with by mx.test', { from: 'with', by: 'mx.test' }],
    ['a client called from', 'FROM From by mx.test', { from: 'From', by: 'mx.test' }],
    ['no client', 'from by mx.test with SMTP', { by: 'mx.test', with: 'SMTP' }],
    ['no client but its address', 'from ([192.0.2.1]) by mx.test', { address: '192.0.2.1', by: 'mx.test' }],
    ['nothing behind', 'from by', {}],
    ['a clause twice', 'from a from b by c by d', { from: 'a from b', by: 'c by d' }],
    ['garbage', 'hello ((( "x ; y "z"', {}],
    ['nothing', '', {}],
  ])('of %s is read', (_, value, expected) => {
    expect(parseReceived(value)).toEqual(expected)
  })

  it.each([
    'from ', '(', '()', '"', '"a', ';', '; a "', 'from a (', '[', 'for <', 'by by ',
  ])('of nothing but %j is read in linear time', (piece) => {
    parseReceived(piece.repeat(300_000 / piece.length))
    parseReceived(`from a by b; ${piece.repeat(300_000 / piece.length)}`)
  })
})

describe('Authentication-Results', () => {
  const spf = { method: 'spf', result: 'pass', properties: [{ type: 'smtp', property: 'mailfrom', value: 'example.net' }] }
  it.each<[string, string, AuthenticationResults | undefined]>([
    ['B.2', 'example.org 1; none', { authservId: 'example.org', version: 1, results: [] }],
    ['B.3', 'example.com;\r\n          spf=pass smtp.mailfrom=example.net', { authservId: 'example.com', results: [spf] }],
    ['B.4', 'example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; spf=pass smtp.mailfrom=example.net', {
      authservId: 'example.com',
      results: [{ method: 'auth', result: 'pass', comment: 'cram-md5',
        properties: [{ type: 'smtp', property: 'auth', value: 'sender@example.net' }] }, spf],
    }],
    ['B.6', 'example.com; dkim=pass reason="good signature" header.i=@mail-router.example.net; dkim=fail reason="bad ' +
      'signature" header.i=@n.example.com', {
      authservId: 'example.com',
      results: [
        { method: 'dkim', result: 'pass', reason: 'good signature',
          properties: [{ type: 'header', property: 'i', value: '@mail-router.example.net' }] },
        { method: 'dkim', result: 'fail', reason: 'bad signature',
          properties: [{ type: 'header', property: 'i', value: '@n.example.com' }] },
      ],
    }],
    ['B.7', 'foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait for it) fail policy (A dot can ' +
      'go here) . (like that) ' +
      "expired (this surprised me) = (as I wasn't expecting it) 1362471462", {
      authservId: 'foo.example.net', version: 1,
      results: [{ method: 'dkim', version: 1, result: 'fail',
        properties: [{ type: 'policy', property: 'expired', value: '1362471462' }] }],
    }],
    ['a quoted service', '"a b"; spf=pass smtp.mailfrom=example.net', { authservId: 'a b', results: [spf] }],
    ['letter case', 'x; SPF=Pass smtp.MailFrom=Example.net', {
      authservId: 'x', results: [{ ...spf, properties: [{ type: 'smtp', property: 'mailfrom', value: 'Example.net' }] }],
    }],
    ['garbage between results', 'x; =; spf; spf=; ;; spf=pass smtp.mailfrom=example.net ??? ; dkim=none x', {
      authservId: 'x', results: [spf, { method: 'dkim', result: 'none', properties: [] }],
    }],
    ['nothing', '', undefined],
    ['no service', '; spf=pass', undefined],
  ])('%s', (_, value, expected) => {
    expect(parseAuthenticationResults(value)).toEqual(expected)
  })

  it('is written folded, and never more than was said', () => {
    expect(formatAuthenticationResults({ authservId: 'mx.example.org',
      results: [] })).toBe('Authentication-Results: mx.example.org; none\r\n')
    expect(formatAuthenticationResults({ authservId: 'mx.example.org', results: [
      { ...spf, comment: 'a (b)' }, { method: 'dkim', version: 1, result: 'fail', reason: 'no key; "x"', properties: [
        { type: 'header', property: 'd', value: 'a; b' }, { type: 'header', property: 'i', value: '"' },
          { type: 'x.y', property: 'z', value: 'left out' },
      ] }, { method: 'x;y', result: 'pass', properties: [] },
    ] })).toBe(
      'Authentication-Results: mx.example.org;\r\n spf=pass (a \\(b\\)) smtp.mailfrom=example.net;\r\n' +
      ' dkim/1=fail reason="no key; \\"x\\"" header.d="a; b" header.i="\\""\r\n',
    )
  })

  it('is undone by parsing', () => {
    const keyword = fc.stringMatching(/^[a-z0-9-]{1,12}$/)
    const line = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replace(/[\0-\x1f\x7f]/g, ' '))
    const value = fc.oneof(line, fc.emailAddress(), fc.domain(), fc.constantFrom('@a.example', 'a b@c', '', ' ', '"', '\\'))
    const version = fc.nat(999)
    const properties = fc.array(fc.record({ type: keyword, property: keyword, value }), { maxLength: 3 })
    const result = fc.record(
      { method: keyword, result: keyword, properties, version, reason: value, comment: line },
      { requiredKeys: ['method', 'result', 'properties'] },
    )
    const results = fc.record(
      { authservId: value.filter((text) => text !== ''), results: fc.array(result, { maxLength: 3 }), version },
      { requiredKeys: ['authservId', 'results'] },
    )
    fc.assert(fc.property(results, (wanted) => {
      expect(parseAuthenticationResults(only(formatAuthenticationResults(wanted)).value)).toEqual(wanted)
    }), { numRuns: 300 })
  })

  it('is read from any text without an exception', () => {
    const pieces = ['a', '=', ';', '.', '/', '(', ')', '"', '\\', ' ', 'reason=', '1', 'é', '\0']
    fc.assert(fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), (list) => {
      parseAuthenticationResults(list.join(''))
    }), { numRuns: 2_000 })
    for (const piece of [...pieces, 'a=b;', 'a.', 'a (', 'a=b (x) c.d=e ', ';a=b "', 'a . ']) {
      parseAuthenticationResults(`a; ${piece.repeat(300_000 / piece.length)}`)
      parseAuthenticationResults(`a; b=c ${piece.repeat(300_000 / piece.length)}`)
    }
  })
})

describe('fields', () => {
  it('come back as they were, in lines of 78 where blanks allow', () => {
    const words = fc.array(fc.oneof(fc.stringMatching(/^[!-~]{1,30}$/), fc.constantFrom('  ', 'x'.repeat(100), 'é')),
      { maxLength: 30 })
    fc.assert(fc.property(words, (list) => {
      const value = list.join(' ').trim()
      const text = formatField('Subject', value)
      const field = only(text)
      expect(field.value).toBe(value)
      for (const line of text.split('\r\n')) if (line.length > 78) expect(line.replace(/^Subject:/, '')).toMatch(/^ +\S+$/)
    }))
  })

  it('are one field of that name, whatever the strings', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => {
      expect(only(formatField('X\r\n: y', value)).name).toBe('Xy')
      expect(only(formatField('X', formatComment(value))).value).not.toMatch(/[\r\n\0]/)
    }))
  })
})

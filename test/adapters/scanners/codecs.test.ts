import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readClamdAnswer, streamed } from '../../../src/adapters/scanners/clamd-codec.ts'
import { readRspamdAnswer, requestFields } from '../../../src/adapters/scanners/rspamd-codec.ts'
import { MOST_FINDINGS, MOST_NAME } from '../../../src/adapters/scanners/said.ts'
import { readSpamdAnswer, spamdHead } from '../../../src/adapters/scanners/spamd-codec.ts'
import type { Scanned } from '../../../src/contracts/scanner.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { subjectOf } from './subject.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

const clamd = (text: string): Scanned => readClamdAnswer(bytes(text))
const spamd = (text: string): Scanned => readSpamdAnswer(bytes(text))
const rspamd = (value: unknown, status = 200): Scanned => readRspamdAnswer(status, json(value))

/** How it is refused: the code, and the message. */
function refusalOf(run: () => unknown): readonly [string, string] {
  try {
    run()
  } catch (error) {
    if (isMailError(error)) return [error.code, error.message]
    throw error
  }
  throw new Error('it was not refused')
}

describe('clamd', () => {
  it.each<readonly [string, Scanned]>([
    ['stream: OK\0', { action: 'pass', findings: [] }],
    ['stream: Eicar-Signature FOUND\0', { action: 'reject', findings: [{ name: 'Eicar-Signature' }] }],
    ['stream: A FOUND FOUND\0', { action: 'reject', findings: [{ name: 'A FOUND' }] }],
    ['stream:  FOUND\0', { action: 'reject', findings: [{ name: 'unnamed' }] }],
    ['stream: Two\r\nLines\x1b[2J FOUND\0', { action: 'reject', findings: [{ name: 'Two Lines [2J' }] }],
    [`stream: ${'x'.repeat(1000)} FOUND\0`, { action: 'reject', findings: [{ name: 'x'.repeat(MOST_NAME) }] }],
    ['stream: OK\0stream: Eicar FOUND\0', { action: 'pass', findings: [] }],
  ])('%j', (text, found) => expect(clamd(text)).toEqual(found))

  it.each([
    ['INSTREAM size limit exceeded. ERROR\0', 'permanent', /size limit exceeded/],
    ['INSTREAM: Can\'t write to temporary file. ERROR\0', 'temporary', /Can't write/],
    ['COMMAND READ TIMED OUT\0', 'temporary', /makes no sense: "COMMAND READ/],
    ['stream: OK', 'temporary', /has no end/],
    ['stream: ok\0', 'temporary', /makes no sense/],
    ['', 'temporary', /has no end/],
    ['\0', 'temporary', /makes no sense: ""/],
  ])('refuses %j', (text, code, message) => {
    const [given, said] = refusalOf(() => clamd(text))
    expect([given, said]).toEqual([code, expect.stringMatching(message)])
  })

  it('gives a message in chunks behind their lengths, however it comes', async () => {
    const chunk = fc.uint8Array({ maxLength: 200 }).map((small) => (small.length > 190 ? new Uint8Array(150_000) : small))
    const chunks = fc.array(chunk)
    await fc.assert(fc.asyncProperty(chunks, async (given) => {
      const out: Uint8Array[] = []
      for await (const piece of streamed(subjectOf(given).raw())) out.push(piece)
      const wire = Buffer.concat(out)
      const head = Buffer.from('zINSTREAM\0')
      expect(wire.subarray(0, head.length)).toEqual(head)
      const read: Buffer[] = []
      let at = head.length
      for (let length = wire.readUInt32BE(at); length > 0; length = wire.readUInt32BE(at)) {
        expect(length).toBeLessThanOrEqual(65_536)
        read.push(wire.subarray(at + 4, at + 4 + length))
        at += 4 + length
      }
      expect(at + 4).toBe(wire.length)
      expect(Buffer.concat(read).equals(Buffer.concat(given))).toBe(true)
    }), { numRuns: 50 })
  })
})

describe('spamd', () => {
  const answer = (spam: string, body: string, more = ''): string =>
    `SPAMD/1.1 0 EX_OK\r\nContent-length: ${body.length}\r\n${more}Spam: ${spam}\r\n\r\n${body}`

  it.each<readonly [string, Scanned]>([
    [answer('True ; 1000.1 / 5.0', 'GTUBE,NO_RECEIVED\r\n'), {
      action: 'quarantine', findings: [{ name: 'GTUBE' }, { name: 'NO_RECEIVED' }], score: 1000.1, threshold: 5,
    }],
    [answer('False ; -1.2 / 5', ''), { action: 'pass', findings: [], score: -1.2, threshold: 5 }],
    [answer('Yes ; 5 / 5', 'A', 'X: y\r\n'), { action: 'quarantine', findings: [{ name: 'A' }], score: 5, threshold: 5 }],
    [answer('False ; 0.0 / 5.0', '', 'SPAM: True ; 9 / 5\r\n'), { action: 'quarantine', findings: [], score: 9, threshold: 5 }],
    [answer('True ; 6 / 5', 'A,,\x07, B \r\nC'), {
      action: 'quarantine', findings: [{ name: 'A' }, { name: 'B' }, { name: 'C' }], score: 6, threshold: 5,
    }],
    ['SPAMD/1.1 0 EX_OK\r\nSpam: False ; 1 / 5\r\n\r\nA', { action: 'pass', findings: [{ name: 'A' }], score: 1, threshold: 5 }],
    [`${answer('True ; 6 / 5', 'A')},B`, { action: 'quarantine', findings: [{ name: 'A' }], score: 6, threshold: 5 }],
  ])('%j', (text, found) => expect(spamd(text)).toEqual(found))

  it.each([
    ['SPAMD/1.0 76 Bad header line: (Content-Length mismatch)\r\n', /says: 76 Bad header line/],
    ['SPAMD/1.1 75 EX_TEMPFAIL\r\n\r\n', /says: 75/],
    ['HTTP/1.1 200 OK\r\n\r\n', /makes no sense: "HTTP/],
    ['SPAMD/1.1 0 EX_OK', /makes no sense: ""/],
    ['SPAMD/1.1 0 EX_OK\r\nSpam: True ; 6 / 5\r\n', /cut off/],
    ['SPAMD/1.1 0 EX_OK\r\nContent-length: 9\r\nSpam: True ; 6 / 5\r\n\r\nGTUBE', /cut off/],
    ['SPAMD/1.1 0 EX_OK\r\nContent-length: x\r\nSpam: True ; 6 / 5\r\n\r\nGTUBE', /cut off/],
    [answer('Maybe ; 6 / 5', ''), /makes no sense: Spam/],
    [answer('True ; NaN / 5', ''), /makes no sense: Spam/],
    [answer('True ; 1e99 / 5', ''), /makes no sense: Spam/],
    [answer('True ; 6', ''), /makes no sense: Spam/],
    [answer('True ; 6 / 5 / 4', ''), /makes no sense: Spam/],
    ['SPAMD/1.1 0 EX_OK\r\n\r\n', /makes no sense: Spam/],
    ['', /makes no sense/],
  ])('refuses %j', (text, message) => {
    expect(refusalOf(() => spamd(text))).toEqual(['temporary', expect.stringMatching(message)])
  })

  it('is told how long the message is, and whose it is', () => {
    const told = (user?: string): string => Buffer.from(spamdHead(42, user)).toString()
    expect(told()).toBe('SYMBOLS SPAMC/1.5\r\nContent-length: 42\r\n\r\n')
    expect(told('alice')).toBe('SYMBOLS SPAMC/1.5\r\nContent-length: 42\r\nUser: alice\r\n\r\n')
  })
})

describe('rspamd', () => {
  const base = { is_skipped: false, score: 7.5, required_score: 15, action: 'add header', symbols: {} }

  it.each([
    ['no action', 'pass'], ['greylist', 'pass'], ['soft reject', 'defer'], ['add header', 'tag'], ['rewrite subject', 'tag'],
    ['quarantine', 'quarantine'], ['reject', 'reject'], ['discard', 'discard'],
  ])('%s is %s', (action, means) => {
    expect(rspamd({ ...base, action })).toEqual({ action: means, findings: [], score: 7.5, threshold: 15 })
  })

  it('tells symbols with their points and options, and what to say', () => {
    const symbols = {
      GTUBE: { name: 'GTUBE', score: 0, metric_score: 0 },
      URL: { name: 'URL', score: 5.5, description: 'a bad\r\nlink', options: ['evil.test\x1b', 7, 'worse.test'] },
      '__proto__\n': { score: '7' },
      LIST: [],
    }
    expect(rspamd({ ...base, symbols, messages: { smtp_message: 'Gtube\r\n250 pattern', other: 1 }, is_skipped: true })).toEqual({
      action: 'tag', score: 7.5, threshold: 15, text: 'Gtube 250 pattern',
      findings: [
        { name: 'GTUBE', score: 0 },
        { name: 'URL', score: 5.5, text: 'a bad link: evil.test, , worse.test' },
        { name: '__proto__' },
        { name: 'LIST' },
      ],
    })
  })

  it('tells fields to add and to take out, those that can be fields', () => {
    const milter = {
      add_headers: {
        'X-One': 'a\r\n b', 'X-Two': { value: 'c', order: 1 }, 'X-Three': ['d', { value: 'e' }, 5], 'No field': 'f', 'X:': 'g',
        '': 'h', 'X-Empty': '', 'X-Nested': { value: { value: 'i' } },
      },
      remove_headers: { 'X-Old': 0, 'X\nNew': 1, 'X-Spam': -1 },
    }
    expect(rspamd({ ...base, milter })).toMatchObject({
      addFields: [['X-One', 'a  b'], ['X-Two', 'c'], ['X-Three', 'd'], ['X-Three', 'e']],
      removeFields: ['X-Old', 'X-Spam'],
    })
    expect(rspamd({ ...base, action: 'rewrite subject', subject: '*** SPAM ***\r\nBcc: x', milter: 'x' })).toMatchObject({
      addFields: [['Subject', '*** SPAM *** Bcc: x']], removeFields: ['Subject'],
    })
  })

  it('bounds what it takes over', () => {
    const many = (value: unknown): object => Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`S${at}`, value]))
    const milter = { add_headers: many('y'.repeat(9000)) }
    const found = rspamd({ ...base, symbols: many({ options: ['x'.repeat(9000)] }), milter })
    expect(found.findings).toHaveLength(MOST_FINDINGS)
    expect(found.findings[0]!.text).toHaveLength(MOST_NAME)
    expect(found.addFields).toHaveLength(50)
    expect(found.addFields![0]![1]).toHaveLength(4096)
  })

  it.each<readonly [unknown, number, string, RegExp]>([
    [{ error: 'no\nsuch' }, 404, 'temporary', /says: 404, no such/],
    [{}, 500, 'temporary', /says: 500$/],
    [{}, 413, 'permanent', /too large/],
    [[], 200, 'temporary', /no JSON object/],
    [null, 200, 'temporary', /no JSON object/],
    [{ ...base, action: 'explode' }, 200, 'temporary', /makes no sense: action "explode"/],
    [{ ...base, action: 'constructor' }, 200, 'temporary', /makes no sense/],
    [{ ...base, score: null }, 200, 'temporary', /makes no sense/],
    [{ ...base, score: '7' }, 200, 'temporary', /makes no sense/],
  ])('refuses %j with %i', (value, status, code, message) => {
    expect(refusalOf(() => rspamd(value, status))).toEqual([code, expect.stringMatching(message)])
  })

  it('refuses what is no JSON, or nests too deep, or counts too high', () => {
    for (const text of ['', '{', '{"score":1e999,"action":"reject"}', '['.repeat(500_000), '\xff\xfe']) {
      expect(refusalOf(() => readRspamdAnswer(200, bytes(text)))[0]).toBe('temporary')
    }
  })

  it('is told what is known of the message', () => {
    const subject = subjectOf(['x'])
    expect(requestFields(subject, { hostname: 'mx.test', password: 'sesame' })).toEqual([
      ['Password', 'sesame'], ['IP', '203.0.113.9'], ['Helo', 'client.test'], ['From', 'alice@a.test'], ['Rcpt', 'bob@b.test'],
      ['Rcpt', '"carol smith"@b.test'], ['Queue-Id', 'c-1.1'], ['MTA-Name', 'mx.test'],
    ])
    const known = requestFields({
      ...subject,
      envelope: { ...subject.envelope, sender: null, recipients: [] },
      connection: {
        ...subject.connection, account: 'zo\u00eb\r\nIP: 127.0.0.1', hello: undefined,
        peer: { address: undefined, port: undefined, localAddress: undefined, localPort: undefined },
        tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
      },
    }, { hostname: undefined, password: undefined })
    expect(known).toEqual([
      ['From', '<>'], ['User', 'zo\u00c3\u00ab IP: 127.0.0.1'], ['Queue-Id', 'c-1.1'], ['TLS-Cipher', 'TLS_AES_128_GCM_SHA256'],
      ['TLS-Version', 'TLSv1.3'],
    ])
  })

  it('is told of no more recipients than it reads', () => {
    const subject = subjectOf(['x'])
    const recipients = Array.from({ length: 5000 }, (_, at) => ({ ...subject.envelope.recipients[0]!, local: `r${at}` }))
    const fields = requestFields({ ...subject, envelope: { ...subject.envelope, recipients } }, { hostname: 'h', password: 'p' })
    const octets = fields.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0)
    expect(octets).toBeGreaterThan(32_000)
    expect(octets).toBeLessThan(34_000)
  })
})

/** Whether nothing in it could do harm where it is written down. */
function looksSound({ findings, score, threshold, addFields = [], removeFields = [], text = '' }: Scanned): boolean {
  const line = (value: string, most: number): boolean =>
    value.length <= most && !/[\0-\x1f\x7f-\x9f\u2028\u2029]|\p{Surrogate}/u.test(value)
  const field = (name: string): boolean => /^[!-9;-~]+$/.test(name)
  const number = (value: number | undefined): boolean => value === undefined || Number.isFinite(value)
  return findings.length <= MOST_FINDINGS && number(score) && number(threshold) && line(text, 500) &&
    findings.every((one) => one.name !== '' && line(one.name, MOST_NAME) && number(one.score) && line(one.text ?? '', 500)) &&
    addFields.every(([name, value]) => field(name) && line(value, 4096)) && removeFields.every(field)
}

describe('whatever it is', () => {
  const isTotal = (read: (answer: Uint8Array) => Scanned) => (answer: Uint8Array): void => {
    let found: Scanned
    try {
      found = read(answer)
    } catch (error) {
      expect(isMailError(error) && ['temporary', 'permanent'].includes(error.code)).toBe(true)
      return
    }
    expect(looksSound(found)).toBe(true)
  }
  const spoilt = (text: string): fc.Arbitrary<Uint8Array> =>
    fc.array(fc.tuple(fc.nat(text.length - 1), fc.nat(255)), { maxLength: 4 }).map((changes) => {
      const changed = bytes(text)
      for (const [at, octet] of changes) changed[at] = octet
      return changed
    })
  const either = (...sound: readonly string[]): fc.Arbitrary<Uint8Array> =>
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      ...sound.map(spoilt),
      fc.string({ unit: 'binary' }).map((text) => bytes(`${sound[0]!.slice(0, 8)}${text}\0`)),
    )

  it('clamd answers: something or temporary', () => {
    fc.assert(fc.property(either('stream: Eicar-Signature FOUND\0', 'stream: OK\0'), isTotal(readClamdAnswer)), { numRuns: 300 })
  })

  it('spamd answers: something or temporary', () => {
    const sound = 'SPAMD/1.1 0 EX_OK\r\nContent-length: 18\r\nSpam: True ; 15.3 / 5.0\r\n\r\nGTUBE,NO_RECEIVED\n'
    fc.assert(fc.property(either(sound), isTotal(readSpamdAnswer)), { numRuns: 300 })
  })

  it('rspamd answers: something or temporary', () => {
    const read = (answer: Uint8Array): Scanned => readRspamdAnswer(200, answer)
    const symbol = fc.record({ score: fc.anything(), description: fc.anything(), options: fc.anything() }, { requiredKeys: [] })
    const fields = fc.dictionary(fc.string(), fc.anything())
    const any = fc.record({
      action: fc.constantFrom('reject', 'no action', 'rewrite subject'), score: fc.double(), required_score: fc.anything(),
      symbols: fc.oneof(fc.dictionary(fc.string({ unit: 'binary' }), fc.oneof(symbol, fc.anything())), fc.anything()),
      messages: fc.oneof(fc.record({ smtp_message: fc.string({ unit: 'binary' }) }), fc.anything()),
      subject: fc.string({ unit: 'binary' }),
      milter: fc.record({ add_headers: fields, remove_headers: fields }),
    }, { requiredKeys: ['action', 'score'] })
    const plain = (_: string, inner: unknown): unknown => (typeof inner === 'bigint' ? 1 : inner)
    const written = any.map((value) => Buffer.from(JSON.stringify(value, plain) ?? ''))
    const sound = '{"score":15.0,"required_score":15.0,"action":"reject","symbols":{"GTUBE":{"score":0.0,"options":["a"]}}}'
    fc.assert(fc.property(fc.oneof(either(sound), written), isTotal(read)), { numRuns: 300 })
  })
})

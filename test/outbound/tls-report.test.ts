import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryKeyValue } from '../../src/adapters/memory/index.ts'
import { gzipped } from '../../src/adapters/node/tls-report.ts'
import type { KeyValue } from '../../src/contracts/index.ts'
import { parseTlsReportRecord, tlsReportTargets } from '../../src/outbound/tls-report-targets.ts'
import { encodeTlsReport, reportedPolicy, tlsReportDraft } from '../../src/outbound/tls-report.ts'
import { type DueTlsReport, tlsResults } from '../../src/outbound/tls-results.ts'
import { merged, readResults, type TlsReportFailure, type TlsSession, writeResults } from '../../src/outbound/tls-tally.ts'
import { fakeDns } from '../../src/testing/index.ts'

const noon = Date.UTC(2026, 0, 1, 12)
const tomorrow = noon + 86_400_000
const found = { type: 'sts', strings: ['version: STSv1', 'mode: testing'], mx: ['*.a.test'] } as const
const none = { type: 'no-policy-found', strings: [], mx: [] } as const
const session = (more: Partial<TlsSession> = {}): TlsSession => ({ domain: 'a.test', policy: found, ...more })
const failure = (type: TlsReportFailure, host = 'mx.a.test'): TlsSession =>
  session({ failure: type, host, address: '192.0.2.1', source: '198.51.100.1' })

const dueOf = async (store: KeyValue, now = tomorrow): Promise<DueTlsReport[]> => {
  const all: DueTlsReport[] = []
  for await (const one of tlsResults(store).due(now)) all.push(one)
  return all
}

describe('tlsResults', () => {
  it('adds sessions up by domain, day and policy, whoever has seen them', async () => {
    const store = memoryKeyValue()
    const [one, other] = [tlsResults(store), tlsResults(store)]
    for (let at = 0; at < 3; at++) one.note(session(), noon)
    other.note(session(), noon)
    other.note(failure('certificate-expired'), noon)
    other.note(failure('certificate-expired'), noon)
    other.note(failure('starttls-not-supported'), noon)
    one.note(session({ policy: none }), noon)
    one.note(session({ domain: 'b.test' }), noon)
    one.note(session(), tomorrow)
    one.note(session({ domain: '[IPv6:2001:db8::1]' }), noon)
    await Promise.all([one.flush(noon), other.flush(noon)])
    const due = await dueOf(store)
    expect(due.map(({ domain }) => domain)).toEqual(['a.test', 'b.test'])
    expect(due[0]).toMatchObject({ begin: Date.UTC(2026, 0, 1), end: Date.UTC(2026, 0, 2) })
    const details = { host: 'mx.a.test', address: '192.0.2.1', source: '198.51.100.1' }
    expect([...due[0]!.results].sort((left, right) => right.succeeded - left.succeeded)).toEqual([
      { policy: found, succeeded: 4, failed: 3, failures: [
        { type: 'certificate-expired', ...details, count: 2 },
        { type: 'starttls-not-supported', ...details, count: 1 },
      ] },
      { policy: none, succeeded: 1, failed: 0, failures: [] },
    ])
  })

  it('is due when the day is over, until somebody takes it', async () => {
    const store = memoryKeyValue()
    const results = tlsResults(store)
    results.note(session(), noon)
    expect(await dueOf(store)).toEqual([])
    await results.flush(noon)
    expect(await dueOf(store, noon + 43_199_999)).toEqual([])
    const [due] = await dueOf(store, noon + 43_200_000)
    expect([await due!.take(), await due!.take()]).toEqual([true, false])
    expect(await dueOf(store)).toEqual([])
  })

  it('loses nothing where the store fails, and counts nothing twice', async () => {
    const right = memoryKeyValue()
    let fails = 2
    const store: KeyValue = {
      ...right,
      traits: right.traits,
      get: (...given) => (fails-- > 0 ? Promise.reject(new Error('full')) : right.get(...given)),
      swap: (...given) => right.swap(...given),
    }
    const results = tlsResults(store)
    for (const domain of ['a.test', 'b.test', 'c.test']) results.note(session({ domain }), noon)
    await expect(results.flush(noon)).rejects.toThrow('full')
    results.note(session(), noon)
    await expect(results.flush(noon)).rejects.toThrow('full')
    await results.flush(noon)
    await results.flush(noon)
    expect((await dueOf(right)).map(({ domain, results: [one] }) => [domain, one?.succeeded])).toEqual([
      ['a.test', 2], ['b.test', 1], ['c.test', 1],
    ])
  })

  it('is bounded, whatever comes', async () => {
    const store = memoryKeyValue()
    const results = tlsResults(store)
    const long = 'x'.repeat(250)
    for (let at = 0; at < 1000; at++) {
      const [strings, mx] = [`${at % 20}${long}`, long].map((text) => Array<string>(100).fill(text))
      const policy = { type: 'sts', strings: strings!, mx: mx! } as const
      results.note({ ...failure('validation-failure', `${at}.${long}`), policy }, noon)
    }
    await results.flush(noon)
    const text = await store.get(`tls-report:${Math.floor(noon / 86_400_000)}:a.test`, noon)
    expect(text!.length).toBeLessThanOrEqual(60_000)
    const [due] = await dueOf(store)
    expect(due!.results).toHaveLength(8)
    expect(due!.results.every(({ failed }) => failed === 50)).toBe(true)
  })

  it('forgets what nobody takes', async () => {
    const store = memoryKeyValue()
    const results = tlsResults(store)
    results.note(session(), noon)
    await results.flush(noon)
    expect(await dueOf(store, noon + 8 * 86_400_000)).toHaveLength(1)
    expect(await dueOf(store, noon + 9 * 86_400_000)).toEqual([])
  })
})

describe('results', () => {
  it('are read as they were written', () => {
    const results = merged([], [{ policy: found, succeeded: 1, failed: 2, failures: [
      { type: 'tlsa-invalid', host: undefined, address: undefined, source: undefined, count: 2 },
    ] }])
    expect(readResults(writeResults(results))).toEqual(results)
  })

  it.each(['', '{', '{}', 'null', '[1]', '[{}]', '[{"policy":{}}]'])('are none where the text is none: %s', (text) => {
    expect(readResults(text)).toEqual([])
  })
})

describe('where reports go', () => {
  const mail = (local: string, domain = 'a.test'): object => ({ kind: 'mail', address: { local, domain } })
  const https = (host: string, path: string, port = 443): object => ({ kind: 'https', host, port, path })
  it.each<readonly [readonly string[], readonly object[]]>([
    [['v=TLSRPTv1; rua=mailto:tls@a.test'], [mail('tls')]],
    [['v=TLSRPTv1;rua=MAILTO:tls@a.test,https://R.a.test/v1?x=y#z;'], [mail('tls'), https('r.a.test', '/v1?x=y')]],
    [['other', 'v=TLSRPTv1; x=1; rua=mailto:a%2Cb%21c@a.test?subject=x'], []],
    [['v=TLSRPTv1; rua=mailto:a%21c@a.test'], [mail('a!c')]],
    [['v=TLSRPTv1; rua=https://a.test:8443'], [https('a.test', '/', 8443)]],
    [['v=TLSRPTv1; rua=mailto:a@a.test', 'v=TLSRPTv1; rua=mailto:b@a.test'], []],
    [['v=TLSRPTv1'], []],
    [['v=TLSRPTv1; rua='], []],
    [['v=TLSRPTv2; rua=mailto:a@a.test'], []],
    [['v=TLSRPTv1; rua=http://a.test/'], []],
    [['v=TLSRPTv1; rua=https://127.0.0.1/, https://[::1]/, https://localhost/, https://user:x@a.test/, https://a.test:0/'], []],
    [['v=TLSRPTv1; rua=https://a.test/\r\nX: y'], []],
    [['v=TLSRPTv1; rua=mailto:a@a.test%0d%0aBcc: b@b.test, mailto:%zz@a.test, mailto:a, mailto:'], []],
    [[`v=TLSRPTv1; rua=mailto:a@a.test; x=${'y'.repeat(5000)}`], []],
    [[`v=TLSRPTv1; rua=${Array<string>(50).fill('mailto:a@a.test').join(',')}`], Array<object>(10).fill(mail('a'))],
  ])('%j', (records, targets) => {
    expect(parseTlsReportRecord(records)).toEqual(targets)
  })

  it('is looked up', async () => {
    const dns = fakeDns({ '_smtp._tls.a.test': { TXT: 'v=TLSRPTv1; rua=mailto:tls@a.test' }, '_smtp._tls.b.test': 'SERVFAIL' })
    expect(await tlsReportTargets('a.test', dns)).toEqual([mail('tls')])
    expect(await tlsReportTargets('c.test', dns)).toEqual([])
    await expect(tlsReportTargets('b.test', dns)).rejects.toMatchObject({ code: 'temporary' })
  })

  it('never throws', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom('mailto:', 'https://', '@', ',', '%', 'a.test', '/', ':'))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        expect(parseTlsReportRecord([`v=TLSRPTv1; rua=${pieces.join('')}`]).length).toBeLessThanOrEqual(10)
      }),
      { numRuns: 300 },
    )
  })
})

describe('a report', () => {
  const due: DueTlsReport = {
    domain: 'a.test',
    begin: Date.UTC(2026, 0, 1),
    end: Date.UTC(2026, 0, 2),
    results: [
      { policy: found, succeeded: 4, failed: 1, failures: [
        { type: 'certificate-expired', host: 'mx.a.test', address: '192.0.2.1', source: undefined, count: 1 },
      ] },
      { policy: none, succeeded: 2, failed: 0, failures: [] },
    ],
    take: async () => true,
  }
  const reporter = { organization: 'Us', contact: 'tls@us.test', domain: 'us.test', id: 'abc-1' }

  it('says what RFC 8460 asks for', () => {
    expect(JSON.parse(new TextDecoder().decode(encodeTlsReport(due, reporter)))).toEqual({
      'organization-name': 'Us',
      'date-range': { 'start-datetime': '2026-01-01T00:00:00Z', 'end-datetime': '2026-01-01T23:59:59Z' },
      'contact-info': 'tls@us.test',
      'report-id': 'abc-1',
      policies: [
        {
          policy: {
            'policy-type': 'sts',
            'policy-string': ['version: STSv1', 'mode: testing'],
            'policy-domain': 'a.test',
            'mx-host': ['*.a.test'],
          },
          summary: { 'total-successful-session-count': 4, 'total-failure-session-count': 1 },
          'failure-details': [{
            'result-type': 'certificate-expired',
            'receiving-mx-hostname': 'mx.a.test',
            'receiving-ip': '192.0.2.1',
            'failed-session-count': 1,
          }],
        },
        {
          policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'a.test' },
          summary: { 'total-successful-session-count': 2, 'total-failure-session-count': 0 },
        },
      ],
    })
  })

  it('is mailed compressed', async () => {
    const json = encodeTlsReport(due, reporter)
    const mail = { from: { local: 'tls', domain: 'us.test' }, to: [], now: tomorrow, messageId: '<x@us.test>', boundary: 'b' }
    const { subject, fields, multipart } = tlsReportDraft(due, await gzipped(json), reporter, mail)
    expect(subject).toBe('Report Domain: a.test Submitter: us.test Report-ID: <abc-1@us.test>')
    expect(fields).toContainEqual(['TLS-Report-Domain', 'a.test'])
    expect(fields).toContainEqual(['TLS-Report-Submitter', 'us.test'])
    expect(multipart!.type).toBe('multipart/report; report-type=tlsrpt')
    const [part] = multipart!.parts
    const file = 'us.test!a.test!1767225600!1767311999!abc-1.json.gz'
    expect(part!.fields).toContainEqual(['Content-Disposition', `attachment; filename="${file}"`])
    const compressed = Buffer.from(new TextDecoder().decode(part!.body), 'base64')
    expect(gunzipSync(compressed)).toEqual(Buffer.from(json))
  })

  it('tells policies as they are published', () => {
    const records = [{ usage: 3, selector: 1, matching: 1, data: Uint8Array.of(1, 255) }]
    const sts = { mode: 'enforce', mx: ['a.test', '*.b.test'], maxAge: 60 } as const
    const dane = { kind: 'usable', base: 'a.test', records } as const
    expect(reportedPolicy(dane, sts)).toEqual({ type: 'tlsa', strings: ['3 1 1 01ff'], mx: [] })
    expect(reportedPolicy({ kind: 'none' }, sts)).toEqual({
      type: 'sts',
      strings: ['version: STSv1', 'mode: enforce', 'mx: a.test', 'mx: *.b.test', 'max_age: 60'],
      mx: ['a.test', '*.b.test'],
    })
    expect(reportedPolicy({ kind: 'none' }, { ...sts, mode: 'none' })).toEqual(none)
    expect(reportedPolicy({ kind: 'failed' }, undefined)).toEqual(none)
  })
})

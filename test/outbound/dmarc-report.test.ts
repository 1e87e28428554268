import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryKeyValue } from '../../src/adapters/memory/index.ts'
import type { Authentication, DmarcFinding, KeyValue } from '../../src/contracts/index.ts'
import { dmarcReportTargets, parseReportUris } from '../../src/outbound/dmarc-report-targets.ts'
import { dmarcReportDraft, encodeDmarcReport } from '../../src/outbound/dmarc-report.ts'
import { dmarcResults, type DueDmarcReport } from '../../src/outbound/dmarc-results.ts'
import { type DmarcMessage, mergedTallies, readTally, tallyOf, writeTally } from '../../src/outbound/dmarc-tally.ts'
import { fakeDns } from '../../src/testing/index.ts'

const noon = Date.UTC(2026, 0, 1, 12)
const tomorrow = noon + 86_400_000
const reporter = { organization: 'Ex & Sons', contact: 'postmaster@mx.test', domain: 'mx.test', id: 'abc' }

const dmarc = (more: Partial<DmarcFinding> = {}): DmarcFinding => ({
  result: 'fail', domain: 'news.a.test', policyDomain: 'a.test', policy: 'reject', disposition: 'reject',
  aligned: { spf: false, dkim: false }, record: new Map([['p', 'reject'], ['rua', 'mailto:d@a.test'], ['adkim', 's']]),
  why: undefined, ...more,
})

const message = (more: Partial<DmarcMessage> = {}, found: Partial<DmarcFinding> = {}): DmarcMessage => {
  const authentication: Authentication = {
    spf: { result: 'softfail', identity: 'mailfrom', domain: 'b.test', why: undefined },
    dkim: [{
      result: 'fail', domain: 'c.test', selector: 's1', algorithm: 'rsa-sha256', signature: 'abcdefgh', bits: 2048, covers: 'all',
      why: undefined,
    }],
    dmarc: undefined, arc: undefined, iprev: undefined, bimi: undefined,
  }
  const source = '192.0.2.1'
  return { found: { ...authentication, dmarc: dmarc(found) }, source, envelopeFrom: 'b.test', disposition: 'reject', ...more }
}

const dueOf = async (store: KeyValue, now = tomorrow): Promise<DueDmarcReport[]> => {
  const all: DueDmarcReport[] = []
  for await (const one of dmarcResults(store).due(now)) all.push(one)
  return all
}

describe('dmarcResults', () => {
  it('counts messages alike, whoever has seen them, and tells of a day that is over', async () => {
    const store = memoryKeyValue()
    const [one, other] = [dmarcResults(store), dmarcResults(store)]
    for (let at = 0; at < 3; at++) one.note(message(), noon)
    other.note(message(), noon)
    other.note(message({ disposition: 'none' }), noon)
    for (let at = 0; at < 40; at++) one.note(message({ source: `198.51.100.${at}` }), noon)
    one.note(message({}, { policyDomain: 'a.test.au' }), noon)
    one.note(message({}, { policyDomain: undefined }), noon)
    await Promise.all([one.flush(noon), other.flush(noon)])
    expect(await dueOf(store, noon + 43_199_999)).toEqual([])
    const due = await dueOf(store)
    expect(due.map(({ domain }) => domain)).toEqual(['a.test', 'a.test.au'])
    const rows = due[0]!.results.rows
    expect(rows.filter(({ source }) => source === '192.0.2.1').map(({ count, override }) => [count, override]).sort()).toEqual([
      [1, 'local_policy'], [4, undefined],
    ])
    expect(rows).toHaveLength(42)
    expect(await due[0]!.take()).toBe(true)
    expect(await due[0]!.take()).toBe(false)
    expect((await dueOf(store)).map(({ domain }) => domain)).toEqual(['a.test.au'])
  })

  it('holds thousands of kinds of messages, each part in what a store takes', async () => {
    const store = memoryKeyValue()
    const results = dmarcResults(store)
    for (let at = 0; at < 3000; at++) results.note(message({ source: `10.0.${at >> 8}.${at & 255}` }), noon)
    await results.flush(noon)
    const [due] = await dueOf(store)
    expect(due!.results.rows.length).toBeGreaterThan(2000)
  })
})

describe('a tally', () => {
  it.each([
    ['what was asked for was done', {}, 'reject', undefined],
    ['something else was done', {}, 'none', 'local_policy'],
    ['pct let it through', { disposition: 'quarantine' }, 'quarantine', 'sampled_out'],
    ['it has passed', { result: 'pass', disposition: 'none' }, 'none', undefined],
  ] as const)('says why, where %s', (_, found, disposition, override) => {
    expect(tallyOf(message({ disposition }, found)).rows[0]!.override).toBe(override)
  })

  it('is the same after it was written and read', () => {
    const names = fc.string({ unit: 'binary', maxLength: 40 })
    const one = fc.record({ source: names, envelopeFrom: fc.option(names, { nil: undefined }) })
    const messages = fc.array(one, { minLength: 1, maxLength: 5 })
    fc.assert(fc.property(messages, (several) => {
      const tally = several.map((each) => tallyOf(message(each))).reduce(mergedTallies)
      expect(readTally(writeTally(tally))).toEqual(tally)
    }), { numRuns: 50 })
  })

  it('has at most 60,000 characters and leaves rows out rather than all of them', () => {
    const long = (at: number): DmarcMessage => message({ source: `${at}${'x'.repeat(900)}` })
    const text = writeTally(Array.from({ length: 200 }, (_, at) => tallyOf(long(at))).reduce(mergedTallies))
    expect(text.length).toBeLessThanOrEqual(60_000)
    expect(readTally(text).rows.length).toBeGreaterThan(20)
  })

  it.each(['', '{', 'null', '[]', '{"record":[],"rows":[{}]}'])('is empty where the text is none of ours: %j', (text) => {
    expect(readTally(text)).toEqual({ record: [], rows: [] })
  })
})

describe('a report', () => {
  const due = (rows: DueDmarcReport['results']): DueDmarcReport =>
    ({ domain: 'a.test', begin: Date.UTC(2026, 0, 1), end: Date.UTC(2026, 0, 2), results: rows, take: async () => true })

  it('is XML as RFC 7489 has it', () => {
    const tally = [tallyOf(message()), tallyOf(message({ disposition: 'none', envelopeFrom: undefined }))].reduce(mergedTallies)
    expect(new TextDecoder().decode(encodeDmarcReport(due(tally), reporter))).toBe(`<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <version>1.0</version>
  <report_metadata>
    <org_name>Ex &amp; Sons</org_name>
    <email>postmaster@mx.test</email>
    <report_id>abc</report_id>
    <date_range>
      <begin>1767225600</begin>
      <end>1767311999</end>
    </date_range>
  </report_metadata>
  <policy_published>
    <domain>a.test</domain>
    <adkim>s</adkim>
    <aspf>r</aspf>
    <p>reject</p>
    <sp>reject</sp>
    <pct>100</pct>
    <fo>0</fo>
  </policy_published>
${[['reject', '', 'b.test'], ['none', `        <reason>
          <type>local_policy</type>
        </reason>
`, '']].map(([disposition, reason, from]) => `  <record>
    <row>
      <source_ip>192.0.2.1</source_ip>
      <count>1</count>
      <policy_evaluated>
        <disposition>${disposition}</disposition>
        <dkim>fail</dkim>
        <spf>fail</spf>
${reason}      </policy_evaluated>
    </row>
    <identifiers>
      <envelope_from>${from}</envelope_from>
      <header_from>news.a.test</header_from>
    </identifiers>
    <auth_results>
      <dkim>
        <domain>c.test</domain>
        <selector>s1</selector>
        <result>fail</result>
      </dkim>
      <spf>
        <domain>b.test</domain>
        <scope>mfrom</scope>
        <result>softfail</result>
      </spf>
    </auth_results>
  </record>
`).join('')}</feedback>
`)
  })

  it('lets nothing out of its element, whatever names hold', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const tally = tallyOf(message({ envelopeFrom: `</envelope_from>${text}` }, { domain: `${text}<x a="b">&#0;` }))
      const xml = new TextDecoder().decode(encodeDmarcReport(due(tally), reporter))
      const names = xml.split('<').slice(2).map((piece) => piece.split('>', 1)[0])
      expect(names).not.toContain('x a="b"')
      expect(xml.split('</envelope_from>')).toHaveLength(2)
      expect(xml).not.toMatch(/[\u0000-\u0009\u000b-\u001f\ufffe\uffff]|&(?!amp;|lt;|gt;)/)
    }), { numRuns: 100 })
  })

  it('is mailed under the name that tells whose it is', () => {
    const mail = {
      from: { local: 'postmaster', domain: 'mx.test' }, to: [{ local: 'd', domain: 'a.test' }], now: noon,
      messageId: '<i@mx.test>', boundary: 'b',
    }
    const draft = dmarcReportDraft(due({ record: [], rows: [] }), Uint8Array.of(1, 2, 3), reporter, mail)
    expect(draft.subject).toBe('Report Domain: a.test Submitter: mx.test Report-ID: <abc@mx.test>')
    expect(draft.multipart!.parts[0]!.fields).toContainEqual(
      ['Content-Disposition', 'attachment; filename="mx.test!a.test!1767225600!1767311999!abc.xml.gz"'],
    )
    expect(draft.fields).toContainEqual(['Auto-Submitted', 'auto-generated'])
  })
})

describe('where reports go', () => {
  it.each([
    ['mailto:d@a.test', ['d@a.test'], [Infinity]],
    ['mailto:d@a.test!10m, MAILTO:e@b.test!5K ', ['d@a.test', 'e@b.test'], [10_485_760, 5120]],
    ['mailto:d%21x@a.test!7', ['d!x@a.test'], [7]],
    ['https://a.test/x,mailto:d@a.test', ['d@a.test'], [Infinity]],
    ['mailto:d@a.test!m,mailto:@,mailto:d@a.test!1x', [], []],
    ['', [], []],
    [
      Array.from({ length: 9 }, (_, at) => `mailto:d${at}@a.test`).join(), [0, 1, 2, 3, 4].map((at) => `d${at}@a.test`),
      Array(5).fill(Infinity),
    ],
  ])('is read: %s', (rua, addresses, most) => {
    const targets = parseReportUris(rua)
    expect(targets.map(({ address }) => `${address.local}@${address.domain}`)).toEqual(addresses)
    expect(targets.map((target) => target.most)).toEqual(most)
  })

  it('is asked whether it wants them, where it is not the domain itself (RFC 7489 §7.1)', async () => {
    const dns = fakeDns({
      'a.test._report._dmarc.yes.test': { TXT: ['v=DMARC1;'] },
      'a.test._report._dmarc.odd.test': { TXT: ['v=DMARC2', 'x'] },
    })
    const rua = ['a.test', 'x.a.test', 'yes.test', 'no.test', 'odd.test'].map((domain) => `mailto:d@${domain}`).join()
    const targets = await dmarcReportTargets(rua, 'a.test', dns)
    expect(targets.map(({ address }) => address.domain)).toEqual(['a.test', 'x.a.test', 'yes.test'])
    expect(dns.asked.map(({ name }) => name)).toEqual(['yes', 'no', 'odd'].map((name) => `a.test._report._dmarc.${name}.test`))
  })
})

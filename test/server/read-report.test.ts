import { deflateRawSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseXml } from '../../src/adapters/xml/index.ts'
import { unpacked } from '../../src/adapters/node/unpacked.ts'
import { readReport } from '../../src/index.ts'
import { indexMessage } from '../../src/message/index.ts'

const xml = `<?xml version="1.0" encoding="UTF-8"?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
  <report_metadata><org_name>A &amp; B</org_name><email>r@a.test</email><report_id>7</report_id>
    <date_range><begin>1767225600</begin><end>1767311999</end></date_range></report_metadata>
  <policy_published><domain>X.test</domain><adkim>r</adkim><p>reject</p><pct>100</pct></policy_published>
  <record><row><source_ip>192.0.2.1</source_ip><count>3</count>
    <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf>
      <reason><type>local_policy</type><comment>known</comment></reason></policy_evaluated></row>
    <identifiers><header_from>x.test</header_from></identifiers>
    <auth_results><dkim><domain>x.test</domain><selector>s</selector><result>pass</result></dkim>
      <dkim><domain>y.test</domain><result>fail</result></dkim>
      <spf><domain>z.test</domain><scope>mfrom</scope><result>softfail</result></spf></auth_results></record>
  <record><row><source_ip>192.0.2.2</source_ip></row></record>
</feedback>`

const dmarc = {
  kind: 'dmarc', id: '7', organization: 'A & B', contact: 'r@a.test', begin: 1767225600000, end: 1767311999000, domain: 'x.test',
  record: new Map([['p', 'reject'], ['adkim', 'r'], ['pct', '100']]),
  rows: [{
    source: '192.0.2.1', count: 3, disposition: 'none', dkim: 'pass', spf: 'fail',
    reasons: [{ type: 'local_policy', comment: 'known' }], headerFrom: 'x.test', envelopeFrom: undefined,
    signatures: [{ domain: 'x.test', selector: 's', result: 'pass' }, { domain: 'y.test', selector: undefined, result: 'fail' }],
    senders: [{ domain: 'z.test', scope: 'mfrom', result: 'softfail' }],
  }],
}

const json = JSON.stringify({
  'organization-name': 'A', 'contact-info': 'r@a.test', 'report-id': '8',
  'date-range': { 'start-datetime': '2026-01-01T00:00:00Z', 'end-datetime': '2026-01-01T23:59:59Z' },
  policies: [{
    policy: { 'policy-type': 'sts', 'policy-string': ['version: STSv1'], 'policy-domain': 'X.test', 'mx-host': '*.x.test' },
    summary: { 'total-successful-session-count': 5, 'total-failure-session-count': 2 },
    'failure-details': [
      { 'result-type': 'certificate-expired', 'receiving-mx-hostname': 'mx.x.test', 'failed-session-count': 2 },
    ],
  }],
})

const tls = {
  kind: 'tls', id: '8', organization: 'A', contact: 'r@a.test',
  begin: Date.UTC(2026, 0, 1), end: Date.UTC(2026, 0, 1, 23, 59, 59),
  policies: [{
    type: 'sts', domain: 'x.test', strings: ['version: STSv1'], hosts: ['*.x.test'], succeeded: 5, failed: 2,
    failures: [{
      type: 'certificate-expired', count: 2, source: undefined, host: 'mx.x.test', address: undefined, code: undefined,
    }],
  }],
}

/** A ZIP archive of one file, written by hand. */
function zipped(text: string, method: 0 | 8): Buffer {
  const data = method === 8 ? deflateRawSync(text) : Buffer.from(text)
  const name = Buffer.from('a.xml')
  const [local, entry, end] = [Buffer.alloc(30), Buffer.alloc(46), Buffer.alloc(22)]
  local.write('PK\u0003\u0004', 'latin1')
  entry.write('PK\u0001\u0002', 'latin1')
  end.write('PK\u0005\u0006', 'latin1')
  for (const [header, at] of [[local, 8], [entry, 10]] as const) header.writeUInt16LE(method, at)
  for (const [header, at] of [[local, 18], [entry, 20]] as const) header.writeUInt32LE(data.length, at)
  for (const [header, at] of [[local, 26], [entry, 28]] as const) header.writeUInt16LE(name.length, at)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(local.length + name.length + data.length, 16)
  return Buffer.concat([local, name, data, entry, name, end])
}

/** Its header says that the name goes on behind the end. */
function pointingOutside(): Buffer {
  const file = zipped(xml, 8)
  file.writeUInt16LE(0xfff0, 26)
  return file
}

const inBase64 = (octets: Uint8Array): string => Buffer.from(octets).toString('base64').replace(/.{76}/g, '$&\r\n')

/** What is read in a message with that part. */
function readIn(type: string, encoding: string, content: string, around = ''): ReturnType<typeof readReport> {
  const part = `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${content}\r\n`
  const whole = around === ''
    ? `Subject: x\r\n${part}`
    : `Content-Type: ${around}; boundary=b\r\n\r\n--b\r\n\r\nSee below.\r\n--b\r\n${part}--b--\r\n`
  return readOctets(Buffer.from(whole, 'latin1'))
}

function readOctets(bytes: Buffer): ReturnType<typeof readReport> {
  const read = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes
  }
  return readReport({ body: { size: bytes.length, bytes, read }, facts: indexMessage(bytes) })
}

const junk = Buffer.alloc(6, 255)

describe('readReport', () => {
  it.each([
    ['gzip', 'application/gzip', gzipSync(xml), dmarc],
    ['ZIP', 'application/zip', zipped(xml, 8), dmarc],
    ['a ZIP whose last record is broken', 'application/zip', Buffer.concat([zipped(xml, 8).subarray(0, -6), junk]), dmarc],
    ['a ZIP that compresses nothing', 'application/x-zip-compressed', zipped(xml, 0), dmarc],
    ['octets, whatever they are', 'application/octet-stream; name="a.zip"', zipped(xml, 8), dmarc],
    ['XML as it is', 'text/xml', Buffer.from(xml), dmarc],
    ['JSON by gzip', 'application/tlsrpt+gzip', gzipSync(json), tls],
    ['JSON as it is', 'application/tlsrpt+json', Buffer.from(json), tls],
  ])('reads a report that comes as %s', async (_, type, octets, expected) => {
    expect(await readIn(type, 'base64', inBase64(octets))).toEqual(expected)
    expect(await readIn(type, 'base64', inBase64(octets), 'multipart/mixed')).toEqual(expected)
  })

  it('reads what comes in no encoding at all', async () => {
    expect(await readIn('text/xml', '8bit', xml.replaceAll('\n', '\r\n'), 'multipart/report; report-type=x')).toEqual(dmarc)
  })

  it.each([
    ['no report', 'text/xml', Buffer.from('<feedback/>')],
    ['a document type, which could hold a bomb', 'text/xml', Buffer.from(xml.replace('<feedback', '<!DOCTYPE x><feedback'))],
    ['XML that breaks off', 'text/xml', Buffer.from(xml.slice(0, 300))],
    ['XML that nests without end', 'text/xml', Buffer.from('<a>'.repeat(100_000))],
    ['gzip that breaks off', 'application/gzip', gzipSync(xml).subarray(0, 100)],
    ['gzip of far too much', 'application/gzip', gzipSync(Buffer.alloc(33 * 1_048_576))],
    ['XML of a million tags', 'application/gzip', gzipSync(xml.replace('<record>', `${'<x/>'.repeat(1_000_000)}<record>`))],
    ['XML with a text without end', 'application/gzip', gzipSync(xml.replace('<record>', `${'x'.repeat(70_000)}<record>`))],
    ['XML of tags without end', 'application/gzip', gzipSync('<a</'.repeat(500_000))],
    ['a ZIP that breaks off', 'application/zip', zipped(xml, 8).subarray(0, 100)],
    ['a ZIP whose file lies outside of it', 'application/zip', pointingOutside()],
    ['JSON of something else', 'application/json', Buffer.from('{"policies":[]}')],
    ['text', 'text/plain', Buffer.from(xml)],
  ])('finds none in %s', async (_, type, octets) => {
    expect(await readIn(type, 'base64', inBase64(octets))).toBeUndefined()
  })

  it('unpacks no more of all parts together than of one', async () => {
    const fields = 'Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n'
    const part = (octets: Uint8Array) => `--b\r\n${fields}\r\n${inBase64(octets)}\r\n`
    const large = part(gzipSync(Buffer.alloc(20 * 1_048_576)))
    const mail = (...parts: string[]) =>
      Buffer.from(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts.join('')}--b--\r\n`)
    expect(await readOctets(mail(large, part(gzipSync(xml))))).toEqual(dmarc)
    expect(await readOctets(mail(large, large, part(gzipSync(xml))))).toBeUndefined()
  })

  it('never throws, whatever comes in place of what should', async () => {
    const nonsense = fc.oneof(
      fc.json().map((text) => text), fc.string().map((text) => `{"date-range":${JSON.stringify(text)},"policies":[[],{},null]}`),
      fc.string({ unit: 'binary' }).map((text) => xml.replace('192.0.2.1', text)), fc.nat(xml.length).map((at) => xml.slice(at)),
      fc.nat(xml.length).map((at) => xml.slice(0, at) + xml.slice(at + 9)),
    )
    await fc.assert(fc.asyncProperty(nonsense, async (text) => {
      await readIn('text/xml', 'base64', inBase64(Buffer.from(text)))
    }), { numRuns: 200 })
  })
})

describe('unpacked', () => {
  it('never throws, and never gives more than it may', async () => {
    const files = [gzipSync(xml), zipped(xml, 8), zipped(xml, 0)]
    const broken = fc.tuple(fc.constantFrom(...files), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }), fc.nat(3000))
    await fc.assert(fc.asyncProperty(broken, async ([file, changes, most]) => {
      const octets = Buffer.from(file)
      for (const [at, octet] of changes) octets[at % octets.length] = octet
      expect((await unpacked(octets, most))?.length ?? 0).toBeLessThanOrEqual(most)
    }), { numRuns: 200 })
  })
})

describe('parseXml', () => {
  it('gives lists of children and texts', async () => {
    expect(await parseXml('<f x="1"><a>1 &lt; 2</a><b><c>x</c><c>y</c></b><d/></f>')).toEqual(
      { f: [{ a: ['1 < 2'], b: [{ c: ['x', 'y'] }], d: [''] }] },
    )
  })
})

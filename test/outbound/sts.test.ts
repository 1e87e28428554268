import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryKeyValue } from '../../src/adapters/memory/index.ts'
import { parseStsPolicy, parseStsRecord, stsNames, type StsPolicy } from '../../src/outbound/sts-policy.ts'
import { mtaSts, type StsFinding } from '../../src/outbound/sts.ts'
import { TlsFailure } from '../../src/protocol/session/dial.ts'
import { MailError } from '../../src/protocol/session/errors.ts'
import { fakeDns } from '../../src/testing/index.ts'

const policy = (mode = 'enforce', more = ''): string =>
  `version: STSv1\r\nmode: ${mode}\r\nmx: mail.example.org\r\nmx: *.example.net\r\nmax_age: 604800\r\n${more}`

describe('parseStsRecord', () => {
  it.each<readonly [readonly string[], string | undefined]>([
    [['v=STSv1; id=20160831085700Z;'], '20160831085700Z'],
    [['v=STSv1;id=1'], '1'],
    [['v=STSv1 ; x=y ; id=abc ;'], 'abc'],
    [['other', 'v=STSv1; id=1;', 'v=STSv1x; id=2'], '1'],
    [['v=STSv1; id=1', 'v=STSv1; id=2'], undefined],
    [[], undefined],
    [['v=STSv1'], undefined],
    [['v=STSv1; id='], undefined],
    [['v=STSv1; id=a-b'], undefined],
    [['v=STSv1; id=a b'], undefined],
    [[`v=STSv1; id=${'1'.repeat(33)}`], undefined],
    [[`v=STSv1; id=1; x=${'1'.repeat(5000)}`], undefined],
    [['v=stsv1; id=1'], undefined],
    [['id=1; v=STSv1'], undefined],
  ])('%j: %s', (records, id) => {
    expect(parseStsRecord(records)).toBe(id)
  })
})

describe('parseStsPolicy', () => {
  it.each<readonly [string, string, StsPolicy | undefined]>([
    ['a policy', policy(), { mode: 'enforce', mx: ['mail.example.org', '*.example.net'], maxAge: 604_800 }],
    ['line feeds alone', policy('testing').replaceAll('\r', ''), {
      mode: 'testing', mx: ['mail.example.org', '*.example.net'], maxAge: 604_800,
    }],
    ['any order, other fields, blank lines', 'max_age:1\n\nfoo: bar\nmode:none\nversion:STSv1', {
      mode: 'none', mx: [], maxAge: 1,
    }],
    ['the first of two', policy('enforce', 'mode: none\r\nmax_age: 1\r\n'), {
      mode: 'enforce', mx: ['mail.example.org', '*.example.net'], maxAge: 604_800,
    }],
    ['names in any form', 'version: STSv1\nmode: testing\nmx: B\u00dcCHER.test\nmx: xn--bcher-kva.test\nmax_age: 9', {
      mode: 'testing', mx: ['xn--bcher-kva.test'], maxAge: 9,
    }],
    ['more time than there may be', policy().replace('604800', '9999999999'), {
      mode: 'enforce', mx: ['mail.example.org', '*.example.net'], maxAge: 31_557_600,
    }],
    ['no version', policy().replace('version', 'versio'), undefined],
    ['another version', policy().replace('STSv1', 'STSv2'), undefined],
    ['another mode', policy('strict'), undefined],
    ['no mode', policy().replace('mode', 'mod'), undefined],
    ['no time', policy().replace('max_age', 'age'), undefined],
    ['no number', policy().replace('604800', '1e9'), undefined],
    ['a negative time', policy().replace('604800', '-1'), undefined],
    ['no servers', 'version: STSv1\nmode: enforce\nmax_age: 1', undefined],
    ['a pattern that is none', policy('enforce', 'mx: a.*.test\n'), undefined],
    ['a star alone', policy('enforce', 'mx: *\n'), undefined],
    ['an address', policy('enforce', 'mx: [192.0.2.1]\n'), undefined],
    ['a page', '<!doctype html>\n<title>Not found</title>', undefined],
    ['nothing', '', undefined],
    ['too much', policy('enforce', '\n'.repeat(600)), undefined],
    ['too long', policy('enforce', `x: ${'y'.repeat(70_000)}`), undefined],
    ['too many servers', policy('enforce', Array.from({ length: 200 }, (_, at) => `mx: h${at}.test\n`).join('')), undefined],
  ])('%s', (_, text, parsed) => {
    expect(parseStsPolicy(text)).toEqual(parsed)
  })

  it('never throws', () => {
    const line = fc.oneof(fc.string(), fc.constantFrom('version: STSv1', 'mode: enforce', 'mx: a.test', 'max_age: 5', 'mx:', ':'))
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const parsed = parseStsPolicy(lines.join('\n'))
        if (parsed && parsed.mode !== 'none') expect(parsed.mx.length).toBeGreaterThan(0)
      }),
      { numRuns: 300 },
    )
  })
})

it.each([
  ['mail.example.org', true], ['a.example.net', true],
  ['example.net', false], ['a.b.example.net', false], ['.example.net', false],
  ['xmail.example.org', false], ['mail.example.org.evil.test', false], ['', false], ['*.example.net', true],
])('stsNames: %s: %s', (host, is) => {
  expect(stsNames(parseStsPolicy(policy())!, host)).toBe(is)
})

describe('mtaSts', () => {
  const day = 86_400_000

  /** A domain that publishes what it is told to. */
  function domain(): {
    text: string | Error
    id: (id: string | undefined) => void
    fail: () => void
    later: (milliseconds: number) => void
    find: () => Promise<StsFinding>
    fetched: number
  } {
    const dns = fakeDns()
    const store = memoryKeyValue()
    let now = 1_800_000_000_000
    const self = {
      text: policy() as string | Error,
      fetched: 0,
      id: (id: string | undefined) => dns.set('_mta-sts.a.test', id === undefined ? undefined : { TXT: `v=STSv1; id=${id}` }),
      fail: () => dns.set('_mta-sts.a.test', 'SERVFAIL'),
      later: (milliseconds: number) => {
        now += milliseconds
      },
      find: async () => lookup('a.test'),
    }
    const lookup = mtaSts({
      resolver: dns,
      store,
      now: () => now,
      fetchPolicy: async () => {
        self.fetched++
        if (self.text instanceof Error) throw self.text
        return self.text
      },
    })
    self.id('1')
    return self
  }

  it('fetches a policy once, and again when it is announced to be another, and once a day', async () => {
    const at = domain()
    expect((await at.find()).policy?.mode).toBe('enforce')
    at.later(day - 1)
    expect((await at.find()).policy?.mode).toBe('enforce')
    expect(at.fetched).toBe(1)
    at.text = policy('testing')
    at.later(1)
    expect((await at.find()).policy?.mode).toBe('testing')
    at.text = policy('none')
    at.id('2')
    expect((await at.find()).policy?.mode).toBe('none')
    expect(at.fetched).toBe(3)
  })

  it('asks nothing of a domain that announces nothing', async () => {
    const at = domain()
    at.id(undefined)
    expect(await at.find()).toEqual({})
    at.fail()
    expect(await at.find()).toEqual({})
    expect(at.fetched).toBe(0)
  })

  it('keeps to what it knows when the announcement is suppressed, until that runs out', async () => {
    const at = domain()
    await at.find()
    for (const suppress of [() => at.id(undefined), at.fail, () => at.id('not/valid')]) {
      suppress()
      expect((await at.find()).policy?.mode).toBe('enforce')
    }
    at.later(604_800_000)
    expect(await at.find()).toEqual({})
  })

  it.each<readonly [string | Error, string]>([
    [new MailError('temporary', 'x'), 'sts-policy-fetch-error'],
    [new TlsFailure('certificate-expired', 'x'), 'sts-webpki-invalid'],
    ['<html>', 'sts-policy-invalid'],
  ])('keeps to what it knows when a newer one cannot be had: %o', async (text, trouble) => {
    const at = domain()
    await at.find()
    at.text = text
    at.id('2')
    expect(await at.find()).toMatchObject({ policy: { mode: 'enforce' }, trouble })
    expect(await at.find()).toMatchObject({ policy: { mode: 'enforce' }, trouble })
    // Five minutes later it is tried again, and not before.
    expect(at.fetched).toBe(2)
    at.text = policy('testing')
    at.later(300_000)
    expect(await at.find()).toMatchObject({ policy: { mode: 'testing' } })
    expect(at.fetched).toBe(3)
  })

  it('knows nothing where the first one cannot be had', async () => {
    const at = domain()
    at.text = new MailError('temporary', 'x')
    expect(await at.find()).toEqual({ trouble: 'sts-policy-fetch-error' })
  })

  it('fetches once for all who ask at a time', async () => {
    const at = domain()
    const found = await Promise.all(Array.from({ length: 20 }, () => at.find()))
    expect(found.every(({ policy: one }) => one?.mode === 'enforce')).toBe(true)
    expect(at.fetched).toBe(1)
  })

  it('takes nothing for a policy that it has not written, and passes faults on', async () => {
    const store = memoryKeyValue()
    const now = 1_800_000_000_000
    const parts = { resolver: fakeDns(), store, now: () => now, fetchPolicy: () => Promise.reject(new TypeError('x')) }
    for (const value of ['{', '{}', '[]', 'null', '{"id":"1","fetched":1,"policy":{}}', '{"id":"1","fetched":1,"policy":null}']) {
      await store.set('sts:b.test', value, { now })
      expect(await mtaSts(parts)('b.test')).toEqual({})
    }
    const faulty = mtaSts({ ...parts, resolver: fakeDns({ '_mta-sts.b.test': { TXT: 'v=STSv1; id=1' } }) })
    await expect(faulty('b.test')).rejects.toThrow(TypeError)
    await store.close!()
    await expect(mtaSts(parts)('b.test')).rejects.toMatchObject({ code: 'closed' })
  })
})

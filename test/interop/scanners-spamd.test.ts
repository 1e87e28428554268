import { beforeAll, expect, it } from 'vitest'
import { spamd } from '../../src/adapters/scanners/index.ts'
import type { Scanner } from '../../src/contracts/index.ts'
import { scan } from '../../src/index.ts'
import { world } from '../../src/testing/index.ts'
import { never, subjectOf } from '../adapters/scanners/subject.ts'
import { holding } from './held.ts'
import { describeWith } from './programs.ts'
import { GTUBE, startSpamd } from './scanners.ts'

const held = holding()
const mail = (text: string): string => `From: Alice <alice@a.test>\r
To: bob@b.test\r
Subject: Lunch\r
Date: Fri, 2 Jan 2026 12:00:00 +0000\r
Message-ID: <1@a.test>\r
\r
${text}\r
`

describeWith(['spamd', '/usr/share/spamassassin'], 'spamd', () => {
  let scanner: Scanner
  beforeAll(async () => {
    const opened = spamd({ ...(await startSpamd(held)), user: 'alice' })
    held.later(() => opened.close())
    scanner = opened
  })

  it('counts points, and names the rules', async () => {
    const spam = await scanner.scan(subjectOf([mail(GTUBE)]), never())
    expect(spam).toMatchObject({ action: 'quarantine', threshold: 5 })
    expect(spam.score).toBeGreaterThan(900)
    expect(spam.findings).toContainEqual({ name: 'GTUBE' })
    const ham = await scanner.scan(subjectOf(mail('Shall we?').split(/(?<=\n)/)), never())
    expect(ham).toMatchObject({ action: 'pass', threshold: 5 })
    expect(ham.score).toBeLessThan(5)
  })

  it('waits for no end of a last line that has none', async () => {
    expect(await scanner.scan(subjectOf([mail('Shall we?').trimEnd()]), never())).toMatchObject({ action: 'pass' })
  })

  it('several messages at once, and a large one', async () => {
    const lines = 'a line of text that says nothing at all\r\n'.repeat(5)
    const large = subjectOf([mail('Look:'), ...Array.from({ length: 2000 }, () => lines)])
    const all = [large, ...Array.from({ length: 5 }, (_, at) => subjectOf([mail(at % 2 === 0 ? GTUBE : 'Yes')]))]
    const actions = await Promise.all(all.map(async (one) => (await scanner.scan(one, never())).action))
    expect(actions).toEqual(['pass', 'quarantine', 'pass', 'quarantine', 'pass', 'quarantine'])
  })

  it('has spam set apart, with the reasons', async () => {
    const w = world({ server: { policies: [scan(scanner, { onError: 'defer' })] } })
    const { reply } = await w.connect('203.0.113.9').send({ to: 'a@mx.test', content: mail(GTUBE) })
    expect(reply).toMatch(/^250 /)
    const [message] = w.delivered
    const status = /^Yes, score=\d{3,}(\.\d)? required=5 tests=[\w,]*GTUBE[\w,]* scanner=spamd$/
    expect(message!.headers.get('x-spam-status')!.value).toMatch(status)
    expect(message!.headers.get('x-spam-flag')!.value).toBe('YES')
    expect(message!.headers.get('x-quarantine-reason')!.value).toMatch(/^scan\(spamd\): \d{3,}(\.\d)? of 5 points: .*GTUBE/)
  })
})

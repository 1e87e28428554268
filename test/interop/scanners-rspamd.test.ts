import { beforeAll, expect, it } from 'vitest'
import { rspamd } from '../../src/adapters/scanners/index.ts'
import type { Scanner } from '../../src/contracts/index.ts'
import { scan } from '../../src/index.ts'
import { world } from '../../src/testing/index.ts'
import { never, subjectOf } from '../adapters/scanners/subject.ts'
import { holding } from './held.ts'
import { describeWith } from './programs.ts'
import { GTUBE, startRspamd } from './scanners.ts'

const held = holding()
const mail = (text: string): string => `From: alice@a.test\r\nSubject: Lunch\r\nX-Old: 1\r\n\r\n${text}\r\n`

/** Tells what it knows of a message, and wants its header changed. */
const rule = `
local rcpt = {}
for _, one in ipairs(task:get_recipients('smtp') or {}) do table.insert(rcpt, one.addr) end
task:set_milter_reply({ add_headers = { ['X-Own'] = { value = 'yes', order = 1 } }, remove_headers = { ['X-Old'] = 0 } })
local wanted = task:get_header('X-Wanted')
if wanted then task:set_pre_result(wanted, 'as wanted') end
local from = (task:get_from('smtp') or {})[1]
return true, 1.0, { tostring(task:get_from_ip()), task:get_helo(), from and from.addr or 'none', table.concat(rcpt, ' '),
  task:get_user() or 'nobody', task:get_header('Subject') }
`

describeWith(['rspamd'], 'rspamd', () => {
  let scanner: Scanner
  beforeAll(async () => {
    const opened = rspamd({ ...(await startRspamd(held, rule)), hostname: 'mx.test' })
    held.later(() => opened.close())
    scanner = opened
  })

  it('is told who sends what to whom, and says what it makes of it', async () => {
    const subject = subjectOf(mail('Shall we?').split(/(?<=\n)/))
    expect(await scanner.scan(subject, never())).toMatchObject({
      action: 'pass', score: 1.5, threshold: 15, addFields: [['X-Own', 'yes']], removeFields: ['X-Old'],
      findings: [{
        name: 'OWN', score: 1.5, text: '203.0.113.9, client.test, alice@a.test, bob@b.test carol smith@b.test, nobody, Lunch',
      }],
    })
    const [envelope, connection] = [{ ...subject.envelope, sender: null }, { ...subject.connection, account: 'zo\u00eb' }]
    const [found] = (await scanner.scan({ ...subject, envelope, connection }, never())).findings
    expect(found!.text).toMatch(/client\.test, (none|), bob@b\.test carol smith@b\.test, zo\u00eb, Lunch$/)
  })

  it.each([
    ['reject', 'reject'], ['soft reject', 'defer'], ['add header', 'tag'], ['rewrite subject', 'tag'], ['discard', 'discard'],
    ['quarantine', 'quarantine'], ['greylist', 'pass'], ['no action', 'pass'],
  ])('%s asks for %s', async (wanted, action) => {
    const said = await scanner.scan(subjectOf([`X-Wanted: ${wanted}\r\n${mail('x')}`]), never())
    expect([said.action, said.text]).toEqual([action, 'as wanted'])
  })

  it('knows what every scanner knows', async () => {
    const said = await scanner.scan(subjectOf([mail(GTUBE)]), never())
    expect(said).toMatchObject({ action: 'reject', text: 'Gtube pattern', score: 15, findings: [{ name: 'GTUBE' }] })
  })

  it('has spam refused, and the header of other mail changed', async () => {
    const w = world({ server: { policies: [scan(scanner, { onError: 'defer' })] } })
    const client = w.connect('203.0.113.9')
    expect((await client.send({ to: 'a@mx.test', content: mail(GTUBE) })).reply).toBe('550 5.7.1 Gtube pattern')
    expect((await client.send({ to: 'a@mx.test', content: mail('Yes') })).reply).toMatch(/^250 /)
    const { headers } = w.delivered[0]!
    expect(headers.fields.map(({ name, value }) => `${name}: ${value}`)).toEqual(expect.arrayContaining([
      'X-Spam-Status: No, score=1.5 required=15 tests=OWN scanner=rspamd', 'X-Own: yes', 'Subject: Lunch',
    ]))
    expect(headers.has('x-old')).toBe(false)
  })
})

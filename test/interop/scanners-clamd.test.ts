import { beforeAll, expect, it } from 'vitest'
import { type Clamd, clamd } from '../../src/adapters/scanners/index.ts'
import { scan } from '../../src/index.ts'
import { world } from '../../src/testing/index.ts'
import { never, subjectOf } from '../adapters/scanners/subject.ts'
import { holding } from './held.ts'
import { describeWith } from './programs.ts'
import { CLAMD_MOST, EICAR, startClamd } from './scanners.ts'

const held = holding()
const base64 = Buffer.from(EICAR).toString('base64')
const attached = `MIME-Version: 1.0\r
Subject: Invoice\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
\r
See there.\r
--b\r
Content-Type: application/octet-stream; name=invoice.com\r
Content-Transfer-Encoding: base64\r
\r
${base64}\r
--b--\r
`

describeWith(['clamd'], 'clamd', () => {
  let scanners: readonly Clamd[]
  beforeAll(async () => {
    const { port, path } = await startClamd(held)
    scanners = [clamd({ host: '127.0.0.1', port }), clamd({ path })]
    for (const one of scanners) held.later(() => one.close())
  })

  const clean = { action: 'pass', findings: [] }
  const found = { action: 'reject', findings: [{ name: 'Own.Eicar.UNOFFICIAL' }] }

  it.each([['TCP', 0], ['a unix socket', 1]] as const)('finds what is there, over %s', async (_, which) => {
    const one = scanners[which]!
    expect(await one.version()).toMatch(/^ClamAV \d/)
    expect(await one.scan(subjectOf(['Subject: x\r\n\r\nhello\r\n']), never())).toEqual(clean)
    expect(await one.scan(subjectOf([`Subject: x\r\n\r\n${EICAR}\r\n`]), never())).toEqual(found)
    expect(await one.scan(subjectOf([...attached].map((letter) => letter)), never())).toEqual(found)
  })

  it('in a message of many chunks, and in many messages at once', async () => {
    const filler = new Uint8Array(1000).fill(97)
    const large = (): ReturnType<typeof subjectOf> =>
      subjectOf(['Subject: x\r\n\r\n', ...Array.from({ length: 900 }, () => filler), '\r\n', EICAR])
    const all = await Promise.all(Array.from({ length: 20 }, () => scanners[1]!.scan(large(), never())))
    expect(all).toEqual(Array(20).fill(found))
  })

  it('says that a message is too large for it, and goes on with others', async () => {
    const large = subjectOf(['Subject: x\r\n\r\n', ...Array.from({ length: 64 }, () => new Uint8Array(CLAMD_MOST / 32).fill(97))])
    // It says so and hangs up on the rest, which may be heard in either order.
    const said = /^clamd: (it says: INSTREAM size limit exceeded|the connection broke)/
    await expect(scanners[0]!.scan(large, never())).rejects.toThrow(said)
    expect(await scanners[0]!.scan(subjectOf(['Subject: x\r\n\r\nhello\r\n']), never())).toEqual(clean)
  })

  it('keeps a virus out, and lets other mail in', async () => {
    const w = world({ server: { policies: [scan(scanners[0]!, { onError: 'defer' })] } })
    const client = w.connect('203.0.113.9')
    const refused = await client.send({ to: 'a@mx.test', content: attached })
    expect(refused.reply).toBe('550 5.7.1 Message refused: it contains Own.Eicar.UNOFFICIAL')
    const taken = await client.send({ to: 'a@mx.test', content: 'Subject: x\r\nX-Virus-Status: Infected\r\n\r\nhello' })
    expect(taken.reply).toMatch(/^250 /)
    expect(w.delivered[0]!.headers.all('x-virus-status').map(({ value }) => value)).toEqual(['Clean'])
  })
})

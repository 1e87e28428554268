import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { memoryKeyValue } from '../../../src/adapters/memory/key-value.ts'
import { composeMail } from '../../../src/adapters/nodemailer/compose.ts'
import type { DmarcFinding, Policy, ReceivedMessage } from '../../../src/contracts/index.ts'
import { quarantine, reject } from '../../../src/index.ts'
import { receiver } from '../../../src/server/receiver.ts'
import { virtualNetwork } from '../../../src/testing/network.ts'
import { mailWorld } from '../mail-world.ts'

beforeAll(async () => {
  const nobody = { local: 'x', domain: 'example.test' }
  const told = { subject: '', date: 0, messageId: '<x@y>', references: [], fields: [], text: 'x' }
  await composeMail({ from: { address: nobody }, to: [nobody], ...told })
})

/** Says of mail from `DOMAIN` what the domain's name says. */
const authentication: Policy = {
  name: 'authentication',
  message: ({ envelope }, { notes }) => {
    const domain = envelope.sender?.domain ?? ''
    const record = new Map([['p', 'reject']])
    if (!domain.endsWith('silent.test')) record.set('rua', 'mailto:dmarc@asking.test')
    const dmarc: DmarcFinding = {
      result: domain.startsWith('good') ? 'pass' : 'fail', domain, policyDomain: 'asking.test', policy: 'reject',
      disposition: domain.startsWith('good') ? 'none' : 'reject', aligned: { spf: false, dkim: domain.startsWith('good') },
      record,
      why: undefined,
    }
    notes.authentication({ spf: undefined, dkim: undefined, dmarc, arc: undefined, iprev: undefined, bimi: undefined })
    if (domain.startsWith('bad')) return reject('DMARC')
    return domain.startsWith('odd') ? quarantine('DMARC') : undefined
  },
}

describe('reports on mail in the names of domains', () => {
  it('go once a day to those that ask for them, and tell what was done', async () => {
    const taken: ReceivedMessage[] = []
    const mail = await mailWorld({
      network: (clock) => {
        const network = virtualNetwork({ clock })
        const other = receiver({
          hostname: 'mx.asking.test', accepts: () => true, inMemory: Infinity, clock, random: (octets) => new Uint8Array(octets),
          deliver: (message) => void taken.push(message),
        })
        network.listen('192.0.2.77', 25, (transport) => void other.serve(transport, { startTls: true }))
        return network
      },
      outgoing: { sts: false, dmarcReports: { organization: 'Example', contact: 'postmaster@example.test' } },
      options: { keyValue: memoryKeyValue(), policies: [authentication] },
    })
    mail.world.dns.set('asking.test', { MX: ['10 mx.asking.test'] })
    mail.world.dns.set('mx.asking.test', { A: ['192.0.2.77'] })
    await mail.person('alice')
    const client = mail.connect('mx', { address: '203.0.113.9' })
    const senders = ['good', 'bad', 'odd', 'good'].map((name) => `x@${name}.asking.test`)
    for (const from of [...senders, 'x@bad.silent.test']) await client.send({ from, to: 'alice@example.test' })
    await mail.world.clock.advance(120_000)
    expect(taken).toHaveLength(0)
    for (let turns = 0; turns < 60; turns++) await mail.world.clock.advance(1_800_000)
    // Compression is done by threads, which no virtual clock waits for.
    await expect.poll(async () => {
      await mail.world.clock.advance(1_000)
      return taken.length
    }, { timeout: 30_000 }).toBe(1)
    const [report] = taken as [ReceivedMessage]
    expect(report.envelope).toMatchObject({ sender: null, recipients: [{ wire: 'dmarc@asking.test' }] })
    let text = ''
    for await (const bytes of report.raw()) text += Buffer.from(bytes).toString('latin1')
    const [, encoded = ''] = text.split('application/gzip')
    const base64 = encoded.slice(encoded.indexOf('\r\n\r\n'), encoded.indexOf('\r\n--'))
    const xml = gunzipSync(Buffer.from(base64, 'base64')).toString()
    const rows = xml.split('<record>').slice(1).map((record) =>
      ['count', 'disposition', 'header_from', 'type'].map((name) => record.split(`<${name}>`)[1]?.split('<')[0]))
    expect(rows.sort()).toEqual([
      ['1', 'quarantine', 'odd.asking.test', 'local_policy'],
      ['1', 'reject', 'bad.asking.test', undefined],
      ['2', 'none', 'good.asking.test', undefined],
    ])
    expect(mail.world.events.filter(({ kind }) => kind === 'failed')).toEqual([])
  })
})

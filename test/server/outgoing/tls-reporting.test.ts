import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { memoryKeyValue } from '../../../src/adapters/memory/key-value.ts'
import { composeMail } from '../../../src/adapters/nodemailer/compose.ts'
import type { ReceivedMessage } from '../../../src/contracts/received.ts'
import { receiver } from '../../../src/server/receiver.ts'
import { virtualNetwork } from '../../../src/testing/network.ts'
import { mailWorld } from '../mail-world.ts'

beforeAll(async () => {
  const nobody = { local: 'x', domain: 'example.test' }
  const told = { subject: '', date: 0, messageId: '<x@y>', references: [], fields: [], text: 'x' }
  await composeMail({ from: { address: nobody }, to: [nobody], ...told })
})

async function textOf(message: ReceivedMessage): Promise<string> {
  let text = ''
  for await (const bytes of message.raw()) text += Buffer.from(bytes).toString('latin1')
  return text
}

describe('reports on TLS', () => {
  it('go once a day to the domains that ask for them, by mail and by HTTPS', async () => {
    const taken: ReceivedMessage[] = []
    const posted: { to: object; report: Record<string, unknown> }[] = []
    const mail = await mailWorld({
      network: (clock) => {
        const network = virtualNetwork({ clock })
        const other = receiver({
          hostname: 'mx.there.test', accepts: () => true, inMemory: Infinity, clock, random: (octets) => new Uint8Array(octets),
          deliver: (message) => void taken.push(message),
        })
        network.listen('192.0.2.77', 25, (transport) => void other.serve(transport, { startTls: true }))
        return network
      },
      outgoing: {
        sts: false,
        tlsReports: {
          organization: 'Example',
          contact: 'postmaster@example.test',
          post: async (to, compressed) => {
            posted.push({ to, report: JSON.parse(gunzipSync(compressed).toString()) as Record<string, unknown> })
          },
        },
      },
      options: { keyValue: memoryKeyValue() },
    })
    for (const domain of ['there.test', 'silent.test']) mail.world.dns.set(domain, { MX: ['10 mx.there.test'] })
    mail.world.dns.set('mx.there.test', { A: ['192.0.2.77'] })
    mail.world.dns.set('_smtp._tls.there.test', {
      TXT: ['v=TLSRPTv1; rua=mailto:tls@there.test,https://reports.there.test/v1'],
    })
    const alice = await mail.person('alice')
    await alice.send({ from: 'alice@example.test', to: 'eve@there.test' })
    await alice.send({ from: 'alice@example.test', to: 'eve@silent.test' })
    await mail.world.clock.advance(120_000)
    expect(taken).toHaveLength(2)
    expect(posted).toEqual([])
    for (let turns = 0; turns < 60; turns++) await mail.world.clock.advance(1_800_000)
    // Compression is done by threads, which no virtual clock waits for.
    await expect.poll(async () => {
      await mail.world.clock.advance(1_000)
      return taken.length + posted.length
    }, { timeout: 30_000 }).toBe(4)
    expect(posted).toMatchObject([
      {
        to: { host: 'reports.there.test', port: 443, path: '/v1' },
        report: {
          'organization-name': 'Example',
          policies: [{
            policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'there.test' },
            summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 0 },
          }],
        },
      },
    ])
    const report = await textOf(taken[2]!)
    expect(taken[2]!.envelope).toMatchObject({ sender: null, recipients: [{ wire: 'tls@there.test' }] })
    expect(report).toMatch(/^tls-report-domain: there\.test\r$/im)
    expect(report).toContain('multipart/report; report-type=tlsrpt')
    expect(mail.world.events.filter(({ kind }) => kind === 'failed')).toEqual([])
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { certificateIn } from './certificate.ts'
import { clients, type Security } from './clients.ts'
import { holding } from './held.ts'
import { Inbox, sha256 } from './inbox.ts'
import { eightBitMail, fileOf, largeMail, plainMail, utf8Mail } from './mail.ts'
import { describeWith } from './programs.ts'

const held = holding()
const folder = held.folder('clients')
const certificate = certificateIn(folder, held)
const inboxes = new Map<Security, Inbox>()

beforeAll(async () => {
  const { source } = certificate
  inboxes.set('plain', await Inbox.open())
  inboxes.set('starttls', await Inbox.open({ listen: { tls: { mode: 'starttls', certificates: source } } }))
  inboxes.set('implicit', await Inbox.open({ listen: { tls: { mode: 'implicit', certificates: source } } }))
})
afterAll(() => Promise.all([...inboxes.values()].map((inbox) => inbox.stop())))

/** Where a client is to go. It verifies the certificate. */
const towards = (security: Security) => {
  const inbox = inboxes.get(security)!
  return { inbox, where: { port: inbox.port, security, ...(security === 'plain' ? {} : { ca: certificate.files.cert }) } }
}

for (const client of clients) {
  describeWith(client.programs, client.name, () => {
    describe.each(client.securities)('%s', (security) => {
      it.each([
        ['text', plainMail, {}],
        ['8-bit text', eightBitMail, { eightBit: true }],
      ] as const)('%s arrives octet for octet', async (_, make, how) => {
        const mail = make(client.name)
        const to = ['alice@example.test', 'bob@example.test']
        const { inbox, where } = towards(security)
        expect(await client.send({ ...where, ...how, to, file: fileOf(mail, folder) })).toMatchObject({ accepted: true })
        const taken = await inbox.message(mail.subject)
        expect(taken.content.toString('latin1')).toBe(mail.octets.toString('latin1'))
        expect(taken).toMatchObject({ sender: 'sender@client.test', recipients: to })
        const { trace, connection } = taken
        const type = security === 'plain' ? 'ESMTP' : 'ESMTPS'
        expect(trace).toMatchObject({ with: type, by: 'mx.example.test', address: '127.0.0.1' })
        expect(trace.from).toMatch(/^client\.test/)
        if (security === 'plain') expect(connection.tls).toBeUndefined()
        else expect(connection.tls).toMatchObject({ protocol: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/) as string })
      })

      it('20 MB arrive octet for octet', async () => {
        const mail = largeMail(client.name)
        const { inbox, where } = towards(security)
        const sent = await client.send({ ...where, to: ['alice@example.test'], file: fileOf(mail, folder) })
        expect(sent).toMatchObject({ accepted: true })
        const { content, hash } = await inbox.message(mail.subject)
        expect([content.length, hash]).toEqual([mail.octets.length, sha256(mail.octets)])
      })
    })

    if (client.utf8) it('addresses and headers in UTF-8 arrive octet for octet', async () => {
      const mail = utf8Mail(client.name)
      const to = ['grüße@example.test']
      const { inbox, where } = towards(client.securities[0]!)
      const from = 'jürgen@client.test'
      const sent = await client.send({ ...where, from, to, utf8: true, eightBit: true, file: fileOf(mail, folder) })
      expect(sent).toMatchObject({ accepted: true })
      const taken = await inbox.message(mail.subject)
      expect(taken.content.toString('utf8')).toBe(mail.octets.toString('utf8'))
      expect(taken).toMatchObject({ sender: from, recipients: to })
      expect(taken.trace.with).toMatch(/^UTF8SMTPS?$/)
      expect(taken.traceText).toContain('for <grüße@example.test>')
    })
  })
}

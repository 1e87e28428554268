import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { certificateIn } from './certificate.ts'
import { run } from './children.ts'
import { swaksOptions } from './clients.ts'
import { holding } from './held.ts'
import { Inbox } from './inbox.ts'
import { fileOf, plainMail } from './mail.ts'
import { Dialogue, stuffed } from './openssl.ts'
import { describeWith } from './programs.ts'

const held = holding()
const folder = held.folder('pipelining')
const certificate = certificateIn(folder, held)

describe.each(['enforce', 'flag'] as const)('pipelining, where a server would %s its rules', (pipelining) => {
  let inbox: Inbox
  beforeAll(async () => {
    const tls = { mode: 'starttls', certificates: certificate.source } as const
    inbox = await Inbox.open({ smtp: { rules: { pipelining } }, listen: { tls } })
  })
  afterAll(() => inbox.stop())

  describeWith(['swaks'], 'swaks', () => {
    it.each([
      ['in the clear', []],
      ['over TLS', ['--tls']],
    ] as const)('sends an envelope in one piece, %s', async (_, more) => {
      const mail = plainMail('pipelined')
      const to = ['alice@example.test', 'nobody@elsewhere.test', 'bob@example.test']
      const options = swaksOptions({ port: inbox.port, to, file: fileOf(mail, folder) })
      const { code, text } = await run('swaks', [...options, '--pipeline', ...more])
      expect(code, text).toBe(0)
      expect(text).toMatch(/ [-~]> MAIL FROM.*\n(?: [-~]> RCPT TO.*\n){3} [-~]> DATA/)
      expect((await inbox.message(mail.subject)).recipients).toEqual(['alice@example.test', 'bob@example.test'])
    })
  })

  describeWith(['openssl'], 'openssl s_client', () => {
    it('sends content, the next envelope and QUIT in one piece', async () => {
      const dialogue = new Dialogue({ port: inbox.port, security: 'starttls', name: 'localhost' })
      const mails = Array.from({ length: 5 }, () => plainMail('pipelined'))
      const envelope = 'MAIL FROM:<sender@client.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n'
      await dialogue.say('EHLO client.test\r\n')
      const replies = [await dialogue.say(envelope)]
      for (const [at, mail] of mails.entries()) {
        // The rest of the replies to the envelope.
        replies.push(await dialogue.reply(), await dialogue.reply())
        const next = at < mails.length - 1 ? envelope : 'QUIT\r\n'
        replies.push(await dialogue.say(Buffer.concat([stuffed(mail.octets), Buffer.from(`.\r\n${next}`)])))
        replies.push(await dialogue.reply())
      }
      const codes = replies.map((reply) => reply.slice(0, 3))
      expect(codes).toEqual([...mails.flatMap(() => ['250', '250', '354', '250']), '221'])
      for (const mail of mails) expect((await inbox.message(mail.subject)).content.equals(mail.octets)).toBe(true)
    })
  })
})

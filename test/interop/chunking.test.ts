import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { certificateIn } from './certificate.ts'
import { run } from './children.ts'
import { holding } from './held.ts'
import { Inbox, sha256 } from './inbox.ts'
import { fileOf, largeMail, type Mail, plainMail, subjectOf } from './mail.ts'
import { describeWith } from './programs.ts'

const held = holding()
const folder = held.folder('chunking')
const certificate = certificateIn(folder, held)

/** Every octet there is, in every order of CR, LF and dot that could be taken for an end. */
function binaryMail(): Mail {
  const subject = subjectOf('binary')
  const head = `From: <a@client.test>\r\nSubject: ${subject}\r\nContent-Transfer-Encoding: binary\r\n\r\n`
  const every = Buffer.from(Array.from({ length: 1024 }, (_, at) => (at * 7) & 255))
  return { subject, octets: Buffer.concat([Buffer.from(head), every, Buffer.from('\r\n.\r\n\n.\n\r.\r..\r\nQUIT\r\n\0'), every]) }
}

/** What `bdat_client.py` is told. */
interface Chunked {
  readonly to?: readonly string[]
  readonly chunk: number
  readonly parameters?: string
  readonly pipelined?: boolean
  readonly emptyLast?: boolean
}

// Neither swaks, curl, smtplib and nodemailer nor Postfix as a client send BDAT. Python lends its sockets.
describeWith(['python3'], 'BDAT', () => {
  describe.each(['plain', 'starttls'] as const)('%s', (security) => {
    let inbox: Inbox
    beforeAll(async () => {
      inbox = await Inbox.open({ listen: { tls: { mode: 'starttls', certificates: certificate.source } } })
    })
    afterAll(() => inbox.stop())

    const send = async (mail: Mail, how: Chunked): Promise<string[]> => {
      const file = fileOf(mail, folder)
      const where = { port: inbox.port, ...(security === 'starttls' ? { ca: certificate.files.cert } : {}) }
      const input = JSON.stringify({ to: ['alice@example.test'], ...how, file, ...where })
      const { code, out, text } = await run('python3', [new URL('bdat_client.py', import.meta.url).pathname], { input })
      if (code !== 0) throw new Error(text)
      return out.trimEnd().split('\n')
    }

    it.each([
      ['in one chunk', plainMail, { chunk: 1e9 }],
      ['in chunks of one octet, pipelined', plainMail, { chunk: 1, pipelined: true }],
      ['in chunks of 100 octets', plainMail, { chunk: 100 }],
      ['with an empty last chunk', plainMail, { chunk: 700, emptyLast: true }],
      ['as one pipeline', plainMail, { chunk: 100, pipelined: true, emptyLast: true }],
      ['with octets that no text has', binaryMail, { chunk: 333, parameters: ' BODY=BINARYMIME' }],
      ['with such octets, in one pipeline', binaryMail, { chunk: 333, parameters: ' BODY=BINARYMIME', pipelined: true }],
      ['20 MB long, in chunks of 1 MB', largeMail, { chunk: 1_000_000 }],
      ['20 MB long, in one pipeline', largeMail, { chunk: 65_521, pipelined: true }],
    ] as const)('a message %s arrives octet for octet', async (_, make, how) => {
      const mail = make('chunked')
      const replies = await send(mail, how)
      expect(replies.filter((reply) => !reply.startsWith('250 2.'))).toEqual(['221 2.0.0 Bye'])
      const { content, hash, trace } = await inbox.message(mail.subject)
      expect([content.length, hash]).toEqual([mail.octets.length, sha256(mail.octets)])
      expect(trace.with).toBe(security === 'plain' ? 'ESMTP' : 'ESMTPS')
    })

    it.each([false, true])('chunks for nobody are never taken for commands (pipelined: %s)', async (pipelined) => {
      const commands = 'RSET\r\nQUIT\r\n.\r\nMAIL FROM:<x@y.test>\r\n'
      const mail = { subject: subjectOf('refused'), octets: Buffer.from(commands.repeat(20)) }
      const replies = await send(mail, { to: ['nobody@elsewhere.test'], chunk: 300, pipelined })
      const [sender, recipient, ...rest] = replies
      expect([sender, recipient?.slice(0, 9)]).toEqual(['250 2.1.0 Sender ok', '550 5.1.1'])
      expect(rest.pop()).toBe('221 2.0.0 Bye')
      expect(rest.map((reply) => reply.slice(0, 3))).toEqual(rest.map(() => expect.stringMatching(/^50[34]|554$/) as string))
    })
  })
})

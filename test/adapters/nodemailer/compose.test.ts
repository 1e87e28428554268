import fc from 'fast-check'
import { expect, it } from 'vitest'
import { composeMail } from '../../../src/adapters/nodemailer/compose.ts'
import type { MailDraft } from '../../../src/contracts/draft.ts'
import { parseHeaderBlock } from '../../../src/message/headers.ts'
import { indexMessage } from '../../../src/message/indexer.ts'
import { bodyText } from '../../../src/message/search-text.ts'

const draft: MailDraft = {
  from: { name: 'The Server', address: { local: 'postmaster', domain: 'a.example' } },
  to: [{ local: 'anna', domain: 'a.example' }, { local: 'b b', domain: 'b.example' }],
  subject: 'Grüße',
  date: Date.UTC(2026, 10, 20, 10),
  messageId: '<1@a.example>',
  references: [],
  fields: [['X-One', 'first'], ['X-One', 'second']],
  text: 'Hello\n',
}

it('composes text alone', async () => {
  expect(Buffer.from(await composeMail(draft)).toString('latin1')).toBe([
    'X-One: first', 'X-One: second', 'From: The Server <postmaster@a.example>', 'To: anna@a.example, <"b b"@b.example>',
    'Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=', 'Message-ID: <1@a.example>',
    'Date: Fri, 20 Nov 2026 10:00:00 +0000', 'Content-Transfer-Encoding: 7bit', 'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8', '', 'Hello', '',
  ].join('\r\n'))
})

it('composes parts octet for octet, in order, the same each time', async () => {
  const body = Uint8Array.from({ length: 256 }, (_, at) => at)
  const multipart = {
    type: 'multipart/mixed', boundary: '=_b',
    parts: [
      { fields: [['Content-Type', 'application/octet-stream'], ['Content-Transfer-Encoding', 'binary']], body },
      { fields: [['Content-Type', 'text/html']], body: new Uint8Array(0) },
    ],
  } as const
  const message = await composeMail({ ...draft, multipart })
  const { structure, oddities } = indexMessage(message)
  expect(structure.parts?.map(({ type, subtype }) => `${type}/${subtype}`)).toEqual([
    'text/plain', 'application/octet-stream', 'text/html',
  ])
  const [, binary, empty] = structure.parts!
  expect([...message.subarray(binary!.body, binary!.end)]).toEqual([...body])
  expect(empty!.end).toBe(empty!.body)
  expect(oddities).toEqual([])
  expect(Buffer.compare(Buffer.from(message), Buffer.from(await composeMail({ ...draft, multipart })))).toBe(0)
})

it('adds no field, whatever the strings hold, and reads no file', async () => {
  const pieces = ['\r\n', '\n', '\r', 'Bcc: eve@evil.example', ':', '<', '>', ',', '"', 'é', '\0', 'x', ' ', '/etc/passwd',
    'data:text/plain,x', 'http://evil.example/']
  const hostile = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 12 }).map((parts) => parts.join(''))
  await fc.assert(fc.asyncProperty(hostile, async (text) => {
    const message = await composeMail({
      ...draft, from: { name: text, address: draft.from.address }, subject: text, fields: [['X-One', text]], text: `${text}.`,
      references: [`<${text}@x>`],
    })
    const header = parseHeaderBlock(message)
    const known = ['x-one', 'from', 'to', 'in-reply-to', 'references', 'subject', 'message-id', 'date', 'mime-version',
      'content-transfer-encoding', 'content-type']
    expect(header.fields.map(({ name }) => name.toLowerCase()).filter((name) => !known.includes(name))).toEqual([])
    expect(header.fields.length).toBeLessThanOrEqual(known.length)
    const { structure } = indexMessage(message)
    const read = bodyText(structure, message.subarray(structure.body, structure.end))
    expect(read.replace(/\s/g, '')).toBe(`${text}.`.replace(/\s/g, ''))
  }), { numRuns: 60 })
})

import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { addresses } from '../../message/odd/addresses.ts'
import { containers } from '../../message/odd/containers.ts'
import { content } from '../../message/odd/content.ts'
import { delimiters } from '../../message/odd/delimiters.ts'
import { headers } from '../../message/odd/headers.ts'
import { large } from '../../message/odd/large.ts'
import { all, contentOf } from './messages.ts'

const multipart = (type: string, ...parts: readonly string[]): string =>
  `Content-Type: multipart/${type}; boundary=b\n\n${parts.map((part) => `--b\n${part}\n`).join('')}--b--\n`

const html = 'Content-Type: text/html\n\n'
const utf8 = 'Content-Type: text/plain; charset=utf-8\n'

describe('text and HTML', () => {
  it.each<[string, string, string, string | undefined]>([
    ['no MIME at all', 'Subject: a\n\nHello\n', 'Hello\n', undefined],
    ['no header', '\nHello', 'Hello', undefined],
    ['no body', 'Subject: a\n', '', undefined],
    ['nothing', '', '', undefined],
    ['a charset', 'Content-Type: text/plain; charset=iso-8859-1\n\ngr\xfcn', 'grün', undefined],
    ['a charset that nobody knows', 'Content-Type: text/plain; charset=x-foo\n\ngr\xfcn', 'grün', undefined],
    ['UTF-8 that does not say so', '\ngr\xc3\xbcn', 'grün', undefined],
    ['base64', 'MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\nSGFs\nbG8=\n', 'Hallo', undefined],
    ['quoted-printable', `${utf8}Content-Transfer-Encoding: quoted-printable\n\ngr=C3=BCn =\nist`, 'grün ist', undefined],
    ['flowed lines', 'Content-Type: text/plain; format=flowed\n\none \ntwo\nthree', 'one two\nthree', undefined],
    ['flowed lines, blanks deleted', 'Content-Type: text/plain; format=flowed; delsp=yes\n\none \ntwo', 'onetwo', undefined],
    ['HTML alone', `${html}<p>Hello <b>you</b></p><p>there</p>`, 'Hello you\n\nthere', '<p>Hello <b>you</b></p><p>there</p>'],
    ['plain and HTML', multipart('alternative', '\nplain', `${html}<i>html</i>`), 'plain', '<i>html</i>'],
    ['HTML, then plain', multipart('mixed', `${html}<i>x</i>`, '\na < b'), 'x\na < b', '<i>x</i><br>\n<p>a &lt; b</p>'],
    ['text in pieces', multipart('mixed', '\none', '\ntwo'), 'one\ntwo', undefined],
    ['a multipart without its boundary', 'Content-Type: multipart/mixed\n\nHello', 'Hello', undefined],
    ['a multipart whose boundary never comes', 'Content-Type: multipart/mixed; boundary=b\n\nHello', 'Hello', undefined],
    ['a multipart that does not end', 'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHello', 'Hello', undefined],
    ['a type that makes no sense', 'Content-Type: hello there\n\nHello', 'Hello', undefined],
    ['a name on the only part', 'Content-Type: text/plain; name=a.txt\n\nHello', 'Hello', undefined],
  ])('%s', async (_, message, text, marked) => {
    expect(await contentOf(message)).toEqual({ text, html: marked, attachments: [] })
  })

  it('are the same however the body is read', async () => {
    const message = multipart('mixed', 'Content-Transfer-Encoding: base64\n\nZ3LDvG4gZ3LDvG4=', `${html}<b>x</b>`)
    for (const chunk of [1, 2, 3, 7, 64]) expect(await contentOf(message, chunk)).toMatchObject({ text: 'grün grün\nx' })
  })

  it.each([
    ['nested without end', '<div>'.repeat(40_000)],
    ['nested and closed', '<b>'.repeat(20_000) + 'x' + '</b>'.repeat(20_000)],
    ['long', '<p>word</p>'.repeat(40_000)],
    ['tags that never close', '<a'.repeat(40_000)],
    ['lone brackets', '<'.repeat(90_000)],
    // What would keep mailparser busy for half a minute ends this file's time, not a measured one.
  ])('HTML that is %s is read all the same', async (_, marked) => {
    expect(await contentOf(html + marked)).toMatchObject({ html: marked, attachments: [] })
  })

  it.each([
    [8000, 'link [http://x.test/]'],
    // More would keep everybody waiting: what it says still, but not where its links lead.
    [8002, 'link'],
  ])('HTML of %d tags', async (tags, shown) => {
    const link = '<a href="http://x.test/">link</a>'
    const { text } = await contentOf(`${html}${link}${'<i></i>'.repeat((tags - 2) / 2)}`)
    expect(text).toBe(shown)
  })

  it('stop at 2 MiB; the whole is an attachment then', async () => {
    const line = `${'x'.repeat(76)}\r\n`
    const { text, attachments } = await contentOf(Buffer.from(`Content-Type: text/plain\r\n\r\n${line.repeat(30_000)}`), 65_536)
    expect(text.length).toBe(Math.floor((2 * 1024 * 1024) / 78) * 77)
    expect(attachments).toMatchObject([{ contentType: 'text/plain', size: 78 * 30_000 }])
  })

  it('come from a hundred parts, the others are attachments', async () => {
    const { text, attachments } = await contentOf(multipart('mixed', ...Array.from({ length: 120 }, (_, at) => `\n${at}`)))
    expect(text.split('\n')).toHaveLength(100)
    expect(attachments).toHaveLength(20)
  })
})

describe('attachments', () => {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
  const type = 'Content-Type: image/png\nContent-Transfer-Encoding: base64\n'
  const image = (header: string): string => `${type}${header}\n${png.toString('base64')}`
  const named = 'Content-Disposition: attachment; filename'
  const sha256 = createHash('sha256').update(png).digest('hex')

  it.each([
    ['named', `${named}="a b.png"\n`, { filename: 'a b.png', disposition: 'attachment', contentId: undefined }],
    ['named in UTF-8', `${named}*=utf-8''gr%C3%BCn.png\n`, { filename: 'grün.png' }],
    ['named in encoded words', `${named}="=?utf-8?q?gr=C3=BCn.png?="\n`, { filename: 'grün.png' }],
    ['named with a path', `${named}="../../etc/passwd"\n`, { filename: 'passwd' }],
    ['nameless', '', { filename: undefined, disposition: 'attachment' }],
    ['shown by the text', 'Content-ID: <i@x>\n', { contentId: 'i@x', disposition: 'inline' }],
    ['of a disposition nobody knows', 'Content-Disposition: hologram\n', { disposition: 'attachment' }],
  ])('%s', async (_, header, expected) => {
    const { text, attachments } = await contentOf(multipart('mixed', '\nsee below', image(header)))
    expect(text).toBe('see below')
    expect(attachments).toHaveLength(1)
    expect(attachments[0]).toMatchObject({ contentType: 'image/png', size: png.length, sha256, ...expected })
    expect(await all(attachments[0]!.content())).toEqual(png)
    // Again: nothing was used up.
    expect(await all(attachments[0]!.content())).toEqual(png)
  })

  it('named in the content type alone', async () => {
    const pdf = 'Content-Type: application/pdf; name="C:\\\\Temp\\\\r.pdf"\n\n%PDF'
    const { attachments } = await contentOf(multipart('mixed', '\nx', pdf))
    expect(attachments).toMatchObject([{ filename: 'r.pdf', contentType: 'application/pdf', size: 4 }])
  })

  it('that are all there is', async () => {
    const { text, attachments } = await contentOf(`Content-Type: application/pdf\n${named}=a.pdf\n\n%PDF\n`)
    expect(text).toBe('')
    expect(attachments).toMatchObject([{ filename: 'a.pdf', size: 6 }])
  })

  it('that are text', async () => {
    const asked = 'Content-Disposition: attachment\n\none'
    const files = [asked, 'Content-Type: text/csv\n\n1,2', 'Content-Type: text/plain; name=a.txt\n\ntwo']
    const { text, attachments } = await contentOf(multipart('mixed', '\nx', ...files))
    expect(text).toBe('x')
    expect(attachments.map(({ contentType }) => contentType)).toEqual(['text/plain', 'text/csv', 'text/plain'])
  })

  it('that are messages stay whole', async () => {
    const inner = `Subject: inner\n${multipart('mixed', '\ninside', image(''))}`
    const { text, attachments } = await contentOf(multipart('mixed', '\nforwarded', `Content-Type: message/rfc822\n\n${inner}`))
    expect(text).toBe('forwarded')
    expect(attachments).toMatchObject([{ contentType: 'message/rfc822' }])
    const bytes = await all(attachments[0]!.content())
    expect(bytes.toString()).toContain('Subject: inner\r\n')
    expect((await contentOf(bytes)).text).toBe('inside')
  })

  it('that hold nothing', async () => {
    const { attachments } = await contentOf(multipart('mixed', '\nx', 'Content-Type: application/pdf\n'))
    expect(attachments).toMatchObject([{ size: 0, sha256: createHash('sha256').digest('hex') }])
    expect(await all(attachments[0]!.content())).toEqual(Buffer.alloc(0))
  })
})

describe('odd mail', () => {
  const tables = [...headers, ...addresses, ...content, ...delimiters, ...containers]
  const written = tables.map(({ name, message }) => ({ name, message }))
  const made = large.map(({ name, message, size }) => ({ name, message: message(size) }))

  it.each([...written, ...made])('$name: is read', async ({ message }) => {
    const { text, attachments } = await contentOf(Buffer.from(message, 'latin1'), 65_536)
    expect(typeof text).toBe('string')
    for (const { size } of attachments) expect(size).toBeGreaterThanOrEqual(0)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeUtf8, octets, octetString } from '../../src/protocol/bytes/text.ts'
import { parseHeaderBlock } from '../../src/message/headers.ts'
import { createIndexer, indexMessage } from '../../src/message/indexer.ts'
import { threadReferences } from '../../src/message/thread.ts'
import { breaches } from './odd/invariants.ts'

/** Pieces that mean something to the indexer, in any order. */
const pieces = [
  '\r\n', '\n', '\r', '\r\n\r\n', '--', '--b', '--b\r\n', '--b--\r\n', '--bb\r\n', '--b--b--\r\n',
  ' ', '\t', '\0', '\xff', ':', 'text', '"', '(',
  'Content-Type: multipart/mixed; boundary=b\r\n', 'Content-Type: multipart/digest;\r\n boundary="bb"\r\n\r\n',
  'Content-Type: message/rfc822\r\n\r\n', 'Content-Type: text/html; charset=utf-8\r\n', 'MIME-Version: 1.0\r\n',
  'Content-Transfer-Encoding: base64\r\n', 'Content-Disposition: attachment; filename*0="a',
  'From: "A" <a@example.org>, b (c)\r\n',
  'Subject: =?utf-8?q?x?=\r\n y\r\n', 'References: <a@b>\r\n\t<c@d>\r\n', 'Message-ID: <e@f>\r\n', '<p>a</p>', 'e'.repeat(90),
]

const messages = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((list) => octets(list.join(''))),
  fc.uint8Array({ maxLength: 400 }),
)

describe('createIndexer', () => {
  it('gives the facts of the whole message, however it is split', () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat(30), { minLength: 1, maxLength: 8 }), (bytes, sizes) => {
        const whole = indexMessage(bytes)
        const indexer = createIndexer()
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          // The buffer is the caller's again after each push.
          const portion = bytes.slice(at, at + sizes[turn % sizes.length]! + (turn % sizes.length === 0 ? 1 : 0))
          indexer.push(portion)
          at += portion.length
          portion.fill(0x2d)
        }
        expect(indexer.end()).toEqual(whole)
      }),
      { numRuns: 2000 },
    )
  })

  it('gives sane facts that are JSON, whatever the octets', () => {
    fc.assert(
      fc.property(messages, (bytes) => {
        const facts = indexMessage(bytes)
        expect(facts.octets).toBe(bytes.length)
        expect(facts.lines).toBe(bytes.filter((octet) => octet === 10).length)
        expect(facts.eightBit).toBe(bytes.some((octet) => octet > 127))
        expect(facts.nul).toBe(bytes.includes(0))
        expect(breaches(facts)).toEqual([])
        expect(JSON.parse(JSON.stringify(facts))).toStrictEqual(facts)
      }),
      { numRuns: 2000 },
    )
  })

  it('takes the same array with other octets in it', () => {
    const text = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${`--b\r\n\r\n${'text\r\n'.repeat(200)}`.repeat(4)}--b--\r\n`
    const indexer = createIndexer()
    const portion = new Uint8Array(512)
    for (let at = 0; at < text.length; at += portion.length) {
      const next = octets(text.slice(at, at + portion.length))
      portion.set(next)
      indexer.push(next.length < portion.length ? next : portion)
    }
    expect(indexer.end()).toEqual(indexMessage(octets(text)))
  })

  it('does not care where the bytes lie in memory', () => {
    const text = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n'.repeat(3)
    const whole = indexMessage(octets(text))
    for (let shift = 0; shift < 8; shift++) {
      const room = new Uint8Array(text.length + 16)
      room.set(octets(text), shift)
      expect(indexMessage(room.subarray(shift, shift + text.length))).toEqual(whole)
    }
  })

  it('holds headers only, and those up to the budget', () => {
    const indexer = createIndexer({ headers: 1000 })
    for (let at = 0; at < 100; at++) indexer.push(octets(`X-${at}: ${'y'.repeat(100)}\r\n`))
    indexer.push(octets('\r\ntext\r\n'))
    expect(indexer.end()).toMatchObject({ preview: 'text', oddities: [{ kind: 'over-headers', at: 0, count: 1 }] })
  })
})

describe('preview', () => {
  const previewOf = (header: string, body: string): string => indexMessage(octets(`${header}\r\n\r\n${body}`)).preview

  it('is as long as people read, and cut between characters', () => {
    expect(previewOf('Subject: x', 'word '.repeat(100))).toBe('word '.repeat(40).trimEnd())
    const smiles = octetString(encodeUtf8(`x${'\u{1f600}'.repeat(200)}`))
    expect(previewOf('Content-Type: text/plain; charset=utf-8', smiles)).toBe(`x${'\u{1f600}'.repeat(99)}`)
  })

  it('looks further where the first octets say little', () => {
    expect(previewOf('Subject: x', `${'\r\n'.repeat(900)}text`)).toBe('text')
    const escaped = '=C3=BC'.repeat(300)
    const header = 'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable'
    expect(previewOf(header, escaped)).toBe('ü'.repeat(200))
  })

  it('is not of an attachment, nor of a message in the message', () => {
    expect(previewOf('Content-Type: text/plain\r\nContent-Disposition: attachment', 'text')).toBe('')
    expect(previewOf('Content-Type: message/rfc822', 'Subject: x\r\n\r\ntext')).toBe('')
  })
})

describe('messageId and references', () => {
  it('are what threadReferences tells of the header', () => {
    const header = 'Message-ID: <c@x>\r\nReferences: <a@x> (one)\r\n\t<b@x> <c@x>\r\nIn-Reply-To: <b@x>\r\nSubject: Re: x\r\n\r\n'
    const { messageId, references } = threadReferences(parseHeaderBlock(octets(header)))
    expect(indexMessage(octets(header))).toMatchObject({ messageId, references })
    expect(references).toEqual(['<a@x>', '<b@x>'])
    expect(indexMessage(octets('Subject: x\r\n\r\n'))).not.toHaveProperty('messageId')
  })
})

describe('budgets', () => {
  const nested = (levels: number): string => 'Content-Type: message/rfc822\r\n\r\n'.repeat(levels)
  const parts = (count: number): string =>
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\n'.repeat(count)}--b--\r\n`
  const kinds = (text: string, budgets: Parameters<typeof indexMessage>[1]): string[] =>
    indexMessage(octets(text), budgets).oddities.map(({ kind }) => kind).filter((kind) => kind.startsWith('over'))

  it.each([
    ['depth', nested(2), { depth: 3 }, []],
    ['depth', nested(3), { depth: 3 }, ['over-depth']],
    ['parts', parts(2), { parts: 4 }, []],
    ['parts', parts(3), { parts: 3 }, ['over-parts']],
    ['parts of messages', nested(3), { parts: 3 }, ['over-parts']],
    ['parameters', 'Content-Type: a/b; a=b; c=d\r\n\r\n', { parameters: 2 }, []],
    ['parameters', 'Content-Type: a/b; a=b; c=d; e=f\r\n\r\n', { parameters: 2 }, ['over-parameters']],
    ['addresses', 'From: a@b\r\nTo: c@d\r\n\r\n', { addresses: 2 }, []],
    ['addresses', 'From: a@b\r\nTo: c@d, e@f\r\n\r\n', { addresses: 2 }, ['over-addresses']],
    ['a field', 'Subject: 12345\r\n\r\n', { field: 5 }, []],
    ['a field', 'Subject: 123456\r\n\r\n', { field: 5 }, ['over-field']],
    ['headers', 'Subject: 123\r\n\r\n', { headers: 16 }, []],
    ['headers', 'Subject: 1234\r\n\r\n', { headers: 16 }, ['over-headers']],
    ['work', parts(9), { work: 0 }, []],
    ['work', parts(40_000), { work: 0, parts: 100_000 }, ['over-work']],
  ] as const)('%s: on each side of it', (_name, text, budgets, oddities) => {
    expect(kinds(text, budgets)).toEqual(oddities)
  })

  it('leaves what is over a budget in one piece, and says what it was', () => {
    const { structure } = indexMessage(octets(nested(3)), { depth: 3 })
    const third = structure.parts?.[0]?.parts?.[0]
    expect(third).toMatchObject({ type: 'message', subtype: 'rfc822', opaque: true })
    expect(third?.parts).toBeUndefined()
  })

  it('cuts the rest off a field, keeps the addresses that fit', () => {
    expect(indexMessage(octets('Subject: 123456\r\n\r\n'), { field: 5 }).envelope.subject).toBe('12345')
    expect(indexMessage(octets('To: a@b, c@d, e@f\r\n\r\n'), { addresses: 2 }).envelope.to).toHaveLength(2)
  })
})

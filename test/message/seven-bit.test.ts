import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTransferEncoding } from '../../src/message/content.ts'
import { parseHeaderBlock } from '../../src/message/headers.ts'
import { indexMessage } from '../../src/message/indexer.ts'
import { encodeQuotedPrintable, QuotedPrintableEncoder } from '../../src/message/quoted-printable.ts'
import { Base64LineEncoder, encodeBase64Lines } from '../../src/message/base64.ts'
import { type OctetSource, sevenBit } from '../../src/message/seven-bit.ts'
import type { Part } from '../../src/message/structure.ts'
import { decodeTransfer } from '../../src/message/transfer.ts'
import { joinedOctets } from '../../src/protocol/bytes/joined.ts'
import { octets, octetString } from '../../src/protocol/bytes/text.ts'

function sourceOf(bytes: Uint8Array, piece = 7): OctetSource {
  return {
    size: bytes.length,
    async *read({ start, end }) {
      for (let at = start; at < end; at += piece) yield bytes.subarray(at, Math.min(end, at + piece))
    },
  }
}

/** The message in 7 bits, as octets; `undefined` where there is none. */
async function converted(text: string, piece?: number): Promise<string | undefined> {
  const bytes = octets(text)
  const found = await sevenBit(sourceOf(bytes, piece), indexMessage(bytes))
  if (!found) return undefined
  const pieces: Uint8Array[] = []
  for await (const each of found.read()) pieces.push(each)
  const all = joinedOctets(pieces)
  expect(found.size).toBe(all.length)
  return octetString(all)
}

/** What every part says, decoded, and what kind of part it is. */
function saidBy(text: string): string[] {
  const bytes = octets(text)
  const said: string[] = []
  const visit = (part: Part): void => {
    const kind = `${part.type}/${part.subtype}`
    if (!part.parts) {
      const decoded = decodeTransfer(bytes.subarray(part.body, part.end), parseTransferEncoding(part.encoding))
      said.push(`${kind} ${octetString(decoded)}`)
    } else {
      said.push(`${kind} of ${part.parts.length}`)
      part.parts.forEach(visit)
    }
  }
  visit(indexMessage(bytes).structure)
  return said
}

const isFit = (text: string): boolean =>
  /^[\x01-\x7f]*$/.test(text) && !/[^\r]\n|\r(?!\n)/.test(text) && text.split('\r\n').every(({ length }) => length <= 998)

describe('a message in 7 bits', () => {
  it.each([
    ['text', 'Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nna\xc3\xafve =\r\n',
      'Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n' +
      'bmHDr3ZlID0NCg==\r\n'],
    ['longer text', `MIME-Version: 1.0\r\nA: b\r\n\r\nna\xc3\xafve, ${'so they say. '.repeat(4)}\r\n`,
      'MIME-Version: 1.0\r\nA: b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n' +
      'na=C3=AFve, so they say. so they say. so they say. so they say.=20\r\n'],
    ['what was well already', 'A: b\r\n\r\nc\r\n', 'A: b\r\n\r\nc\r\n'],
    ['more claimed than there is', 'MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\nc\r\n',
      'MIME-Version: 1.0\r\nContent-Transfer-Encoding: 7bit\r\n\r\nc\r\n'],
    ['no header', '\r\n\xe4bcdefghijkl\r\n',
      'MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E4bcdefghijkl\r\n'],
    ['fields', 'Subject: na\xc3\xafve\r\nTo: J\xc3\xb6rg <j@example.org>\r\nMIME-Version: 1.0\r\n' +
      'Content-Type: text/plain; name="\xc3\xa4"\r\n\r\nc\r\n',
      'Subject: =?UTF-8?B?bmHDr3Zl?=\r\nTo: =?UTF-8?B?SsO2cmc=?= <j@example.org>\r\nMIME-Version: 1.0\r\n' +
      "Content-Type: text/plain; name*=UTF-8''%C3%A4\r\n\r\nc\r\n"],
  ])('%s', async (_, text, expected) => {
    expect(await converted(text)).toBe(expected)
  })

  it('keeps the parts that need nothing, and takes the claim off those around what does', async () => {
    const text = [
      'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', 'Content-Transfer-Encoding: 8bit', '', 'preamble', '--b',
      'Content-Type: message/rfc822', 'Content-Transfer-Encoding: 8bit', '', 'Subject: inner', '', `\xe4${'x'.repeat(20)}`, '--b',
      'Content-Type: image/png', 'Content-Transfer-Encoding: base64', '', 'AAAA', '--b',
      'Content-Type: image/png', 'Content-Transfer-Encoding: binary', '', '\x00\xff', '--b--', 'epilogue', '',
    ].join('\r\n')
    expect(await converted(text)).toBe([
      'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', 'Content-Transfer-Encoding: 7bit', '', 'preamble', '--b',
      'Content-Type: message/rfc822', 'Content-Transfer-Encoding: 7bit', '', 'Subject: inner', 'MIME-Version: 1.0',
      'Content-Transfer-Encoding: quoted-printable', '', `=E4${'x'.repeat(20)}`, '--b',
      'Content-Type: image/png', 'Content-Transfer-Encoding: base64', '', 'AAAA', '--b',
      'Content-Type: image/png', 'Content-Transfer-Encoding: base64', '', 'AP8=', '', '--b--', 'epilogue', '',
    ].join('\r\n'))
  })

  it.each([
    ['DKIM', 'DKIM-Signature: v=1\r\n\r\n\xe4'],
    ['ARC', 'arc-seal: i=1\r\n\r\n\xe4'],
    ['a signed part', 'Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xe4\r\n--b\r\n\r\nsigned\r\n--b--\r\n'],
    ['a signed header', 'Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\nSubject: \xe4\r\n\r\n\r\n--b--\r\n'],
    ['a partial message', 'Content-Type: message/partial\r\n\r\n\xe4'],
    ['a multipart in one piece', 'Content-Type: multipart/mixed\r\n\r\n\xe4'],
    ['an unknown encoding', 'Content-Transfer-Encoding: x-mine\r\n\r\n\xe4'],
    ['an encoding that some heed', 'Content-Transfer-Encoding: quoted-printable\r\n\r\n\xe4'],
    ['an encoded multipart',
      'Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n--b\r\n\r\n\xe4\r\n--b--'],
    ['a preamble', 'Content-Type: multipart/mixed; boundary=b\r\n\r\n\xe4\r\n--b\r\n\r\nx\r\n--b--'],
    ['an address', 'To: j\xc3\xb6rg@example.org\r\n\r\nx'],
    ['a boundary', 'Content-Type: multipart/mixed; boundary="\xc3\xa4"\r\n\r\n--\xc3\xa4\r\n\r\nx\r\n--\xc3\xa4--'],
    ['another field', 'Received: \xe4\r\n\r\nx'],
    ['a line of a header', `Subject: ${'x'.repeat(1000)}\r\n\r\nx`],
  ])('is none where %s is in the way', async (_, text) => {
    expect(await converted(text)).toBeUndefined()
  })

  it('is one where the signed part is well already, or only what is around it is not', async () => {
    const part = '--s\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx\r\n--s--\r\n'
    const signed = `Content-Type: multipart/signed; boundary=s\r\n\r\n${part}`
    expect(await converted(`MIME-Version: 1.0\r\n${signed}`)).toBe(`MIME-Version: 1.0\r\n${signed}`)
    const parts = `--b\r\n\r\n\xe4\r\n--b\r\n${signed}--b--\r\n`
    const around = `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${parts}`
    expect(await converted(around)).toContain(`--b\r\n${signed}--b--`)
  })

  it('has no line that looks like a boundary', async () => {
    const text = `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\xe4${'x'.repeat(72)}--b\r\n--b--\r\n`
    expect((await converted(text))?.split('\r\n').filter((line) => line.startsWith('--b'))).toEqual(['--b', '--b--'])
  })

  /** Messages as deep as three, of parts that hold anything. */
  const pieces = ['\r\n', '\n', '\r', '\xe4', '\0', 'x', ' ', '=', '--', '-- \r\n', 'y'.repeat(999), '\t']
  const bodies = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((chosen) => chosen.join(''))
  const encodings = fc.constantFrom('', '7bit', '8bit', 'binary', 'quoted-printable', 'base64')
  const types = fc.constantFrom('', 'text/plain', 'text/html; charset=utf-8', 'image/png', 'application/octet-stream')
  const fields = (type: string, encoding: string): string =>
    `${type === '' ? '' : `Content-Type: ${type}\r\n`}${encoding === '' ? '' : `Content-Transfer-Encoding: ${encoding}\r\n`}`
  const leaves = fc.tuple(types, encodings, bodies).map(([type, encoding, body]) => `${fields(type, encoding)}\r\n${body}`)
  const wide = fc.constantFrom('', '7bit', '8bit', 'binary')
  const { whole } = fc.letrec<{ whole: string }>((tie) => ({
    whole: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'parts' },
      leaves,
      fc.tuple(fc.array(tie('whole'), { minLength: 1, maxLength: 3 }), wide, fc.nat()).map(([parts, encoding, number]) => {
        const inner = parts.map((part) => `--b${number}\r\n${part}\r\n`).join('')
        return `${fields(`multipart/mixed; boundary=b${number}`, encoding)}\r\n${inner}--b${number}--\r\n`
      }),
      fc.tuple(tie('whole'), wide).map(([part, encoding]) => `${fields('message/rfc822', encoding)}\r\n${part}`),
    ),
  }))

  it('says what it said', async () => {
    let conversions = 0
    await fc.assert(fc.asyncProperty(whole, fc.integer({ min: 1, max: 40 }), async (text, piece) => {
      const found = await converted(`Subject: x\r\n${text}`, piece)
      if (found === undefined) return
      conversions++
      expect(isFit(found)).toBe(true)
      expect(saidBy(found)).toEqual(saidBy(`Subject: x\r\n${text}`))
    }), { numRuns: 300 })
    expect(conversions).toBeGreaterThan(50)
  })

  it('is made of anything without a fault', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.constantFrom(
      '\r\n', '\r\n\r\n', 'Content-Type: multipart/mixed; boundary=b\r\n', '--b\r\n', '--b--',
      'Content-Transfer-Encoding: 8bit\r\n',
      '\xe4', 'Content-Type: message/rfc822\r\n', ' ', 'From ', 'Subject: \xe4\r\n', ':', '\n', '\r',
    ), { maxLength: 15 }), async (pieces) => {
      const found = await converted(pieces.join(''))
      expect(found === undefined || isFit(found)).toBe(true)
      if (found !== undefined) expect(parseHeaderBlock(octets(found)).oddities).not.toContain('8bit')
    }), { numRuns: 300 })
  })
})

describe('encoders of streams', () => {
  it('write what those of whole bodies do, however they are fed', () => {
    const bytes = fc.array(fc.constantFrom('\r\n', '\r', '\n', ' ', '\t', 'x', '=', '\xff', 'y'.repeat(74)), { maxLength: 20 })
    fc.assert(fc.property(bytes, fc.integer({ min: 1, max: 80 }), (pieces, step) => {
      const all = octets(pieces.join(''))
      const quoted = new QuotedPrintableEncoder(false)
      const coded = new Base64LineEncoder()
      let text = ''
      const lines: Uint8Array[] = []
      for (let at = 0; at < all.length; at += step) {
        text += quoted.push(all.subarray(at, at + step))
        lines.push(coded.push(all.subarray(at, at + step)))
      }
      expect(text + quoted.end()).toBe(encodeQuotedPrintable(all))
      expect(octetString(joinedOctets([...lines, coded.end()]))).toBe(octetString(encodeBase64Lines(all)))
    }), { numRuns: 300 })
  })
})

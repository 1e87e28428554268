import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MessageFacts } from '../../src/message/facts.ts'
import { bodyStructureText, envelopeText } from '../../src/message/imap-text.ts'
import { indexMessage } from '../../src/message/indexer.ts'
import { bodyStructureTextOf, envelopeFieldOf, envelopeTextOf, packFacts, unpackFacts } from '../../src/message/packed-facts.ts'
import { octets } from '../../src/protocol/bytes/text.ts'
import { addresses } from './odd/addresses.ts'
import { containers } from './odd/containers.ts'
import { content } from './odd/content.ts'
import { delimiters } from './odd/delimiters.ts'
import { headers } from './odd/headers.ts'

const plain = (facts: MessageFacts): unknown => JSON.parse(JSON.stringify(facts))

/** Says what is wrong with what is made of facts and back. */
function roundTrip(facts: MessageFacts): void {
  const line = packFacts(facts)
  expect(line).toMatch(/^[ -~]*$/)
  const view = unpackFacts(line)
  expect(envelopeTextOf(view)).toBe(envelopeText(facts.envelope))
  expect(bodyStructureTextOf(view)).toBe(bodyStructureText(facts.structure))
  expect(plain(view)).toEqual(plain(facts))
  for (const name of ['structure', 'envelope', 'references', 'oddities', 'octets', 'preview', 'messageId'] as const) {
    expect(unpackFacts(line)[name], name).toEqual(facts[name])
  }
  for (const name of ['date', 'subject', 'from', 'to', 'cc', 'bcc', 'messageId'] as const) {
    expect(envelopeFieldOf(unpackFacts(line), name), name).toEqual(facts.envelope[name])
  }
  expect(packFacts(view)).toBe(line)
}

describe('packed facts', () => {
  it.each([...headers, ...addresses, ...content, ...delimiters, ...containers])('are those of: $name', ({ message }) => {
    roundTrip(indexMessage(octets(message)))
  })

  it('are those of any message', () => {
    const piece = fc.constantFrom(
      'Subject: ', 'From: ', 'Sender: ', 'Reply-To: a@b\r\n', '"a\\"b" <x@y>', '<@r:x@y>', 'g: x@y;', '\r\n', '\r\n\r\n',
      'Message-ID: <1@x>\r\n', 'Content-Type: multipart/mixed; boundary=b\r\n', 'Content-Type: TEXT/plain; charset=x\r\n',
      'Content-Type: image/png; n="a b"\r\n', 'Content-Type: message/rfc822\r\n',
      'Content-Type: Multipart/x; boundary=c\r\n',
      'Content-Language: de, en\r\n', 'Content-ID: <c>\r\n', 'Content-Disposition: attachment; filename=a\\"b\r\n',
      'Content-Transfer-Encoding: 8bit\r\n', 'Content-MD5: x\r\n', '--b', '--c', '--',
      'Content-Location: l\r\n', 'Content-Description: ()"NIL"\r\n', 'caf\u00e9', '\u0000', '\t', '\\', ' ',
      'MIME-Version: 1.0\r\n',
    )
    const message = fc.array(piece, { maxLength: 40 }).map((pieces) => octets(pieces.join('')))
    fc.assert(fc.property(message, (bytes) => roundTrip(indexMessage(bytes))), { numRuns: 500 })
  })

  it('hold the texts ready, of mail as it usually is', () => {
    const facts = indexMessage(octets('From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>\r\n'))
    const author = '((NIL NIL "a" "example.org"))'
    expect(packFacts(facts)).toBe(`F1 119 73 0 (NIL NIL ${author} ${author} ${author} NIL NIL NIL NIL NIL)`
      + '("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 5 1 NIL NIL NIL NIL)[72,5,0,[],0,"",[],[0,67,72,1,12]]')
  })

  it('are JSON where they are those of an older version, or none', () => {
    const facts = indexMessage(octets('Subject: old\r\n\r\ntext\r\n'))
    expect(unpackFacts(JSON.stringify(facts))).toEqual(facts)
    const none = { octets: 1, '': '\u20ac' } as unknown as MessageFacts
    expect(packFacts(none)).toBe('{"octets":1,"":"\\u20ac"}')
    expect(unpackFacts(packFacts(none))).toEqual(none)
    expect(() => packFacts({ size: 1n } as unknown as MessageFacts)).toThrow(TypeError)
  })

  const broken = ['F1', 'F1 ', 'F1 3 3 (((((([', 'F1 1 1 0 ()[1,2]', 'F1 3 2 0 NIL()[1,1,0,[],0,"",[],[]]', 'F1 9 9 0 x']
  it.each(broken)('that are broken throw an error: %s', (line) => {
    expect(() => JSON.stringify(unpackFacts(line))).toThrow(/./)
  })
})

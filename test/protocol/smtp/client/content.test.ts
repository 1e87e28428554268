import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ContentReader } from '../../../../src/protocol/smtp/content.ts'
import { ContentWriter, type Framing } from '../../../../src/protocol/smtp/client/content.ts'
import { octetsOf } from './talk.ts'

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

function written(framing: Framing, pieces: readonly string[]): { text: string; octets: number } {
  const writer = new ContentWriter(framing)
  const out = pieces.flatMap((piece) => writer.write(octetsOf(piece)).map(textOf))
  return { text: out.join('') + textOf(writer.finish()), octets: writer.octets }
}

/** What is to come of a text, said in as few words as can be. */
function expected(framing: Framing, text: string): string {
  if (framing === 'octets') return text
  const lines = text.replace(/\r\n|\r|\n/g, '\r\n')
  const ended = lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`
  return framing === 'lines' ? ended : ended.replace(/^\./gm, '..')
}

/** Texts that try line ends and dots, some of them longer than what is looked at octet by octet. */
const texts = fc.array(
  fc.oneof(
    fc.constantFrom('\r', '\n', '\r\n', '.', '..', 'a', '\r\n.\r\n', '\n.\n', '\r.\r', '\u00ff', '\0'),
    fc.integer({ min: 150, max: 400 }).map((length) => 'x'.repeat(length)),
  ),
  { maxLength: 24 },
)

describe('content on the wire', () => {
  it.each([
    ['', ''],
    ['a', 'a\r\n'],
    ['a\r\n', 'a\r\n'],
    ['.', '..\r\n'],
    ['.\r\n', '..\r\n'],
    ['..', '...\r\n'],
    ['a\r\n.b', 'a\r\n..b\r\n'],
    ['a\n.\nb', 'a\r\n..\r\nb\r\n'],
    ['a\r.\rb', 'a\r\n..\r\nb\r\n'],
    ['a\n\r\n.', 'a\r\n\r\n..\r\n'],
    ['a\r\r\nb', 'a\r\n\r\nb\r\n'],
    ['\n.', '\r\n..\r\n'],
    ['a\r', 'a\r\n'],
  ])('%j is %j', (text, wire) => {
    expect(written('dotted', [text]).text).toBe(wire)
  })

  it.each<Framing>(['dotted', 'lines', 'octets'])('%s: any split gives the same, and what it should', (framing) => {
    fc.assert(fc.property(texts, fc.array(fc.nat(4000), { maxLength: 8 }), (pieces, cuts) => {
      const text = pieces.join('')
      const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length]
      const cut = places.slice(1).map((to, at) => text.slice(places[at], to))
      const whole = expected(framing, text)
      const { text: wire, octets } = written(framing, cut)
      expect(wire).toBe(whole)
      expect(octets).toBe(framing === 'dotted' ? expected('lines', text).length : whole.length)
      expect(written(framing, [...text]).text).toBe(whole)
    }), { numRuns: 300 })
  })

  it('is read back by a strict server as it was meant, and its end is nowhere before the end', () => {
    fc.assert(fc.property(texts, (pieces) => {
      const text = pieces.join('')
      const wire = octetsOf(`${written('dotted', [text]).text}.\r\n`)
      const reader = new ContentReader(true, 'reject')
      let content = ''
      for (let at = 0; at < wire.length && !reader.done; at = reader.at) {
        reader.read(wire, at, wire.length)
        if (reader.piece) content += textOf(reader.piece)
      }
      expect([reader.done, reader.at, reader.bareLineEnds, reader.loneDots]).toEqual([true, wire.length, 0, 0])
      expect(content).toBe(expected('lines', text))
    }), { numRuns: 300 })
  })

  it('copies nothing where nothing is to be changed', () => {
    const bytes = octetsOf(`${'x'.repeat(500)}\r\n`.repeat(100))
    const [written, ...more] = new ContentWriter('dotted').write(bytes)
    expect(written!.buffer).toBe(bytes.buffer)
    expect(more).toEqual([])
  })
})

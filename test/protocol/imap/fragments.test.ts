import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fragments, type Piece } from '../../../src/protocol/imap/fragments.ts'
import { octets, octetString } from '../../../src/protocol/bytes/text.ts'

type Decide = (piece: Piece & { kind: 'line' | 'overlong' }) => 'collect' | 'stream' | 'skip' | 'refuse'

/** All pieces of the input, cut into chunks; streamed octets are put together. */
function read(chunks: readonly string[], decide: Decide = () => 'collect', most = 100): unknown[] {
  const fragments = new Fragments()
  const pieces: unknown[] = []
  let streamed = ''
  for (const chunk of chunks) {
    fragments.push(octets(chunk))
    for (let piece = fragments.next(most); piece; piece = fragments.next(most)) {
      if (piece.kind === 'octets') streamed += octetString(piece.bytes)
      else if (piece.kind === 'end') {
        pieces.push(['end', streamed])
        streamed = ''
      } else pieces.push(shown(piece))
      if ((piece.kind === 'line' || piece.kind === 'overlong') && piece.literal) {
        const what = decide(piece)
        if (what === 'refuse') fragments.refuse()
        else fragments[what](piece.literal.octets)
      }
    }
  }
  return pieces
}

function shown(piece: Piece): unknown {
  if (piece.kind === 'literal') return ['literal', piece.octets]
  if (piece.kind === 'octets' || piece.kind === 'end') throw new Error(piece.kind)
  const literal = piece.kind === 'misannounced' ? undefined : piece.literal
  const announced = literal && `${literal.binary ? '~' : ''}${literal.octets}${literal.waits ? '' : '+'}`
  return announced === undefined ? [piece.kind, piece.text] : [piece.kind, piece.text, announced]
}

describe('fragments', () => {
  it.each<[string, string, unknown[]]>([
    ['lines', 'a NOOP\r\nb NOOP\r\n', [['line', 'a NOOP'], ['line', 'b NOOP']]],
    ['an empty line', '\r\n', [['line', '']]],
    ['an end without CR', 'a NOOP\nb\r\n', [['line', 'a NOOP'], ['line', 'b']]],
    ['a CR in the line', 'a\rb\r\n', [['line', 'a\rb']]],
    ['half a line', 'a NOOP\r', []],
    ['a literal', 'a LOGIN {3}\r\nx\r\n {2+}\r\n\r\n\r\n',
      [['line', 'a LOGIN ', '3'], ['literal', 'x\r\n'], ['line', ' ', '2+'], ['literal', '\r\n'], ['line', '']]],
    ['a literal of nothing', 'a X {0}\r\n\r\n', [['line', 'a X ', '0'], ['literal', ''], ['line', '']]],
    ['a binary one', 'a X ~{3}\r\n\0\r\n b\r\n', [['line', 'a X ', '~3'], ['literal', '\0\r\n'], ['line', ' b']]],
    ['a literal that looks like a command', 'a X {8}\r\nb NOOP\r\n\r\n', [['line', 'a X ', '8'], ['literal', 'b NOOP\r\n'],
      ['line', '']]],
    ['a brace in the line', 'a X {3} y\r\n', [['line', 'a X {3} y']]],
    ['no count', 'a X {}\r\n', [['misannounced', 'a X {}']]],
    ['a negative one', 'a X {-1}\r\n', [['misannounced', 'a X {-1}']]],
    ['no number', 'a X {1x}\r\n', [['misannounced', 'a X {1x}']]],
    ['too large a number', 'a X {99999999999999999999}\r\n', [['misannounced', 'a X {99999999999999999999}']]],
    ['a number beyond what can be counted', 'a X {999999999999999999}\r\n', [['misannounced', 'a X {999999999999999999}']]],
    ['a plus alone', 'a X {+}\r\n', [['misannounced', 'a X {+}']]],
    ['a brace alone', 'a X }\r\n', [['line', 'a X }']]],
  ])('cut %s', (_, input, pieces) => {
    expect(read([input])).toEqual(pieces)
    expect(read([...input])).toEqual(pieces)
  })

  it('stream, skip and refuse', () => {
    const input = 'a APPEND {5}\r\n12345 {4}\r\n1234\r\nb X {9}\r\nc Y\r\n'
    const what = ['stream', 'skip', 'refuse'] as const
    let next = 0
    const pieces = [
      ['line', 'a APPEND ', '5'], ['end', '12345'], ['line', ' ', '4'], ['end', ''], ['line', ''], ['line', 'b X ', '9'],
        ['line', 'c Y'],
    ]
    expect(read([input], () => what[next++]!)).toEqual(pieces)
    next = 0
    expect(read([...input], () => what[next++]!)).toEqual(pieces)
  })

  it('wait for a word about a literal', () => {
    const fragments = new Fragments()
    fragments.push(octets('a X {3+}\r\nabc\r\n'))
    expect(fragments.next(100)).toMatchObject({ kind: 'line' })
    expect(fragments.inLiteral).toBe(true)
    expect(fragments.next(100)).toBeUndefined()
    fragments.collect(3)
    expect(fragments.next(100)).toEqual({ kind: 'literal', octets: 'abc' })
    expect(fragments.inLiteral).toBe(false)
  })

  describe('of a line that is too long', () => {
    const long = 'x'.repeat(98)
    it.each<[string, string, unknown[]]>([
      ['as long as may be', `${long}yy\r\n`, [['line', `${long}yy`]]],
      ['as long as may be, without CR', `${long}yy\n`, [['line', `${long}yy`]]],
      ['one too long', `${long}yyy\r\nb\r\n`, [['overlong', `${long}yy`], ['line', 'b']]],
      ['one too long, without CR', `${long}yyy\nb\n`, [['overlong', `${long}yy`], ['line', 'b']]],
      ['much too long', `${long.repeat(50)}\r\nb\r\n`, [['overlong', 'x'.repeat(100)], ['line', 'b']]],
      ['with a literal behind it', `${long.repeat(50)} {6+}\r\nb X\r\nx\r\nc\r\n`,
        [['overlong', 'x'.repeat(100), '6+'], ['literal', 'b X\r\nx'], ['line', ''], ['line', 'c']]],
      ['with a literal just behind it', `${long} {3+}\r\nabc\r\n`, [['overlong', `${long} {`, '3+'], ['literal', 'abc'],
        ['line', '']]],
      ['with what is no literal', `${long.repeat(3)} {6x}\r\n`, [['misannounced', 'x'.repeat(100)]]],
    ])('tell the beginning and the literal: %s', (_, input, pieces) => {
      expect(read([input])).toEqual(pieces)
      expect(read([...input])).toEqual(pieces)
    })
  })

  it('are the same however the input is split', () => {
    const text = fc.array(fc.constantFrom('a', ' ', '\r', '\n', '\r\n', '{', '}', '+', '~', '3', '{3}\r\n', '{2+}\r\n',
      'x'.repeat(60), '\0'))
    fc.assert(fc.property(text, fc.array(fc.nat(200)), (parts, cuts) => {
      const input = parts.join('')
      const at = [0, ...cuts.filter((cut) => cut < input.length).sort((a, b) => a - b), input.length]
      const chunks = at.slice(1).map((end, index) => input.slice(at[index], end))
      for (const what of ['collect', 'stream', 'skip', 'refuse'] as const) {
        expect(read(chunks, () => what)).toEqual(read([input], () => what))
      }
    }))
  })
})

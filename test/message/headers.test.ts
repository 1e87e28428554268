import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeUtf8, octets } from '../../src/protocol/bytes/text.ts'
import { type HeaderBlock, MOST_FIELDS, parseHeaderBlock } from '../../src/message/headers.ts'

/** Text to octets: UTF-8, CRLF for every line end that is written `\n`. */
const block = (text: string): HeaderBlock => parseHeaderBlock(encodeUtf8(text.replaceAll('\n', '\r\n')))
const fields = (header: HeaderBlock): [string, string][] => header.fields.map(({ name, value }) => [name, value])

describe('a header block', () => {
  it('gives fields in order, with offsets into the message', () => {
    const text = 'Subject: one\r\n two\r\nFROM:a@b.example\r\n\r\nbody'
    const header = parseHeaderBlock(octets(`....${text}`), 4, 4 + text.length, 996)
    expect(fields(header)).toEqual([['Subject', 'one two'], ['FROM', 'a@b.example']])
    expect(header).toMatchObject({ start: 1_000, end: 1_000 + text.indexOf('body'), complete: true, oddities: [] })
    expect(header.fields.map(({ start, valueStart, end }) => [start, valueStart, end].map((offset) => offset - 1_000)))
      .toEqual([[0, 8, 20], [20, 25, 38]])
    expect(header.fields.map(({ raw }) => String.fromCharCode(...raw))).toEqual([' one\r\n two', 'a@b.example'])
    expect(header.raw.length).toBe(40)
  })

  it('finds fields by name in any case, the first or all', () => {
    for (const filler of ['', 'X-Filler: 1\n'.repeat(200)]) {
      const header = block(`A: 1\n${filler}Received: x\nb: 2\nRECEIVED: y\na: 3\n\n`)
      expect(header.get('a')?.value).toBe('1')
      expect(header.all('received').map(({ value }) => value)).toEqual(['x', 'y'])
      expect([header.has('B'), header.has('c'), header.get('aa')]).toEqual([true, false, undefined])
      expect([header.value('b'), header.value('c'), header.text('B'), header.text('c')]).toEqual(['2', undefined, '2', undefined])
      expect([...header].length).toBe(header.fields.length)
    }
  })

  it('tells names apart that share a hash', () => {
    // `@` and a backquote differ in the bit that folds letter case.
    const header = block('A@: 1\nA`: 2\n\n')
    expect([header.value('a@'), header.value('a`')]).toEqual(['1', '2'])
    expect(header.get('A@')?.is('A`')).toBe(false)
  })

  it('decodes encoded words for people, and leaves them for parsers', () => {
    const header = block('Subject: =?utf-8?Q?Gr=C3=BC?=\n =?utf-8?B?w59l?=\n\n')
    expect(header.text('subject')).toBe('Grüße')
    expect(header.value('subject')).toBe('=?utf-8?Q?Gr=C3=BC?= =?utf-8?B?w59l?=')
  })
})

describe('oddities', () => {
  it.each<[string, string, [string, string][], string[]]>([
    ['LF alone', 'A: 1\nB: 2\n 3\n\nbody', [['A', '1'], ['B', '2 3']], ['bare-lf']],
    ['CR in a value', 'A: 1\r2\r\n\r\n', [['A', '1 2']], ['bare-cr']],
    ['CR CR LF', 'A: 1\r\r\nB: 2\r\n\r\n', [['A', '1'], ['B', '2']], ['bare-cr']],
    ['NUL', 'A: 1\x00\x002\r\n\r\n', [['A', '1\ufffd\ufffd2']], ['nul']],
    ['a control character', 'A: 1\x07\r\n\r\n', [['A', '1\x07']], ['control']],
    ['8-bit that is UTF-8', 'Sübject: é\r\n\r\n', [['Sübject', 'é']], ['8bit']],
    ['a long line', `A: ${'x'.repeat(996)}\r\n\r\n`, [['A', 'x'.repeat(996)]], ['long-line']],
    ['a line of 998', `A: ${'x'.repeat(995)}\r\n\r\n`, [['A', 'x'.repeat(995)]], []],
    ['a blank before the colon', 'A \t: 1\r\n\r\n', [['A', '1']], ['blank-before-colon']],
    ['a fold of blanks (RFC 7103 7.3)', 'A: 1\r\n  \r\n 2\r\nB: 3\r\n\r\n', [['A', '1 2'], ['B', '3']], ['blank-fold']],
    ['no colon (RFC 7103 7.2)', 'Subject: your reminder\r\nabout the game\r\nDate: x\r\n\r\n',
      [['Subject', 'your reminder about the game'], ['Date', 'x']], ['no-colon']],
    ['a name with a blank in it', 'A: 1\r\nnot a field: 2\r\n\r\n', [['A', '1 not a field: 2']], ['no-colon']],
    ['an empty name', 'A: 1\r\n: 2\r\n\r\n', [['A', '1 : 2']], ['no-colon']],
    ['a continuation before any field', ' B: 0\r\nA: 1\r\n\r\n', [['A', '1']], ['stray-line']],
    ['text before any field', 'hello\r\nA: 1\r\n\r\n', [['A', '1']], ['stray-line']],
    ['an mbox line', 'From a@b.example Thu Aug 22 12:36:23 2002\r\nA: 1\r\n\r\n', [['A', '1']], ['mbox-from']],
    ['a quoted mbox line', 'A: 1\r\n>From a@b.example x\r\n 2\r\nB: 3\r\n\r\n', [['A', '1'], ['B', '3']],
      ['stray-line', 'mbox-from']],
    ['From without a colon further down', 'A: 1\r\nFrom here\r\n\r\n', [['A', '1 From here']], ['no-colon']],
    ['a byte order mark', '\ufeffA: 1\r\n\r\n', [['A', '1']], ['byte-order-mark']],
    ['no empty line', 'A: 1\r\n', [['A', '1']], ['no-end']],
    ['no line end', 'A: 1', [['A', '1']], ['no-end']],
    ['nothing', '', [], ['no-end']],
    ['an empty line alone', '\r\nbody', [], []],
    ['a CR at the end', 'A: 1\r', [['A', '1']], ['bare-cr', 'no-end']],
    ['all at once', 'A : 1\0\r2\n  \nx\n\nbody', [['A', '1\ufffd 2 x']],
      ['bare-lf', 'bare-cr', 'nul', 'blank-before-colon', 'blank-fold', 'no-colon']],
  ])('%s', (_, text, expected, oddities) => {
    const header = parseHeaderBlock(encodeUtf8(text))
    expect(fields(header)).toEqual(expected)
    expect(header.oddities).toEqual(oddities)
    expect(header.complete).toBe(!oddities.includes('no-end'))
    const rest = text.slice(text.length - (encodeUtf8(text).length - header.end))
    expect(rest).toBe(text.endsWith('body') ? 'body' : '')
  })

  it('are told of the field that has them', () => {
    const header = parseHeaderBlock(octets('A: 1\r\nB : 2\n 3\r\nC: \xe4\r\n\r\n'))
    expect(header.fields.map(({ oddities }) => oddities)).toEqual([[], ['bare-lf', 'blank-before-colon'], ['8bit']])
    expect(header.value('c')).toBe('ä')
  })

  it('reads 8-bit values each by itself: UTF-8 where valid, else windows-1252', () => {
    const header = parseHeaderBlock(octets('A: \xc3\xa9\r\nB: \x93\xe9\x94\r\nC: c\r\n\r\n'))
    expect(fields(header)).toEqual([['A', 'é'], ['B', '“é”'], ['C', 'c']])
  })

  it('indexes no more fields than it says, and still finds the end', () => {
    const text = `${'a:\n'.repeat(MOST_FIELDS + 5)} b\n\nbody`
    const header = parseHeaderBlock(octets(text))
    expect(header.fields.length).toBe(MOST_FIELDS)
    expect(header.fields.at(-1)?.value).toBe('')
    expect(header.oddities).toEqual(['bare-lf', 'too-many-fields'])
    expect(text.slice(header.end)).toBe('body')
  })
})

const pieces = ['\r\n', '\n', '\r', '\0', ' ', '\t', ':', 'A', 'Subject', 'From ', '>From ', ': x', '\xff', '\xc3\xa9',
  '\xef\xbb\xbf', '=?', 'x'.repeat(1_000)]
const odd = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string()), { maxLength: 30 }).map((list) => octets(list.join('')))

describe('any bytes', () => {
  it('parse without an exception; values are one line; fields lie in order within the block', () => {
    fc.assert(fc.property(odd, fc.nat(5), fc.nat(5), (bytes, before, behind) => {
      const from = Math.min(before, bytes.length)
      const to = Math.max(from, bytes.length - behind)
      const header = parseHeaderBlock(bytes, from, to, 7)
      let last = from + 7
      for (const field of header) {
        expect(field.value).not.toMatch(/[\r\n\0]/)
        expect(field.text).not.toMatch(/[\r\n\0]/)
        expect(header.all(field.name)[0]).toBe(header.get(field.name))
        expect(field.start).toBeGreaterThanOrEqual(last)
        expect(field.valueStart).toBeGreaterThan(field.start)
        expect(field.end).toBeGreaterThanOrEqual(field.valueStart)
        last = field.end
      }
      expect(header.end).toBeGreaterThanOrEqual(last)
      expect(header.end).toBeLessThanOrEqual(to + 7)
    }), { numRuns: 1_000 })
  })

  it('give the same wherever they lie', () => {
    fc.assert(fc.property(odd, fc.uint8Array({ maxLength: 9 }), (bytes, around) => {
      const moved = new Uint8Array(bytes.length + 2 * around.length)
      moved.set(around)
      moved.set(bytes, around.length)
      moved.set(around, around.length + bytes.length)
      const one = parseHeaderBlock(bytes)
      const other = parseHeaderBlock(moved, around.length, around.length + bytes.length, -around.length)
      expect(fields(other)).toEqual(fields(one))
      expect([other.start, other.end, other.oddities]).toEqual([one.start, one.end, one.oddities])
    }))
  })

  it.each([
    'a:\n', 'a: b\r\n', ' \r\n', 'a:\n b', 'x', ':', '\r', '\0', 'a ', '\t', 'a\n', '\xff',
  ])('of nothing but %j take linear time', (piece) => {
    const header = parseHeaderBlock(octets(`S: ${piece.repeat(400_000 / piece.length)}`))
    for (const field of header) void field.text
    header.get('nothing')
  })
})

it('fields of what was written come back', () => {
  const name = fc.stringMatching(/^[!-9;-~]{1,20}$/)
  const value = fc.array(fc.stringMatching(/^[!-~]{1,20}$/), { maxLength: 5 })
  fc.assert(fc.property(fc.array(fc.tuple(name, value), { maxLength: 70 }), (list) => {
    const text = list.map(([one, words]) => `${one}: ${words.join('\r\n ')}\r\n`).join('')
    expect(fields(parseHeaderBlock(octets(`${text}\r\n`)))).toEqual(list.map(([one, words]) => [one, words.join(' ')]))
  }))
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isMailError } from '../../../src/protocol/session/index.ts'
import { encodeReply, parseReply, parseReplyLine, type Reply } from '../../../src/protocol/smtp/index.ts'
import { failed, failedClosing, replies } from '../../../src/protocol/smtp/server/replies.ts'

const part = fc.nat(999).map(String)
const code = fc.oneof(fc.integer({ min: 200, max: 299 }), fc.integer({ min: 400, max: 599 }))
const character = fc.integer({ min: 32, max: 126 }).map((unit) => String.fromCharCode(unit))
const printable = fc.string({ unit: character, maxLength: 60, size: 'max' })
/** Text that does not itself begin as an enhanced code would. */
const text = printable.filter((line) => !/^\d+\.\d+\.\d+ /.test(line))

const reply: fc.Arbitrary<Reply> = fc
  .tuple(
    code,
    fc.option(fc.tuple(part, part), { nil: undefined }),
    fc.oneof(text, fc.array(text, { minLength: 2, maxLength: 4, size: 'max' })),
  )
  .map(([value, enhanced, lines]) =>
    enhanced === undefined
      ? { code: value, text: lines }
      : { code: value, enhanced: `${Math.floor(value / 100)}.${enhanced.join('.')}`, text: lines },
  )

const lines = (wire: string): string[] => wire.split('\r\n').slice(0, -1)

describe('a reply on the wire (RFC 5321 §4.2)', () => {
  it('comes back as it was', () => {
    fc.assert(fc.property(reply, (given) => void expect(parseReply(lines(encodeReply(given)))).toEqual(given)))
  })

  it('keeps to 512 octets a line whatever its text, and cuts no character in two', () => {
    const unit = fc.constantFrom('a', '\u00e9', '\u20ac', '\u{1f600}')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 700, size: 'max' }), (long) => {
        const wire = encodeReply({ code: 550, enhanced: '5.123.123', text: long })
        expect(wire.length).toBeLessThanOrEqual(512)
        expect(wire.endsWith('\r\n')).toBe(true)
        const octets = Buffer.from(wire.slice(14, -2), 'latin1')
        expect(long.startsWith(octets.toString('utf8'))).toBe(true)
      }),
    )
  })

  it.each<[Reply, string]>([
    [{ code: 250, text: 'ok' }, '250 ok\r\n'],
    [{ code: 250, enhanced: '2.1.0', text: 'ok' }, '250 2.1.0 ok\r\n'],
    [{ code: 250, enhanced: '2.1.0', text: ['one', 'two'] }, '250-2.1.0 one\r\n250 2.1.0 two\r\n'],
    [{ code: 354, text: 'go' }, '354 go\r\n'],
    [{ code: 250, text: [] }, '250 \r\n'],
    [{ code: 250, text: '' }, '250 \r\n'],
    [{ code: 550, text: 'gr\u00fc\u00dfe' }, '550 gr\u00c3\u00bc\u00c3\u009fe\r\n'],
  ])('encodes %j', (given, wire) => {
    expect(encodeReply(given)).toBe(wire)
  })

  it.each<[string, Reply]>([
    ['a code below 200', { code: 199, text: '' }],
    ['a code above 599', { code: 600, text: '' }],
    ['a code that is none', { code: 250.5, text: '' }],
    ['no code', { code: undefined as unknown as number, text: '' }],
    ['no text', { code: 250 } as Reply],
    ['text that is none', { code: 250, text: 5 as unknown as string }],
    ['lines that are none', { code: 250, text: [5 as unknown as string] }],
    ['CR LF in the text', { code: 250, text: 'ok\r\n250 more' }],
    ['a NUL in a line', { code: 250, text: ['ok', 'a\0'] }],
    ['an enhanced code of another class', { code: 250, enhanced: '5.1.1', text: '' }],
    ['an enhanced code on 354', { code: 354, enhanced: '3.0.0', text: '' }],
    ['an enhanced code that is none', { code: 250, enhanced: '2.1', text: '' }],
    ['an enhanced code with four digits', { code: 250, enhanced: '2.1000.0', text: '' }],
    ['an enhanced code with a zero in front', { code: 250, enhanced: '2.01.0', text: '' }],
    ['an enhanced code with a line end', { code: 250, enhanced: '2.1.0\r\n', text: '' }],
  ])('S39 refuses %s', (_what, given) => {
    try {
      encodeReply(given)
      expect.unreachable()
    } catch (error) {
      expect(isMailError(error) && error.code).toBe('misuse')
    }
  })

  it('S39 every reply of the session carries an enhanced code, but 220, 250 to EHLO, and 3xx', () => {
    for (const wire of [...Object.values(replies), encodeReply(failed), encodeReply(failedClosing)]) {
      const plain = wire.startsWith('220') || wire.startsWith('354')
      expect(wire).toMatch(plain ? /^(220|354) [^\r\n]+\r\n$/ : /^([245])\d\d \1\.\d{1,3}\.\d{1,3} [^\r\n]+\r\n$/)
      expect(parseReply(lines(wire))?.enhanced !== undefined).toBe(!plain)
    }
  })
})

describe('a reply read', () => {
  it.each<[string, ReturnType<typeof parseReplyLine>]>([
    ['250 ok', { code: 250, more: false, text: 'ok' }],
    ['250-ok', { code: 250, more: true, text: 'ok' }],
    ['250', { code: 250, more: false, text: '' }],
    ['250ok', undefined],
    ['25', undefined],
    ['199 no', undefined],
    ['600 no', undefined],
    ['2e2 no', undefined],
    [' 25 no', undefined],
    ['+25 no', undefined],
    ['', undefined],
  ])('%j', (line, wanted) => {
    expect(parseReplyLine(line)).toEqual(wanted)
  })

  it.each([[[]], [['250-one']], [['250 one', '250 two']], [['250-one', '251 two']], [['nonsense']]])(
    'has all its lines, and no more: %j',
    (given) => {
      expect(parseReply(given)).toBeUndefined()
    },
  )

  it('takes an enhanced code for one only where it fits', () => {
    expect(parseReply(['550 5.1.1 no'])).toEqual({ code: 550, enhanced: '5.1.1', text: 'no' })
    expect(parseReply(['550 4.1.1 no'])).toEqual({ code: 550, text: '4.1.1 no' })
    expect(parseReply(['354 3.0.0 go'])).toEqual({ code: 354, text: '3.0.0 go' })
    for (const text of ['5.1000.1 no', '5..1 no', '5.1 no', '5.1.1.1 no', '5.01.1 no', '5.1.x no', '5.1.1']) {
      expect(parseReply([`550 ${text}`])).toEqual({ code: 550, text })
    }
    expect(parseReply(['250-2.1.0 one', '250 two'])).toEqual({ code: 250, enhanced: '2.1.0', text: ['one', 'two'] })
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.array(fc.string()), (given) => void parseReply(given)))
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseContentDisposition, parseContentType, parseTransferEncoding } from '../../src/message/content.ts'
import { formatParameterised, MOST_PARAMETERS, parseParameterised } from '../../src/message/parameters.ts'

/** `value|name=text|…` */
function shown(text: string): string {
  const { value, parameters } = parseParameterised(text)
  return [value, ...[...parameters].map(([name, one]) => `${name}=${one}`)].join('|')
}

describe('the examples of the RFCs', () => {
  it.each([
    ['2045 5.1', 'text/plain; charset=us-ascii (Plain text)', 'text/plain|charset=us-ascii'],
    ['2045 5.1 quoted', 'text/plain; charset="us-ascii"', 'text/plain|charset=us-ascii'],
    ['2183 2.10', 'attachment; filename=genome.jpeg;\r\n  modification-date="Wed, 12 Feb 1997 16:29:51 -0500"',
      'attachment|filename=genome.jpeg|modification-date=Wed, 12 Feb 1997 16:29:51 -0500'],
    ['2231 3', 'message/external-body; access-type=URL;\r\n URL*0="ftp://";\r\n ' +
      'URL*1="cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"',
      'message/external-body|access-type=URL|url=ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar'],
    ['2231 4', "application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
      'application/x-stuff|title=This is ***fun***'],
    ['2231 4.1', "application/x-stuff\r\n ;title*0*=us-ascii'en'This%20is%20even%20more%20\r\n ;" +
      "title*1*=%2A%2A%2Afun%2A%2A%2A%20\r\n ;title*2=\"isn't it!\"",
      "application/x-stuff|title=This is even more ***fun*** isn't it!"],
  ])('%s', (_, text, expected) => {
    expect(shown(text)).toBe(expected)
  })
})

describe('what mail has besides', () => {
  it.each([
    ['no parameters', 'text/plain', 'text/plain'],
    ['nothing', '', ''],
    ['semicolons alone', ';;;', ''],
    ['no value', '; a=b', '|a=b'],
    ['a last semicolon', 'a/b; c=d;', 'a/b|c=d'],
    ['blanks everywhere', ' text / plain ; charset = "utf-8" ; x =y', 'text/plain|charset=utf-8|x=y'],
    ['comments everywhere', '(a) text (b) / (c) plain (d); (e) charset (f) = (g) utf-8 (h)', 'text/plain|charset (f)=utf-8'],
    ['no semicolon behind the value', 'text/plain charset=utf-8', 'text/plain|charset=utf-8'],
    ['names in capitals', 'A/B; NAME=x', 'A/B|name=x'],
    ['the same name twice', 'a/b; x=1; x=2; X=3', 'a/b|x=1'],
    ['blanks in a value without quotes', 'attachment; filename=my report.pdf; size=1',
      'attachment|filename=my report.pdf|size=1'],
    ['parentheses in one', 'attachment; filename=report (1).pdf', 'attachment|filename=report (1).pdf'],
    ['a parenthesis alone', 'a/b; x=1 (2; y=3', 'a/b|x=1 (2|y=3'],
    ['specials without quotes', 'a/b; name=a@b/c[d].txt', 'a/b|name=a@b/c[d].txt'],
    ['an equals sign in a value', 'a/b; boundary=----=_Part=1', 'a/b|boundary=----=_Part=1'],
    ['a semicolon in quotes', 'a/b; name="a;b=c"; d=e', 'a/b|name=a;b=c|d=e'],
    ['quoted pairs', 'a/b; name="a\\"b\\\\c\\d"', 'a/b|name=a"b\\cd'],
    ['a quote that never ends', 'a/b; name="abc; d=e', 'a/b|name=abc|d=e'],
    ['text behind quotes', 'a/b; name="abc"def; g=h', 'a/b|name=abc|g=h'],
    ['no equals sign', 'a/b; foo; c=d', 'a/b|c=d'],
    ['no name', 'a/b; =x; c=d', 'a/b|c=d'],
    ['an empty value', 'a/b; c=; d=""; e', 'a/b|c=|d='],
    ['a fold in quotes', 'a/b; name="one\r\n two"', 'a/b|name=one two'],
    ['an encoded word', 'attachment; filename="=?utf-8?B?w6kudHh0?="', 'attachment|filename=é.txt'],
    ['encoded words', 'attachment; filename="=?utf-8?Q?=C3=A9?=\r\n =?utf-8?Q?.txt?="', 'attachment|filename=é.txt'],
    ['one without quotes', 'attachment; filename==?utf-8?Q?=C3=A9.txt?=', 'attachment|filename=é.txt'],
    ['an encoded word as boundary', 'a/b; boundary="=?utf-8?Q?a?="', 'a/b|boundary==?utf-8?Q?a?='],
    ['8-bit', 'a/b; name="é.txt"', 'a/b|name=é.txt'],
    ['pieces out of order', 'a/b; x*2=c; x*0=a; x*1=b', 'a/b|x=abc'],
    ['pieces that begin at 1', 'a/b; x*1=a; x*2=b', 'a/b|x=ab'],
    ['a missing piece', 'a/b; x*0=a; x*2=c', 'a/b|x=a'],
    ['a piece twice', 'a/b; x*0=a; x*0=b; x*1=c', 'a/b|x=ac'],
    ['ten pieces and more', `a/b; ${Array.from({ length: 12 }, (_, at) => `x*${at}=${at},`).join(';')}`,
      'a/b|x=0,1,2,3,4,5,6,7,8,9,10,11,'],
    ['a character cut in two', "a/b; x*0*=utf-8''%C3; x*1*=%A9", 'a/b|x=é'],
    ['pieces of both kinds', "a/b; x*0*=utf-8''%C3%A9; x*1=%41; x*2*=%41", 'a/b|x=é%41A'],
    ['a value of either form', "a/b; name=plain; name*=utf-8''%C3%A9", 'a/b|name=é'],
    ['RFC 2231 in quotes', 'a/b; name*="utf-8\'\'%C3%A9"', 'a/b|name=é'],
    ['no charset', "a/b; x*=''%C3%A9", 'a/b|x=é'],
    ['no apostrophes', 'a/b; x*=%C3%A9', 'a/b|x=é'],
    ['another charset', "a/b; x*=iso-8859-1''%E9", 'a/b|x=é'],
    ['an unknown charset', "a/b; x*=klingon''%E9", 'a/b|x=é'],
    ['bad percents', "a/b; x*=utf-8''100%-%4-%zz%", 'a/b|x=100%-%4-%zz%'],
    ['a line end in percents', "a/b; x*=utf-8''a%0D%0Ab%00", 'a/b|x=a  b '],
    ['stars that mean nothing', 'a/b; x*y=1; x**=2; *=3; x*00000=4; x*-1=5', 'a/b|*=3'],
    ['names of objects', 'a/b; __proto__=1; constructor=2', 'a/b|__proto__=1|constructor=2'],
  ])('%s', (_, text, expected) => {
    expect(shown(text)).toBe(expected)
  })

  it('reads no more parameters than it says', () => {
    const many = Array.from({ length: MOST_PARAMETERS + 10 }, (_, at) => `p${at}=1`).join(';')
    expect(parseParameterised(`a/b; ${many}`).parameters.size).toBe(MOST_PARAMETERS)
  })
})

describe('formatting', () => {
  it.each<[[string, string][], string]>([
    [[['charset', 'utf-8']], 'a/b; charset=utf-8'],
    [[['name', 'a b "c"']], 'a/b; name="a b \\"c\\""'],
    [[['name', 'é.txt']], "a/b; name*=UTF-8''%C3%A9.txt"],
    [[['name', 'x'.repeat(90)]], `a/b; name*0*=UTF-8''${'x'.repeat(43)}; name*1*=${'x'.repeat(47)}`],
    [[['name', 'a\r\nBcc: x']], "a/b; name*=UTF-8''a%0D%0ABcc%3A%20x"],
    [[['x\r\ny', '1'], ['x*0', '1'], ['', '1'], ['z', '']], 'a/b; z=""'],
  ])('%j', (parameters, expected) => {
    expect(formatParameterised('a/b', parameters)).toBe(expected)
  })

  it('is undone by parsing', () => {
    const name = fc.stringMatching(/^[a-z0-9!#$&+.^_`{|}~-]{1,12}$/)
    const value = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 120 }), fc.lorem(),
        fc.constantFrom('=?utf-8?Q?a?=', ' ', '\t', '"', "'", '%41', 'é'.repeat(80)),
    ).map((text) => text.replace(/[\0\r\n]/g, ''))
    fc.assert(fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([one]) => one, maxLength: 5 }), (parameters) => {
      const text = formatParameterised('a/b', parameters)
      expect(text).toMatch(/^[\t -~]*$/)
      const read = parseParameterised(text)
      expect([read.value, new Map(read.parameters)]).toEqual(['a/b', new Map(parameters)])
    }), { numRuns: 500 })
  })
})

describe('any text', () => {
  const pieces = ['; ', '=', '"', '\\', '(', ')', "'", '*', '*0', '*1*', '%C3', ' ', '/', 'a', 'name', '=?', '?=', '\r\n', 'é',
    '\0']

  it('parses without an exception', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 60 }), (list) => {
      parseParameterised(list.join(''))
    }), { numRuns: 2_000 })
  })

  it.each([
    ...pieces, 'a=b;', 'a="b;', 'a=(b;', ';(', ';"', 'a*0=b;', ';x=a (', 'a (', '/(', '/ ',
  ])('of nothing but %j takes linear time', (piece) => {
    parseParameterised(piece.repeat(300_000 / piece.length))
    parseParameterised(`a/b; c=${piece.repeat(300_000 / piece.length)}`)
  })
})

describe('content fields', () => {
  it.each<[string | undefined, string]>([
    [undefined, 'text/plain us-ascii'],
    ['', 'text/plain us-ascii'],
    ['TEXT/HTML; charset=UTF-8', 'text/html UTF-8'],
    ['text', 'text/plain undefined'],
    ['text; charset=utf-8', 'text/plain utf-8'],
    ['multipart; boundary=x', 'multipart/mixed undefined'],
    ['pdf', 'application/octet-stream undefined'],
    ['application/', 'application/octet-stream undefined'],
    ['/plain', 'text/plain us-ascii'],
    ['text/plain/x', 'text/plain us-ascii'],
    ['te xt/plain', 'application/octet-stream undefined'],
    ['"text/plain"', 'text/plain us-ascii'],
    ['=?utf-8?q?text/plain?=', 'text/plain us-ascii'],
  ])('type %s', (value, expected) => {
    const { type, subtype, parameters } = parseContentType(value)
    expect(`${type}/${subtype} ${parameters.get('charset')}`).toBe(expected)
  })

  it('has another default in a digest (RFC 2046 §5.1.5)', () => {
    expect(parseContentType(undefined, true)).toMatchObject({ type: 'message', subtype: 'rfc822' })
    expect(parseContentType('text/plain', true)).toMatchObject({ type: 'text', subtype: 'plain' })
  })

  it.each<[string | undefined, string]>([
    [undefined, 'inline undefined'],
    ['', 'attachment undefined'],
    ['INLINE', 'inline undefined'],
    ['attachment; filename="a.txt"', 'attachment a.txt'],
    ['attachment; filename="../../etc/passwd"', 'attachment passwd'],
    ['attachment; filename="C:\\\\temp\\\\a.txt"', 'attachment a.txt'],
    ['attachment; filename=".."', 'attachment undefined'],
    ['attachment; filename="a/"', 'attachment undefined'],
    ['form-data; name=x', 'form-data undefined'],
    ['filename=a.txt', 'attachment undefined'],
  ])('disposition %s', (value, expected) => {
    const { disposition, filename } = parseContentDisposition(value)
    expect(`${disposition} ${filename}`).toBe(expected)
  })

  it.each<[string | undefined, string]>([
    [undefined, '7bit'], ['', '7bit'], ['BASE64', 'base64'], [' quoted-printable ', 'quoted-printable'], ['base64;', 'base64'],
    ['"8bit"', '8bit'], ['8-bit', '8bit'], ['7bit (x)', '7bit'], ['x-uuencode', 'uuencode'], ['binary', 'binary'],
      ['x-gzip', 'unknown'],
  ])('encoding %s', (value, expected) => {
    expect(parseTransferEncoding(value)).toBe(expected)
  })
})

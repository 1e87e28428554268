import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sameDomain, splitTag } from '../../src/message/address.ts'
import { type AddressGroup, type AddressItem, flattenAddresses, parseAddressList } from '../../src/message/addresses.ts'
import { formatAddress, formatAddressList, formatMailbox } from '../../src/message/format-address.ts'

/** `name <local|domain>` for an entry, `name: …;` for a group: short enough for tables, and unlike any header. */
function shown(entry: AddressItem | AddressGroup): string {
  if ('members' in entry) return `${entry.name}: ${entry.members.map(shown).join(', ')};`
  const { name, address } = entry
  return address ? `${name}<${address.local}|${address.domain}>` : `${name}<>`
}

const read = (value: string): string[] => parseAddressList(value).map(shown)

describe('address lists of RFC 5322', () => {
  it.each<[string, string, string[]]>([
    ['A.1.1', 'John Doe <jdoe@machine.example>', ['John Doe<jdoe|machine.example>']],
    ['A.1.2 From', '"Joe Q. Public" <john.q.public@example.com>', ['Joe Q. Public<john.q.public|example.com>']],
    ['A.1.2 To', 'Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>',
      ['Mary Smith<mary|x.test>', '<jdoe|example.org>', 'Who?<one|y.test>']],
    ['A.1.2 Cc', '<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
      ['<boss|nil.test>', 'Giant; "Big" Box<sysservices|example.net>']],
    ['A.1.3 To', 'A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;',
      ['A Group: Ed Jones<c|a.test>, <joe|where.test>, John<jdoe|one.test>;']],
    ['A.1.3 Cc', 'Undisclosed recipients:;', ['Undisclosed recipients: ;']],
    ['A.5 From', 'Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', ['Pete<pete|silly.test>']],
    ['A.5 To', "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n         joe@example.org,\r\n  " +
      'John <jdoe@one.test> (my dear friend); (the end of the group)',
    ['A Group: Chris Jones<c|public.example>, <joe|example.org>, John<jdoe|one.test>;']],
    ['A.5 Cc', '(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;', ['Hidden recipients: ;']],
    ['A.6.1 From', 'Joe Q. Public <john.q.public@example.com>', ['Joe Q. Public<john.q.public|example.com>']],
    ['A.6.1 To', 'Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example',
      ['Mary Smith<mary|example.net>', '<jdoe|test.example>']],
    ['A.6.3 From', 'John Doe <jdoe@machine(comment).  example>', ['John Doe<jdoe|machine.example>']],
    ['a route of two hosts', '<@a.example,@b.example:u@c.example>', ['<u|c.example>']],
    ['a quoted local part', '"John  Doe"@example.com, <"a@b.c"@d.example>', ['<John  Doe|example.com>', '<a@b.c|d.example>']],
    ['obsolete blanks around dots', '"joe" . smith @ [192.0.2.1]', ['<joe.smith|[192.0.2.1]>']],
    ['an IPv6 literal', 'u@[IPv6:2001:db8::1], <u@[IPv6:::1]>', ['<u|[IPv6:2001:db8::1]>', '<u|[IPv6:::1]>']],
    ['a trailing dot', 'u@example.com.', ['<u|example.com>']],
    ['UTF-8 (RFC 6532)', 'Zoë <zoë@bücher.example>', ['Zoë<zoë|bücher.example>']],
  ])('%s', (_, value, expected) => {
    expect(read(value)).toEqual(expected)
  })
})

describe('names', () => {
  it.each<[string, string, string[]]>([
    ['an encoded word', '=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>', ['Keld Jørn Simonsen<keld|dkuug.dk>']],
    ['encoded words with delimiters in them', '=?utf-8?Q?Doe,_John_(x)_j@d.e?= <a@b.example>',
      ['Doe, John (x) j@d.e<a|b.example>']],
    ['encoded words in quotes, as many senders have them', '"=?utf-8?B?w6k=?=" <a@b.example>', ['é<a|b.example>']],
    ['adjacent encoded words', '=?utf-8?Q?a?= =?utf-8?Q?b?= c <a@b.example>', ['ab c<a|b.example>']],
    ['in a comment', 'joe@example.com (Joe (the first) Smith)', ['Joe (the first) Smith<joe|example.com>']],
    ['in an encoded comment', 'joe@example.com (=?utf-8?q?Zo=C3=AB?=)', ['Zoë<joe|example.com>']],
    ['behind the brackets', '<joe@example.com> Joe', ['Joe<joe|example.com>']],
    ['an address as the name', 'joe@example.com <joe@example.com>', ['joe@example.com<joe|example.com>']],
    ['without space before the bracket', 'Joe<joe@example.com>', ['Joe<joe|example.com>']],
    ['brackets of another kind', '[List] Joe <joe@example.com>', ['[List] Joe<joe|example.com>']],
    ['blanks kept in quotes', '"  Joe  " <joe@example.com>', ['  Joe  <joe|example.com>']],
  ])('%s', (_, value, expected) => {
    expect(read(value)).toEqual(expected)
  })
})

describe('malformed lists', () => {
  it.each<[string, string, string[]]>([
    ['RFC 7103 7.1.1 host-address', '<@example.net:fran@example.com>', ['<fran|example.com>']],
    ['7.1.2 excessive brackets', '<<<user2@example.org>>>', ['<user2|example.org>']],
    ['7.1.3 no closing bracket', '<another@example.net', ['<another|example.net>']],
    ['7.1.3 no opening bracket', 'second@example.org>', ['<second|example.org>']],
    ['7.1.4 no closing parenthesis', '(Testing <fran@example.com>', ['Testing<fran|example.com>']],
    ['7.1.4 no opening parenthesis', 'Testing) <sam@example.com>', ['Testing)<sam|example.com>']],
    ['7.1.5 errant comma', '<third@example.net, fourth@example.net>', ['<third|example.net>', '<fourth|example.net>']],
    ['7.1.6 unbalanced quote', '"Joe <joe@example.com>', ['Joe<joe|example.com>']],
    ['7.1.7 naked local part', 'Joe', ['Joe<>']],
    ['naked local part in brackets', '<joe>, Joe <smith>', ['joe<>', 'Joe<>']],
    ['nothing in brackets', '<>, Joe <>', ['<>', 'Joe<>']],
    ['semicolons for commas', 'a@b.example; c@d.example', ['<a|b.example>', '<c|d.example>']],
    ['no brackets', 'Joe Smith joe@example.com', ['Joe Smith<joe|example.com>']],
    ['no comma between bare addresses', 'a@b.example c@d.example', ['<a|b.example>', '<c|d.example>']],
    ['no comma between bracketed ones', 'A <a@b.example> C <c@d.example>', ['A<a|b.example>', 'C<c|d.example>']],
    ['an unfinished bracket before another', 'A <a@b.example B <c@d.example>', ['A<>', '<c|d.example>']],
    ['several @', '<a@b@c.example>, x@y@z.example', ['<a@b|c.example>', '<x@y|z.example>']],
    ['mailto', 'mailto:a@b.example, <MAILTO:c@d.example>', ['<a|b.example>', '<c|d.example>']],
    ['single quotes', "'joe@example.com'", ['<joe|example.com>']],
    ['a group that never ends', 'friends: a@b.example, c@d.example', ['friends: <a|b.example>, <c|d.example>;']],
    ['a group in a group', 'a: b: c@d.example;', ['a: ;', 'b: <c|d.example>;']],
    ['a colon behind an address', 'a@b.example: c', ['a@b.example: c<>']],
    ['an impossible domain', '<a@b!c>, a@b/c, a@-, a@..', ['a@b!c<>', 'a@b/c<>', '<a|->', 'a@..<>']],
    ['blanks in a domain', '<a@b c.example>', ['a@b c.example<>']],
    ['blanks in a local part', '<joe smith@example.com>', ['<joe smith|example.com>']],
    ['empty entries', ', ,; ,', []],
    ['nothing', '', []],
    ['delimiters alone', '<,@;:>".\\(', ['<>', '@<>', ': .\\<>']],
  ])('%s', (_, value, expected) => {
    expect(read(value)).toEqual(expected)
  })

  it('keeps each entry as it stood', () => {
    const raws = flattenAddresses(parseAddressList(' A <a@b.example>  , g: "c" <c@d.example>;e@f.example (E) ')).map(({ raw,
      group }) => [raw, group])
    expect(raws).toEqual([['A <a@b.example>', undefined], ['"c" <c@d.example>', 'g'], ['e@f.example (E)', undefined]])
  })
})

describe('an address is never read out of', () => {
  it.each<[string, string, string[]]>([
    ['a quoted name', '"a@b.example" <x@y.example>', ['a@b.example<x|y.example>']],
    ['a quoted name with brackets', '"<a@b.example>," <x@y.example>', ['<a@b.example>,<x|y.example>']],
    ['a quoted name without another', '"a@b.example"', ['a@b.example<>']],
    ['a comment', '(a@b.example) x@y.example, (<a@b.example>) Joe', ['a@b.example<x|y.example>', 'Joe<>']],
    ['an encoded word', '=?utf-8?q?a=40b.example?= <x@y.example>', ['a@b.example<x|y.example>']],
    ['an encoded word alone', '=?utf-8?q?=3Ca=40b.example=3E?=', ['<a@b.example><>']],
    ['an encoded word that hides a bracket', '=?utf-8?q?=22_=3Ca=40b.example=3E?= <x@y.example>',
      ['" <a@b.example><x|y.example>']],
    ['what stands before brackets', 'a@b.example <not an address>', ['a@b.example<>']],
    ['a quoted pair', '"\\"<a@b.example>" <x@y.example>', ['"<a@b.example><x|y.example>']],
    ['a quoted local part', '"a@evil.example x"@b.example', ['<a@evil.example x|b.example>']],
  ])('%s', (_, value, expected) => {
    expect(read(value)).toEqual(expected)
  })
})

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/)
const domain = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
  fc.constantFrom('[192.0.2.1]', '[IPv6:2001:db8::1]', 'bücher.example'),
)
const oneLine = (text: string): string => text.replace(/[\0-\x1f\x7f]/g, '.')
const local = fc.oneof(fc.string({ unit: 'grapheme' }), fc.emailAddress(),
  fc.constantFrom('a.b', 'a..b', '.a', '"', '\\', ' ', 'a@b', '<x>')).map(oneLine)
const name = fc.oneof(
  fc.string({ unit: 'grapheme' }), fc.lorem(), fc.emailAddress(),
  fc.constantFrom('a, b', '"x"', '  ', ' a ', 'a  b', '=?utf-8?q?x?=', 'a\tb', '(c)', 'mailto', 'Müller, Jürgen', 'a:b',
    '日本語'.repeat(30)),
).map((text) => text.replace(/[\0\r\n]/g, ''))

describe('formatting', () => {
  it.each([
    [{ name: 'Joe', address: { local: 'joe', domain: 'example.com' } }, 'Joe <joe@example.com>'],
    [{ name: 'Joe Q. "P"', address: { local: 'joe', domain: 'example.com' } }, '"Joe Q. \\"P\\"" <joe@example.com>'],
    [{ name: 'Jürgen', address: { local: 'j', domain: 'example.com' } }, '=?UTF-8?Q?J=C3=BCrgen?= <j@example.com>'],
    [{ address: { local: 'a b', domain: 'example.com' } }, '"a b"@example.com'],
    [{ name: 'x\r\nBcc: y', address: { local: 'a\r\nb', domain: 'c.example>\r\nBcc: d' } },
      '=?UTF-8?B?eA0KQmNjOiB5?= <"a  b"@c.exampleBccd>'],
  ])('%j', (mailbox, expected) => {
    expect(formatMailbox(mailbox)).toBe(expected)
  })

  it('is undone by parsing', () => {
    const list = fc.array(fc.record({ name, address: fc.record({ local, domain }) }), { minLength: 1, maxLength: 5 })
    fc.assert(fc.property(list, (mailboxes) => {
      const text = mailboxes.map(formatMailbox).join(', ')
      expect(parseAddressList(text).map((entry) => ({ name: entry.name,
        address: 'address' in entry ? entry.address : undefined }))).toEqual(mailboxes)
    }), { numRuns: 500 })
  })

  it('is undone by parsing for groups', () => {
    const list = parseAddressList('A, "Group": Joe <joe@example.com>, "x, y"@z.example;, last@example.com')
    expect(formatAddressList(list)).toBe('Group: Joe <joe@example.com>, "x, y"@z.example;, last@example.com')
    const groupName = name.filter((text) => text !== '' && text.toLowerCase() !== 'mailto')
    const member = fc.record({ name, address: fc.record({ local, domain }), raw: fc.constant('') })
    fc.assert(fc.property(groupName, fc.array(member, { maxLength: 3 }), (one, members) => {
      const group = { name: one, members, raw: '' }
      expect(parseAddressList(formatAddressList([group])).map(shown)).toEqual([shown(group)])
    }))
  })

  it('gives one address and one line, whatever the strings', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (oneLocal, oneDomain) => {
      const text = formatAddress({ local: oneLocal, domain: oneDomain })
      expect(text).not.toMatch(/[\0\r\n]/)
      expect(parseAddressList(text).length).toBeLessThanOrEqual(1)
    }))
  })
})

describe('any text', () => {
  const pieces = ['<', '>', '(', ')', '"', '\\', '@', ',', ';', ':', '.', ' ', 'a', 'b.c', '=?', '?=', '?q?', '[', ']', 'mailto',
    "'", '\r\n', '\t', 'é', '\0']

  it('parses without an exception, into entries of its own text', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((list) => list.join('')), (text) => {
      for (const entry of parseAddressList(text)) expect(text).toContain(entry.raw)
    }), { numRuns: 2_000 })
  })

  it('keeps to the number of entries asked for', () => {
    for (const text of ['a@b.example,'.repeat(100), 'a@b.example '.repeat(100), 'g:a@b.example;'.repeat(100)]) {
      expect(flattenAddresses(parseAddressList(text, 7)).length).toBeLessThanOrEqual(7)
    }
  })

  const repeated = [...pieces, ...pieces.map((piece) => `${piece}a`), '<@a,', '=?a?q?', 'a@[', 'a:', '(\\', '"\\', '<<',
    '=?a?q?=?', '<a@b> ', 'a@b ']

  it.each(repeated)('of nothing but %j takes linear time', (piece) => {
    // Quadratic work on these would take minutes: no clock is needed to tell.
    parseAddressList(piece.repeat(Math.ceil(300_000 / piece.length)))
  })
})

describe('addresses', () => {
  it('compares domains', () => {
    expect(sameDomain('Example.COM', 'example.com.')).toBe(true)
    expect(sameDomain('BÜCHER.example', 'bücher.example')).toBe(true)
    expect(sameDomain('example.com', 'example.org')).toBe(false)
  })

  it.each([
    ['anna+lists', undefined, { local: 'anna', tag: 'lists' }],
    ['anna+a+b', undefined, { local: 'anna', tag: 'a+b' }],
    ['anna', undefined, { local: 'anna' }],
    ['anna+', undefined, { local: 'anna', tag: '' }],
    ['+anna', undefined, { local: '+anna' }],
    ['anna-lists', '-', { local: 'anna', tag: 'lists' }],
    ['anna', '', { local: 'anna' }],
  ])('splits %s', (text, separator, expected) => {
    expect(splitTag(text, separator)).toEqual(expected)
  })
})

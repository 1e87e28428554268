import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { baseSubject } from '../../src/message/base-subject.ts'
import { parseHeaderBlock } from '../../src/message/headers.ts'
import { createMessageId, parseMessageIds } from '../../src/message/message-id.ts'
import { type ThreadReferences, threadReferences } from '../../src/message/thread.ts'
import { encodeUtf8 } from '../../src/protocol/bytes/text.ts'

describe('message ids', () => {
  it.each<[string, string, string[]]>([
    ['one', '<1234@local.machine.example>', ['<1234@local.machine.example>']],
    ['RFC 5322 A.2', '<1234@local.machine.example> <3456@example.net>', ['<1234@local.machine.example>', '<3456@example.net>']],
    ['a comment around', '(a <x@y>) <1@b.example> (c)', ['<1@b.example>']],
    ['no blanks between', '<1@b><2@b>', ['<1@b>', '<2@b>']],
    ['commas', '<1@b>, <2@b>', ['<1@b>', '<2@b>']],
    ['a fold inside', '<very-long-\r\n id@b.example>', ['<very-long-id@b.example>']],
    ['no @', '<12345>', ['<12345>']],
    ['quotes', '<"a b"@c>', ['<"ab"@c>']],
    ['a literal', '<1@[192.0.2.1]>', ['<1@[192.0.2.1]>']],
    ['no brackets', '1@b.example 2@b.example', ['<1@b.example>', '<2@b.example>']],
    ['no brackets, no @', 'hello world', []],
    ['a phrase (obsolete)', 'Your message of "Fri, 1 Jan <x@y>" <1@b.example> from joe@example.com', ['<1@b.example>']],
    ['no closing bracket', '<1@b.example', []],
    ['another opening bracket', '<1@b <2@b>', ['<2@b>']],
    ['nested brackets', '<<1@b>>', ['<1@b>']],
    ['empty brackets', '<> < >', []],
    ['a control character', '<a\x07@b> <c@d>', ['<c@d>']],
    ['one of a thousand characters', `<${'x'.repeat(999)}>`, []],
    ['a parenthesis alone', '( <1@b>', ['<1@b>']],
    ['a quote alone', '" <1@b>', ['<1@b>']],
    ['nothing', '', []],
  ])('%s', (_, value, expected) => {
    expect(parseMessageIds(value)).toEqual(expected)
  })

  it('are made of what is random and the host', () => {
    expect(createMessageId(Uint8Array.of(0, 1, 254), 'mx.example.org')).toBe('<0001fe@mx.example.org>')
    expect(createMessageId(Uint8Array.of(1), 'a>\r\nb c')).toBe('<01@abc>')
    expect(createMessageId(Uint8Array.of(1), '')).toBe('<01@localhost>')
    fc.assert(fc.property(fc.uint8Array({ minLength: 1 }), fc.string(), (random, hostname) => {
      const id = createMessageId(random, hostname)
      if (id.length < 900) expect(parseMessageIds(`x ${id} ${id}`)).toEqual([id, id])
    }))
  })

  it('are found in any text without an exception', () => {
    const piece = fc.constantFrom('<', '>', '@', 'a', ' ', '"', '(', ')', '\\', ',', '\r\n', '\0')
    fc.assert(fc.property(fc.array(piece).map((list) => list.join('')), (value) => {
      for (const id of parseMessageIds(value)) expect(id).toMatch(/^<[^<>\s\0]+>$/)
    }), { numRuns: 1_000 })
    for (const piece of ['<', '<a ', '<a@b>', '"', '(', 'a@b ', '@', '< ',
      '<a\r\n ']) parseMessageIds(piece.repeat(300_000 / piece.length))
  })
})

describe('base subjects of RFC 5256 §2.1', () => {
  it.each<[string, string, boolean]>([
    ['Hello', 'Hello', false],
    ['Re: Hello', 'Hello', true],
    ['RE : Hello', 'Hello', true],
    ['re[4]: Hello', 'Hello', true],
    ['Fw: Fwd: Re: Hello', 'Hello', true],
    ['Re:Hello', 'Hello', true],
    ['[list] Re: [list] Hello', 'Hello', true],
    ['[list] Hello', 'Hello', false],
    ['[a] [b]  Hello', 'Hello', false],
    ['[a][b]', '[b]', false],
    ['[list]', '[list]', false],
    ['Re: [list]', '[list]', true],
    ['Hello (fwd)', 'Hello', true],
    ['Hello (FWD) (fwd) ', 'Hello', true],
    ['[Fwd: Hello]', 'Hello', true],
    ['[Fwd: Re: [fwd: Hello (fwd)]]', 'Hello', true],
    ['[a] [Fwd: Hello]', 'Hello', true],
    ['[Fwd: Hello] there', 'there', false],
    ['Re: Re:', '', true],
    ['[fwd:]', '', true],
    ['\tHello\r\n  there\t', 'Hello there', false],
    ['Rex: Hello', 'Rex: Hello', false],
    ['Re Hello', 'Re Hello', false],
    ['Hello [x]', 'Hello [x]', false],
    ['[ Hello', '[ Hello', false],
    ['AW: Hello', 'AW: Hello', false],
    ['', '', false],
    ['(fwd)', '', true],
  ])('%j', (subject, text, reply) => {
    expect(baseSubject(subject)).toEqual({ text, reply })
  })

  it('do not change when taken again', () => {
    const pieces = ['re', 're:', 'Fwd: ', '[', ']', ' ', '(fwd)', '[fwd:', 'x', ':', '[a]']
    fc.assert(fc.property(fc.array(fc.constantFrom(...pieces)).map((list) => list.join('')), (subject) => {
      const { text } = baseSubject(subject)
      expect(baseSubject(text).text).toBe(text)
      expect(baseSubject(`Re: ${subject}`).text).toBe(text)
      expect(text).toBe(text.trim())
    }), { numRuns: 1_000 })
    for (const piece of [...pieces, '[a] re: ', ' ']) baseSubject(piece.repeat(Math.floor(300_000 / piece.length)))
    baseSubject(`${'[fwd:'.repeat(50_000)}x${']'.repeat(50_000)}`)
  })
})

describe('threads', () => {
  const read = (text: string): ThreadReferences => threadReferences(parseHeaderBlock(encodeUtf8(`${text}\n\n`)))

  it('begin with a message that answers none', () => {
    expect(read('Message-ID: <1@a>\nSubject: Hello')).toEqual(
      { thread: '<1@a>', basis: 'message-id', messageId: '<1@a>', references: [], subject: 'hello', reply: false },
    )
  })

  it('go on by References, oldest first, whatever In-Reply-To says', () => {
    const text = 'Message-ID: <3@a>\nIn-Reply-To: <2@a>\nReferences: <1@a>\n <2@a>\nSubject: AW: =?utf-8?q?Gr=C3=BC=C3=9Fe?='
    expect(read(text)).toEqual(
      { thread: '<1@a>', basis: 'references', messageId: '<3@a>', references: ['<1@a>', '<2@a>'], subject: 'grüße', reply: true },
    )
  })

  it.each<[string, string, object]>([
    ['In-Reply-To alone', 'Message-ID: <3@a>\nIn-Reply-To: <2@a>',
      { thread: '<2@a>', basis: 'in-reply-to', references: ['<2@a>'] }],
    ['a parent that References lacks', 'In-Reply-To: <3@a>\nReferences: <1@a> <2@a>',
      { thread: '<1@a>', references: ['<1@a>', '<2@a>', '<3@a>'] }],
    ['several parents', 'In-Reply-To: <2@a> <3@a>', { thread: '<2@a>', references: ['<2@a>'] }],
    ['itself among them', 'Message-ID: <1@a>\nReferences: <1@a>', { thread: '<1@a>', basis: 'message-id', references: [] }],
    ['ids twice', 'References: <1@a> <2@a> <1@a>', { references: ['<1@a>', '<2@a>'] }],
    ['References twice', 'References: <1@a>\nReferences: <2@a>', { references: ['<1@a>', '<2@a>'] }],
    ['empty fields', 'References:\nIn-Reply-To: hello\nMessage-ID: <1@a>', { thread: '<1@a>', basis: 'message-id' }],
    ['no ids at all', 'Subject: Re: hello', { basis: 'none', references: [], subject: 'hello', reply: true }],
    ['a Chinese reply', 'Subject: 回复：你好', { subject: '你好', reply: true }],
    ['a Swedish reply in a list', 'Subject: [list] SV: Re: Hej', { subject: 'hej', reply: true }],
  ])('%s', (_, text, expected) => {
    expect(read(text)).toMatchObject(expected)
  })

  it('have no name where the message has none', () => {
    expect(read('Subject: x').thread).toBeUndefined()
  })

  it('keep the first and the latest of a long conversation', () => {
    const ids = Array.from({ length: 500 }, (_, at) => `<${at}@a>`)
    const { references, thread } = read(`References: ${ids.join('\n ')}`)
    expect([references.length, references[0], references[1], references.at(-1), thread]).toEqual([100, '<0@a>', '<401@a>',
      '<499@a>', '<0@a>'])
  })
})

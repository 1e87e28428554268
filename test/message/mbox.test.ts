import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createMboxReader,
  createMboxWriter,
  formatFromLine,
  type FromLine,
  type MboxPiece,
  type MboxQuoting,
  parseFromLine,
} from '../../src/message/index.ts'
import { octets, octetString } from '../../src/protocol/bytes/text.ts'

interface Read {
  readonly from: FromLine
  text: string
  ended: boolean
}

/** The messages in a file, and the octets before them. */
interface ReadOptions {
  readonly quoting?: MboxQuoting
  /** Where the file is cut into portions. */
  readonly cuts?: readonly number[]
}

function read(file: string, options: ReadOptions = {}): { mails: Read[]; skipped: number } {
  const reader = createMboxReader(options.quoting === undefined ? {} : { quoting: options.quoting })
  const mails: Read[] = []
  const take = (pieces: readonly MboxPiece[]): void => {
    for (const piece of pieces) {
      const mail = mails.at(-1)
      if (piece.kind === 'begin') mails.push({ from: piece.from, text: '', ended: false })
      else if (mail && piece.kind === 'end') mail.ended = true
      else if (mail && piece.kind === 'octets') {
        expect(mail.ended).toBe(false)
        expect(piece.octets.length).toBeGreaterThan(0)
        mail.text += octetString(piece.octets)
      }
    }
  }
  let at = 0
  for (const cut of [...(options.cuts ?? []).filter((one) => one < file.length), file.length].sort((a, b) => a - b)) {
    take(reader.push(octets(file.slice(at, cut))))
    at = cut
  }
  take(reader.end())
  expect(mails.every(({ ended }) => ended)).toBe(true)
  return { mails, skipped: reader.skipped }
}

function write(mails: readonly string[], quoting: MboxQuoting = 'mboxrd', chunk = 1_000_000): string {
  const writer = createMboxWriter({ quoting })
  return mails.map((mail) => {
    let file = octetString(writer.begin('a@b.test', 0))
    for (let at = 0; at < mail.length; at += chunk) file += octetString(writer.push(octets(mail.slice(at, at + chunk))))
    return file + octetString(writer.end())
  }).join('')
}

const texts = (file: string, quoting?: MboxQuoting): string[] =>
  read(file, quoting === undefined ? {} : { quoting }).mails.map(({ text }) => text)

const FROM = 'From a@b.test Thu Jan  1 00:00:00 1970\n'

describe('the line before a message', () => {
  it.each([
    ['alice@example.org', Date.UTC(1986, 10, 24, 18, 22, 48), 'From alice@example.org Mon Nov 24 18:22:48 1986\n'],
    [null, 0, 'From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n'],
    ['', 0, 'From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n'],
    ['"a b"@c\nFrom x', -1, 'From "a?b"@c?From?x Thu Jan  1 00:00:00 1970\n'],
    ['jos\u00e9@example.org', Number.NaN, 'From jos?@example.org Thu Jan  1 00:00:00 1970\n'],
    ['a@b.test', Infinity, 'From a@b.test Fri Dec 31 23:59:59 9999\n'],
  ])('of %j at %d', (sender, date, line) => {
    expect(formatFromLine(sender, date)).toBe(line)
    expect(parseFromLine(line)).toBeDefined()
  })

  it.each([
    ['From alice@example.org Mon Nov 24 18:22:48 1986', 'alice@example.org', Date.UTC(1986, 10, 24, 18, 22, 48)],
    ['From a@b.test Thu Jan  1 00:00:07 1970\r\n', 'a@b.test', 7000],
    ['From a@b.test  Thu Jan 01 00:00 1970', 'a@b.test', 0],
    ['From a@b.test Thu Jan 1 00:00:00 +0100 1970', 'a@b.test', -3_600_000],
    ['From a@b.test Thu Jan 1 00:00:00 EST 1970', 'a@b.test', 18_000_000],
    ['From "a b"@c.test Thu Jan 1 00:00:00 1970', '"a b"@c.test', 0],
    ['From Mon Jan Thu Jan 1 00:00:00 1970', 'Mon Jan', 0],
    ['From uucp Thu Jan 1 00:00:00 1970 remote from host', 'uucp', 0],
    ['From - Tue Apr 23 10:24:08 2013', '-', Date.UTC(2013, 3, 23, 10, 24, 8)],
    ['From -\n', '-', undefined],
  ])('%j', (line, sender, date) => expect(parseFromLine(line)).toEqual({ sender, date }))

  it.each(['', 'From ', 'From', 'from a Thu Jan 1 00:00:00 1970', 'From here on', 'From a@b.test', '>From a Thu Jan 1 1970',
    'From a Thu Jan', 'From Thursday on', `From a Thu Jan 1 00:00:00 1970${' '.repeat(1000)}`])('%j is none', (line) => {
    expect(parseFromLine(line)).toBeUndefined()
  })
})

describe('mbox, written', () => {
  it.each<[string, readonly string[], string]>([
    ['no message', [], ''],
    ['an empty one', [''], `${FROM}\n`],
    ['lines', ['a: b\r\n\r\ntext\r\n'], `${FROM}a: b\n\ntext\n\n`],
    ['a line that does not end', ['text'], `${FROM}text\n\n`],
    ['lines to be quoted', ['From \r\n>From x\r\n>>From y\r\nFrom\r\n> From z\r\n'],
      `${FROM}>From \n>>From x\n>>>From y\nFrom\n> From z\n\n`],
    ['bare CR and LF', ['a\rb\nFrom \r\r\nc\r'], `${FROM}a\rb\n>From \r\nc\r\n\n`],
    ['two', ['a\r\n', 'b\r\n'], `${FROM}a\n\n${FROM}b\n\n`],
  ])('%s', (_name, mails, file) => expect(write(mails)).toBe(file))

  it('as mboxo quotes what is not quoted', () => {
    expect(write(['From a\r\n>From b\r\n'], 'mboxo')).toBe(`${FROM}>From a\n>From b\n\n`)
  })

  it('is the same however the message comes', () => {
    const pieces = fc.array(fc.constantFrom('From ', '>', '\r', '\n', '\r\n', 'F', 'Fro', 'x'), { maxLength: 40 })
    fc.assert(fc.property(pieces, (parts) => {
      const mail = parts.join('')
      for (const chunk of [1, 2, 3, 7]) expect(write([mail], 'mboxrd', chunk)).toBe(write([mail]))
    }))
  })
})

describe('mbox, read', () => {
  it.each<[string, string, readonly string[]]>([
    ['nothing', '', []],
    ['an empty message', `${FROM}\n`, ['']],
    ['no empty line at the end', `${FROM}a\n`, ['a\r\n']],
    ['no line end at the end', `${FROM}a`, ['a']],
    ['no more than the first line', FROM.trim(), ['']],
    ['two without an empty line between', `${FROM}a\n${FROM}b\n`, ['a\r\n', 'b\r\n']],
    ['empty lines that belong to the message', `${FROM}a\n\n\n\n${FROM}\n\n`, ['a\r\n\r\n\r\n', '\r\n']],
    ['quotes', `${FROM}>From a\n>>From b\n> From c\n>\n>>\n>Fro\n\n`,
      ['From a\r\n>From b\r\n> From c\r\n>\r\n>>\r\n>Fro\r\n']],
    ['text that begins like one', `${FROM}\nFrom here on\nFrom: a\nFro\nF\n\n`, ['\r\nFrom here on\r\nFrom: a\r\nFro\r\nF\r\n']],
    ['CRLF line ends', `${FROM}a\n\n${FROM}b\n\n`.replaceAll('\n', '\r\n'), ['a\r\n', 'b\r\n']],
    ['both', `${FROM}a\r\nb\n\r\n${FROM}c\n\n`, ['a\r\nb\r\n', 'c\r\n']],
    ['CR elsewhere', `${FROM}a\rb\n\rc\n\rr\n\n`, ['a\rb\r\n\rc\r\n\rr\r\n']],
    ['an endless line that begins like one', `${FROM}From ${'x'.repeat(5000)}\n`, [`From ${'x'.repeat(5000)}\r\n`]],
    ['a wrong Content-Length', `${FROM}Content-Length: 9999\n\na\n\n${FROM}b\n`, ['Content-Length: 9999\r\n\r\na\r\n', 'b\r\n']],
  ])('%s', (_name, file, mails) => expect(texts(file)).toEqual(mails))

  it('as mboxo takes one quote off, where there is one', () => {
    expect(texts(`${FROM}>From a\n>>From b\n`, 'mboxo')).toEqual(['From a\r\n>>From b\r\n'])
  })

  it('tells sender and date, and what was before the first', () => {
    const { mails, skipped } = read(`rubbish\n\n>x${'\n'}From b@c.test Thu Jan  1 00:00:01 1970\n\n`)
    expect(mails.map(({ from }) => from)).toEqual([{ sender: 'b@c.test', date: 1000 }])
    expect(skipped).toBeGreaterThan(0)
  })

  const lines = fc.array(fc.oneof(
    fc.stringMatching(/^>{0,3}(From )?[ -~]{0,20}$/),
    fc.constantFrom('', 'From ', '>From ', FROM.trim(), `>${FROM.trim()}`, 'a\rb'),
  ), { maxLength: 12 })
  const mail = lines.map((all) => all.map((line) => `${line}\r\n`).join(''))

  it('gives what was written, whatever it was', () => {
    fc.assert(fc.property(fc.array(mail, { maxLength: 5 }), (mails) => {
      expect(texts(write(mails))).toEqual(mails)
    }))
  })

  it('is the same however the file comes', () => {
    const file = fc.array(fc.constantFrom('From ', FROM, '>', '\r', '\n', '\r\n', 'F', 'x', '\n\n'), { maxLength: 30 })
    fc.assert(fc.property(file, fc.array(fc.nat(300), { maxLength: 20 }), (parts, cuts) => {
      const whole = parts.join('')
      expect(read(whole, { cuts })).toEqual(read(whole))
      const each = Array.from(whole, (_, index) => index)
      expect(read(whole, { cuts: each })).toEqual(read(whole))
    }))
  })

  it('makes messages of octets, whatever they are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const [only] = texts(write([octetString(bytes)]))
      expect(only).not.toMatch(/(^|[^\r])\n/)
    }))
  })
})

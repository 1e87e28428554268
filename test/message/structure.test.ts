import { describe, expect, it } from 'vitest'
import { octets } from '../../src/protocol/bytes/text.ts'
import { bodyStructureText, envelopeText } from '../../src/message/imap-text.ts'
import { indexMessage } from '../../src/message/indexer.ts'
import { isMessage, isMultipart, partAt } from '../../src/message/structure.ts'
import { mail } from './odd/case.ts'

/** The message of RFC 3501 §6.4.5, with an octet of text in each leaf. */
const example = mail(
  'Subject: outer', 'Content-Type: multipart/mixed; boundary=a', '',
  '--a', 'Content-Type: text/plain', '', '1',
  '--a', 'Content-Type: application/octet-stream', '', '2',
  '--a', 'Content-Type: message/rfc822', '',
  'Subject: three', 'Content-Type: multipart/mixed; boundary=b', '',
  '--b', '', '3.1', '--b', 'Content-Type: application/octet-stream', '', '3.2', '--b--',
  '--a', 'Content-Type: multipart/mixed; boundary=c', '',
  '--c', 'Content-Type: image/gif', '', '4.1',
  '--c', 'Content-Type: message/rfc822', '',
  'Content-Type: multipart/mixed; boundary=d', '', '--d', 'Content-Type: text/plain', '', '4.2.1',
  '--d', 'Content-Type: multipart/alternative; boundary=e', '',
  '--e', '', '4.2.2.1', '--e', 'Content-Type: text/richtext', '', '4.2.2.2', '--e--',
  '--d--', '--c--', '--a--', '',
)

describe('partAt', () => {
  const { structure } = indexMessage(octets(example))
  const bodyOf = (path: readonly number[]): string | undefined => {
    const part = partAt(structure, path)
    return part && example.slice(part.body, part.end)
  }

  it.each(['1', '2', '3.1', '3.2', '4.1', '4.2.1', '4.2.2.1', '4.2.2.2'])('%s', (path) => {
    expect(bodyOf(path.split('.').map(Number))).toBe(path)
  })

  it('gives the message itself, messages and multiparts', () => {
    expect(partAt(structure, [])).toBe(structure)
    expect(isMultipart(structure)).toBe(true)
    expect(isMessage(partAt(structure, [3])!)).toBe(true)
    expect(bodyOf([3])).toMatch(/^Subject: three/)
    expect(partAt(structure, [4, 2, 2])).toMatchObject({ subtype: 'alternative' })
  })

  it.each([[[0]], [[5]], [[1, 1]], [[2, 1]], [[3, 3]], [[4, 2, 3]], [[4, 1, 1]], [[-1]], [[1.5]]])('%j is nothing', (path) => {
    expect(partAt(structure, path)).toBeUndefined()
  })

  it('numbers a message that is no multipart: its text is part 1', () => {
    const { structure: plain } = indexMessage(octets('Subject: x\r\n\r\ntext'))
    expect(partAt(plain, [1])).toBe(plain)
    expect(partAt(plain, [2])).toBeUndefined()
    expect(partAt(plain, [1, 1])).toBeUndefined()
    const { structure: forward } = indexMessage(octets('Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ntext'))
    expect(partAt(forward, [1])).toBe(forward)
    expect(partAt(forward, [1, 1])).toBe(forward.parts?.[0])
    expect(partAt(forward, [1, 1, 1])).toBeUndefined()
  })
})

describe('envelopeText', () => {
  it('shows From for Sender and Reply-To, NIL for what is not there, empty strings as such', () => {
    expect(envelopeText({})).toBe('(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)')
    const from = '((NIL NIL "a" "b"))'
    const text = `(NIL "" ${from} ${from} ${from} NIL NIL NIL NIL NIL)`
    expect(envelopeText({ subject: '', from: [[null, null, 'a', 'b']] })).toBe(text)
  })

  it('writes literals where quoting is not allowed', () => {
    const subject = (text: string): string => envelopeText({ subject: text }).slice(5, -33)
    expect(subject('a')).toBe('"a"')
    expect(subject('"')).toBe('"\\""')
    expect(subject('\\')).toBe('"\\\\"')
    expect(subject('\xe4')).toBe('{1}\r\n\xe4')
    expect(subject('"""""')).toBe('{5}\r\n"""""')
  })
})

describe('bodyStructureText', () => {
  const structureOf = (message: string): Parameters<typeof bodyStructureText>[0] => indexMessage(octets(message)).structure

  it('writes BODY without extension data', () => {
    const short = (body: string): string =>
      bodyStructureText(structureOf(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${body}`), { extended: false })
    expect(short('--b\r\n\r\na\r\n--b--\r\n')).toBe('(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0) "mixed")')
    expect(short('')).toBe('(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0) "mixed")')
  })

  it('writes message/global as IMAP4rev2 has it, if asked', () => {
    const { structure } = indexMessage(octets('Content-Type: message/global\r\n\r\nSubject: x\r\n\r\ntext\r\n'))
    expect(bodyStructureText(structure)).toBe('("message" "global" NIL NIL NIL "7bit" 20 NIL NIL NIL NIL)')
    expect(bodyStructureText(structure, { global: true, extended: false })).toBe(
      '("message" "global" NIL NIL NIL "7bit" 20 (NIL "x" NIL NIL NIL NIL NIL NIL NIL NIL) ' +
        '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 6 1) 3)',
    )
  })

  it('shows what was left in one piece as octets', () => {
    const { structure } = indexMessage(octets('Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n'), { depth: 1 })
    expect(bodyStructureText(structure)).toBe('("application" "octet-stream" NIL NIL NIL "7bit" 14 NIL NIL NIL NIL)')
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { destinationsOf } from '../../src/inbound/destinations.ts'
import { deliveredTo, loopKey } from '../../src/inbound/loops.ts'
import { largestAttachment, mendHeader, sendersOf } from '../../src/inbound/submission.ts'
import type { Account, Destination } from '../../src/contracts/directory.ts'
import { parseHeaderBlock } from '../../src/message/headers.ts'
import { indexMessage } from '../../src/message/indexer.ts'

const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const header = (text: string) => parseHeaderBlock(octets(`${text}\r\n\r\n`))
const additions = { now: 0, hostname: 'mx.test', random: () => new Uint8Array(16) }

describe('mending', () => {
  const date = 'Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n'
  const id = `Message-ID: <${'00'.repeat(16)}@mx.test>\r\n`
  it.each<[string, string, readonly string[]]>([
    ['X: y', date + id, []],
    ['Date: Thu, 1 Jan 1970 00:00:00 +0000', id, []],
    ['date: 1 jan 70 0:00', id, []],
    ['Date:', date + id, ['Date']],
    ['Date: x\r\nDate: 1 Jan 1970 00:00', id, []],
    ['Message-Id: a@b', date, []],
    ['Message-Id: <>\r\nMessage-Id: x', date + id, ['Message-Id', 'Message-Id']],
    ['BCC: a@b\r\nBcc:\r\nResent-Bcc: c@d\r\nReturn-Path: <>', date + id, ['BCC', 'Bcc', 'Resent-Bcc', 'Return-Path']],
  ])('%j adds %j', (text, added, removed) => {
    const mending = mendHeader(header(text), additions)
    expect(mending.added).toBe(added)
    expect(mending.removed.map(({ name }) => name)).toEqual(removed)
  })

  it('never throws, whatever the header, and leaves one that needs no more mending', () => {
    const fields = ['Date: x', 'Date: 1 Jan 2020 1:00', 'Message-ID: <>', 'Message-ID: <a@b>', 'Bcc: x', 'X: y']
    const line = fc.constantFrom(...fields, ' folded', 'odd', '')
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const bytes = octets(`${lines.join('\r\n')}\r\n\r\n`)
        const { removed, added } = mendHeader(parseHeaderBlock(bytes), additions)
        let text = added
        let at = 0
        for (const { start, end } of [...removed].sort((a, b) => a.start - b.start)) {
          text += Buffer.from(bytes.subarray(at, start)).toString('latin1')
          at = end
        }
        text += Buffer.from(bytes.subarray(at)).toString('latin1')
        expect(mendHeader(parseHeaderBlock(octets(text)), additions)).toEqual({ removed: [], added: '' })
      }),
    )
  })
})

describe('senders', () => {
  it.each([
    ['From: a@b.test', ['a@b.test']],
    ['From: A <a@b.test>, "x, y" <c@d.test>', ['a@b.test', 'c@d.test']],
    ['From: us: a@b.test, c@d.test;', ['a@b.test', 'c@d.test']],
    ['From: =?utf-8?q?c=40d?= <a@b.test>', ['a@b.test']],
    ['From: <a@b.test> <c@d.test>', ['a@b.test', 'c@d.test']],
    ['From: a@b.test, nonsense', undefined],
    ['From: a@b.test\r\nFrom: a@b.test', undefined],
    ['From: <>', undefined],
    ['From: @', undefined],
    ['X: y', undefined],
    ['From: a@b.test\r\nSender: c@d.test', ['a@b.test', 'Sender c@d.test']],
    ['SENDER : c@d.test\r\nFrom:\r\n a@b.test', ['a@b.test', 'Sender c@d.test']],
    ['From: a@b.test\r\nSender: c@d.test\r\nSender: c@d.test', undefined],
    ['From: a@b.test\r\nSender:', undefined],
    ['From: a@b.test\r\nResent-From: c@d.test\r\nResent-Sender: e@f.test\r\nResent-From: g@h.test',
      ['a@b.test', 'Resent-From c@d.test', 'Resent-From g@h.test', 'Resent-Sender e@f.test']],
    ['From: a@b.test\r\nResent-From: odd', undefined],
  ])('of %j', (text, expected) => {
    const found = sendersOf(header(text))
    if ('kind' in found) return expect(expected).toBeUndefined()
    const shown = found.map(({ field, address: { local, domain } }) => `${field === 'From' ? '' : `${field} `}${local}@${domain}`)
    expect(shown).toEqual(expected)
  })

  it('are so many, and no more', () => {
    const many = (count: number): string => `From: ${Array.from({ length: count }, () => 'a@b.test').join(',')}`
    expect(sendersOf(header(many(100)))).toHaveLength(100)
    expect(sendersOf(header(many(101)))).toMatchObject({ kind: 'reject', reply: { text: 'Message names too many senders' } })
  })

  it('are not looked for where fields are that nobody reads', () => {
    const filled = (count: number): string => `From: a@b.test\r\n${'X:\r\n'.repeat(count)}From: c@d.test`
    expect(sendersOf(header(filled(20_000)))).toMatchObject({ reply: { text: 'Message has too many header fields' } })
    expect(sendersOf(header(filled(19_000)))).toMatchObject({ reply: { text: 'Message has more than one From field' } })
  })
})

describe('the largest attachment', () => {
  const part = (type: string, size: number, more = ''): string =>
    `Content-Type: ${type}\r\n${more}\r\n${'x'.repeat(size)}\r\n`
  const mixed = (...parts: readonly string[]): string =>
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts.map((one) => `--b\r\n${one}`).join('')}--b--\r\n`
  it.each([
    ['text', part('text/plain', 500), 0],
    ['text that is one', part('text/plain', 500, 'Content-Disposition: attachment\r\n'), 502],
    ['text with a name', part('text/plain; name=a.txt', 500), 502],
    ['what is no text', part('image/png', 500), 502],
    ['in base64', part('image/png', 400, 'Content-Transfer-Encoding: BASE64\r\n'), 300],
    ['the larger of two', mixed(part('text/html', 900), part('a/b', 50), part('a/b', 70)), 70],
    ['within others', mixed(mixed(part('a/b', 50))), 50],
  ])('%s', (_, text, expected) => {
    expect(largestAttachment(indexMessage(octets(text)).structure)).toBe(expected)
  })
})

describe('loops', () => {
  it('are known by any Delivered-To but our own, without case', () => {
    const block = header('Delivered-To: me@x.test\r\nDelivered-to: You@X.test\r\nDELIVERED-TO: <"a b"@x.test> (odd)')
    expect([...deliveredTo(block, 0)]).toEqual(['me@x.test', 'you@x.test', 'a b@x.test'])
    expect([...deliveredTo(block, 1)]).toEqual(['you@x.test', 'a b@x.test'])
    expect([...deliveredTo(block, 3)]).toEqual([])
    expect(loopKey({ local: 'YOU', domain: 'x.TEST' })).toBe('you@x.test')
  })

  it('are looked for in so many fields, and no more', () => {
    const many = Array.from({ length: 300 }, (_, at) => `Delivered-To: ${at}@x.test`).join('\r\n')
    expect(deliveredTo(header(many), 0).size).toBe(100)
  })
})

it('destinations are each there once, in order', () => {
  const account = (id: string): Destination => ({ kind: 'account', account: { id } as Account, tag: undefined })
  const outside = (local: string): Destination => ({ kind: 'outside', address: { local, domain: 'x.test' } })
  const found = destinationsOf([[account('b'), outside('z')], [], [account('a'), account('b'), outside('z'), outside('Z')]])
  expect(found.accounts.map(({ id }) => id)).toEqual(['b', 'a'])
  expect(found.outside.map(({ local }) => local)).toEqual(['z', 'Z'])
})

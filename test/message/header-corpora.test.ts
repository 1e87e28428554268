import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  automated, decodeText, decodeTransfer, flattenAddresses, type HeaderBlock, parseAddressList, parseAuthenticationResults,
  parseContentDisposition, parseContentType, parseDate, parseHeaderBlock, parseReceived, parseTransferEncoding, splitReply,
  threadReferences,
} from '../../src/message/index.ts'

/** Real and odd mail of others, which is not kept here. */
const folder = resolve(process.env.POSTHORN_CORPORA ?? '../shared/corpora', 'messages')
const present = existsSync(folder)
if (!present) console.log(`skipped: no messages in ${folder} (set POSTHORN_CORPORA)`)

const paths = present ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)) : []
const messages = paths.filter((path) => statSync(path).isFile()).map((path) => ({ path, bytes: readFileSync(path) }))

/** How many characters are no blanks. */
const letters = (text: string): number => text.replace(/\s/g, '').length

const readers = [
  parseReceived, parseDate, parseContentType, parseContentDisposition, parseTransferEncoding, parseAuthenticationResults,
]

/** Every reader over every field that there is, whether it is meant for it or not: none may throw. */
function readAll(header: HeaderBlock): void {
  for (const { value, text } of header) {
    expect(`${value}${text}`).not.toMatch(/[\r\n\0]/)
    for (const entry of flattenAddresses(parseAddressList(value))) expect(value).toContain(entry.raw)
    for (const read of readers) read(value)
  }
}

describe.runIf(present)('messages of others', () => {
  it('are read without an exception, field by field and as text', () => {
    for (const { bytes } of messages) {
      const header = parseHeaderBlock(bytes)
      readAll(header)
      threadReferences(header)
      automated(header)
      const body = decodeTransfer(bytes.subarray(header.end), parseTransferEncoding(header.value('content-transfer-encoding')))
      const text = decodeText(body, parseContentType(header.value('content-type')).parameters.get('charset'))
      const { reply, quotation, signature } = splitReply(text)
      expect(letters(reply + quotation + signature)).toBe(letters(text))
    }
  })

  it('have a sender, a date and a way that can be followed', () => {
    const real = messages.filter(({ path }) => /ham-1-|spam-1-/.test(path))
    for (const { path, bytes } of real) {
      const header = parseHeaderBlock(bytes)
      expect(flattenAddresses(parseAddressList(header.value('from') ?? ''))[0]?.address, path).toBeDefined()
      expect(parseDate(header.value('date') ?? ''), path).toBeDefined()
      for (const { value } of header.all('received')) expect(parseReceived(value).date, value).toBeDefined()
    }
  })
})

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { replies } from '../../../src/protocol/smtp/server/replies.ts'
import { smtpTranscripts } from '../../../src/testing/transcripts-splits.ts'

const folder = new URL('../../transcripts/', import.meta.url)
const texts = readdirSync(folder)
  .filter((name) => name.endsWith('.md') && !/^(imap|pop3)-/.test(name))
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))

for (const { name, text } of texts) smtpTranscripts({ describe, it, name, text })

describe('the transcripts', () => {
  const all = texts.map(({ text }) => text).join('\n')

  it.each(Object.entries(replies))('show the reply %s', (_name, wire) => {
    expect(all).toContain(`S: ${wire.trimEnd()}\n`)
  })
})

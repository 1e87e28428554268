import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'vitest'
import { smtpTranscripts } from '../../../src/testing/transcripts-splits.ts'

const folder = new URL('../../transcripts/', import.meta.url)
const texts = readdirSync(folder)
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))

for (const { name, text } of texts) smtpTranscripts({ describe, it, name, text })

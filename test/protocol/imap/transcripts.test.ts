import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'vitest'
import { imapTranscripts } from '../../../src/testing/imap-play.ts'

const folder = new URL('../../transcripts/', import.meta.url)

for (const name of readdirSync(folder).filter((file) => file.startsWith('imap-'))) {
  imapTranscripts({ describe, it, name, text: readFileSync(new URL(name, folder), 'utf8') })
}

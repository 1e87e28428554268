import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createIndexer, indexMessage } from '../../src/message/indexer.ts'
import { breaches } from './odd/invariants.ts'

/** Real and odd mail of others, which is not kept here: where it lies, the indexer must hold for all of it. */
const folder = resolve(process.env.POSTHORN_CORPORA ?? '../shared/corpora', 'messages')
const present = existsSync(folder)
if (!present) console.log(`skipped: no messages in ${folder} (set POSTHORN_CORPORA)`)

const files = present
  ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile())
  : []

describe.runIf(present)('messages of others', () => {
  it('are there', () => expect(files.length).toBeGreaterThan(100))

  it.each([
    ['as they are', (bytes: Buffer) => bytes],
    ['with CRLF', (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')],
  ])('give sane facts, %s, and the same ones however they are split', (_name, made) => {
    for (const file of files) {
      const bytes = made(readFileSync(file))
      const facts = indexMessage(bytes)
      expect(breaches(facts), file).toEqual([])
      expect(JSON.parse(JSON.stringify(facts)), file).toStrictEqual(facts)
      for (const size of [97, 1460]) {
        const indexer = createIndexer()
        for (let at = 0; at < bytes.length; at += size) indexer.push(bytes.subarray(at, at + size))
        expect(indexer.end(), file).toEqual(facts)
      }
    }
  })
})

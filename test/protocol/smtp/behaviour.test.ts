import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { receiver } from '../../../src/server/receiver.ts'
import { codes, ready } from './talk.ts'

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

describe('S38 LMTP', () => {
  it('S38 speaks through whatever carries its octets: a session knows no transport and no port', () => {
    const talk = ready({ profile: 'lmtp' })
    expect(codes(talk.say('MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'DATA', '.'))).toEqual(['250', '250', '354', '250'])
  })

  it('S38 is refused on port 25', async () => {
    const lmtp = receiver({ hostname: 'mx.example.org', profile: 'lmtp', accepts: () => true, deliver: () => undefined })
    await expect(lmtp.listen({ port: 25 })).rejects.toMatchObject({ code: 'config' })
  })
})

describe('docs/smtp-behaviour.md', () => {
  const rows = read('docs/smtp-behaviour.md')
    .split('\n')
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))
    .filter(([id]) => /^S\d+$/.test(id ?? ''))
  /** Rows of the sending side. */
  const outbound = new Set(['S10', 'S40', 'S41'])

  /** Ids that begin the title of a transcript or of a test, by file. */
  const shown = new Map<string, Set<string>>()
  for (const folder of ['test/transcripts', 'test/protocol/smtp']) {
    for (const name of readdirSync(new URL(folder, root))) {
      const titles = read(`${folder}/${name}`).matchAll(/^## (S\d+) |(?:it|describe)(?:\.each\(.*\))?\('(S\d+) |^  ..'(S\d+) /gm)
      shown.set(`${folder}/${name}`, new Set([...titles].map((title) => title[1] ?? title[2] ?? title[3]!)))
    }
  }

  it('has all rows, in order', () => {
    expect(rows.map(([id]) => id)).toEqual(Array.from({ length: 41 }, (_, at) => `S${at + 1}`))
    for (const row of rows) expect(row).toHaveLength(5)
  })

  const inbound = rows.filter(([id]) => !outbound.has(id!)).map(([id, , , , where]) => [id!, where!] as const)

  it.each(inbound)('%s is shown where it says', (id, where) => {
    const files = [...where.matchAll(/`([^`]+)`/g)].map((match) => match[1]!)
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) {
      expect(existsSync(new URL(file, root)), file).toBe(true)
      expect(shown.get(file), `${file} has no title that begins with ${id}`).toContain(id)
    }
  })

  it('leaves out no transcript that shows a row', () => {
    for (const [file, ids] of shown) {
      for (const id of ids) {
        const row = rows.find(([known]) => known === id)
        expect(row?.[4], `${id} in ${file}`).toContain(file)
      }
    }
  })
})

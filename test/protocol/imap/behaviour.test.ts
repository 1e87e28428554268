import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

describe('docs/imap-behaviour.md', () => {
  const rows = read('docs/imap-behaviour.md')
    .split('\n')
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))
    .filter(([id]) => /^I\d+$/.test(id ?? ''))

  /** Ids that begin the title of a transcript or of a test, by file. */
  const shown = new Map<string, Set<string>>()
  for (const folder of ['test/transcripts', 'test/protocol/imap']) {
    for (const name of readdirSync(new URL(folder, root))) {
      const titles = read(`${folder}/${name}`).matchAll(/^ *(?:## |(?:it|describe)(?:\.each\(.*\))?\(')((?:I\d+ )+)/gm)
      const ids = [...titles].flatMap((title) => title[1]!.trim().split(' '))
      if (ids.length > 0) shown.set(`${folder}/${name}`, new Set(ids))
    }
  }

  it('has all rows, in order', () => {
    expect(rows.map(([id]) => id)).toEqual(Array.from({ length: 70 }, (_, at) => `I${at + 1}`))
    for (const row of rows) expect(row).toHaveLength(5)
  })

  it.each(rows.map(([id, , , , where]) => [id!, where!] as const))('%s is shown where it says', (id, where) => {
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

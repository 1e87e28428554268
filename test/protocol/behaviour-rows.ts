import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** A document whose rows are shown by tests. */
export interface BehaviourRows {
  readonly document: string
  /** What ids begin with, and how many there are. */
  readonly letter: string
  readonly count: number
  readonly folders: readonly string[]
  /** Ids in a file of tests or transcripts: those that begin a title. */
  readonly idsIn: (text: string) => readonly string[]
  /** Rows that nothing shows yet. */
  readonly notYet?: readonly string[]
}

/** Declares that each row is shown where the document says, and nothing is shown that it does not say. */
export function behaviourRows({ document, letter, count, folders, idsIn, notYet = [] }: BehaviourRows): void {
  const rows = read(document)
    .split('\n')
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))
    .filter(([id]) => id?.startsWith(letter) && /^\d+$/.test(id.slice(letter.length)))

  const shown = new Map<string, Set<string>>()
  for (const folder of folders) {
    for (const entry of readdirSync(new URL(folder, root), { withFileTypes: true })) {
      if (!entry.isFile()) continue
      const { name } = entry
      const ids = idsIn(read(`${folder}/${name}`))
      if (ids.length > 0) shown.set(`${folder}/${name}`, new Set(ids))
    }
  }

  it('has all rows, in order', () => {
    expect(rows.map(([id]) => id)).toEqual(Array.from({ length: count }, (_, at) => `${letter}${at + 1}`))
    for (const row of rows) expect(row).toHaveLength(5)
  })

  const due = rows.filter(([id]) => !notYet.includes(id!)).map(([id, , , , where]) => [id!, where!] as const)

  it.each(due)('%s is shown where it says', (id, where) => {
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
}

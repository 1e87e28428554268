import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { appendLine } from '../../../src/adapters/node/append-line.ts'

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-lines-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'log')
}

it('adds lines to a file that nobody else can read, several at a time', async () => {
  const path = place()
  await appendLine(path, 'first')
  await Promise.all(Array.from({ length: 20 }, (_, at) => appendLine(path, `line ${at}`)))
  const lines = readFileSync(path, 'utf8').split('\n')
  expect([lines.length, lines[0], lines.at(-1), new Set(lines).size]).toEqual([22, 'first', '', 22])
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600)
})

it('leaves what a crash has left of a line a line of its own', async () => {
  const path = place()
  appendFileSync(path, 'whole\nhal')
  await appendLine(path, 'next')
  expect(readFileSync(path, 'utf8')).toBe('whole\nhal\nnext\n')
})

it('says what it cannot write to', async () => {
  const path = join(place(), 'nowhere')
  const message = expect.stringContaining(path) as string
  await expect(appendLine(path, 'x')).rejects.toMatchObject({ code: 'temporary', message })
})

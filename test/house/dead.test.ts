import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

/** Runs knip, with our own configuration, over a small package made of `files`. */
function knip(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-'))
  try {
    const made = { 'knip.json': readFileSync('knip.json', 'utf8'), 'package.json': '{"name":"made","type":"module"}', ...files }
    for (const [path, text] of Object.entries(made)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const given = ['--directory', folder, '--no-progress', '--no-config-hints']
    execFileSync(process.execPath, ['node_modules/knip/bin/knip.js', ...given], { encoding: 'utf8' })
    return ''
  } catch (error) {
    return (error as { stdout: string }).stdout
  } finally {
    rmSync(folder, { recursive: true })
  }
}

it('finds dead files and dead exports, and leaves the public ones alone', () => {
  const index = `export { used } from './a.ts'\n`
  const a = 'export const used = 1\n'
  expect(knip({ 'src/index.ts': index, 'src/a.ts': a })).toBe('')
  const told = knip({ 'src/index.ts': index, 'src/a.ts': `${a}export const forgotten = 2\n`, 'src/b.ts': a })
  expect(told).toMatch(/forgotten +src\/a\.ts/)
  expect(told).toMatch(/src\/b\.ts/)
})

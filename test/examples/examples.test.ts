import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
const folders = existsSync('examples')
  ? readdirSync('examples', { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name)
  : []

describe('examples', () => {
  it('are one for each person that the architecture names', () => {
    const people = ['custom-policy', 'custom-store', 'full-server', 'receive-only-mx', 'unit-test']
    expect(folders).toEqual(expect.arrayContaining(people))
  })

  it.each(folders)('%s has its one command', (name) => {
    expect(Object.keys(scripts)).toContain(`example:${name}`)
  })

  // An example that would run for ever is started, tried and stopped by a check.mjs beside it.
  it.each(folders)('%s does what it says', async (name) => {
    const check = `examples/${name}/check.mjs`
    const [command, given] = existsSync(check) ? [process.execPath, [check]] : ['npm', ['run', '--silent', `example:${name}`]]
    await promisify(execFile)(command, given, { timeout: 120_000, env: { ...process.env, CI: 'true' } })
  })
})

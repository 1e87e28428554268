import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { run } from './installed.ts'

/** What is committed, as a stranger gets it: cloned into an empty folder. */
const folder = mkdtempSync(join(tmpdir(), 'posthorn-clone-'))
const clone = join(folder, 'posthorn')

beforeAll(() => {
  const cloned = run('git', ['clone', '--quiet', '--no-hardlinks', '.', clone])
  if (!cloned.ok) throw new Error(cloned.text)
  const installed = run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], clone)
  if (!installed.ok) throw new Error(installed.text)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The first line of JSON on standard output with that event. */
async function event(from: ChildProcess, name: string): Promise<Record<string, unknown>> {
  if (!from.stdout) throw new Error('no standard output')
  for await (const line of createInterface(from.stdout)) {
    if (line.startsWith(`{"event":"${name}"`)) return JSON.parse(line) as Record<string, unknown>
  }
  throw new Error(`npm start ended without saying ${name}`)
}

it('npm install && npm start runs the reference server until it is told to stop', async () => {
  const free = Object.fromEntries(['MX', 'SUBMISSION', 'SMTPS'].map((name) => [`POSTHORN_${name}_PORT`, 'auto']))
  const env = { ...process.env, ...free }
  const server = spawn('npm', ['start'], { cwd: clone, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => server.on('exit', resolve))
  const ready = await event(server, 'ready')
  expect(ready).toMatchObject({ version: '0.1.0', ports: { mx: expect.any(Number) }, pid: expect.any(Number) })
  server.stdout?.resume()
  process.kill(ready['pid'] as number, 'SIGTERM')
  expect(await ended).toBe(0)
})

it('leaves nothing behind that git would see', () => {
  expect(run('git', ['status', '--porcelain'], clone).text).toBe('')
})

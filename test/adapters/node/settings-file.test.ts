import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSettingsFile } from '../../../src/adapters/node/settings-file.ts'

let folder = ''
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'posthorn-settings-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a file of settings', () => {
  const file = (text: string): string => {
    const path = join(folder, 'a.json')
    writeFileSync(path, text)
    return path
  }

  it('is JSON, with or without a byte order mark', async () => {
    expect(await readSettingsFile(file('{"a": [1, "x"]}'))).toEqual({ a: [1, 'x'] })
    expect(await readSettingsFile(file('\ufeff{"a": 1}'))).toEqual({ a: 1 })
  })

  it.each([
    ['{"a": geheim}'],
    ['{"users": ["a@b.test:geheim" "x"]}'],
    ['{"users": "a@b.test:geheim"\n,}'],
    ['{"users": "a@b.test:geheim'],
    ['geheim'],
  ])('that is none is named, and nothing of it is quoted: %j', async (text) => {
    const path = file(text)
    const error = await readSettingsFile(path).catch((reason: unknown) => reason as Error)
    const message = expect.stringContaining(`${path} cannot be read: it is no JSON`) as string
    expect(error).toMatchObject({ code: 'config', message })
    expect(String((error as Error).stack) + String((error as Error).cause)).not.toContain('geheim')
  })
})

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { spoolBodies } from '../../../src/adapters/node/spool.ts'
import type { BodyStore, StoredBody } from '../../../src/contracts/bodies.ts'

/** Stands for the system's temporary files. */
let temporary = ''
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'spool-'))
  vi.stubEnv('TMPDIR', temporary)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(temporary, { recursive: true, force: true })
})

async function stored(bodies: BodyStore): Promise<StoredBody> {
  const writer = bodies.create()
  await writer.write(Buffer.from('Subject: x\r\n\r\n'))
  return writer.commit()
}

describe('a spool', () => {
  it('has a folder from the first body on, until it is closed', async () => {
    const bodies = spoolBodies()
    expect(readdirSync(temporary)).toEqual([])
    const { id } = await stored(bodies)
    expect(readdirSync(temporary)).toEqual([expect.stringMatching(/^posthorn-/)])
    expect((await bodies.open(id))?.size).toBe(14)
    await bodies.remove([id])
    expect(await bodies.open(id)).toBeUndefined()
    await bodies.close?.()
    expect(readdirSync(temporary)).toEqual([])
  })

  it('makes no folder for a body that goes when it is closed, or before there was any', async () => {
    const bodies = spoolBodies()
    await bodies.remove(['none'])
    expect(await bodies.open('none')).toBeUndefined()
    const { id } = await stored(bodies)
    await bodies.close?.()
    await bodies.remove([id])
    expect(await bodies.open(id)).toBeUndefined()
    expect(readdirSync(temporary)).toEqual([])
  })
})

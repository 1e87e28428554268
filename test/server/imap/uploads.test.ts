import { describe, expect, it } from 'vitest'
import { turn } from '../../../src/adapters/node/event-loop.ts'
import { memoryBodies } from '../../../src/adapters/memory/index.ts'
import { Uploads } from '../../../src/server/imap/uploads.ts'

const upload = { flags: [], received: 0 }

/** Takes messages in, and tells how many of them waited in the body store, and whether anything of them stayed there. */
async function took(sizes: readonly number[], fails = false): Promise<{ spilled: number; left: number }> {
  const bodies = memoryBodies()
  const { create } = bodies
  let spilled = 0
  bodies.create = () => {
    spilled++
    return create.call(bodies)
  }
  const uploads = new Uploads(1000, bodies)
  for (const size of sizes) {
    uploads.begin()
    await uploads.write(new Uint8Array(size).fill(120))
  }
  const appended = uploads.appended(sizes.map(() => upload), 0, async (messages) => {
    if (fails) throw new Error('full')
    expect(messages.map(({ body }) => body.size)).toEqual(sizes)
  })
  if (fails) await expect(appended).rejects.toThrow('full')
  else await appended
  let left = 0
  for await (const _ of bodies.list()) left++
  return { spilled, left }
}

describe('the messages of an APPEND', () => {
  it('have room in memory for one together', async () => {
    expect(await took([400])).toEqual({ spilled: 0, left: 0 })
    expect(await took([400, 600])).toEqual({ spilled: 0, left: 0 })
    expect(await took([400, 601])).toEqual({ spilled: 1, left: 0 })
    expect(await took([2000, 1000, 1])).toEqual({ spilled: 2, left: 0 })
    expect(await took(Array.from({ length: 50 }, () => 100))).toEqual({ spilled: 40, left: 0 })
  })

  it('leave nothing behind where they are not taken', async () => {
    expect(await took([2000, 10, 3000], true)).toEqual({ spilled: 2, left: 0 })
  })

  it('I65 let others have their turns while one of thousands of parts is looked at', async () => {
    const uploads = new Uploads(1_000_000, memoryBodies())
    const parts = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(9000)}--b--\r\n`
    uploads.begin()
    await uploads.write(new TextEncoder().encode(parts.padEnd(256 * 1024)))
    let turns = 0
    let isStored = false
    const appended = uploads.appended([upload], 0, async ([message]) => {
      isStored = true
      expect(message?.facts.structure.parts).toHaveLength(9000)
    })
    while (!isStored) {
      await turn()
      turns++
    }
    await appended
    expect(turns).toBeGreaterThanOrEqual(4)
  })
})

import { mkdir, mkdtemp, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { BodyFile } from '../../../src/adapters/node/body-file.ts'
import { fileBodies } from '../../../src/adapters/node/index.ts'
import type { Body, BodyStore } from '../../../src/contracts/bodies.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'

const made: string[] = []
let directory = ''
let store: BodyStore

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'posthorn-bodies-'))
  made.push(directory)
  store = await fileBodies({ directory, fsync: false })
})
afterAll(async () => {
  for (const path of made) await rm(path, { recursive: true })
})

const text = async (body: Body, range?: { start: number; end: number }): Promise<string> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of body.read(range)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}
const all = async (): Promise<string[]> => {
  const ids: string[] = []
  for await (const id of store.list()) ids.push(id)
  return ids
}
const unfinished = (): Promise<string[]> => readdir(join(directory, 'unfinished'))
const put = async (contents: string): Promise<string> => {
  const writer = store.create()
  await writer.write(Buffer.from(contents, 'latin1'))
  return (await writer.commit()).id
}

describe('fileBodies', () => {
  it('tells how durable it is', async () => {
    expect(store.traits.durability).toBe('process')
    expect((await fileBodies({ directory })).traits.durability).toBe('disk')
  })

  it.each([true, false])('keeps bodies, gives them back whole or in part, and removes them (fsync: %s)', async (fsync) => {
    store = await fileBodies({ directory, fsync })
    const writer = store.create()
    await writer.write(Buffer.from('Subject: x\r\n\r\n'))
    await writer.write(Buffer.from('body\r\n'))
    expect(await all()).toEqual([])
    const stored = await writer.commit()
    expect(stored.size).toBe(20)
    expect(await text(stored)).toBe('Subject: x\r\n\r\nbody\r\n')
    const again = await (await fileBodies({ directory })).open(stored.id)
    expect(again?.size).toBe(20)
    expect(await text(again as Body, { start: 9, end: 16 })).toBe('x\r\n\r\nbo')
    expect(await text(again as Body, { start: 20, end: 20 })).toBe('')
    expect(await all()).toEqual([stored.id])
    await store.remove([stored.id, stored.id, '0'.repeat(32)])
    expect(await store.open(stored.id)).toBeUndefined()
    expect(await all()).toEqual([])
  })

  it('keeps an empty body', async () => {
    const stored = await store.create().commit()
    expect(stored.size).toBe(0)
    expect(await text(stored)).toBe('')
  })

  it('keeps what is written in pieces of any size, in order', async () => {
    const pieces = fc.array(fc.integer({ min: 0, max: 150_000 }), { maxLength: 12 })
    await fc.assert(fc.asyncProperty(pieces, async (sizes) => {
      const contents = sizes.map((size, index) => Buffer.alloc(size, `${index}-`))
      const writer = store.create()
      for (const piece of contents) await writer.write(piece)
      const stored = await writer.commit()
      const expected = Buffer.concat(contents)
      expect(stored.size).toBe(expected.length)
      expect(await text(stored) === expected.toString('latin1')).toBe(true)
    }), { numRuns: 25 })
  })

  it('takes thousands of tiny writes without a promise each, and holds a fast writer back', async () => {
    const writer = store.create()
    for (let i = 0; i < 20_000; i++) expect(writer.write(Uint8Array.of(i & 255))).toBeUndefined()
    const answers = Array.from({ length: 2 }, () => writer.write(new Uint8Array(300_000)))
    expect(answers[0]).toBeUndefined()
    expect(answers[1]).toBeInstanceOf(Promise)
    await answers[1]
    expect((await writer.commit()).size).toBe(620_000)
  })

  it('leaves nothing behind that was discarded, and nothing to be seen that was neither', async () => {
    const writer = store.create()
    await writer.discard()
    const second = store.create()
    await second.write(new Uint8Array(1_000_000))
    await second.write(new Uint8Array(1_000_000))
    expect((await unfinished()).length).toBe(1)
    await second.discard()
    await second.discard()
    expect(await unfinished()).toEqual([])
    const third = store.create()
    await third.write(new Uint8Array(10))
    expect(await all()).toEqual([])
    await third.discard()
  })

  it('ignores discard after commit, and refuses to go on', async () => {
    const writer = store.create()
    await writer.write(Uint8Array.of(1))
    const { id } = await writer.commit()
    await writer.discard()
    expect((await store.open(id))?.size).toBe(1)
    expect(() => writer.write(Uint8Array.of(1))).toThrow(/after commit\(\) or discard\(\)/)
    await expect(writer.commit()).rejects.toThrow(/after commit\(\) or discard\(\)/)
  })

  it.each([
    '', '.', '..', '../secret', 'unfinished', '/etc/passwd', 'ab/../../secret', `${'0'.repeat(31)}/`, '0'.repeat(31),
    '0'.repeat(33),
    'A'.repeat(32), `${'0'.repeat(30)}\0a`, '..'.repeat(16),
  ])('knows no body by the id %j, and touches nothing for it', async (id) => {
    await writeFile(join(directory, '..', 'secret'), 'x').catch(() => {})
    expect(await store.open(id)).toBeUndefined()
    await store.remove([id])
    expect(await unfinished()).toEqual([])
    await rm(join(directory, '..', 'secret'), { force: true })
  })

  it('lists its own bodies alone', async () => {
    const id = await put('x')
    await mkdir(join(directory, 'zz'))
    await writeFile(join(directory, 'zz', 'README'), 'not ours')
    await writeFile(join(directory, id.slice(0, 2), 'short'), 'not ours')
    expect(await all()).toEqual([id])
  })

  it('keeps its files to their owner', async () => {
    const id = await put('secret')
    expect((await stat(join(directory, id.slice(0, 2), id))).mode & 0o777).toBe(0o600)
    expect((await stat(join(directory, id.slice(0, 2)))).mode & 0o777).toBe(0o700)
  })

  it('sweeps what dead processes left unfinished, and only that', async () => {
    const [old, young] = ['old', 'young'].map((name) => join(directory, 'unfinished', name)) as [string, string]
    await writeFile(old, 'x')
    await writeFile(young, 'x')
    const longAgo = new Date(Date.now() - 25 * 3_600_000)
    await utimes(old, longAgo, longAgo)
    await fileBodies({ directory })
    expect(await unfinished()).toEqual(['young'])
    await fileBodies({ directory, alone: true })
    expect(await unfinished()).toEqual([])
  })

  it('ends a reading early without holding the file', async () => {
    const id = await put('x'.repeat(300_000))
    const body = await store.open(id) as Body
    for await (const chunk of body.read()) {
      expect(chunk.length).toBe(65_536)
      break
    }
    expect(process.getActiveResourcesInfo()).not.toContain('FSReqPromise')
  })

  it('fails, for now, to read a body that has shrunk or gone', async () => {
    const id = await put('x'.repeat(100))
    const body = await store.open(id) as Body
    await truncate(join(directory, id.slice(0, 2), id), 50)
    await expect(text(body)).rejects.toMatchObject({ code: 'temporary' })
    await store.remove([id])
    await expect(text(body)).rejects.toMatchObject({ code: 'temporary' })
  })

  it('rejects with a configuration error for a folder it cannot use', async () => {
    await writeFile(join(directory, 'file'), 'x')
    const error = await fileBodies({ directory: join(directory, 'file') }).then(() => undefined, (reason: unknown) => reason)
    expect(isMailError(error) && error.code).toBe('config')
    expect((error as Error).message).toContain(join(directory, 'file'))
  })

  it('rejects the commit for now when the file cannot be made, and leaves nothing unhandled', async () => {
    await rm(join(directory, 'unfinished'), { recursive: true })
    const writer = store.create()
    await writer.write(new Uint8Array(10))
    await expect(writer.commit()).rejects.toMatchObject({ code: 'temporary' })
    const discarded = store.create()
    await discarded.write(new Uint8Array(10))
    await discarded.discard()
  })
})

describe('a disk in trouble', () => {
  /** A file that takes a part of each write, and fails once it holds `room` octets. */
  const disk = (room: number): { held: number[]; closed: number; file: Promise<never> } => {
    const state = { held: [] as number[], closed: 0, file: undefined as unknown as Promise<never> }
    const writev = async (pieces: readonly Uint8Array[]): Promise<{ bytesWritten: number }> => {
      const octets = pieces.flatMap((piece) => [...piece])
      const taken = octets.slice(0, Math.max(1, octets.length >> 1))
      if (state.held.length + taken.length > room) throw new Error('ENOSPC: no space left on device')
      state.held.push(...taken)
      return { bytesWritten: taken.length }
    }
    const close = async (): Promise<void> => {
      state.closed++
    }
    state.file = Promise.resolve({ writev, close, datasync: async () => {} } as never)
    return state
  }

  it('is written to until it has all, though it takes a part at a time', async () => {
    const state = disk(10_000)
    const file = new BodyFile(state.file)
    const pieces = [new Uint8Array(5).fill(1), new Uint8Array(4096).fill(2), new Uint8Array(3).fill(3)]
    for (const piece of pieces) await file.write(piece)
    expect(await file.finish(true)).toBe(4104)
    expect(state.held).toEqual(pieces.flatMap((piece) => [...piece]))
    expect(state.closed).toBe(1)
  })

  it('is told at the next write and at the end, as a temporary failure', async () => {
    const state = disk(1000)
    const file = new BodyFile(state.file)
    const answers: unknown[] = []
    for (let i = 0; i < 6; i++) {
      await (file.write(new Uint8Array(200_000)) ?? Promise.resolve()).catch((error: unknown) => answers.push(error))
    }
    expect(answers.length).toBeGreaterThan(0)
    await expect(file.finish(false)).rejects.toMatchObject({ code: 'temporary', message: expect.stringContaining('ENOSPC') })
    await file.abandon()
    expect(state.closed).toBe(1)
  })
})

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BodyStore, MailError, type ReceivedMessage, type ReceiverOptions, reject } from '../../src/index.ts'
import { memoryBodies } from '../../src/adapters/memory/index.ts'
import { fileBodies } from '../../src/adapters/node/index.ts'
import { indexMessage } from '../../src/message/indexer.ts'
import { resetAt, world } from '../../src/testing/index.ts'

let directory = ''
let folders = 0
beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), 'posthorn-bodies-'))))
afterAll(() => rm(directory, { recursive: true }))

/** All files of a folder and those below it. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

async function countOf(bodies: BodyStore): Promise<number> {
  let count = 0
  for await (const _ of bodies.list()) count++
  return count
}

const stores: readonly (readonly [string, () => Promise<{ bodies: BodyStore; left: () => Promise<number> }>])[] = [
  [
    'in memory',
    async () => {
      const bodies = memoryBodies()
      return { bodies, left: () => countOf(bodies) }
    },
  ],
  [
    'in files',
    async () => {
      const folder = join(directory, String(++folders))
      return { bodies: await fileBodies({ directory: folder, fsync: false }), left: async () => (await filesOf(folder)).length }
    },
  ],
]

/** Resolves when nothing is left; the test times out where something stays. */
async function none(left: () => Promise<number>): Promise<void> {
  while ((await left()) > 0) await new Promise((resolve) => setImmediate(resolve))
}

const header = 'From: <a@s.test>\r\nSubject: large\r\nContent-Type: text/plain\r\n\r\n'
const large = header + `${'0123456789'.repeat(7)}\r\n`.repeat(5000)

async function textOf(message: ReceivedMessage): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of message.raw()) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

describe.each(stores)('messages too large for memory, %s', (_, make) => {
  const open = async (options: Partial<ReceiverOptions> = {}) => {
    const { bodies, left } = await make()
    const seen: { text: string; left: number; facts: unknown; headers: string | undefined; inMemory: boolean }[] = []
    const w = world({
      server: {
        trace: false,
        inMemory: 10_000,
        bodies,
        ...options,
        deliver: async (message, context) => {
          const text = await textOf(message)
          seen.push({
            text,
            left: await left(),
            facts: message.facts,
            headers: message.headers.text('subject'),
            inMemory: message.body.bytes !== undefined,
          })
          return options.deliver?.(message, context)
        },
      },
    })
    return { w, left, seen }
  }

  it('are read as if they were in it, and leave nothing behind', async () => {
    const { w, left, seen } = await open()
    expect((await w.connect().send({ to: 'a@mx.test', content: large })).accepted).toBe(true)
    expect(seen).toEqual([
      { text: large, left: 1, facts: indexMessage(Buffer.from(large)), headers: 'large', inMemory: seen[0]!.inMemory },
    ])
    expect(await left()).toBe(0)
  })

  it('are the same however they come in: by DATA, by chunks, cut anywhere', async () => {
    for (const chunk of [1000, 4096, 65_536]) {
      const { bodies, left } = await make()
      const texts: string[] = []
      const w = world({
        link: { chunk },
        server: { trace: false, inMemory: 5000, bodies, deliver: async (message) => void texts.push(await textOf(message)) },
      })
      const client = w.connect()
      await client.send({ to: 'a@mx.test', content: large })
      await client.ask('MAIL FROM:<>', 'RCPT TO:<a@mx.test>')
      for (let at = 0; at < large.length; at += 100_000) {
        const piece = large.slice(at, at + 100_000)
        await client.ask(Buffer.from(`BDAT ${piece.length}${at + piece.length === large.length ? ' LAST' : ''}\r\n${piece}`))
      }
      expect(texts).toEqual([large, large])
      expect(await left()).toBe(0)
    }
  })

  it('have their trace and their notes before them, and facts that fit', async () => {
    const { w, seen, left } = await open({
      trace: true,
      policies: [{ name: 'stamp', message: (_, { notes }) => notes.header('X-Stamp', 'yes') }],
    })
    await w.connect('203.0.113.9').send({ to: 'a@mx.test', content: large })
    const [{ text, facts }] = seen as [(typeof seen)[0]]
    expect(text).toMatch(/^X-Stamp: yes\r\nReceived: from client\.test/)
    expect(text.endsWith(large)).toBe(true)
    expect(facts).toEqual(indexMessage(Buffer.from(text)))
    expect(await left()).toBe(0)
  })

  it.each([
    ['deliver refuses', { deliver: () => reject('No') }, /^550/],
    [
      'deliver throws',
      {
        deliver: () => {
          throw new Error('db')
        },
      },
      /^451/,
    ],
    ['a policy refuses', { policies: [{ name: 'no', message: () => reject('No') }] }, /^550/],
    ['it is larger than allowed', { smtp: { limits: { messageOctets: 100_000 } } }, /^552/],
  ] as readonly (readonly [string, Partial<ReceiverOptions>, RegExp])[])(
    'leave nothing behind where %s',
    async (_, options, reply) => {
      const { w, left } = await open(options)
      expect((await w.connect().send({ to: 'a@mx.test', content: large })).reply).toMatch(reply)
      expect(await left()).toBe(0)
    },
  )

  it('leave nothing behind where the client breaks off, wherever that is', async () => {
    for (const octets of [200, 11_000, 70_000, 200_000, large.length]) {
      const { w, left } = await open()
      const client = w.connect('203.0.113.9', { through: resetAt(octets) })
      await client.send({ to: 'a@mx.test', content: large }).catch(() => undefined)
      await client.closed
      while (w.connections > 0) await w.clock.advance(0)
      expect(w.delivered).toEqual([])
      await none(left)
    }
  })

  it('leave nothing behind where the client begins anew with RSET in the middle of its chunks', async () => {
    const { w, left } = await open()
    const client = w.connect()
    await client.ask(
      'EHLO x.test',
      'MAIL FROM:<>',
      'RCPT TO:<a@mx.test>',
      Buffer.from(`BDAT 50000\r\n${large.slice(0, 50_000)}`),
      'RSET',
    )
    await none(left)
    expect((await client.send({ to: 'a@mx.test', content: large })).accepted).toBe(true)
  })
})

describe('a body store that fails', () => {
  const disk = new MailError('temporary', 'No space left on device')
  const failing = (when: 'create' | 'write' | 'commit'): BodyStore => {
    const bodies = memoryBodies()
    const fail = (): never => {
      throw disk
    }
    return {
      traits: bodies.traits,
      open: (id) => bodies.open(id),
      remove: (ids) => bodies.remove(ids),
      list: () => bodies.list(),
      create() {
        if (when === 'create') fail()
        const writer = bodies.create()
        return {
          write: (bytes) => (when === 'write' ? Promise.reject(disk) : writer.write(bytes)),
          commit: () => (when === 'commit' ? writer.discard().then(fail) : writer.commit()),
          discard: () => writer.discard(),
        }
      },
    }
  }

  it.each(['create', 'write', 'commit'] as const)('at %s makes the client come again, and says why', async (when) => {
    const bodies = failing(when)
    const w = world({ server: { inMemory: 10_000, bodies } })
    const client = w.connect()
    expect((await client.send({ to: 'a@mx.test', content: large })).reply).toBe('451 4.3.0 Temporary failure, try again later')
    expect(w.delivered).toEqual([])
    expect(w.events.filter(({ kind }) => kind === 'failed')).toEqual([expect.objectContaining({ error: disk })])
    expect((await client.send({ to: 'a@mx.test' })).accepted).toBe(true)
  })
})

describe('memory', () => {
  it('holds little of a hundred megabytes while whoever takes them is slow', async () => {
    const piece = Buffer.alloc(65_536, `${'x'.repeat(62)}\r\n`)
    let written = 0
    let most = 0
    const slow: BodyStore = {
      ...memoryBodies(),
      traits: { durability: 'none' },
      create: () => ({
        async write(bytes) {
          most = Math.max(most, sent - written)
          written += bytes.length
          await new Promise((resolve) => setImmediate(resolve))
        },
        commit: async () => ({ id: '1', size: written, async *read() {} }),
        discard: async () => undefined,
      }),
      remove: async () => undefined,
    }
    let sent = 0
    const w = world({ server: { inMemory: 10_000, bodies: slow, smtp: { limits: { messageOctets: Infinity } } } })
    const client = w.connect('203.0.113.9', {
      through: (wire) => ({
        open: (sink) => wire.open(sink),
        pause: () => wire.pause(),
        resume: () => wire.resume(),
        finish: () => wire.finish(),
        reset: () => wire.reset(),
        secure: () => undefined,
        write: (output) => {
          for (const octets of output) sent += octets.length
          return wire.write(output)
        },
      }),
    })
    await client.ask('EHLO x.test', 'MAIL FROM:<>', 'RCPT TO:<a@mx.test>', 'DATA', '')
    await client.flood(piece, 100 * 1024 * 1024)
    expect((await client.ask('.'))[0]).toMatch(/^250/)
    expect(written).toBeGreaterThan(100 * 1024 * 1024)
    expect(most).toBeLessThan(1024 * 1024)
  })
})

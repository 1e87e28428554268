import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { sqlite } from '../../src/adapters/sqlite/index.ts'
import { seededRandom } from '../../src/testing/random.ts'
import { Child, run } from './children.ts'
import { holding } from './held.ts'

/** Lives of the server in each loop, each ended by `kill -9`. */
const ROUNDS = Number(process.env['POSTHORN_CRASH_ROUNDS'] ?? 100)

/** Clients at a time. */
const CLIENTS = 10

const program = fileURLToPath(new URL('durable.mjs', import.meta.url))
const held = holding()

/** A message with a number: small, or now and then of up to half a megabyte. */
function contentOf(number: number): Buffer {
  const octets = number % 10 === 0 ? 70_000 + ((number * 7919) % 450_000) : 200 + ((number * 613) % 20_000)
  const lines = [`Subject: number ${number}`, '']
  for (let size = 0; size < octets; size += 72) lines.push(`${number} ${size} `.padEnd(70, 'posthorn '))
  return Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1')
}

const digestOf = (number: number): string => createHash('sha256').update(contentOf(number)).digest('hex')

/** Sends message after message until the server is gone; tells the number of each that was answered 250. */
function client(port: number, next: () => number, acknowledged: (number: number) => void): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1')
    let sending = 0
    let text = ''
    const offer = (): void => {
      sending = next()
      socket.write('MAIL FROM:<a@client.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n')
    }
    const replied = (line: string): void => {
      if (line.startsWith('220 ')) socket.write('EHLO client.test\r\n')
      else if (line.startsWith('354 ')) socket.write(Buffer.concat([contentOf(sending), Buffer.from('.\r\n')]))
      else if (line.startsWith('250 2.0.0')) {
        acknowledged(sending)
        offer()
      } else if (line.startsWith('250 ') && sending === 0) offer()
      else if (!line.startsWith('250')) socket.destroy(new Error(line))
    }
    socket.on('data', (more: string) => {
      const lines = (text + more).split('\r\n')
      text = lines.pop() ?? ''
      lines.forEach(replied)
    })
    // The reset that a kill brings is what is wanted here.
    socket.on('error', () => undefined).on('close', () => resolve())
  })
}

/** What a store has: the digest of each message by its number. Fails where a number is there twice. */
async function kept(kind: string, folder: string): Promise<{ mails: Map<number, string>; last: Record<string, unknown> }> {
  const { code, out, text } = await run('node', [program, kind, folder, 'list'])
  expect(code, text.slice(-2000)).toBe(0)
  const lines = out.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
  const last = lines.pop() ?? {}
  const mails = new Map<number, string>()
  let uid = 0
  for (const line of lines) {
    const number = Number(/^number (\d+)$/.exec(String(line['subject']))?.[1])
    expect(mails.has(number), `number ${number} twice`).toBe(false)
    expect(line['uid'], 'UIDs ascend').toBeGreaterThan(uid)
    uid = line['uid'] as number
    mails.set(number, String(line['sha256']))
  }
  return { mails, last }
}

async function loop(kind: string, folder: string): Promise<Set<number>> {
  const draw = seededRandom(20_261_120)
  const acknowledged = new Set<number>()
  let number = 0
  for (let round = 0; round < ROUNDS; round++) {
    const server = new Child('node', [program, kind, folder])
    const port = Number((await server.said(/^port (\d+)$/m))[1])
    let left = 1 + draw.below(60)
    const clients = Array.from({ length: CLIENTS }, () => client(port, () => ++number, (one) => {
      acknowledged.add(one)
      // In the midst of whatever the others are at.
      if (--left === 0) server.signal('SIGKILL')
    }))
    await Promise.all([...clients, server.ended])
  }
  return acknowledged
}

describe('a server that is killed again and again under load', () => {
  for (const kind of ['sqlite', 'maildir']) {
    it(`has every acknowledged message exactly once: ${kind}`, { timeout: 600_000 }, async () => {
      const folder = held.folder(`loop-${kind}`)
      const acknowledged = await loop(kind, folder)
      const { mails, last } = await kept(kind, folder)
      expect(acknowledged.size).toBeGreaterThan(ROUNDS)
      expect([...acknowledged].filter((number) => mails.get(number) !== digestOf(number))).toEqual([])
      // What was kept but not acknowledged is whole too.
      expect([...mails].filter(([number, digest]) => digest !== digestOf(number))).toEqual([])
      expect(last['mailbox']).toMatchObject({ messages: mails.size })
      expect(last['usage']).toEqual(last['recounted'])
      if (kind === 'sqlite') await integrity(join(folder, 'mail.db'))
    })
  }
})

/** Opens the database as a server would, then asks the engine itself. */
async function integrity(path: string): Promise<void> {
  await sqlite({ path }).store.close?.()
  const { out } = await run('python3', ['-c',
    `import sqlite3; print(sqlite3.connect(${JSON.stringify(path)}).execute('PRAGMA integrity_check').fetchall())`])
  expect(out.trim()).toBe("[('ok',)]")
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readAddress } from '../../src/accounts/address.ts'
import { sqlite } from '../../src/adapters/sqlite/index.ts'
import type { OutgoingMessage } from '../../src/contracts/dispatch.ts'
import type { Recipient } from '../../src/contracts/received.ts'
import { indexMessage } from '../../src/message/indexer.ts'
import { commandHere } from './in-process.ts'

const NOW = Date.UTC(2026, 10, 20, 8)
let data = ''
let db: ReturnType<typeof sqlite>
/** Ids of messages: from alice to eve, from nobody to mallory. */
let ids: string[] = []

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'posthorn-queue-'))
  db = sqlite({ path: join(data, 'mail.db') })
  const first = messageFrom('alice@example.test', 'eve@there.test')
  const one = await db.queue.enqueue(first, [{ destination: 'mx:there.test', recipients: [0], due: NOW + 300_000 }])
  const second = { ...messageFrom(null, 'mallory@far.test'), account: undefined }
  const two = await db.queue.enqueue(second, [{ destination: 'mx:far.test', recipients: [0], due: NOW + 300_000 }])
  ids = [one.id, two.id]
})
afterEach(async () => {
  await db.close()
  rmSync(data, { recursive: true, force: true })
})

const TEXT = 'Message-ID: <1@example.test>\r\nSubject: x\r\n\r\ny\r\n'

function messageFrom(from: string | null, to: string): OutgoingMessage {
  const bytes = Buffer.from(TEXT)
  const address = readAddress(to)!
  const recipient: Recipient = {
    ...address, user: address.local, tag: undefined, wire: to, notify: undefined, originalRecipient: undefined,
  }
  const body = {
    size: bytes.length,
    bytes,
    async *read({ start, end } = { start: 0, end: bytes.length }) {
      if (start < end) yield bytes.subarray(start, end)
    },
  }
  return {
    envelope: {
      sender: from === null ? null : readAddress(from)!, recipients: [recipient], size: undefined, body: '7BIT', smtpUtf8: false,
      ret: undefined, envid: 'E1', requireTls: false, deliverBy: undefined, priority: undefined, hold: undefined,
    },
    body, facts: indexMessage(bytes), account: 'alice@example.test', received: NOW - 60_000,
  }
}

/** Runs `posthorn queue …` as another process would; the lines that it printed. */
async function queue(...given: string[]) {
  const { code, out, error } = await commandHere(data, NOW, ['queue', ...given])
  const lines = out.split('\n').filter((line) => line !== '')
  return { code, out: lines.map((line) => JSON.parse(line) as Record<string, unknown>), error }
}

describe('posthorn queue', () => {
  it('lists what waits', async () => {
    const { code, out } = await queue('list')
    expect(code).toBe(0)
    expect(out).toMatchObject([
      {
        message: ids[0], destination: 'mx:there.test', state: 'waiting', due: '2026-11-20T08:05:00.000Z', tries: 0,
        account: 'alice@example.test', sender: 'alice@example.test', octets: TEXT.length,
        recipients: [{ to: 'eve@there.test', state: 'waiting' }],
      },
      { message: ids[1], sender: null },
    ])
  })

  it.each([
    [['--sender', 'ALICE'], [0]],
    [['--sender', ''], [1]],
    [['--recipient', 'far.test'], [1]],
    [['--destination', 'mx:there.test'], [0]],
    [['--account', 'alice@example.test'], [0]],
    [['--state', 'held'], []],
    [['--state', 'waiting', '--recipient', 'eve'], [0]],
  ])('lists by %j', async (flags, wanted) => {
    const { out } = await queue('list', ...flags)
    expect(out.map(({ message }) => ids.indexOf(String(message)))).toEqual(wanted)
    expect((await queue('list', ids[0]!, ...flags)).out).toHaveLength(wanted[0] === 0 ? 1 : 0)
  })

  it('shows a message, with its octets where they are wanted', async () => {
    const { out: [shown] } = await queue('show', ids[0]!)
    expect(shown).toMatchObject({
      message: ids[0], received: '2026-11-20T07:59:00.000Z', messageId: '<1@example.test>', envid: 'E1',
      recipients: [{ to: 'eve@there.test', state: 'waiting' }], jobs: [{ destination: 'mx:there.test', state: 'waiting' }],
    })
    const { out: [raw] } = await queue('show', ids[0]!, '--raw')
    expect(Buffer.from(String(raw?.['raw']), 'base64').toString()).toBe(TEXT)
    const error = expect.stringContaining('no message nosuch') as string
    expect(await queue('show', 'nosuch')).toMatchObject({ code: 2, error })
  })

  it('counts', async () => {
    const oldest: unknown = expect.any(String)
    expect((await queue('counts')).out).toEqual([{ messages: 2, jobs: 2, due: 0, leased: 0, held: 0, oldest }])
  })

  it('holds and releases, retries, bounces and drops, and notes it', async () => {
    const held = await queue('hold', ids[0]!, '--why', 'looks like spam')
    expect(held.out).toMatchObject([{ event: 'queue.hold', subject: ids[0], why: 'looks like spam', changed: 1, leased: 0 }])
    expect((await queue('list', '--state', 'held')).out).toMatchObject([{ message: ids[0], held: 'looks like spam' }])
    expect((await queue('release', '--state', 'held')).out).toMatchObject([{ event: 'queue.release', subject: '*', changed: 1 }])
    await queue('retry', '--recipient', 'eve')
    expect(await db.queue.due({ now: NOW, limit: 10 })).toEqual(['mx:there.test'])
    await queue('bounce', ids[0]!)
    expect((await queue('list', ids[0]!)).out).toMatchObject([{ doomed: 'by order of the postmaster' }])
    await queue('drop', '--sender', '')
    expect((await queue('counts')).out).toMatchObject([{ messages: 1 }])
    const audit = readFileSync(join(data, 'audit.log'), 'utf8').trimEnd().split('\n')
    const events = audit.map((line) => (JSON.parse(line) as { event: string }).event)
    expect(events).toEqual(['queue.hold', 'queue.release', 'queue.retry', 'queue.bounce', 'queue.drop'])
  })

  it('is seen by whoever works on the queue', async () => {
    const told = new Promise<void>((resolve) => db.queue.watch!(resolve))
    await queue('retry', ids[1]!)
    await told
    expect(await db.queue.due({ now: NOW, limit: 10 })).toEqual(['mx:far.test'])
  })

  it('does nothing by mistake', async () => {
    expect(await queue('drop')).toMatchObject({ code: 2, error: expect.stringContaining('--all') as string })
    expect(await queue('drop', 'nosuch')).toMatchObject({ code: 2, error: expect.stringContaining('no such mail') as string })
    expect(await queue('list', '--state', 'lost')).toMatchObject({ code: 2, error: expect.stringContaining('held') as string })
    expect(await queue('list', '--data', join(data, 'nowhere'))).toMatchObject({ code: 2 })
    expect((await queue('counts')).out).toMatchObject([{ messages: 2 }])
  })
})

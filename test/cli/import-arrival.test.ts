import { expect, it } from 'vitest'
import { memoryStore } from '../../src/adapters/memory/index.ts'
import { Arrival } from '../../src/cli/import-arrival.ts'
import { withMethod } from '../../src/cli/method.ts'
import type { Progress } from '../../src/cli/progress.ts'
import type { MailStore, NewMessage } from '../../src/contracts/store.ts'
import { indexMessage } from '../../src/message/indexer.ts'
import { MailError } from '../../src/protocol/session/errors.ts'

function message(subject: string, inMemory = true): NewMessage {
  const bytes = Buffer.from(`Subject: ${subject}\r\n\r\n`)
  const body = { size: bytes.length, ...(inMemory && { bytes }), read: async function* () { yield bytes } }
  return { body, facts: indexMessage(bytes), received: 1 }
}

/** A store that lets appends go on one by one, and what has arrived there. */
async function gated(store: MailStore = memoryStore()) {
  const gates: (() => void)[] = []
  const counted: number[] = []
  const slow = withMethod(store, 'append', async (mailbox, given, room) => {
    await new Promise<void>((resolve) => gates.push(resolve))
    return store.append(mailbox, given, room)
  })
  const { id } = await store.create('a', ['INBOX'])
  const arrival = new Arrival(slow, { add: (octets: number) => void counted.push(octets) } as unknown as Progress)
  const subjects = async (): Promise<string[]> => {
    const found: string[] = []
    for await (const page of store.list(id)) for (const { facts } of page) found.push(facts.envelope.subject ?? '')
    return found
  }
  return { gates, arrival, id, subjects, counted }
}

const turns = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

it('keeps 64 messages on their way, in their order', async () => {
  const { gates, arrival, id, subjects, counted } = await gated()
  let given = 0
  const giving = (async () => {
    for (; given < 100; given++) await arrival.store.append(id, message(String(given)))
  })()
  await turns()
  expect([given, gates.length, counted.length]).toEqual([63, 64, 0])
  while (counted.length < 100) {
    gates.shift()?.()
    await turns()
  }
  await giving
  await arrival.settled()
  expect(await subjects()).toEqual(Array.from({ length: 100 }, (_, at) => String(at)))
})

it('waits for a message that is not in memory: its file may go', async () => {
  const { gates, arrival, id, subjects } = await gated()
  let done = false
  const giving = arrival.store.append(id, message('large', false)).then(() => (done = true))
  await turns()
  expect([done, gates.length]).toEqual([false, 1])
  gates[0]!()
  await giving
  expect(await subjects()).toEqual(['large'])
})

it('takes nothing more once something went wrong, and says what', async () => {
  const store = memoryStore()
  let left = 2
  const full = withMethod(store, 'append', (mailbox, given, room) => {
    if (left-- > 0) return store.append(mailbox, given, room)
    return Promise.reject(new MailError('temporary', 'disk full'))
  })
  const { gates, arrival, id, subjects, counted } = await gated(full)
  for (const subject of ['a', 'b', 'c']) await arrival.store.append(id, message(subject))
  for (const open of gates) open()
  await arrival.idle()
  await expect(arrival.store.append(id, message('d'))).rejects.toThrow('disk full')
  await expect(arrival.settled()).rejects.toThrow('disk full')
  expect([await subjects(), counted.length]).toEqual([['a', 'b'], 2])
})

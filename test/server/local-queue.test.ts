import { describe, expect, it } from 'vitest'
import type { OutgoingMessage } from '../../src/contracts/dispatch.ts'
import { indexMessage } from '../../src/message/indexer.ts'
import { localQueue } from '../../src/server/local-queue.ts'
import { virtualClock } from '../../src/testing/virtual-clock.ts'
import { mailWorld, person, type Place, storeWith } from './mail-world.ts'

const aliases = [
  { address: 'team@example.test', to: ['alice@example.test', 'bob@example.test'] },
  { address: 'away@example.test', to: ['alice@example.test', 'joe@other.test'] },
  { address: 'one@example.test', to: ['two@example.test'] },
  { address: 'two@example.test', to: ['one@example.test'] },
]

function message(...to: readonly string[]): OutgoingMessage {
  return sized(5, ...to)
}

/** With so many octets of text. */
function sized(octets: number, ...to: readonly string[]): OutgoingMessage {
  const text = octets === 5 ? 'Hello' : 'x'.repeat(octets)
  const bytes = Buffer.from(`From: alice@example.test\r\nSubject: x\r\n\r\n${text}\r\n`)
  const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
  const recipients = to.map((wire) => {
    const [local = '', domain = ''] = wire.split('@')
    return { local, domain, user: local, tag: undefined, wire, notify: undefined, originalRecipient: undefined }
  })
  const envelope = { sender: { local: 'alice', domain: 'example.test' }, recipients } as unknown as OutgoingMessage['envelope']
  return { envelope, body, facts: indexMessage(bytes), account: 'alice@example.test', received: 7 }
}

async function queue(place: Place = {}) {
  const world = await mailWorld({ aliases, ...place })
  const store = place.through?.(world.store) ?? world.store
  return { world, queue: localQueue({ directory: world.directory, store, clock: virtualClock() }) }
}

describe('a local queue', () => {
  it('has delivered when it resolves, one copy for all, with what a final delivery adds', async () => {
    const { world, queue: local } = await queue()
    const { id } = await local.enqueue(message('team@example.test', 'alice+x@example.test', 'carol@example.test'))
    const kept = [...(await world.mail('alice')), ...(await world.mail('bob')), ...(await world.mail('carol'))]
    expect(kept.map((one) => one.id)).toEqual([id, id, id])
    expect(kept[0]!.received).toBe(7)
    expect(kept[0]!.text).toMatch(/^Return-Path: <alice@example\.test>\r\nFrom: alice@/)
    await local.enqueue(message('carol@example.test'))
    expect((await world.mail('carol'))[1]!.text).toMatch(/^Return-Path: <.*>\r\nDelivered-To: carol@example\.test\r\nFrom:/)
    expect(local.traits).toEqual({ durability: 'none', localOnly: true })
  })

  it.each([
    ['nobody@example.test', 'permanent'],
    ['joe@other.test', 'permanent'],
    ['away@example.test', 'permanent'],
    ['one@example.test', 'temporary'],
    ['dora@example.test', 'permanent'],
    ['full@example.test', 'quota'],
  ])('takes nothing for anybody where one is %s', async (to, code) => {
    const odd = [person('dora', { disabled: true }), person('full', { quota: { octets: 1000 } })]
    const people = [person('alice'), person('bob'), ...odd]
    const { world, queue: local } = await queue({ people })
    await expect(local.enqueue(message(to))).rejects.toMatchObject({ code })
    await expect(local.enqueue(message('alice@example.test', to))).rejects.toMatchObject({ code: expect.any(String) as string })
    expect(await world.mail('alice')).toEqual([])
  })

  it('takes nothing for somebody who takes no message so large, whatever was announced', async () => {
    const people = [person('alice'), person('bob', { messageOctets: 2000 })]
    const { world, queue: local } = await queue({ people })
    const large = (octets: number): OutgoingMessage => sized(octets, 'bob@example.test', 'alice@example.test')
    await expect(local.enqueue(large(3100))).rejects.toMatchObject({ code: 'permanent' })
    expect(await world.mail('alice')).toEqual([])
    await local.enqueue(large(2900))
    expect(await world.mail('bob')).toHaveLength(1)
  })

  it('says temporary where the store does, and where it cannot say', async () => {
    const append = async (): Promise<never> => Promise.reject(new Error('disk'))
    const { queue: local } = await queue({ through: (store) => storeWith(store, { append }) })
    await expect(local.enqueue(message('alice@example.test'))).rejects.toMatchObject({ code: 'temporary' })
  })

  it('takes no message for nobody', async () => {
    const { queue: local } = await queue()
    await expect(local.enqueue(message())).rejects.toMatchObject({ code: 'misuse' })
  })

  it('says what is wrong with its options', () => {
    expect(() => localQueue({ directory: {}, store: {} } as never)).toThrow(/localQueue: directory is an object/)
  })
})

it('a store that cannot add all at once adds each', async () => {
  const { world, queue: local } = await queue({ through: (store) => storeWith(store, { appendAll: undefined as never }) })
  await local.enqueue(message('team@example.test'))
  expect([(await world.mail('alice')).length, (await world.mail('bob')).length]).toEqual([1, 1])
})

import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/adapters/node/index.ts'
import type { Account, Destination } from '../../../src/contracts/directory.ts'
import type { OutgoingMessage } from '../../../src/contracts/dispatch.ts'
import type { Lease } from '../../../src/contracts/queue.ts'
import { srs } from '../../../src/outbound/srs.ts'
import { Home } from '../../../src/server/outgoing/home.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'
import { envelope, outgoing } from '../../outbound/delivery/stage.ts'

const account = (id: string): Destination => ({ kind: 'account', account: { id } as Account, tag: undefined })
const outside = (local: string, domain = 'here.test'): Destination => ({ kind: 'outside', address: { local, domain } })

/** The last leg, with addresses that lead where `ways` says. */
function stage(
  ways: Record<string, readonly Destination[]>, enqueue: () => void = () => undefined,
  store: (id: string) => Promise<void> | undefined = () => undefined,
) {
  const clock = virtualClock()
  const stored: string[] = []
  const sent: OutgoingMessage[] = []
  const home = new Home({
    directory: {
      resolve: async ({ local, domain }) => {
        if (domain !== 'here.test') return { kind: 'elsewhere' }
        const destinations = ways[local]
        return destinations ? { kind: 'here', destinations } : { kind: 'unknown' }
      },
    },
    mailboxes: {
      deliver: async (accounts: readonly { id: string }[]) => {
        for (const { id } of accounts) await store(id)
        stored.push(...accounts.map(({ id }) => id))
        return { stored: { id: '1' } }
      },
    } as never,
    forwarded: async (sender) => sender,
    dispatch: () => ({
      traits: { durability: 'none' },
      enqueue: async (message) => {
        enqueue()
        sent.push(message)
        return { id: '1' }
      },
    }),
    clock,
    failed: () => undefined,
  })
  const deliver = async (local: string, id = 'm') => {
    const message = outgoing(envelope('x@there.test', [`${local}@here.test`]), 'Subject: x\n\ny\n', 0)
    const recipients = [{ number: 0, state: 'waiting', last: undefined, told: undefined }] as const
    const [tried] = await home.deliver({ message: { ...message, id }, recipients } as unknown as Lease)
    return tried!.taken ?? `${tried!.last.code} ${tried!.last.enhanced}`
  }
  const goneTo = (): string[] =>
    sent.flatMap(({ envelope: { recipients } }) => recipients.map(({ local, domain }) => `${local}@${domain}`))
  return { deliver, stored, goneTo, clock }
}

describe('mail for people here', () => {
  it('that leads round among addresses of ours ends', async () => {
    const { deliver, stored, goneTo } = stage({ a: [outside('b')], b: [outside('a')], self: [outside('self')] })
    expect([await deliver('a'), await deliver('self')]).toEqual(['554 5.4.6', '554 5.4.6'])
    expect([stored, goneTo()]).toEqual([[], []])
  })

  it('goes through addresses of ours to where they lead, once to each', async () => {
    const { deliver, stored, goneTo } = stage({
      all: [outside('team'), outside('all'), account('1'), outside('gone')],
      team: [account('1'), account('2'), outside('joe', 'there.test'), outside('all')],
    })
    expect(await deliver('all')).toBe('expanded')
    expect([stored, goneTo()]).toEqual([['1', '2'], ['gone@here.test', 'joe@there.test']])
  })

  it('is in a mailbox once, though it cannot go on for a while', async () => {
    let isBroken = true
    const { deliver, stored, goneTo } = stage({ a: [account('1'), outside('joe', 'there.test')] }, () => {
      if (isBroken) throw new Error('disk')
    })
    expect([await deliver('a'), await deliver('a')]).toEqual(['451 4.3.0', '451 4.3.0'])
    isBroken = false
    expect(await deliver('a')).toBe('expanded')
    expect([stored, goneTo()]).toEqual([['1'], ['joe@there.test']])
  })

  it('leaves nobody out, however many there are', async () => {
    const names = Array.from({ length: 250 }, (_, at) => `u${at}`)
    const ways = Object.fromEntries(names.map((name) => [name, [account(name)]]))
    const { deliver, stored, goneTo } = stage({ ...ways, all: names.map((name) => outside(name)) })
    expect(await deliver('all')).toBe('expanded')
    expect(new Set([...stored, ...goneTo().map((each) => each.split('@')[0])])).toEqual(new Set(names))
    expect(stored.length + goneTo().length).toBe(250)
  })
})

describe('a mailbox that does not answer', () => {
  const people = { stuck: [account('stuck')], well: [account('well')] }

  it('keeps its own mail back, and nobody else\'s', async () => {
    const store = (id: string): Promise<void> | undefined => (id === 'stuck' ? new Promise(() => undefined) : undefined)
    const { deliver, stored, clock } = stage(people, undefined, store)
    const first = deliver('stuck', 'm1')
    await clock.advance(5_000)
    expect([await deliver('stuck', 'm2'), await deliver('well', 'm3')]).toEqual(['451 4.3.0', 'delivered'])
    await clock.advance(295_000)
    expect(await first).toBe('451 4.3.0')
    // It is still under way, and may yet be stored: not twice.
    expect(await deliver('stuck', 'm1')).toBe('451 4.3.0')
    expect(stored).toEqual(['well'])
    expect(clock.pending).toBe(0)
  })

  it('and does so late has the message once', async () => {
    const answers: (() => void)[] = []
    const { deliver, stored, clock } = stage(people, undefined, () => new Promise((resolve) => answers.push(resolve)))
    const first = deliver('well')
    await clock.advance(300_000)
    expect(await first).toBe('451 4.3.0')
    answers[0]!()
    await clock.advance(0)
    expect(await deliver('well')).toBe('delivered')
    expect(stored).toEqual(['well'])
  })

  it('is asked again when it was silent for an hour', async () => {
    let isSilent = true
    const { deliver, stored, clock } = stage(people, undefined, () => (isSilent ? new Promise(() => undefined) : undefined))
    void deliver('well')
    await clock.advance(3_599_000)
    isSilent = false
    expect(await deliver('well')).toBe('451 4.3.0')
    await clock.advance(1_000)
    expect(await deliver('well')).toBe('delivered')
    expect(stored).toEqual(['well'])
  })
})

it('knows a sender of ours in its own domain alone', () => {
  const made = srs({ domain: 'fwd.test', keys: [new Uint8Array(16).fill(1)], crypto: nodeCrypto })
  const sender = made.forward({ local: 'a', domain: 'there.test' }, 0)!
  expect(made.reverse({ ...sender, domain: 'FWD.test' }, 0)).toEqual({ address: { local: 'a', domain: 'there.test' } })
  expect(made.reverse({ ...sender, domain: 'other.test' }, 0)).toEqual({ refused: 'none' })
})

import { describe, expect, it } from 'vitest'
import { memoryKeyValue } from '../../src/adapters/memory/index.ts'
import { suppressionList } from '../../src/outbound/suppression.ts'

const DAY = 86_400_000
const now = Date.UTC(2026, 10, 20)
const bob = { local: 'Bob', domain: 'theirs.example' }

function made(name?: string) {
  const store = memoryKeyValue()
  return { store, list: suppressionList({ store, ...(name === undefined ? {} : { name }) }) }
}

async function all(list: ReturnType<typeof suppressionList>, at = now) {
  const found = []
  for await (const page of list.list(at)) found.push(...page)
  return found
}

describe('the suppression list', () => {
  it('finds an address however its domain is written', async () => {
    const { list } = made()
    expect(await list.find(bob, now)).toBeUndefined()
    expect(await list.add({ local: 'Bob', domain: 'Bücher.example' }, { reason: 'complaint' }, now)).toBe(true)
    const found = { address: 'Bob@xn--bcher-kva.example', reason: 'complaint', since: now, until: undefined, detail: undefined }
    expect(await list.find({ local: 'Bob', domain: 'xn--bcher-kva.EXAMPLE' }, now)).toEqual(found)
    expect(await list.find({ local: 'bob', domain: 'bücher.example' }, now)).toBeUndefined()
    expect(await all(list)).toEqual([found])
  })

  it('takes down bounces that last, for a while', async () => {
    const { list } = made()
    expect(await list.addBounce(bob, { lasting: 'soft', diagnostic: 'full', status: '5.2.2' }, now)).toBe(false)
    expect(await list.addBounce(bob, { lasting: undefined, diagnostic: undefined, status: undefined }, now)).toBe(false)
    expect(await list.addBounce(bob, { lasting: 'hard', diagnostic: '550 No such user', status: '5.1.1' }, now)).toBe(true)
    expect(await list.find(bob, now + 90 * DAY - 1)).toMatchObject({ reason: 'bounce', detail: '550 No such user' })
    expect(await list.find(bob, now + 90 * DAY)).toBeUndefined()
    expect(await all(list, now + 90 * DAY)).toEqual([])
  })

  it('keeps what lasts longer', async () => {
    const { list } = made()
    expect(await list.add(bob, { reason: 'bounce', until: now + DAY }, now)).toBe(true)
    expect(await list.add(bob, { reason: 'bounce', until: now + DAY }, now)).toBe(false)
    expect(await list.add(bob, { reason: 'manual', until: now + 2 * DAY, detail: 'x'.repeat(5_000) }, now)).toBe(true)
    expect((await list.find(bob, now))?.detail).toHaveLength(1_000)
    expect(await list.add(bob, { reason: 'unsubscribed' }, now)).toBe(true)
    expect(await list.add(bob, { reason: 'bounce', until: now + 9 * DAY }, now)).toBe(false)
    expect(await list.add(bob, { reason: 'manual', until: now }, now)).toBe(false)
    expect(await list.find(bob, now + 999 * DAY)).toMatchObject({ reason: 'unsubscribed' })
  })

  it('forgets when it is told to', async () => {
    const { list } = made()
    await list.add(bob, { reason: 'manual' }, now)
    expect(await list.remove({ local: 'Bob', domain: 'THEIRS.example' }, now)).toBe(true)
    expect(await list.remove(bob, now)).toBe(false)
    expect(await list.find(bob, now)).toBeUndefined()
  })

  it('shares a store with others', async () => {
    const { store, list } = made('customer-1')
    const other = suppressionList({ store, name: 'customer-2' })
    await list.add(bob, { reason: 'manual' }, now)
    expect(await other.find(bob, now)).toBeUndefined()
    // What others have put under such a key is no reason.
    for (const value of ['', 'null', '[]', '{"reason":"mood","since":1}', '{"reason":"manual"}']) {
      await store.set('customer-2:Bob@theirs.example', value, { now })
      expect(await other.find(bob, now)).toBeUndefined()
      expect(await all(other)).toEqual([])
    }
    expect(await other.add(bob, { reason: 'manual' }, now)).toBe(true)
    expect(await all(other)).toHaveLength(1)
  })

  it('takes one of two that come at once', async () => {
    const { list } = made()
    const both = await Promise.all([1, 2].map((days) => list.add(bob, { reason: 'bounce', until: now + days * DAY }, now)))
    expect(both.at(-1)).toBe(true)
    expect(await list.find(bob, now)).toMatchObject({ until: now + 2 * DAY })
  })

  it('has no room for what is no address', async () => {
    const { list } = made()
    const long = { local: 'x'.repeat(240), domain: 'theirs.example' }
    expect(await list.add(long, { reason: 'manual' }, now)).toBe(false)
    expect(await list.find(long, now)).toBeUndefined()
    expect(await list.remove(long, now)).toBe(false)
  })
})

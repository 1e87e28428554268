import { describe, expect, it } from 'vitest'
import { memoryKeyValue } from '../../../src/adapters/memory/index.ts'
import type { KeyValue } from '../../../src/contracts/key-value.ts'
import { keyValueContract, type OpenedKeyValue } from '../../../src/testing/contracts/key-value.ts'

/** Runs the suite and gives the checks that fail, by topic. */
async function failures(open: () => Promise<OpenedKeyValue>): Promise<string[]> {
  const checks: { readonly topic: string; readonly run: () => Promise<void> }[] = []
  let topic = ''
  keyValueContract({
    describe: (name, define) => {
      topic = name
      define()
    },
    it: (_name, run) => checks.push({ topic, run }),
    skipped: () => {},
    open,
  })
  const failed = new Set<string>()
  for (const check of checks) await check.run().catch(() => failed.add(check.topic))
  return [...failed]
}

/** A store that is right, but for what `fault` makes of some of its methods. */
const faulty = (fault: (right: KeyValue) => Partial<KeyValue>) => async (): Promise<OpenedKeyValue> => {
  const right = memoryKeyValue()
  const all: KeyValue = {
    traits: right.traits,
    get: (...given) => right.get(...given),
    set: (...given) => right.set(...given),
    swap: (...given) => right.swap(...given),
    add: (...given) => right.add(...given),
    remove: (...given) => right.remove(...given),
    list: (...given) => right.list(...given),
    sweep: async (now) => right.sweep!(now),
    close: async () => right.close!(),
  }
  return { store: { ...all, ...fault(right) } }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const faults: readonly (readonly [topic: string, what: string, fault: (right: KeyValue) => Partial<KeyValue>])[] = [
  ['get and set', 'takes keys for the same by case', (right) => ({
    get: (key, now) => right.get(key.toLowerCase(), now),
    set: (key, ...rest) => right.set(key.toLowerCase(), ...rest),
  })],
  ['get and set', 'cuts values at a NUL', (right) => ({
    set: (key, value, keeping) => right.set(key, value.split('\0')[0]!, keeping),
  })],
  ['get and set', 'takes an empty value for none', (right) => ({
    get: async (...given) => (await right.get(...given)) || undefined,
  })],
  ['get and set', 'cuts long keys', (right) => ({
    get: (key, now) => right.get(key.slice(0, 255), now),
    set: (key, ...rest) => right.set(key.slice(0, 255), ...rest),
  })],
  ['time', 'has a thing a millisecond too long', (right) => ({ get: (key, now) => right.get(key, now - 1) })],
  ['time', 'forgets when to end', (right) => ({ set: (key, value, { now }) => right.set(key, value, { now }) })],
  ['time', 'keeps an old end', (right) => ({
    set: async (key, value, keeping) => {
      const ends = await right.get(key, keeping.now) !== undefined
      await right.set(key, value, ends ? { ...keeping, until: keeping.now + 1000 } : keeping)
    },
  })],
  ['swap', 'does not look at what is expected', (right) => ({
    swap: async (key, _expected, value, keeping) => {
      if (value === undefined) await right.remove(key, keeping.now)
      else await right.set(key, value, keeping)
      return true
    },
  })],
  ['swap', 'cannot remove', (right) => ({
    swap: (key, expected, value, keeping) => right.swap(key, expected, value ?? '', keeping),
  })],
  ['add', 'begins the window anew with every addition', (right) => ({
    add: async (key, amount, keeping) => {
      const sum = await right.add(key, amount, keeping)
      await right.set(key, String(sum), keeping)
      return sum
    },
  })],
  ['add', 'makes a number of anything', (right) => ({
    add: async (key, amount, keeping) => {
      const sum = (Number(await right.get(key, keeping.now)) || 0) + amount
      await right.set(key, String(sum), keeping)
      return sum
    },
  })],
  ['remove', 'says that it removed what was not there', (right) => ({
    remove: async (...given) => {
      await right.remove(...given)
      return true
    },
  })],
  ['remove', 'removes all that begins so', (right) => ({
    remove: async (key, now) => {
      const there = await right.remove(key, now)
      for await (const page of right.list(key, now)) for (const [one] of page) await right.remove(one, now)
      return there
    },
  })],
  ['list', 'gives code points in order, not code units', (right) => ({
    async *list(prefix, now) {
      const all: (readonly [string, string])[] = []
      for await (const page of right.list(prefix, now)) all.push(...page)
      yield all.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    },
  })],
  ['list', 'takes a prefix for a pattern', (right) => ({
    async *list(prefix, now) {
      for await (const page of right.list('', now)) {
        const pattern = new RegExp(`^${prefix.replaceAll('*', '\\*').replaceAll('%', '.*').replaceAll('_', '.')}`, 's')
        const found = page.filter(([key]) => pattern.test(key))
        if (found.length > 0) yield found
      }
    },
  })],
  ['list', 'gives the first page alone', (right) => ({
    async *list(prefix, now) {
      for await (const page of right.list(prefix, now)) return yield page
    },
  })],
  ['list', 'pages by number, and so skips when something before is removed', (right) => ({
    async *list(prefix, now) {
      for (let from = 0; ; from += 100) {
        const all: (readonly [string, string])[] = []
        for await (const page of right.list(prefix, now)) all.push(...page)
        if (from >= all.length) return
        yield all.slice(from, from + 100)
      }
    },
  })],
  ['sweep', 'frees all', (right) => ({ sweep: () => right.sweep!(8e15) })],
  ['sweep', 'counts what it did not free', (right) => ({ sweep: async (now) => (await right.sweep!(now)) + 1 })],
  ['many at once', 'reads, then adds', (right) => ({
    add: async (key, amount, keeping) => {
      const found = await right.get(key, keeping.now)
      await turn()
      if (found === undefined) return right.add(key, amount, keeping)
      const sum = Number(found) + amount
      await right.swap(key, await right.get(key, keeping.now), String(sum), keeping)
      return sum
    },
  })],
  ['many at once', 'reads, then swaps', (right) => ({
    swap: async (key, expected, value, keeping) => {
      if (await right.get(key, keeping.now) !== expected) return false
      await turn()
      if (value === undefined) await right.remove(key, keeping.now)
      else await right.set(key, value, keeping)
      return true
    },
  })],
  ['many at once', 'looks, then removes', (right) => ({
    remove: async (key, now) => {
      const there = await right.get(key, now) !== undefined
      await turn()
      await right.remove(key, now)
      return there
    },
  })],
  ['any sequence of calls', 'forgets one addition in seven', (right) => {
    let additions = 0
    return { add: (key, amount, keeping) => right.add(key, ++additions % 7 === 0 ? 0 : amount, keeping) }
  }],
  ['after a crash', 'claims more than it keeps', () => ({ traits: { durability: 'disk' } })],
  ['close', 'goes on', () => ({ close: async () => {} })],
]

describe('keyValueContract', () => {
  it('passes a store that is right', async () => {
    expect(await failures(faulty(() => ({})))).toEqual([])
  })

  it('passes one that cannot sweep or close', async () => {
    const open = faulty(() => ({}))
    const bare = async (): Promise<OpenedKeyValue> => {
      const { sweep: _sweep, close: _close, ...store } = (await open()).store
      return { store }
    }
    expect(await failures(bare)).toEqual([])
  })

  it.each(faults)('catches in "%s" one that %s', async (topic, _what, fault) => {
    expect(await failures(faulty(fault))).toContain(topic)
  })

  it('catches one that loses with a crash what it has answered', async () => {
    const open = async (): Promise<OpenedKeyValue> => {
      const { store } = await faulty(() => ({ traits: { durability: 'process' } }))()
      return { store, reopen: async () => memoryKeyValue() }
    }
    expect(await failures(open)).toEqual(['after a crash'])
  })
})

import { print } from '../../adapters/node/print.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import { allOf, equal, holds, rejects, type Runner } from './checks.ts'
import { likeAModel } from './key-value-model.ts'

/** A store under test. */
export interface OpenedKeyValue {
  readonly store: KeyValue
  /** Lets go of the store without a farewell, as a crash would, and opens what it left. Needed from durability `process` on. */
  readonly reopen?: () => Promise<KeyValue>
}

/** What {@link keyValueContract} takes. */
export interface KeyValueContractOptions extends Runner {
  /** A fresh store with nothing in it. */
  readonly open: () => Promise<OpenedKeyValue>
}

/** What every key-value store has to do, whatever it runs on. Time is virtual: it needs a clock of its own nowhere. */
export function keyValueContract(options: KeyValueContractOptions): void {
  const { describe } = options
  describe('get and set', () => keeping(options))
  describe('time', () => timing(options))
  describe('swap', () => swapping(options))
  describe('add', () => adding(options))
  describe('remove', () => removing(options))
  describe('list', () => listing(options))
  describe('sweep', () => sweeping(options))
  describe('many at once', () => crowding(options))
  describe('any sequence of calls', () => likeAModel(options))
  describe('after a crash', () => surviving(options))
  describe('close', () => closing(options))
}

/** Some time in 2027, before which nothing here happens. */
const T = 1_800_000_000_000
const forGood = { now: T }

/** Keys that stores mix up: by case, by form, by blanks, by what they take for a pattern, a path or a property. */
const oddKeys: readonly string[] = [
  'a', 'A', 'a ', ' a', 'a:b', 'a%', 'a_', 'a*', 'a?', 'a\\', "a'", 'a"', 'a/b', '../a', '.', '..',
  '[a]', 'a\nb', 'a\tb', 'a\u0000', 'a\u0000b', '__proto__', 'constructor', 'null', 'undefined', '0', '00', '1e3',
  '\u00e5', 'a\u030a', '\u{1f4ec}', '\uffff', '\ue000',
  'x'.repeat(512), `${'x'.repeat(511)}y`, '\u20ac'.repeat(512),
]

/** Ascending by UTF-16 code unit, which is neither the order of code points nor that of any language. */
const ordered: readonly string[] = [
  'k:', 'k:\u0000', 'k: ', 'k:%', 'k:1', 'k:10', 'k:2', 'k:A', 'k:B', 'k:_', 'k:a', 'k:a\u0000', 'k:aa', 'k:\u00e5', 'k:\u20ac',
  'k:\u{1f4ec}', 'k:\ue000', 'k:\uffff',
]

async function fill(store: KeyValue, entries: Iterable<readonly [string, string]>): Promise<void> {
  await Promise.all([...entries].map(([key, value]) => store.set(key, value, forGood)))
}

/** All that `list` gives, and no page of it empty. */
async function listed(store: KeyValue, prefix: string, now = T): Promise<(readonly [string, string])[]> {
  const pages = await allOf(store.list(prefix, now))
  for (const page of pages) holds(page.length > 0, 'a page with nothing on it')
  return pages.flat().map(([key, value]) => [key, value])
}

function keeping({ it, open }: KeyValueContractOptions): void {
  it('has nothing at first', async () => {
    const { store } = await open()
    equal([await store.get('a', T), await store.remove('a', T), await listed(store, '')], [undefined, false, []])
  })

  it('gives back what was set, and what was set last', async () => {
    const { store } = await open()
    await store.set('a', 'one', forGood)
    equal(await store.get('a', T), 'one')
    await store.set('a', 'two', forGood)
    equal(await store.get('a', T), 'two')
  })

  it('keeps any key apart from all others', async () => {
    const { store } = await open()
    await fill(store, oddKeys.map((key, i) => [key, `value ${i}`] as const))
    for (const [i, key] of oddKeys.entries()) equal(await store.get(key, T), `value ${i}`, JSON.stringify(key.slice(0, 20)))
    equal((await listed(store, '')).length, oddKeys.length, 'number of keys')
  })

  it('keeps any text', async () => {
    const { store } = await open()
    const short = ['', ' ', '0', 'null', 'undefined', '"', '\u0000', 'a\u0000b', '\r\n', '\u{1f4ec}', 'e\u0301']
    for (const value of [...short, 'x'.repeat(65_536), '\u20ac'.repeat(21_845)]) {
      await store.set('a', value, forGood)
      equal(await store.get('a', T), value)
    }
  })
}

function timing({ it, open }: KeyValueContractOptions): void {
  it('has what is kept until its time, not from then on', async () => {
    const { store } = await open()
    await store.set('a', 'one', { now: T, until: T + 1000 })
    equal([await store.get('a', T), await store.get('a', T + 999), await store.get('a', T + 1000)], ['one', 'one', undefined])
    equal([await listed(store, 'a', T + 999), await listed(store, 'a', T + 1000)], [[['a', 'one']], []])
  })

  it('keeps what has no time for good', async () => {
    const { store } = await open()
    await store.set('a', 'one', forGood)
    await store.add('b', 1, forGood)
    equal([await store.get('a', 8e15), await store.get('b', 8e15)], ['one', '1'])
  })

  it('forgets the old time when something is set anew', async () => {
    const { store } = await open()
    await store.set('a', 'one', { now: T, until: T + 1000 })
    await store.set('a', 'two', { now: T, until: T + 2000 })
    equal([await store.get('a', T + 1999), await store.get('a', T + 2000)], ['two', undefined])
    await store.set('a', 'three', { now: T + 2000 })
    equal(await store.get('a', 8e15), 'three')
  })

  it('takes what has timed out for nothing, in every call', async () => {
    const { store } = await open()
    const keeping = { now: T, until: T + 1000 }
    for (const key of ['a', 'b', 'c', 'd']) await store.set(key, '7', keeping)
    const later = { now: T + 1000, until: T + 5000 }
    equal(await store.swap('a', '7', 'x', later), false, 'swap of what is gone')
    equal(await store.swap('b', undefined, 'new', later), true, 'swap of nothing')
    equal(await store.add('c', 1, later), 1, 'sum')
    equal(await store.remove('d', T + 1000), false, 'remove of what is gone')
    equal(await listed(store, '', T + 4999), [['b', 'new'], ['c', '1']])
    equal(await listed(store, '', T + 5000), [])
  })
}

function swapping({ it, open }: KeyValueContractOptions): void {
  it('puts, changes and removes where all is as expected', async () => {
    const { store } = await open()
    equal(await store.swap('a', undefined, 'one', forGood), true)
    equal(await store.swap('a', 'one', 'two', forGood), true)
    equal(await store.get('a', T), 'two')
    equal(await store.swap('a', 'two', undefined, forGood), true)
    equal(await store.get('a', T), undefined)
    equal(await store.swap('a', undefined, undefined, forGood), true)
    equal(await listed(store, ''), [])
  })

  it('changes nothing where it is not', async () => {
    const { store } = await open()
    await store.set('a', 'one', { now: T, until: T + 1000 })
    const wrong = [undefined, 'One', 'one ', '', 'on', 'one\u0000']
    for (const expected of wrong) {
      equal(await store.swap('a', expected, 'two', { now: T, until: T + 9000 }), false, `swap for ${JSON.stringify(expected)}`)
      equal(await store.swap('a', expected, undefined, forGood), false)
    }
    equal(await store.swap('b', 'one', 'two', forGood), false)
    equal([await listed(store, '', T + 999), await listed(store, '', T + 1000)], [[['a', 'one']], []])
  })

  it('gives what it puts a time of its own', async () => {
    const { store } = await open()
    await store.set('a', 'one', { now: T, until: T + 1000 })
    await store.swap('a', 'one', 'two', { now: T, until: T + 2000 })
    equal([await store.get('a', T + 1999), await store.get('a', T + 2000)], ['two', undefined])
  })
}

function adding({ it, open }: KeyValueContractOptions): void {
  it('counts up and down from 0', async () => {
    const { store } = await open()
    const sums: number[] = []
    for (const amount of [1, 1, 5, -3, 0, -10, 6]) sums.push(await store.add('a', amount, forGood))
    equal(sums, [1, 2, 7, 4, 4, -6, 0])
    equal(await store.get('a', T), '0')
  })

  it('ends a window when it was to end', async () => {
    const { store } = await open()
    await store.add('a', 1, { now: T, until: T + 1000 })
    await store.add('a', 1, { now: T + 500, until: T + 9000 })
    await store.add('a', 1, { now: T + 999 })
    equal([await store.get('a', T + 999), await store.get('a', T + 1000)], ['3', undefined])
    equal(await store.add('a', 1, { now: T + 1000, until: T + 2000 }), 1)
  })

  it('adds to what was set, if that is a whole number', async () => {
    const { store } = await open()
    await store.set('a', '41', forGood)
    equal(await store.add('a', 1, forGood), 42)
    for (const value of ['', ' ', 'one', '1.5', '1e3', '0x10', '01', ' 1', 'NaN', 'Infinity', '9007199254740992']) {
      await store.set('a', value, forGood)
      await rejects(store.add('a', 1, forGood), 'misuse')
      equal(await store.get('a', T), value)
    }
  })

  it('never gives a sum that is not exact', async () => {
    const { store } = await open()
    equal(await store.add('a', Number.MAX_SAFE_INTEGER - 1, forGood), Number.MAX_SAFE_INTEGER - 1)
    equal(await store.add('a', 1, forGood), Number.MAX_SAFE_INTEGER)
    await rejects(store.add('a', 1, forGood), 'misuse')
    equal(await store.get('a', T), String(Number.MAX_SAFE_INTEGER))
    equal(await store.add('b', -Number.MAX_SAFE_INTEGER, forGood), -Number.MAX_SAFE_INTEGER)
    await rejects(store.add('b', -1, forGood), 'misuse')
  })
}

function removing({ it, open }: KeyValueContractOptions): void {
  it('removes what is there, once', async () => {
    const { store } = await open()
    await fill(store, [['a', 'one'], ['ab', 'two']])
    equal([await store.remove('a', T), await store.remove('a', T)], [true, false])
    equal(await listed(store, ''), [['ab', 'two']])
  })
}

function listing({ it, open }: KeyValueContractOptions): void {
  it('gives keys that begin so, by code unit', async () => {
    const { store } = await open()
    await fill(store, [...ordered].reverse().map((key) => [key, `value of ${key}`] as const))
    await fill(store, [['K:a', 'x'], ['k', 'x'], ['k;', 'x'], ['ak:', 'x'], ['l', 'x']])
    equal((await listed(store, 'k:')).map(([key]) => key), ordered)
    equal(await listed(store, 'k:a'), ['k:a', 'k:a\u0000', 'k:aa'].map((key) => [key, `value of ${key}`]))
    for (const none of ['k:%%', 'k:__', 'k*', 'k:\u0301', 'kk']) equal(await listed(store, none), [], `what begins with ${none}`)
  })

  it('gives all of many', async () => {
    const { store } = await open()
    const many = Array.from({ length: 1100 }, (_, i) => [`many:${String(i).padStart(5, '0')}`, String(i)] as const)
    await fill(store, many)
    await fill(store, [['man', 'x'], ['many', 'x'], ['many;', 'x']])
    equal(await listed(store, 'many:'), many)
  })

  it('misses nothing that was there all the time, whatever goes on meanwhile', async () => {
    const { store } = await open()
    const keys = Array.from({ length: 600 }, (_, i) => `a:${String(i).padStart(4, '0')}`)
    await fill(store, keys.map((key) => [key, '1'] as const))
    const found: string[] = []
    let turn = 0
    for await (const page of store.list('a:', T)) {
      found.push(...page.map(([key]) => key))
      // One that was given goes, one that is yet to come goes, one comes behind and one before.
      await store.remove(found[0] as string, T)
      await store.remove('a:0599', T)
      await store.set(`a:0000${turn}`, 'x', forGood)
      await store.set(`a:9${turn++}`, 'x', forGood)
    }
    const there = new Set(found)
    equal(found.length, there.size, 'number of keys, each once')
    equal(keys.filter((key) => key !== 'a:0599' && !there.has(key)), [])
    equal(found, [...found].sort())
  })
}

function sweeping({ it, open, skipped = print }: KeyValueContractOptions): void {
  it('frees what has timed out, and nothing else', async () => {
    const { store } = await open()
    if (!store.sweep) {
      skipped('keyValueContract: sweep (there is none)')
      return
    }
    const keys = Array.from({ length: 1300 }, (_, i) => `a:${i}`)
    await Promise.all(keys.map((key, i) => store.set(key, 'x', { now: T, until: T + i })))
    await fill(store, [['b', 'x']])
    const swept = await store.sweep(T + 1199)
    holds(swept <= 1200, `${swept} were freed, but only 1200 have timed out`)
    equal((await listed(store, 'a:', T + 1199)).length, 100, 'number of keys left')
    equal([await store.get('a:1200', T + 1199), await store.get('b', T + 1199)], ['x', 'x'])
    equal(await store.sweep(T + 1199), 0, 'what a second sweep frees')
  })
}

function crowding({ it, open }: KeyValueContractOptions): void {
  it('loses no addition', async () => {
    const { store } = await open()
    const sums = await Promise.all(Array.from({ length: 200 }, () => store.add('a', 1, { now: T, until: T + 1000 })))
    equal([...sums].sort((a, b) => a - b), Array.from({ length: 200 }, (_, i) => i + 1))
    equal(await store.get('a', T), '200')
  })

  it('lets one of many swaps through', async () => {
    const { store } = await open()
    for (const expected of [undefined, 'one'] as const) {
      if (expected !== undefined) await store.set('a', expected, forGood)
      const names = Array.from({ length: 50 }, (_, i) => `winner ${i}`)
      const won = await Promise.all(names.map((name) => store.swap('a', expected, name, forGood)))
      equal(won.filter(Boolean).length, 1, 'number of swaps that were made')
      equal(await store.get('a', T), names[won.indexOf(true)])
    }
  })

  it('loses no change of those who read, swap and try again', async () => {
    const { store } = await open()
    const append = async (letter: string): Promise<void> => {
      for (let tries = 0; tries < 1000; tries++) {
        const before = await store.get('a', T)
        if (await store.swap('a', before, (before ?? '') + letter, forGood)) return
      }
      throw new Error('1000 swaps in a row have failed')
    }
    const letters = [...'abcdefghij']
    await Promise.all(letters.map(append))
    equal([...(await store.get('a', T) ?? '')].sort(), letters)
  })

  it('says of one only that it removed', async () => {
    const { store } = await open()
    await store.set('a', 'one', forGood)
    const removed = await Promise.all(Array.from({ length: 20 }, () => store.remove('a', T)))
    equal(removed.filter(Boolean).length, 1)
  })

  it('fails one call alone', async () => {
    const { store } = await open()
    await store.set('a', 'no number', forGood)
    const good = Array.from({ length: 10 }, () => store.add('b', 1, forGood))
    await rejects(store.add('a', 1, forGood), 'misuse')
    await Promise.all(good)
    equal(await store.get('b', T), '10')
  })
}

function surviving({ it, open, skipped = print }: KeyValueContractOptions): void {
  it('has what was answered', async () => {
    const { store, reopen } = await open()
    const { durability } = store.traits
    if (durability === 'none') {
      skipped('keyValueContract: after a crash (durability is none)')
      return
    }
    if (!reopen) throw new Error(`durability is ${durability}: give reopen, so that it can be shown`)
    await fill(store, oddKeys.map((key) => [key, `value of ${key}`] as const))
    await store.add('count', 2, { now: T, until: T + 1000 })
    await store.swap('a', 'value of a', 'swapped', { now: T, until: T + 1000 })
    await store.remove('A', T)
    const again = await reopen()
    equal([await again.get('a', T), await again.get('A', T), await again.get('..', T)], ['swapped', undefined, 'value of ..'])
    equal(await again.add('count', 1, { now: T + 999 }), 3)
    equal([await again.get('a', T + 1000), await again.get('count', T + 1000)], [undefined, undefined])
    equal((await listed(again, '')).length, oddKeys.length, 'number of keys')
  })
}

function closing({ it, open, skipped = print }: KeyValueContractOptions): void {
  it('refuses later calls', async () => {
    const { store } = await open()
    if (!store.close) {
      skipped('keyValueContract: close (there is none)')
      return
    }
    const first = store.add('a', 1, forGood)
    await Promise.all([first, store.close()])
    await store.close()
    await rejects(store.get('a', T), 'closed')
    await rejects(store.set('a', 'x', forGood), 'closed')
    await rejects(store.swap('a', undefined, 'x', forGood), 'closed')
    await rejects(store.add('a', 1, forGood), 'closed')
    await rejects(store.remove('a', T), 'closed')
    await rejects(allOf(store.list('', T)), 'closed')
    if (store.sweep) await rejects(store.sweep(T), 'closed')
  })
}

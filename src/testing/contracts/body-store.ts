import { print } from '../../adapters/node/print.ts'
import type { BodyStore, StoredBody } from '../../contracts/bodies.ts'
import { joinedOctets } from '../../protocol/bytes/joined.ts'
import { allOf, equal, holds, octetsOf, pattern, rejects, type Runner } from './checks.ts'

/** A store under test. */
export interface OpenedBodyStore {
  readonly store: BodyStore
  /** Lets go of the store without a farewell, as a crash would, and opens what it left. Needed from durability `process` on. */
  readonly reopen?: () => Promise<BodyStore>
}

/** What {@link bodyStoreContract} takes. */
export interface BodyStoreContractOptions extends Runner {
  /** A fresh store with nothing in it. */
  readonly open: () => Promise<OpenedBodyStore>
}

/** Sizes on both sides of what adapters gather, page or cut at. */
const sizes = [0, 1, 255, 4096, 65_537, 1_048_577]

/** Ranges of a body of 300 000 octets. */
const ranges = [[0, 0], [0, 1], [0, 300_000], [299_999, 300_000], [300_000, 300_000], [65_535, 65_537], [1, 262_145]] as const

/** What every body store has to do, whatever it runs on. */
export function bodyStoreContract(options: BodyStoreContractOptions): void {
  const { describe } = options
  describe('bodies that are written', () => writing(options))
  describe('bodies that are kept', () => keeping(options))
  describe('bodies after a crash', () => surviving(options))
}

async function put(store: BodyStore, ...chunks: readonly Uint8Array[]): Promise<StoredBody> {
  const writer = store.create()
  for (const chunk of chunks) await writer.write(chunk)
  return writer.commit()
}

async function kept(store: BodyStore): Promise<string[]> {
  return (await allOf(store.list())).sort()
}

function writing({ it, open }: BodyStoreContractOptions): void {
  for (const size of sizes) {
    it(`gives back ${size} octets as they were written`, async () => {
      const { store } = await open()
      const bytes = pattern(size)
      const body = await put(store, bytes)
      equal(body.size, size, 'size')
      equal(await octetsOf(body), bytes, 'what commit gave')
      const found = await store.open(body.id)
      holds(found !== undefined, 'not found by its id')
      equal(found?.size, size, 'size when opened')
      equal(await octetsOf(found as StoredBody), bytes, 'what open gave')
    })
  }

  it('joins what was written in pieces', async () => {
    const { store } = await open()
    const pieces = Array.from({ length: 300 }, (_, i) => pattern(i * 7, i))
    equal(await octetsOf(await put(store, ...pieces)), joinedOctets(pieces))
  })

  it('shows nobody a body before its commit', async () => {
    const { store } = await open()
    const writer = store.create()
    await writer.write(pattern(100_000))
    equal(await kept(store), [])
    const { id } = await writer.commit()
    equal(await kept(store), [id])
  })

  it('keeps writers side by side apart', async () => {
    const { store } = await open()
    const writers = [1, 2, 3].map((seed) => ({ seed, writer: store.create() }))
    for (let i = 0; i < 20; i++) for (const { seed, writer } of writers) await writer.write(pattern(5000, seed))
    const bodies = await Promise.all(writers.map(({ writer }) => writer.commit()))
    equal(new Set(bodies.map(({ id }) => id)).size, 3, 'number of ids')
    for (const [index, body] of bodies.entries()) {
      equal(await octetsOf(body), joinedOctets(Array.from({ length: 20 }, () => pattern(5000, index + 1))))
    }
  })

  it('keeps nothing of a body that was discarded, however often', async () => {
    const { store } = await open()
    const untouched = store.create()
    await untouched.discard()
    const writer = store.create()
    await writer.write(pattern(300_000))
    await writer.discard()
    await writer.discard()
    equal(await kept(store), [])
    await rejects((async () => writer.write(pattern(1)))(), 'misuse')
    await rejects(writer.commit(), 'misuse')
  })

  it('discards while a write is under way', async () => {
    const { store } = await open()
    const writer = store.create()
    const write = Promise.resolve(writer.write(pattern(2_000_000))).catch(() => {})
    await writer.discard()
    await write
    equal(await kept(store), [])
  })

  it('commits once', async () => {
    const { store } = await open()
    const writer = store.create()
    await writer.write(pattern(10))
    const { id } = await writer.commit()
    await rejects(writer.commit(), 'misuse')
    await writer.discard()
    equal(await kept(store), [id])
  })
}

function keeping({ it, open }: BodyStoreContractOptions): void {
  it('reads ranges', async () => {
    const { store } = await open()
    const bytes = pattern(300_000)
    const { id } = await put(store, bytes)
    const body = await store.open(id) as StoredBody
    for (const [start, end] of ranges) {
      equal(await octetsOf(body, { start, end }), bytes.subarray(start, end), `octets ${start} to ${end}`)
    }
  })

  it('reads the same body side by side, and stops early', async () => {
    const { store } = await open()
    const bytes = pattern(700_000)
    const body = await put(store, bytes)
    for await (const chunk of body.read()) {
      holds(chunk.length > 0, 'an empty chunk')
      break
    }
    for (const octets of await Promise.all([octetsOf(body), octetsOf(body), octetsOf(body)])) equal(octets, bytes)
  })

  it('knows nothing of ids it never gave', async () => {
    const { store } = await open()
    await put(store, pattern(1))
    for (const id of ['', 'none', '.', '..', '../../etc/passwd', '/etc/passwd', 'a\u0000b', 'x'.repeat(5000), '%2e%2e']) {
      equal(await store.open(id), undefined, `what it has under ${JSON.stringify(id)}`)
    }
    await store.remove(['none', '..', '/', ''])
    equal((await kept(store)).length, 1)
  })

  it('removes', async () => {
    const { store } = await open()
    const bodies = [await put(store, pattern(1)), await put(store, pattern(2)), await put(store, pattern(3))]
    const [first, second, third] = bodies.map(({ id }) => id) as [string, string, string]
    await store.remove([first, third, first])
    await store.remove([])
    equal(await kept(store), [second])
    equal(await store.open(first), undefined)
  })

  it('gives each body an id of its own, also after one was removed', async () => {
    const { store } = await open()
    const seen = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const { id } = await put(store, pattern(10))
      holds(!seen.has(id), `the id ${id} was given twice`)
      seen.add(id)
      await store.remove([id])
    }
  })
}

function surviving({ it, open, skipped = print }: BodyStoreContractOptions): void {
  it('keeps what was committed, and sweeps the rest', async () => {
    const { store, reopen } = await open()
    const { durability } = store.traits
    if (durability === 'none') {
      skipped('bodyStoreContract: bodies after a crash (durability is none)')
      return
    }
    if (!reopen) throw new Error(`durability is ${durability}: give reopen, so that it can be shown`)
    const bytes = pattern(200_000)
    const { id } = await put(store, bytes)
    const unfinished = store.create()
    await unfinished.write(pattern(200_000, 2))
    const again = await reopen()
    equal(await kept(again), [id])
    equal(await octetsOf(await again.open(id) as StoredBody), bytes)
  })
}

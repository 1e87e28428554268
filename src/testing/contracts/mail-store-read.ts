import type { Selection, StoredMessage } from '../../contracts/store.ts'
import { equal, holds, octetsOf, pattern, rejects } from './checks.ts'
import {
  ascending,
  bodyOf,
  entriesOf,
  entryOf,
  everyUid,
  factsOf,
  fill,
  inbox,
  isIn,
  listed,
  mailboxOf,
  type MailStoreContractOptions,
  message,
  needing,
  octetsIn,
  setFor,
  setOf,
  storedOf,
  uidsOf,
  unknownIds,
} from './sample-mail.ts'

/** What `entries` and `list` give. */
export function listing({ it, open }: MailStoreContractOptions): void {
  it('list none of a mailbox it does not have', async () => {
    const { store } = await open()
    for (const none of unknownIds()) {
      equal(await listed(store, none), [])
      equal(await entriesOf(store, none, { uids: everyUid, since: 0 }), [])
    }
  })

  it('list a long mailbox whole, in order, or what is selected of it', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const appends = Array.from({ length: 1003 }, (_, i) => store.append(id, message(pattern(5, i))))
    const stored = (await Promise.all(appends)).map(storedOf).sort((a, b) => a.uid - b.uid)
    equal(await listed(store, id), stored)
    equal(await entriesOf(store, id), stored.map(entryOf))
    const highest = (await store.mailboxes('alice'))[0]?.modSeq as number
    const some = [0, 199, 200, 1002].map((i) => stored[i] as StoredMessage)
    const selections: Selection[] = [
      ...[0, 1, ...some.map(({ modSeq }) => modSeq), highest, highest + 1].map((since) => ({ since })),
      ...some.map(({ uid }) => ({ uids: [{ first: 1, last: uid }] })),
      ...some.map(({ uid }) => ({ uids: [{ first: uid, last: 2 ** 32 - 1 }] })),
      { uids: [] },
      { uids: setFor(some) },
      { uids: setFor(some), since: some[1]?.modSeq as number },
      { uids: setFor(stored.filter((_, index) => index % 3 === 1)) },
      { uids: everyUid, since: some[2]?.modSeq as number },
    ]
    for (const which of selections) {
      const { uids = everyUid, since = 0 } = which
      const wanted = uidsOf(stored.filter(({ uid, modSeq }) => isIn(uids, uid) && modSeq > since))
      const what = `selected by ${JSON.stringify(which).slice(0, 100)}`
      equal(uidsOf(await listed(store, id, which)), wanted, what)
      equal(uidsOf(await entriesOf(store, id, which)), wanted, what)
    }
  })

  it('list little at a time of what says much', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const long = factsOf(5)
    const references = Array.from({ length: 8000 }, (_, i) => `<${i}.of.many@list.example>`)
    const lengths = [1, 1, 4, 1, 4, 4, 1, 1, 16, 1]
    const stored: StoredMessage[] = []
    for (const [i, length] of lengths.entries()) {
      const facts = length === 1 ? long : { ...long, references: Array.from({ length }, () => references).flat() }
      stored.push(await store.append(id, message(pattern(5, i), { facts })))
    }
    const everySecond = setFor(stored.filter((_, index) => index % 2 === 0))
    for (const which of [{}, { uids: everySecond }, { since: stored[2]?.modSeq as number }] satisfies Selection[]) {
      const uids: number[] = []
      for await (const page of store.list(id, which)) {
        const octets = page.reduce((sum, { facts }) => sum + JSON.stringify(facts).length, 0)
        holds(page.length === 1 || octets < 1.2e6, `${page.length} messages that say ${octets} octets, in one page`)
        uids.push(...uidsOf(page))
      }
      equal(uids, uidsOf(stored.filter(({ uid, modSeq }) => isIn(which.uids ?? everyUid, uid) && modSeq > (which.since ?? 0))))
    }
  })

  it('list what is changed as it stands', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const [first, , third] = await fill(store, id, [], [], [])
    const { modSeq } = await mailboxOf(store, { account: 'alice', id })
    const { changed } = await store.flag(id, setFor([first as StoredMessage]), { kind: 'add', flags: ['$Later'] })
    await store.expunge(id, setFor([third as StoredMessage]))
    const [entry] = await entriesOf(store, id, { since: modSeq })
    equal(entry, { ...entryOf(first as StoredMessage), modSeq: changed[0]?.modSeq as number, flags: ['$Later'] })
    equal(uidsOf(await entriesOf(store, id, { since: modSeq })), [first?.uid])
    equal((await listed(store, id)).length, 2)
  })

  it('let others in while they go: nothing twice, nothing missed', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const before = await Promise.all(Array.from({ length: 450 }, (_, i) => store.append(id, message(pattern(5, i)))))
    const uids: number[] = []
    const late: Promise<StoredMessage>[] = []
    for await (const page of store.list(id)) {
      uids.push(...uidsOf(page))
      if (late.length < 5) late.push(store.append(id, message(pattern(6))))
    }
    ascending(uids, 'UIDs')
    equal(uids.slice(0, 450), uidsOf(before).sort((a, b) => a - b))
    await Promise.all(late)
    equal((await listed(store, id)).length, 450 + late.length)
  })

  it('end when the mailbox is removed on the way', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    await Promise.all(Array.from({ length: 450 }, () => fill(store, id, [])))
    const uids: number[] = []
    for await (const page of store.list(id)) {
      if (uids.length === 0) await store.remove(id)
      uids.push(...uidsOf(page))
    }
    ascending(uids, 'UIDs')
    equal(await listed(store, id), [])
  })

  it('can be left early', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    await fill(store, id, [], [], [])
    for await (const page of store.list(id)) {
      holds(page.length > 0, 'an empty page')
      break
    }
    for await (const page of store.entries(id)) {
      holds(page.length > 0, 'an empty page')
      break
    }
    await fill(store, id, [])
    equal((await listed(store, id)).length, 4)
  })
}

/** What `body` gives. */
export function reading({ it, open }: MailStoreContractOptions): void {
  it('has none for ids it never gave', async () => {
    const { store } = await open()
    const { id } = await store.append((await inbox(store)).id, message(pattern(5)))
    for (const none of ['', '0', '-1', '999999', '../1', 'x', '__proto__', `${id} `]) {
      equal(await store.body(none), undefined, `body ${none}`)
    }
  })

  for (const size of [5000, 2_500_000]) {
    it(`reads ranges of ${size} octets, side by side, and stops early`, async () => {
      const { store } = await open()
      const bytes = pattern(size)
      const { id } = await store.append((await inbox(store)).id, message(bytes))
      const body = await bodyOf(store, id)
      equal([body.id, body.size], [id, size])
      const ranges = [[0, 0], [0, 1], [0, size], [size - 1, size], [size, size], [1000, 4000], [1, size]] as const
      const read = await Promise.all(ranges.map(([start, end]) => octetsOf(body, { start, end })))
      ranges.forEach(([start, end], i) => equal(read[i], bytes.subarray(start, end), `octets ${start} to ${end}`))
      for await (const chunk of body.read()) {
        holds(chunk.length > 0, 'an empty chunk')
        break
      }
      equal(await octetsOf(body), bytes)
    })

    it(`stays for as long as a message of ${size} octets is anywhere`, async () => {
      const { store } = await open()
      const boxes = [await inbox(store), await store.create('alice', ['a']), await inbox(store, 'bob')]
      const bytes = pattern(size)
      const given = message(bytes)
      const [first] = [await store.append(boxes[0]?.id as string, given), await store.append(boxes[0]?.id as string, given)]
      const [second] = [await store.append(boxes[1]?.id as string, given)]
      const uids = setFor([first])
      await store.copy(boxes[0]?.id as string, uids, boxes[2]?.id as string)
      await store.expunge(boxes[0]?.id as string, uids)
      equal(await octetsIn(store, first), bytes)
      await store.remove(boxes[0]?.id as string)
      equal(await octetsIn(store, second), bytes)
      await store.erase('alice')
      equal(await octetsIn(store, first), bytes)
      equal((await listed(store, boxes[2]?.id as string)).map(({ id, octets }) => [id, octets]), [[first.id, size]])
    })
  }

  it('is never given to another message', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const seen = new Set<string>()
    for (let i = 0; i < 10; i++) {
      const stored = await store.append(id, message(pattern(10, i)))
      holds(!seen.has(stored.id), `the message id ${stored.id} was used before`)
      seen.add(stored.id)
      await store.expunge(id, setOf([stored.uid]))
    }
  })
}

/** What `octets` gives. */
export function readingSeveral(options: MailStoreContractOptions): void {
  const it = needing(options, 'octets', 'octets')

  it('gives what body gives, or leaves it to body', async (store) => {
    const { id } = await inbox(store)
    for (const size of [0, 1, 5000, 60_000, 900_000]) {
      const bytes = pattern(size)
      const { id: of } = await store.append(id, message(bytes))
      const ranges = [[0, size], [size, size], [size >> 1, Math.min(size, (size >> 1) + 10_000)], [0, size >> 4]] as const
      const found = await store.octets(ranges.map(([start, end]) => ({ message: of, start, end })))
      equal(found.length, ranges.length)
      for (const [i, [start, end]] of ranges.entries()) {
        const read = found[i] ?? await octetsOf(await bodyOf(store, of), { start, end })
        equal(new Uint8Array(read), bytes.subarray(start, end), `octets ${start} to ${end} of ${size}`)
      }
    }
    equal(await store.octets([]), [])
  })

  it('has what body has of a message that is gone', async (store) => {
    const { id } = await inbox(store)
    const [gone, kept] = [await store.append(id, message(pattern(5))), await store.append(id, message(pattern(6)))]
    await store.expunge(id, setFor([gone]))
    const [none, some] = await store.octets([gone, kept].map((one) => ({ message: one.id, start: 1, end: 3 })))
    holds(none === undefined || await store.body(gone.id) !== undefined, 'octets of a message that no mailbox has')
    if (some) equal(new Uint8Array(some), pattern(6).subarray(1, 3))
  })

  it('has none for ids it never gave', async (store) => {
    const [kept] = await fill(store, (await inbox(store)).id, []) as [StoredMessage]
    for (const none of ['', '0', '-1', '999999', '../1', 'x', '__proto__', `${kept.id} `]) {
      equal(await store.octets([{ message: none, start: 0, end: 1 }]), [undefined], `octets of ${none}`)
    }
  })
}

/** What `claim` does. */
export function claiming(options: MailStoreContractOptions): void {
  const it = needing(options, 'claim', 'claim')

  it('gives each message to the first who asks', async (store) => {
    const made = await inbox(store)
    const unclaimed = async (): Promise<number> => (await mailboxOf(store, made)).recentFrom as number
    const [first, , last] = uidsOf(await fill(store, made.id, [], [], [])) as [number, number, number]
    holds(await unclaimed() <= first, 'they are not unclaimed from the first one on')
    const from = await store.claim(made.id)
    holds(from >= 1 && from <= first, `claimed from ${from}, not from the first one on`)
    holds(await unclaimed() > last, 'all were claimed, and are unclaimed')
    holds(await store.claim(made.id) > last, 'claimed twice')
    const [next] = uidsOf(await fill(store, made.id, [])) as [number]
    holds(await unclaimed() > last && await unclaimed() <= next, 'the next one is not unclaimed, alone')
  })

  it('gives none to two who ask at once', async (store) => {
    const { id } = await inbox(store)
    const uids = uidsOf(await fill(store, id, [], []))
    const claims = await Promise.all(Array.from({ length: 5 }, () => store.claim(id)))
    equal(claims.filter((from) => from <= (uids[1] as number)).length, 1, 'claims of the same messages')
  })

  it('refuses a mailbox it does not have', async (store) => {
    const { id } = await inbox(store)
    for (const none of unknownIds(id)) await rejects(store.claim(none), 'permanent')
  })
}

import type { StoredBody } from '../../contracts/bodies.ts'
import type { StoredMessage } from '../../contracts/store.ts'
import { allOf, equal, holds, octetsOf, pattern } from './checks.ts'
import { ascending, inbox, type MailStoreContractOptions, message, uidsOf } from './sample-mail.ts'

/** What `list` gives. */
export function listing({ it, open }: MailStoreContractOptions): void {
  it('lists none of a mailbox it does not have', async () => {
    const { store } = await open()
    for (const none of ['', '7', 'none', '__proto__']) equal(await allOf(store.list(none)), [])
  })

  it('lists a long mailbox whole, in order, and from any mod-sequence on', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const appends = Array.from({ length: 1003 }, (_, i) => store.append(id, message(pattern(5, i))))
    const stored = (await Promise.all(appends)).sort((a, b) => a.uid - b.uid)
    equal(await allOf(store.list(id)), stored)
    const highest = (await store.mailboxes('alice'))[0]?.modSeq as number
    const some = [0, 1, 199, 200, 500, 1001, 1002].map((i) => stored[i]?.modSeq as number)
    for (const since of [0, 1, ...some, highest, highest + 1]) {
      equal(uidsOf(await allOf(store.list(id, since))), uidsOf(stored.filter(({ modSeq }) => modSeq > since)), `since ${since}`)
    }
  })

  it('lets others in while it lists: nothing twice, nothing missed', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const before = await Promise.all(Array.from({ length: 450 }, (_, i) => store.append(id, message(pattern(5, i)))))
    const uids: number[] = []
    const late: Promise<StoredMessage>[] = []
    for await (const { uid } of store.list(id)) {
      uids.push(uid)
      if (uids.length % 90 === 0 && late.length < 5) late.push(store.append(id, message(pattern(6))))
    }
    ascending(uids, 'UIDs')
    equal(uids.slice(0, 450), uidsOf(before).sort((a, b) => a - b))
    await Promise.all(late)
    equal((await allOf(store.list(id))).length, 455)
  })

  it('can be left early', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    for (let i = 0; i < 3; i++) await store.append(id, message(pattern(5)))
    for await (const { uid } of store.list(id)) {
      holds(uid > 0, 'no UID')
      break
    }
    await store.append(id, message(pattern(5)))
    equal((await allOf(store.list(id))).length, 4)
  })
}

/** What `body` gives. */
export function reading({ it, open }: MailStoreContractOptions): void {
  it('has none for ids it never gave', async () => {
    const { store } = await open()
    await store.append((await inbox(store)).id, message(pattern(5)))
    for (const none of ['', '0', '-1', '999999', '../1', 'x', '__proto__']) {
      equal(await store.body(none), undefined, `body ${none}`)
    }
  })

  for (const size of [5000, 2_500_000]) {
    it(`reads ranges of ${size} octets, side by side, and stops early`, async () => {
      const { store } = await open()
      const bytes = pattern(size)
      const { id } = await store.append((await inbox(store)).id, message(bytes))
      const body = await store.body(id) as StoredBody
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
  }
}

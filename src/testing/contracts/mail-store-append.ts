import type { Body } from '../../contracts/bodies.ts'
import type { StoredMessage } from '../../contracts/store.ts'
import { indexMessage } from '../../message/indexer.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { equal, holds, pattern, rejects } from './checks.ts'
import {
  ascending,
  consistent,
  entriesOf,
  factsOf,
  inbox,
  listed,
  mailboxOf,
  type MailStoreContractOptions,
  meanwhile,
  message,
  needing,
  octetsIn,
  oddFacts,
  plainFacts,
  realMail,
  storedOf,
  streamed,
  uidsOf,
  unknownIds,
} from './sample-mail.ts'

/** What `append` does for one. */
export function appending({ it, open }: MailStoreContractOptions): void {
  for (const size of [0, 1, 5000, 100_000, 1_048_576, 1_048_577, 3_000_000]) {
    for (const how of ['at hand', 'streamed'] as const) {
      it(`keeps a body of ${size} octets, ${how}`, async () => {
        const { store } = await open()
        const { id } = await inbox(store)
        const bytes = pattern(size)
        const given = message(bytes, how === 'streamed' ? { body: streamed(bytes) } : {})
        const stored = await store.append(id, given)
        equal([stored.mailbox, stored.octets, stored.received, stored.flags], [id, size, given.received, []])
        equal(plainFacts(stored), given.facts, 'facts')
        equal(await octetsIn(store, stored), bytes, 'body')
        equal(await listed(store, id), [storedOf(stored)], 'list')
        await consistent(store)
      })
    }
  }

  it('keeps what comes with it: dates, flags, facts', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const flags = ['\\Seen', '$Junk', 'a-keyword', 'NonJunk']
    const times = [0, 1, -1, -2_208_988_800_000, 4_102_444_800_000, 253_402_300_799_999]
    for (const received of times) await store.append(id, message(pattern(3), { received, flags, facts: oddFacts }))
    for (const [index, stored] of (await listed(store, id)).entries()) {
      equal([stored.received, stored.flags], [times[index], [...flags].sort()])
      equal(plainFacts(stored), oddFacts, 'facts')
    }
  })

  it('keeps what real messages say', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const said = realMail.map((text) => indexMessage(new TextEncoder().encode(text)))
    for (const facts of said) await store.append(id, message(pattern(10), { facts }))
    equal((await listed(store, id)).map(plainFacts), said.map((facts) => plainFacts({ facts })))
  })

  it('makes the octets its own', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const bytes = pattern(1000)
    const flags = ['\\Seen']
    const stored = await store.append(id, message(bytes, { flags }))
    bytes.fill(0)
    flags.push('\\Deleted')
    equal(await octetsIn(store, stored), pattern(1000))
    equal((await listed(store, id)).map((found) => found.flags), [['\\Seen']])
  })

  it('spells system flags as they are spelt, and counts by them', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const flags = ['\\SEEN', '\\deleted', '\\aNSWERED', '\\flagged', '\\DRAFT', '$junk', '$Junk']
    const stored = await store.append(id, message(pattern(5), { flags }))
    const spelt = ['$Junk', '$junk', '\\Answered', '\\Deleted', '\\Draft', '\\Flagged', '\\Seen']
    equal(storedOf(stored).flags, spelt)
    equal((await entriesOf(store, id)).map((entry) => entry.flags), [spelt])
    await consistent(store)
  })

  it('says when it was saved, by its own clock', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const stored = await store.append(id, message(pattern(5), { received: 1 }))
    holds(Number.isSafeInteger(stored.saved) && stored.saved >= 0, `saved at ${stored.saved}`)
    holds(stored.saved !== 1, 'saved is when it was received')
    equal((await entriesOf(store, id)).map(({ saved }) => saved), [stored.saved])
  })

  it('counts UIDs and mod-sequences up in each mailbox', async () => {
    const { store } = await open()
    const [first, second] = [await inbox(store), await inbox(store, 'bob')]
    const stored: StoredMessage[] = []
    for (let i = 0; i < 5; i++) {
      stored.push(await store.append(first.id, message(pattern(10, i))))
      await store.append(second.id, message(pattern(10, i)))
    }
    ascending(uidsOf(stored), 'UIDs')
    ascending(stored.map(({ modSeq }) => modSeq), 'mod-sequences')
    const after = await mailboxOf(store, first)
    const last = stored[4] as StoredMessage
    equal([after.uidValidity, after.modSeq], [first.uidValidity, last.modSeq])
    holds(after.uidNext > last.uid, 'uidNext is not above the last UID')
    holds(last.uid < 2 ** 32, 'UIDs are above 2^32 - 1')
  })

  it('refuses a mailbox it does not have', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    for (const none of unknownIds(id)) await rejects(store.append(none, message(pattern(10))), 'permanent')
    equal(await listed(store, id), [])
  })

  it('refuses a body that is not as long as it says', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    for (const size of [0, 99, 101, 2_000_000]) {
      await rejects(store.append(id, message(pattern(0), { body: streamed(pattern(100), size) })), 'misuse')
    }
    equal(await listed(store, id), [])
  })

  it('adds nothing when the body cannot be read, and goes on', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    for (const size of [100, 2_000_000]) {
      const body: Body = {
        size,
        async *read() {
          yield pattern(50)
          throw new MailError('temporary', 'the disk is tired')
        },
      }
      await rejects(store.append(id, message(pattern(0), { body })), 'temporary')
    }
    const stored = await store.append(id, message(pattern(10)))
    equal(await listed(store, id), [storedOf(stored)])
  })
}

/** What `append` does for many at once. */
export function appendingMany({ it, open }: MailStoreContractOptions): void {
  it('gives each its UID, visible in order', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const seen: number[] = []
    const appends = Array.from({ length: 100 }, async (_, i) => {
      const stored = await store.append(id, message(pattern(100 + i, i)))
      // Whoever sees a UID never sees a lower one appear.
      const uids = uidsOf(await listed(store, id))
      holds(uids.includes(stored.uid), 'resolved, but not to be seen')
      holds(seen.every((uid, index) => uids[index] === uid), 'a lower UID appeared later')
      seen.splice(0, seen.length, ...uids)
      return stored
    })
    const stored = await Promise.all(appends)
    const found = await listed(store, id)
    equal(found, stored.map(storedOf).sort((a, b) => a.uid - b.uid))
    ascending(found.map(({ modSeq }) => modSeq), 'mod-sequences')
    for (const [i, one] of stored.entries()) equal(await octetsIn(store, one), pattern(100 + i, i), `body ${i}`)
  })

  it('fails only those that are wrong', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const numbers = Array.from({ length: 30 }, (_, i) => i)
    const outcomes = await Promise.allSettled(numbers.map((i) => {
      const wrong = i % 3 === 1
      if (i % 6 === 1) return store.append('none', message(pattern(i)))
      return store.append(id, message(pattern(i), wrong ? { body: streamed(pattern(i), i + 1) } : {}))
    }))
    equal(outcomes.map(({ status }) => status), numbers.map((i) => (i % 3 === 1 ? 'rejected' : 'fulfilled')))
    equal((await listed(store, id)).map(({ octets }) => octets), numbers.filter((i) => i % 3 !== 1))
  })

  for (const size of [2000, 2_000_000]) {
    it(`keeps a message of ${size} octets to many right for each`, async () => {
      const { store } = await open()
      const boxes = await Promise.all(['a', 'b', 'c', 'd'].map((account) => inbox(store, account)))
      const bytes = pattern(size)
      const shared = { ...message(bytes), body: streamed(bytes) }
      const flagsOf = (i: number): string[] => (i > 1 ? ['\\Seen'] : [])
      const together = await Promise.all(boxes.map(({ id }, i) => {
        return store.append(id, { ...shared, received: i, flags: flagsOf(i) })
      }))
      const later = await store.append(boxes[0]?.id as string, shared)
      // The same octets by themselves are another message as far as anyone is told.
      const alone = await store.append(boxes[0]?.id as string, message(bytes))
      for (const [i, { id }] of boxes.entries()) {
        const [first] = await listed(store, id)
        equal(first, storedOf(together[i] as StoredMessage))
        equal([first?.received, first?.flags], [i, flagsOf(i)])
      }
      for (const stored of [...together, later, alone]) equal(await octetsIn(store, stored), bytes)
    })
  }

  it('keeps the same body with other facts apart', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const { body, ...rest } = message(pattern(500))
    await Promise.all([1, 2].map((octets) => store.append(id, { ...rest, body, facts: factsOf(octets) })))
    equal((await listed(store, id)).map(plainFacts), [factsOf(1), factsOf(2)])
  })
}

/** What `appendAll` does. */
export function appendingAll(options: MailStoreContractOptions): void {
  const it = needing(options, 'appendAll', 'appendAll')

  it('adds all, each to its mailbox, in the order given', async (store) => {
    const boxes = [await inbox(store), await store.create('alice', ['Sent']), await inbox(store, 'bob')]
    const order = [0, 1, 0, 2, 1, 0]
    const stored = await store.appendAll(order.map((box, i) => {
      const bytes = pattern(100 + i, i)
      const body = i % 2 === 0 ? {} : { body: streamed(bytes) }
      return { mailbox: boxes[box]?.id as string, message: message(bytes, { ...body, flags: i > 3 ? ['\\Seen'] : [] }) }
    }))
    equal(stored.map(({ octets }) => octets), order.map((_, i) => 100 + i))
    for (const [index, { id }] of boxes.entries()) {
      const its = stored.filter((_, i) => order[i] === index)
      equal(await listed(store, id), its.map(storedOf))
      ascending(its.map(({ modSeq }) => modSeq), 'mod-sequences')
    }
    for (const [i, one] of stored.entries()) equal(await octetsIn(store, one), pattern(100 + i, i), `body ${i}`)
    for (const account of ['alice', 'bob']) await consistent(store, account)
  })

  it('adds none of none', async (store) => {
    const made = await inbox(store)
    equal(await store.appendAll([]), [])
    equal(await mailboxOf(store, made), made)
  })

  it('adds none where one cannot be added', async (store) => {
    const made = await inbox(store)
    const fine = { mailbox: made.id, message: message(pattern(10)) }
    const wrong = { mailbox: made.id, message: message(pattern(0), { body: streamed(pattern(100), 101) }) }
    const broken: Body = {
      size: 100,
      async *read() {
        yield pattern(50)
        throw new MailError('temporary', 'the disk is tired')
      },
    }
    const { overhead } = store.traits
    const tight = { ...fine, quota: { messages: Infinity, octets: 2 * (10 + overhead) } }
    await rejects(store.appendAll([fine, { ...fine, mailbox: 'none' }]), 'permanent')
    await rejects(store.appendAll([fine, wrong, fine]), 'misuse')
    await rejects(store.appendAll([fine, { ...fine, message: message(pattern(0), { body: broken }) }]), 'temporary')
    await rejects(store.appendAll([tight, tight, tight]), 'quota')
    equal(await entriesOf(store, made.id), [])
    equal((await mailboxOf(store, made)).messages, 0)
    await consistent(store)
    equal((await store.appendAll([tight, tight])).length, 2)
    await consistent(store)
  })

  it('is seen by nobody half done', async (store) => {
    const made = await inbox(store)
    const appends = Array.from({ length: 30 }, (_, i) => ({ mailbox: made.id, message: message(pattern(50, i)) }))
    await meanwhile(store.appendAll(appends), async () => {
      const { messages } = await mailboxOf(store, made)
      holds(messages === 0 || messages === 30, `${messages} of 30 messages`)
      const there = (await store.changes(made.id, 0)).changed.length
      holds(there === 0 || there === 30, `changes tell ${there} of 30 messages`)
    })
  })
}

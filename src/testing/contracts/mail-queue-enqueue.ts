import type { Body } from '../../contracts/bodies.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { Envelope } from '../../contracts/received.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { equal, holds, octetsOf, pattern, rejects } from './checks.ts'
import { streamed } from './sample-mail.ts'
import {
  allJobs,
  delivered,
  envelope,
  everything,
  job,
  lease,
  leaseOne,
  mail,
  type MailQueueContractOptions,
  MINUTE,
  oddDestinations,
  oddFacts,
  plain,
  recipient,
  send,
  statesOf,
  T,
} from './sample-queue.ts'

/** An envelope that says all that an envelope can say. */
const fullEnvelope: Envelope = envelope(
  [
    recipient('bob+tag@example.net', {
      user: 'bob', tag: 'tag', notify: ['SUCCESS', 'DELAY'], originalRecipient: { type: 'rfc822', address: 'b@old.example' },
    }),
    recipient('"a b"@[192.0.2.1]', { local: 'a b', user: 'a b', notify: [] }),
    recipient('j\u00f6rg@\u4f8b\u3048.example'),
  ],
  {
    size: 12_345, body: 'BINARYMIME', smtpUtf8: true, ret: 'HDRS', envid: 'QQ314159', requireTls: true,
    deliverBy: { seconds: -5, mode: 'notify', trace: true }, priority: -9, hold: { until: '2027-01-02T00:00:00Z' },
  },
)

/** Messages come in, whole or not at all. */
export function enqueueing({ it, open }: MailQueueContractOptions): void {
  it('is empty at first', async () => {
    const { queue } = await open()
    equal([await queue.due({ now: T, limit: 10 }), await queue.nextDue(), await lease(queue)], [[], undefined, []])
    equal(await queue.counts(T), { messages: 0, jobs: 0, due: 0, leased: 0, held: 0, oldest: undefined })
    equal([await allJobs(queue), await queue.message('1')], [[], undefined])
  })

  it('gives back all that a message says', async () => {
    const { queue } = await open()
    const bytes = pattern(5000)
    const sent = mail([], { envelope: fullEnvelope, facts: oddFacts, account: 'carol', received: T - MINUTE }, bytes)
    const { id } = await queue.enqueue(sent, [job('d', [0, 1, 2])])
    holds(/^[A-Za-z0-9_-]{1,64}$/.test(id), `an id was not to be ${JSON.stringify(id)}`)
    const given = await leaseOne(queue)
    for (const found of [given.message, (await queue.message(id))?.message]) {
      equal(said(found), { ...said(sent), id }, 'message')
      equal(await octetsOf(found?.body as Body), bytes, 'body')
    }
    equal(plain(given.recipients), [0, 1, 2].map((number) => ({ number, state: 'waiting' })))
    equal([given.tries, given.crashes, given.began, given.others, given.doomed], [0, 0, T - MINUTE, 0, undefined])
  })

  it('keeps mail of the null sender, and mail that nobody has submitted', async () => {
    const { queue } = await open()
    const from = { envelope: envelope(['bob@example.net'], { sender: null }), account: undefined }
    await queue.enqueue(mail([], from), [job('d', [0])])
    const { message } = await leaseOne(queue)
    equal([message.envelope.sender, message.account], [null, undefined])
  })

  it('keeps bodies of any size, at hand or to be read', async () => {
    const { queue } = await open()
    const sizes = [0, 1, 300, 16_384, 16_385, 70_000, 1_500_000]
    for (const [index, size] of sizes.entries()) {
      const bytes = pattern(size, index)
      await queue.enqueue(mail(['bob@example.net'], {}, bytes), [job(`at hand ${size}`, [0])])
      await queue.enqueue(mail(['bob@example.net'], { body: streamed(bytes) }), [job(`read ${size}`, [0])])
      for (const destination of [`at hand ${size}`, `read ${size}`]) {
        const { message } = await leaseOne(queue, destination)
        equal([message.body.size, await octetsOf(message.body)], [size, bytes], destination)
        const range = { start: size >> 1, end: size }
        equal(await octetsOf(message.body, range), bytes.subarray(range.start), `the end of ${destination}`)
      }
    }
    const ids = (await allJobs(queue)).map(({ message }) => message)
    const bodies = await Promise.all(ids.map(async (id) => (await queue.message(id))?.message.body.id))
    holds(bodies.every((id) => typeof id === 'string'), 'a body has no id')
  })

  it('has a body of its own: what becomes of the one that was given is nothing to it', async () => {
    const { queue } = await open()
    for (const size of [300, 100_000]) {
      let isThere = true
      const bytes = pattern(size)
      const body: Body = {
        size,
        async *read() {
          if (!isThere) throw new MailError('permanent', 'The body was removed')
          yield bytes
        },
      }
      await queue.enqueue(mail(['bob@example.net'], { body }), [job('d', [0])])
      isThere = false
      const { message } = await leaseOne(queue)
      equal(await octetsOf(message.body), bytes, `body of ${size} octets`)
    }
  })

  it('takes nothing where a body cannot be read, or is not as long as it says', async () => {
    const { queue } = await open()
    await send(queue)
    const before = await everything(queue)
    const broken: Body = {
      size: 20,
      async *read() {
        yield pattern(10)
        throw new MailError('temporary', 'The disk is on fire')
      },
    }
    await rejects(queue.enqueue(mail(['bob@example.net'], { body: broken }), [job('d', [0])]), 'temporary')
    for (const says of [9, 11, 99_999]) {
      await rejects(queue.enqueue(mail(['bob@example.net'], { body: streamed(pattern(10), says) }), [job('d', [0])]), 'misuse')
    }
    equal(await everything(queue), before)
  })

  it('makes a message of several jobs', async () => {
    const { queue } = await open()
    const { id } = await queue.enqueue(
      mail(['a@one.example', 'b@two.example', 'c@one.example', 'd@three.example']),
      [job('one', [0, 2]), job('two', [1], { due: T + MINUTE }), job('three', [3], { priority: 4 }), job('report', [])],
    )
    const all = await allJobs(queue)
    equal(all.map(({ destination, due, priority }) => [destination, due, priority]),
      [['one', T, 0], ['two', T + MINUTE, 0], ['three', T, 4], ['report', T, 0]])
    equal([new Set(all.map((each) => each.job)).size, new Set(all.map(({ message }) => message))], [4, new Set([id])])
    const one = await leaseOne(queue, 'one')
    equal([one.recipients.map(({ number }) => number), one.others], [[0, 2], 3])
    const report = await leaseOne(queue, 'report')
    equal(report.recipients.map(({ number }) => number), [0, 1, 2, 3], 'recipients of a job that has none of its own')
    equal(await queue.lease({ destination: 'two', now: T, until: T + MINUTE, limit: 1 }), [], 'what is not due yet')
    equal(await queue.counts(T), { messages: 1, jobs: 4, due: 1, leased: 2, held: 0, oldest: T })
  })

  it('keeps destinations apart, whatever they look like', async () => {
    const { queue } = await open()
    for (const [index, destination] of oddDestinations.entries()) await send(queue, destination, { due: T - 1000 + index })
    equal(await queue.due({ now: T, limit: 1000 }), oddDestinations)
    for (const destination of oddDestinations) {
      const one = await leaseOne(queue, destination)
      const its = await allJobs(queue, T, { destination })
      equal(its.map((each) => each.job), [one.job], JSON.stringify(destination.slice(0, 20)))
      await queue.settle(one, delivered(one))
    }
    equal(await queue.nextDue(), undefined)
  })

  it('keeps a thousand recipients, of one destination or each of its own', async () => {
    const { queue } = await open()
    const to = Array.from({ length: 1000 }, (_, i) => `user${i}.${'x'.repeat(40)}@host${i % 10}.example.net`)
    const numbers = to.map((_, number) => number)
    await queue.enqueue(mail(to), [job('all', numbers)])
    const { id } = await queue.enqueue(mail(to), numbers.map((number) => job(`d${number}`, [number], { due: T + number })))
    const all = await leaseOne(queue, 'all')
    equal(all.message.envelope.recipients.map(({ wire }) => wire), to)
    equal(all.recipients.map(({ number }) => number), numbers)
    await queue.settle(all, delivered(all))
    const last = await leaseOne(queue, 'd999', T + 999)
    equal([last.others, last.recipients.map(({ number }) => number)], [999, [999]])
    await queue.settle(last, delivered(last))
    equal(await statesOf(queue, id), [...Array.from({ length: 999 }, () => 'waiting'), 'delivered'])
    equal((await queue.due({ now: T + 999, limit: 1000 })), numbers.slice(0, 999).map((number) => `d${number}`))
  })

  it('gives ids and names that differ, also of what is long gone', async () => {
    const { queue } = await open()
    const seen = new Set<string>()
    for (let round = 0; round < 20; round++) {
      seen.add(`message ${await send(queue)}`)
      const one = await leaseOne(queue)
      seen.add(`job ${one.job}`)
      await queue.settle(one, delivered(one))
    }
    equal(seen.size, 40)
  })
}

/** What a message says but for its body. */
function said(message: OutgoingMessage | undefined): object {
  return plain({ ...message, body: message?.body.size, facts: message && plain(message.facts) })
}

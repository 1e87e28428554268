import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Lease, MailQueue, NewJob } from '../../../src/contracts/queue.ts'
import { octetsOf } from '../../../src/testing/contracts/checks.ts'
import { memoryFolder } from '../maildir/folders.ts'
import { drivers } from './drivers.ts'
import { freshFolder, openMail } from './folders.ts'
import { faultsIn } from './mail.ts'
import { outgoing } from './queue-mail.ts'
import { type Database, raw, watched } from './watched.ts'

const due = 1000

function job(destination: string, recipients: readonly number[] = [0], more: Partial<NewJob> = {}): NewJob {
  return { destination, recipients, due, ...more }
}

async function lease(queue: MailQueue, destination = 'd', now = due): Promise<Lease> {
  const [one] = await queue.lease({ destination, now, until: now + 1000, limit: 1 })
  if (!one) throw new Error(`nothing to lease for ${destination}`)
  return one
}

function done({ recipients }: Lease): Parameters<MailQueue['settle']>[1] {
  return { now: due, outcomes: recipients.map(({ number }) => ({ number, state: 'delivered' })), counts: true }
}

function messagesIn(driver: (typeof drivers)[number][1], path: string): number {
  const db = raw(driver, path)
  const count = db.prepare('SELECT count(*) AS count FROM messages').get()?.['count']
  db.close()
  return Number(count)
}

describe.each(drivers)('the queue of sqlite with %s, beside what every queue does', (_name, driver) => {
  it('writes three rows for the whole life of a message', async () => {
    let db: Database | undefined
    const { queue } = openMail({ driver: watched(driver, (_sql, its) => (db = its)), path: memoryFolder() })
    const written = (): number => Number(db?.prepare('SELECT total_changes() AS changes').get()?.['changes'])
    // The first one takes a block of numbers.
    await queue.enqueue(outgoing(1, 300), [job('d')])
    const before = written()
    const message = await queue.enqueue(outgoing(2, 300), [job('e')])
    const one = await lease(queue, 'e')
    expect(await queue.settle(one, done(one))).toBe(true)
    expect([written() - before, await queue.message(message.id)]).toEqual([3, undefined])
  })

  it('flushes what is to last, and no lease', async () => {
    const said: string[] = []
    const { queue } = openMail({ driver: watched(driver, (sql) => said.push(sql)), path: memoryFolder() })
    const flushes = async (call: () => Promise<unknown>): Promise<boolean> => {
      await call()
      const [mode] = said.filter((sql) => sql.startsWith('PRAGMA synchronous')).slice(-1)
      return mode?.includes('FULL') ?? false
    }
    let one: Lease | undefined
    expect(await flushes(() => queue.enqueue(outgoing(1, 300), [job('d')]))).toBe(true)
    expect(await flushes(async () => (one = await lease(queue)))).toBe(false)
    expect(await flushes(() => queue.extend(one as Lease, 9000))).toBe(false)
    expect(await flushes(() => queue.settle(one as Lease, { ...done(one as Lease), due }))).toBe(true)
    // Where others write in the same turn, a lease is flushed along.
    expect(await flushes(() => Promise.all([lease(queue), queue.enqueue(outgoing(2, 300), [job('e')])]))).toBe(true)
    expect(await flushes(() => queue.order({}, { kind: 'retry' }, due))).toBe(true)
  })

  it('has one body for queue and store', async () => {
    const { queue, store, path, close } = openMail({ driver, path: memoryFolder(), bodyThreshold: 100_000 })
    const { id: inbox } = await store.create('alice', ['Sent'])
    for (const [index, size] of [50_000, 200_000].entries()) {
      const { envelope, ...message } = outgoing(index, size)
      await store.append(inbox, message)
      await queue.enqueue({ ...message, envelope }, [job('d')])
      // The same octets another time, as they come from anywhere.
      await queue.enqueue({ ...outgoing(index, size), facts: message.facts }, [job('d')])
    }
    expect([messagesIn(driver, path), readdirSync(`${path}-bodies`).length]).toEqual([2, 1])
    expect(faultsIn(driver, path)).toEqual([])
    await store.expunge(inbox, [{ first: 1, last: 9 }])
    for (const size of [50_000, 50_000, 200_000, 200_000]) {
      const one = await lease(queue)
      expect((await octetsOf(one.message.body)).length).toBe(size)
      await queue.settle(one, done(one))
    }
    await store.erase('nobody')
    expect([messagesIn(driver, path), readdirSync(`${path}-bodies`)]).toEqual([0, []])
    await close()
    expect(faultsIn(driver, path)).toEqual([])
  })

  it('copies no body that it has, from mailbox to queue or from queue to mailbox', async () => {
    const { queue, store, path, close } = openMail({ driver, path: memoryFolder(), bodyThreshold: 100_000, dedupeFrom: Infinity })
    const { id: inbox } = await store.create('alice', ['INBOX'])
    for (const [index, size] of [50_000, 200_000].entries()) {
      const { envelope, account, ...message } = outgoing(index, size)
      await queue.enqueue({ ...message, envelope, account }, [job('home')])
      const one = await lease(queue, 'home')
      const { body, facts } = one.message
      const stored = await store.append(inbox, { body, facts, received: due })
      await queue.settle(one, done(one))
      const again = await store.body(stored.id)
      if (!again) throw new Error('the body is gone')
      await queue.enqueue({ ...one.message, body: again, facts: stored.facts }, [job('d')])
      // What says something else is something else.
      await queue.enqueue({ ...one.message, body: again, facts: { ...message.facts, lines: 7 } }, [job('other')])
    }
    expect([messagesIn(driver, path), readdirSync(`${path}-bodies`).length]).toEqual([4, 2])
    await store.remove(inbox)
    const [small, large] = [await lease(queue), await lease(queue)]
    expect([(await octetsOf(small.message.body)).length, (await octetsOf(large.message.body)).length]).toEqual([50_000, 200_000])
    expect((await lease(queue, 'other')).message.facts).toMatchObject({ lines: 7 })
    await close()
    expect(faultsIn(driver, path)).toEqual([])
  })

  it('removes bodies that nobody needs, and files that a crash has left', async () => {
    const { queue, path, close } = openMail({ driver, bodyThreshold: 20_000 })
    await queue.enqueue(outgoing(1, 30_000), [job('d')])
    await queue.enqueue(outgoing(2, 30_000), [job('e')])
    const folder = `${path}-bodies`
    const one = await lease(queue)
    await queue.settle(one, done(one))
    const orphan = join(folder, randomUUID())
    writeFileSync(orphan, 'x')
    await close()
    const again = openMail({ driver, path })
    // Waits for the bodies that nobody needs to be gone.
    await again.store.erase('nobody')
    expect([existsSync(orphan), readdirSync(folder).length]).toEqual([false, 1])
    expect((await octetsOf((await lease(again.queue, 'e')).message.body)).length).toBe(30_000)
    await again.close()
    expect(faultsIn(driver, path)).toEqual([])
  })

  it('takes nothing that could not be written, and goes on when it can be', async () => {
    let isFull = false
    const failing = watched(driver, (sql) => {
      if (isFull && sql === 'COMMIT') throw new Error('disk full')
    })
    const { queue, path, close } = openMail({ driver: failing, path: memoryFolder() })
    await queue.enqueue(outgoing(0, 300), [job('d')])
    await queue.enqueue(outgoing(0, 300), [job('held')])
    const one = await lease(queue, 'held')
    const seen = async (): Promise<unknown> => {
      return [await queue.counts(due), await queue.due({ now: due, limit: 9 }), await queue.nextDue()]
    }
    const before = await seen()
    isFull = true
    const attempts = [
      () => queue.enqueue(outgoing(1, 300), [job('e')]),
      () => queue.enqueue(outgoing(1, 50_000), [job('e'), job('f', [0])]),
      () => queue.lease({ destination: 'd', now: due, until: due + 1, limit: 9 }),
      () => queue.settle(one, { ...done(one), enqueue: [{ message: outgoing(2, 50_000), jobs: [job('g')] }] }),
      () => queue.settle(one, { ...done(one), due: 1 }),
      () => queue.order({}, { kind: 'drop' }, due),
    ]
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({ code: 'temporary' })
      expect(await seen()).toEqual(before)
    }
    isFull = false
    expect(await queue.settle(one, done(one))).toBe(true)
    await queue.enqueue(outgoing(3, 50_000), [job('d')])
    expect((await queue.lease({ destination: 'd', now: due, until: due + 1, limit: 9 })).length).toBe(2)
    await close()
    expect(faultsIn(driver, path)).toEqual([])
  })

  it('can be looked at beside a server that runs, and not be changed', async () => {
    const { queue, path } = openMail({ driver, path: memoryFolder() })
    const { id } = await queue.enqueue(outgoing(1, 50_000), [job('d')])
    const other = openMail({ driver, path, readonly: true }).queue
    expect((await other.jobs({ now: due, limit: 9 })).jobs.map(({ message }) => message)).toEqual([id])
    expect([await other.due({ now: due, limit: 9 }), (await other.counts(due)).jobs]).toEqual([['d'], 1])
    const one = await lease(queue)
    const attempts = [
      () => other.enqueue(outgoing(2, 10), [job('d')]), () => other.settle(one, done(one)), () => other.extend(one, 1),
      () => other.lease({ destination: 'd', now: due, until: due, limit: 1 }), () => other.order({}, { kind: 'drop' }, due),
    ]
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'misuse' })
  })

  it('hears of what another process does', async () => {
    const { queue, path } = openMail({ driver, path: memoryFolder() })
    const other = openMail({ driver, path }).queue
    const many = Array.from({ length: 300 }, (_, i) => queue.enqueue(outgoing(i, 10), [job(`d${i}`, [0], { due: due + i })]))
    await Promise.all(many)
    expect(await queue.due({ now: due + 300, limit: 2 })).toEqual(['d0', 'd1'])
    const heard = new Promise<void>((resolve) => void queue.watch(resolve))
    await other.enqueue(outgoing(1, 10), [job('early', [0], { due: 1 })])
    await heard
    expect([await queue.nextDue(), await queue.due({ now: due, limit: 9 })]).toEqual([1, ['early', 'd0']])
    await other.order({ destination: 'd0' }, { kind: 'hold', why: '' }, due)
    expect(await queue.nextDue(new Set(['early']))).toBe(due + 1)
    expect(await queue.due({ now: due + 1, limit: 9 })).toEqual(['early', 'd1'])
  })

  it('refuses what is no time before it writes anything', async () => {
    const { queue, path } = openMail({ driver, path: memoryFolder() })
    const misuse = { code: 'misuse' }
    await expect(queue.enqueue(outgoing(1, 10), [])).rejects.toMatchObject(misuse)
    await expect(queue.enqueue(outgoing(1, 10), [job('d', [0], { due: Infinity })])).rejects.toMatchObject(misuse)
    await queue.enqueue(outgoing(1, 10), [job('d', [0], { due: due - 0.5 })])
    const one = await lease(queue)
    await expect(queue.settle(one, { ...done(one), due: NaN })).rejects.toMatchObject(misuse)
    await expect(queue.settle(one, { ...done(one), jobs: [job('e', [], { due: NaN })] })).rejects.toMatchObject(misuse)
    await expect(queue.extend(one, Infinity)).rejects.toMatchObject(misuse)
    expect((await queue.jobs({ now: due, limit: 9 })).jobs.map(({ destination }) => destination)).toEqual(['d'])
    expect(faultsIn(driver, path)).toEqual([])
  })

  it('leases again and again without a look at each job', async () => {
    const path = join(freshFolder(), 'mail.db')
    const { close } = openMail({ driver, path })
    await close()
    const db = raw(driver, path)
    const plan = (sql: string): string => {
      return db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all().map((row) => String(row['detail'])).join('; ')
    }
    const ofDestination = "FROM queue WHERE destination = 'x' AND held IS NULL AND rank"
    expect(plan(`SELECT id, data ${ofDestination} = 0 AND due <= 5 ORDER BY due, id LIMIT 9`))
      .toBe('SEARCH queue USING INDEX queue_by_due (held=? AND destination=? AND rank=? AND due<?)')
    expect(plan(`SELECT rank, due ${ofDestination} > 0 ORDER BY rank, due LIMIT 1`))
      .toBe('SEARCH queue USING COVERING INDEX queue_by_due (held=? AND destination=? AND rank>?)')
    const all = "FROM queue WHERE held IS NULL AND destination > 'x'"
    expect(plan(`SELECT destination, rank, due ${all} ORDER BY destination, rank, due LIMIT 1`))
      .toBe('SEARCH queue USING COVERING INDEX queue_by_due (held=? AND destination>?)')
    db.close()
  })
})

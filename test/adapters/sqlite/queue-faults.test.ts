import { describe, expect, it } from 'vitest'
import type { Lease, MailQueue } from '../../../src/contracts/queue.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { memoryFolder } from '../maildir/folders.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { faultsIn } from './mail.ts'
import { outgoing } from './queue-mail.ts'
import { watched } from './watched.ts'

const due = 1000
const threshold = 30_000

/** What callers were told: how many messages there have to be, and how many of them were tried. */
class Told {
  messages = 0
  tried = 0
  readonly errors: unknown[] = []

  async of<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call
    } catch (error) {
      this.errors.push(error)
      return undefined
    }
  }
}

/** Messages of all kinds come in, most of them are done, one leads to a report, others are tried again. */
async function load(queue: MailQueue, told: Told): Promise<void> {
  const sizes = [10, 20_000, 40_000, 10, 20_000, 40_000]
  await Promise.all(sizes.map(async (size, number) => {
    const recipients = number % 2 ? [[0], [1]] : [[0]]
    const jobs = recipients.map((its) => ({ destination: `d${its[0]}`, recipients: its, due }))
    if (await told.of(queue.enqueue(outgoing(number, size, { recipients: recipients.length }), jobs))) told.messages++
  }))
  const leases = await told.of(queue.lease({ destination: 'd0', now: due, until: due + 1000, limit: 10 })) ?? []
  await Promise.all(leases.map((lease, index) => settle(queue, lease, index, told)))
  await told.of(queue.due({ now: due, limit: 9 }))
}

async function settle(queue: MailQueue, lease: Lease, index: number, told: Told): Promise<void> {
  const { facts: { octets }, id } = lease.message
  const isTry = octets === 20_000
  const reports = index === 0 ? [{ message: outgoing(9, 20_000), jobs: [{ destination: 'report', recipients: [0], due }] }] : []
  const outcomes = [{ number: 0, ...(!isTry && { state: 'delivered' as const }) }]
  const end = isTry ? { due } : {}
  const settled = await told.of(queue.settle(lease, { now: due, outcomes, counts: true, enqueue: reports, ...end }))
  if (settled === undefined) return
  expect([settled, id]).toEqual([true, id])
  told.messages += reports.length - (isTry || lease.others > 0 ? 0 : 1)
  if (isTry) told.tried++
}

describe.each(drivers)('the queue of sqlite with %s, when statements fail', (_name, driver) => {
  it('tells the truth, whichever statement it is', async () => {
    let calls = 0
    const counting = openMail({ driver: watched(driver, () => void calls++), path: memoryFolder(), bodyThreshold: threshold })
    const before = calls
    await load(counting.queue, new Told())
    const statements = calls - before
    expect(statements).toBeGreaterThan(50)
    for (let n = 1; n <= statements; n++) {
      let left = Infinity
      const failing = watched(driver, () => {
        if (--left === 0) throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' })
      })
      const { queue, path, close } = openMail({ driver: failing, path: memoryFolder(), bodyThreshold: threshold })
      const told = new Told()
      left = n
      await load(queue, told)
      left = Infinity
      for (const error of told.errors) expect(isMailError(error) && error.code).toBe('temporary')
      const seen = [[...await queue.due({ now: due, limit: 9 })].sort(), await queue.nextDue()]
      await close()
      const again = openMail({ driver, path })
      expect(seen).toEqual([[...await again.queue.due({ now: due, limit: 9 })].sort(), await again.queue.nextDue()])
      const { jobs } = await again.queue.jobs({ now: due, limit: 100 })
      expect([new Set(jobs.map(({ message }) => message)).size, jobs.filter(({ tries }) => tries > 0).length])
        .toEqual([told.messages, told.tried])
      await again.close()
      expect(faultsIn(driver, path)).toEqual([])
    }
  }, 30_000)
})

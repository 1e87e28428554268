import { describe, expect, it } from 'vitest'
import type { Lease } from '../../../src/contracts/queue.ts'
import { octetsOf } from '../../../src/testing/contracts/checks.ts'
import { memoryFolder } from '../maildir/folders.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { faultsIn, numbered } from './mail.ts'
import { program, run } from './program.ts'
import { raw } from './watched.ts'

/** More rounds for a long night: `POSTHORN_CRASH_ROUNDS=100 npx vitest run test/adapters/sqlite/queue-crash.test.ts`. */
const rounds = Number(process.env['POSTHORN_CRASH_ROUNDS'] ?? 5)

const threshold = 40_000

/**
 * Eight that enqueue messages of all sizes for one or two destinations each, and four that lease and settle what there is: most
 * of it is done, some is to be tried again, some of it leads to a report. What is about to be settled is printed before, what
 * was acknowledged afterwards.
 */
const main = `
import { writeSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
const [path, round] = process.argv.slice(2)
const numbered = ${numbered.toString()}
const { queue } = sqlite({ path, bodyThreshold: ${threshold} })
const say = (...what) => writeSync(1, what.join(' ') + '\\n')
const sizes = [10, 3000, 20_000, 60_000]
const to = { local: 'r', domain: 'example.net', user: 'r', tag: undefined, wire: 'r@example.net' }
const message = (number, recipients) => {
  const { body, facts, received } = numbered(number, sizes[number % 4], number % 3 === 0)
  const envelope = { sender: null, recipients: Array(recipients).fill(to), body: '7BIT', smtpUtf8: false, requireTls: false }
  return { envelope, body, facts, received, account: undefined }
}
const due = 1000
let next = Number(round) * 1_000_000
let report = next + 500_000
async function enqueue() {
  for (;;) {
    const number = next++
    const both = number % 5 === 0
    const jobs = (both ? [0, 1] : [0]).map((n) => ({ destination: 'd' + (both ? n : 2), recipients: [n], due }))
    const { id } = await queue.enqueue(message(number, both ? 2 : 1), jobs)
    say('queued', id, number)
    while ((await queue.counts(due)).jobs > 200) await turn()
  }
}
async function work() {
  for (let i = 0; ; i++) {
    await turn()
    const [destination] = await queue.due({ now: due, limit: 1 })
    if (destination === undefined) continue
    for (const lease of await queue.lease({ destination, now: due, until: due + 1000, limit: 5 })) {
      const outcomes = lease.recipients.map(({ number }) => ({ number, state: 'delivered' }))
      const jobs = [{ destination: 'reports', recipients: [0], due }]
      const reports = i % 7 === 0 ? [{ message: message(report++, 1), jobs }] : []
      if (i % 3 === 0 && lease.tries === 0) {
        say('trying', lease.job)
        await queue.settle(lease, { now: due, outcomes: [], counts: true, due })
        say('tried', lease.job)
      } else {
        say('doing', lease.job, lease.message.id)
        await queue.settle(lease, { now: due, outcomes, counts: true, enqueue: reports })
        say('done', lease.job)
      }
    }
  }
}
for (let i = 0; i < 8; i++) enqueue()
for (let i = 0; i < 4; i++) work()
console.log('ready')
`

describe('a SQLite queue whose process is killed', () => {
  it('has every message that was acknowledged until it is done, and then no more of it', async () => {
    // What is written outlives the process, flushed or not.
    const path = memoryFolder()
    const child = program(main)
    const driver = drivers[0]?.[1]
    if (!driver) throw new Error('no driver')
    const told: string[] = []
    for (let round = 1; round <= rounds; round++) {
      const load = run(child, path, String(round))
      await load.until('ready\n')
      // Somewhere in the first moments of load: wherever it hits, what was printed until then counts.
      await load.until('\ndone ')
      await load.until(` ${round}${String(Math.floor(Math.random() * 120)).padStart(6, '0')}\n`)
      await load.kill()
      // The line that the kill may have cut was not acknowledged.
      told.push(...load.printed().split('\n').slice(0, -1))
      const { queue, close } = openMail({ path, driver, bodyThreshold: threshold })
      await expectAll(queue, told)
      await close()
      expect(faultsIn(driver, path)).toEqual([])
    }
    const { queue, store, close } = openMail({ path, driver, bodyThreshold: threshold })
    await drain(queue)
    // Waits for the bodies that nobody needs to be gone.
    await store.erase('nobody')
    await close()
    expect(faultsIn(driver, path)).toEqual([])
    const db = raw(driver, path)
    expect(db.prepare('SELECT (SELECT count(*) FROM messages) AS messages, (SELECT count(*) FROM queue) AS jobs').get())
      .toMatchObject({ messages: 0, jobs: 0 })
    db.close()
    expect(told.filter((line) => line.startsWith('done ')).length).toBeGreaterThanOrEqual(rounds)
  }, 30_000 + rounds * 5000)
})

type Queue = ReturnType<typeof openMail>['queue']

/** Words of the lines that begin so. */
function lines(told: readonly string[], word: string): string[][] {
  return told.map((line) => line.split(' ')).filter(([first]) => first === word)
}

async function expectAll(queue: Queue, told: readonly string[]): Promise<void> {
  const { jobs, more } = await queue.jobs({ now: 0, limit: 1000 })
  expect(more).toBe(false)
  const there = new Map(jobs.map((job) => [job.job, job]))
  expect(lines(told, 'done').filter(([, job]) => there.has(job as string))).toEqual([])
  // What is gone was about to be done.
  const begun = new Set(lines(told, 'doing').map(([, , message]) => message))
  const messages = new Set(jobs.map(({ message }) => message))
  expect(lines(told, 'queued').filter(([, id]) => !messages.has(id as string) && !begun.has(id))).toEqual([])
  const attempted = new Set(lines(told, 'trying').map(([, job]) => job))
  for (const [, job] of lines(told, 'tried')) expect(there.get(job as string)?.tries ?? 1).toBe(1)
  for (const { job, tries } of jobs) if (tries > 0) expect(attempted.has(job)).toBe(true)
  for (const id of messages) await expectBody(queue, id)
}

/** The octets are those that its number makes. */
async function expectBody(queue: Queue, id: string): Promise<void> {
  const found = await queue.message(id)
  const { number, octets } = found?.message.facts as unknown as { number: number; octets: number }
  const body = found?.message.body
  if (!body) throw new Error(`message ${id} is gone`)
  expect(Buffer.compare(await octetsOf(body), numbered(number, octets).body.bytes as Uint8Array)).toBe(0)
}

/** Settles all that is left. */
async function drain(queue: Queue): Promise<void> {
  for (;;) {
    const [destination] = await queue.due({ now: 1e6, limit: 1 })
    if (destination === undefined) return
    const leases = await queue.lease({ destination, now: 1e6, until: 2e6, limit: 100 })
    const outcomes = ({ recipients }: Lease) => recipients.map(({ number }) => ({ number, state: 'delivered' as const }))
    const settled = leases.map((lease) => queue.settle(lease, { now: 1e6, outcomes: outcomes(lease), counts: true }))
    expect(await Promise.all(settled)).not.toContain(false)
  }
}

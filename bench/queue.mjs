// What the mail queue in SQLite costs: PQ1, PQ2, and a queue of 1 000 000 messages to 10 000 destinations, 1 % of them dead. Run by
// hand, after `npm run build`:  node bench/queue.mjs [PQ1|PQ2|million]
// env: STORE (a folder on the disk to measure, 2 GB), DRIVER (a folder whose node_modules hold better-sqlite3; without it PQ1 has
// nothing to compare with), MESSAGES (of the third, default 1 000 000), ROUNDS (default 5)
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { indexMessage } from 'posthorn/message'
import { sqlite } from 'posthorn/sqlite'

const folder = process.env.STORE ?? mkdtempSync(join(tmpdir(), 'posthorn-queue-'))
const Database = process.env.DRIVER && createRequire(join(process.env.DRIVER, 'package.json'))('better-sqlite3')
const rounds = Number(process.env.ROUNDS ?? 5)
const only = process.argv[2] ?? ''

const bytes = Buffer.from(`From: Alice <alice@example.org>\r\nTo: bob@example.com\r\nSubject: Hello\r\n\r\n${'x'.repeat(225)}`)
const facts = indexMessage(bytes)
const MINUTE = 60_000

/** A message of 300 octets to one recipient, received then. */
function message(received) {
  const recipient = { local: 'bob', domain: 'example.com', user: 'bob', tag: undefined, wire: 'bob@example.com' }
  const envelope = { sender: { local: 'alice', domain: 'example.org' }, recipients: [recipient], body: '7BIT', smtpUtf8: false }
  const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
  return { envelope: { ...envelope, requireTls: false }, body, facts, account: 'alice', received }
}

const done = ({ recipients }, now) => {
  return { now, outcomes: recipients.map(({ number }) => ({ number, state: 'delivered' })), counts: true }
}

let made = 0

/** A queue in a fresh file, and what its connection has written. */
function open() {
  let db
  // The store's own connection, to ask it what it has written.
  const Driver = Database && class extends Database {
    constructor(path) {
      super(path)
      db = this
    }
  }
  const mail = sqlite({ path: join(folder, `queue-${process.pid}-${made++}.db`), ...(Driver ? { driver: Driver } : {}) })
  const written = db ? () => db.prepare('SELECT total_changes() AS changes').get().changes : () => NaN
  return { ...mail, written }
}

/** Milliseconds of CPU and of the clock that something takes. */
async function cost(run) {
  const [cpu, from] = [process.cpuUsage(), performance.now()]
  await run()
  const { user, system } = process.cpuUsage(cpu)
  return { cpu: (user + system) / 1000, wall: performance.now() - from }
}

/** Has so many workers do something so many times in all. */
async function crowd(workers, times, run) {
  let next = 0
  await Promise.all(Array.from({ length: workers }, async () => {
    while (next < times) await run(next++)
  }))
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]
const perSecond = (count, milliseconds) => Math.round(count / milliseconds * 1000)
const say = (name, ...what) => console.log(name.padEnd(44), what.join('   '))

/** 50 clients that enqueue a message each, against rows of as many octets committed one by one. */
async function enqueueing() {
  const [many, few] = [5000, 500]
  const figures = { ours: [], theirs: [] }
  const { queue, close } = open()
  let plain
  if (Database) {
    plain = new Database(join(folder, `plain-${process.pid}.db`))
    plain.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE jobs (id INTEGER PRIMARY KEY, data BLOB)')
  }
  const insert = plain?.prepare('INSERT INTO jobs (data) VALUES (?)')
  const row = Buffer.alloc(300, 'x')
  for (let round = 0; round <= rounds; round++) {
    const ours = await cost(() => crowd(50, many, (n) => queue.enqueue(message(n), [{ destination: `d${n % 100}`, recipients: [0], due: n }])))
    const theirs = insert && await cost(async () => {
      for (let n = 0; n < few; n++) insert.run(row)
    })
    // The first round is for the compiler.
    if (round === 0) continue
    figures.ours.push([many / ours.wall, many / ours.cpu])
    if (theirs) figures.theirs.push([few / theirs.wall, few / theirs.cpu])
  }
  const of = (which, at) => median(figures[which].map((one) => one[at])) * 1000
  say('PQ1 enqueue, 50 at a time', `${Math.round(of('ours', 0))}/s`, `${Math.round(of('ours', 1))} per CPU second`)
  if (plain) {
    say('    one row a commit, better-sqlite3', `${Math.round(of('theirs', 0))}/s`, `${Math.round(of('theirs', 1))} per CPU second`)
    say('    ratio', `${(of('ours', 0) / of('theirs', 0)).toFixed(1)} by the clock`, `${(of('ours', 1) / of('theirs', 1)).toFixed(1)} by CPU`)
    plain.close()
  }
  await close()
}

/** The whole life of messages: 50 come in at a time, a worker leases 50 at a time, each is settled by itself. */
async function living() {
  const { queue, close, written } = open()
  const total = 10_000
  const figures = []
  let rows = 0
  for (let round = 0; round <= rounds; round++) {
    const before = written()
    const { cpu, wall } = await cost(async () => {
      let left = total
      const come = crowd(50, total, (n) => queue.enqueue(message(n), [{ destination: `d${n % 20}`, recipients: [0], due: n }]))
      const work = async () => {
        while (left > 0) {
          const [destination] = await queue.due({ now: total, limit: 1 })
          if (destination === undefined) {
            await turn()
            continue
          }
          const leases = await queue.lease({ destination, now: total, until: total + MINUTE, limit: 50 })
          await Promise.all(leases.map((lease) => queue.settle(lease, done(lease, total))))
          left -= leases.length
        }
      }
      await Promise.all([come, work()])
    })
    rows = (written() - before) / total
    if (round > 0) figures.push([perSecond(total, cpu), perSecond(total, wall)])
  }
  say('PQ2 enqueue, lease, settle', `${median(figures.map(([cpu]) => cpu))} per CPU second`,
    `${median(figures.map(([, wall]) => wall))}/s`, `${rows.toFixed(2)} rows written a message`)
  await close()
}

/** Many messages to 10 000 destinations, each hundredth of which is dead: everything for it is put off again and again. */
async function million() {
  const [total, destinations] = [Number(process.env.MESSAGES ?? 1_000_000), 10_000]
  const { queue, close } = open()
  const memory = () => Math.round(process.memoryUsage().rss / 2 ** 20)
  const before = memory()
  const filling = await cost(() => crowd(200, total, (n) => {
    return queue.enqueue(message(n), [{ destination: `host${n % destinations}.example`, recipients: [0], due: n % 1000 }])
  }))
  say('a million: filling', `${perSecond(total, filling.cpu)} per CPU second`, `${before} MB before, ${memory()} MB after`)
  let now = 1000
  const first = await cost(() => queue.due({ now, limit: 10 }))
  say('    first look', `${first.wall.toFixed(0)} ms, in slices`, `${memory()} MB`)
  for (const share of [0, 0.01]) await leasing(queue, share, () => now++)
  say('    memory', `${memory()} MB`)
  say('    counts', `${(await cost(() => queue.counts(now))).wall.toFixed(0)} ms, in slices`)
  await close()
}

/** Takes what is due from 20 destinations at a time, a message each, and settles it: how long due and lease take together. */
async function leasing(queue, dead, tick) {
  const times = []
  let live = 0
  const { cpu } = await cost(async () => {
    for (let round = 0; round < 1000; round++) {
      const now = tick()
      const from = process.cpuUsage()
      const names = await queue.due({ now, limit: 20 })
      const leases = (await Promise.all(names.map((destination) => {
        return queue.lease({ destination, now, until: now + MINUTE, limit: 1 })
      }))).flat()
      const { user, system } = process.cpuUsage(from)
      times.push((user + system) / 1000 / Math.max(1, leases.length))
      await Promise.all(leases.map((lease) => {
        const number = Number(/\d+/.exec(lease.destination)?.[0])
        const isDead = number % 100 < dead * 100
        if (!isDead) live++
        return queue.settle(lease, isDead ? { now, outcomes: [], counts: true, due: now + 5 * MINUTE } : done(lease, now))
      }))
    }
  })
  times.sort((a, b) => a - b)
  const at = (part) => `${(times[Math.floor(times.length * part)] * 1000).toFixed(0)} µs`
  say(`    leasing, ${dead * 100} % dead`, `${at(0.5)} a message, ${at(0.99)} at the 99th percentile`,
    `${perSecond(live, cpu)} live messages per CPU second`)
}

try {
  if ('PQ1'.startsWith(only)) await enqueueing()
  if ('PQ2'.startsWith(only)) await living()
  if ('million'.startsWith(only)) await million()
} finally {
  if (!process.env.STORE) rmSync(folder, { recursive: true, force: true })
}

// A queue of a million messages to 10 000 destinations, 1 % of which are dead (nobody answers, not even to say no), delivered by a
// whole mailServer over the SQLite queue to servers in memory that take everything at once: how long leasing takes, how much memory,
// and whether the dead ones cost the others anything. Run by hand, after `npm run build`:  node bench/scale.mjs
// A process with dead ones and one without run side by side, so that a busy machine is as busy for both.
// env: STORE (a folder on the disk to measure, 3 GB), DRIVER (a folder whose node_modules hold better-sqlite3; without it leasing is not
// timed), MESSAGES (default 1 000 000), DESTINATIONS (default 10 000)
import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { mailServer } from 'posthorn'
import { indexMessage } from 'posthorn/message'
import { sqlite } from 'posthorn/sqlite'

const { STORE, DRIVER, MESSAGES = '1000000', DESTINATIONS = '10000', FOLDER, SHARE } = process.env
const folder = FOLDER ?? STORE ?? mkdtempSync(join(tmpdir(), 'posthorn-scale-'))
const Database = DRIVER && createRequire(join(DRIVER, 'package.json'))('better-sqlite3')
const [messages, destinations] = [Number(MESSAGES), Number(DESTINATIONS)]
const DEAD = 0.01

const bytes = Buffer.from(`From: Alice <alice@example.org>\r\nTo: bob@example.com\r\nSubject: Hello\r\n\r\n${'x'.repeat(223)}\r\n`)
const facts = indexMessage(bytes)
const nameOf = (number) => `host${number}.example`
const addressOf = (number) => `11.0.${number >> 8}.${number & 255}`
const numberOf = (address) => {
  const [, , high, low] = address.split('.').map(Number)
  return high * 256 + low
}
/** Messages that are delivered before anything is measured, so that the compiler has done what it does. */
const WARM = 20_000

const isDead = (number, share) => number % 100 < share * 100

function message(number) {
  const domain = nameOf(number)
  const recipient = { local: 'bob', domain, user: 'bob', tag: undefined, wire: `bob@${domain}` }
  const envelope = { sender: { local: 'alice', domain: 'example.org' }, recipients: [recipient], body: '7BIT', smtpUtf8: false, requireTls: false }
  const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
  return { envelope, body, facts, account: 'alice', received: Date.now() }
}

/** A server in memory that takes all it is given. `took` hears of each message. */
class Sink {
  peer = { address: undefined, port: undefined, localAddress: undefined, localPort: undefined }
  #took
  #sink
  #content = false
  #text = ''

  constructor(took) {
    this.#took = took
  }

  open(sink) {
    this.#sink = sink
    this.#reply('220 sink ESMTP\r\n')
  }

  write(output) {
    for (const piece of output) this.#text += typeof piece === 'string' ? piece : Buffer.from(piece.buffer, piece.byteOffset, piece.length).latin1Slice()
    let replies = ''
    for (;;) {
      const end = this.#text.indexOf(this.#content ? '\r\n.\r\n' : '\r\n')
      if (end < 0) break
      const line = this.#content ? '.' : this.#text.slice(0, 4)
      this.#text = this.#text.slice(end + (this.#content ? 5 : 2))
      if (this.#content) this.#took()
      this.#content = line === 'DATA'
      replies += line === 'EHLO' ? '250-sink\r\n250 PIPELINING\r\n' : this.#content ? '354 go on\r\n' : '250 2.0.0 Ok\r\n'
    }
    if (replies !== '') this.#reply(replies)
    return true
  }

  #reply(text) {
    const octets = Buffer.from(text, 'latin1')
    queueMicrotask(() => this.#sink?.received(octets))
  }

  pause() {}
  resume() {}
  startTls() {}
  end() {
    this.reset()
  }
  reset() {
    const sink = this.#sink
    this.#sink = undefined
    queueMicrotask(() => sink?.closed())
  }
}

const resolver = {
  async resolve(name, type) {
    const number = Number(/^host(\d+)\.example$/.exec(name)?.[1])
    return { records: type === 'A' ? [addressOf(number)] : [], exists: true, name, ttl: 3600, authenticated: false }
  },
}

const directory = {
  resolve: async () => ({ kind: 'elsewhere' }),
  account: async () => undefined,
  named: async () => undefined,
  verify: async () => undefined,
  maySendAs: async () => false,
}

const seconds = ({ user, system }) => (user + system) / 1e6
const megabytes = () => Math.round(process.memoryUsage.rss() / 2 ** 20)
const percentile = (sorted, part) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN
const micros = (milliseconds) => `${(milliseconds * 1000).toFixed(0)} µs`

/**
 * A driver that takes the time of leasing: looking jobs up and writing that they are leased, in milliseconds for each message. What a
 * lease waits for, other work in the same process, is not leasing. By the clock, and by CPU: that of the collector's threads is in
 * it, what others do on a busy machine is not.
 */
function timing(Driver, times) {
  let looking = { wall: 0, cpu: 0 }
  let at = 0
  const timed = (run, then) => (...args) => {
    const from = performance.now()
    const used = process.cpuUsage()
    const result = run(...args)
    then({ cpu: seconds(process.cpuUsage(used)) * 1000, wall: performance.now() - from }, result)
    return result
  }
  const add = (one, { wall, cpu }) => ({ wall: one.wall + wall, cpu: one.cpu + cpu })
  return class extends Driver {
    prepare(sql) {
      const statement = super.prepare(sql)
      if (sql.startsWith('SELECT rank FROM queue')) statement.get = timed(statement.get.bind(statement), (took) => (looking = add(looking, took)))
      else if (sql.includes('AS q WHERE destination = ?')) {
        statement.all = timed(statement.all.bind(statement), (took, { length }) => {
          at = times.length
          const all = add(looking, took)
          for (let row = 0; row < length; row++) times.push({ wall: all.wall / length, cpu: all.cpu / length })
          looking = { wall: 0, cpu: 0 }
        })
      } else if (sql.startsWith('UPDATE queue SET due = ?, token = ?')) {
        statement.run = timed(statement.run.bind(statement), (took) => {
          times[at] = add(times[at], took)
          at++
        })
      }
      return statement
    }
  }
}

/** Fills a queue and has it delivered. Gives what is to be said of it, and how many live messages there were for a CPU second. */
async function run(share, messages) {
  const times = []
  const said = []
  const driver = Database && timing(Database, times)
  const db = sqlite({ path: join(folder, `scale-${messages}.db`), ...(driver ? { driver } : {}) })
  const before = megabytes()
  let next = 0
  let cpu = process.cpuUsage()
  const due = Date.now()
  await Promise.all(Array.from({ length: 200 }, async () => {
    for (let n = next++; n < messages; n = next++) {
      const number = n % destinations
      await db.queue.enqueue(message(number), [{ destination: `mx:${nameOf(number)}`, recipients: [0], due: due - messages + n }])
    }
  }))
  said.push(`${share * 100} % dead: filled with ${messages} in ${seconds(process.cpuUsage(cpu)).toFixed(1)} CPU s; ${before} MB before, ${megabytes()} MB after`)
  let live = 0
  for (let n = 0; n < destinations; n++) if (!isDead(n, share)) live += Math.ceil((messages - n) / destinations)
  let taken = 0
  let most = 0
  let dials = 0
  let ended
  const end = new Promise((resolve) => (ended = resolve))
  const dial = ({ host }, signal) => {
    if (!isDead(numberOf(host), share)) {
      return Promise.resolve(new Sink(() => {
        if (++taken % 10_000 === 0) most = Math.max(most, megabytes())
        if (taken === live) ended()
      }))
    }
    dials++
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }
  let attempts = 0
  const server = mailServer({
    hostname: 'bench.example', directory, store: db.store, queue: db.queue, keyValue: db.keyValue,
    outgoing: { dial, resolver, sts: false },
    observe: ({ kind }) => void (kind === 'attempt' && attempts++),
    listen: { lmtp: { path: join(folder, `lmtp-${messages}`) } },
  })
  cpu = process.cpuUsage()
  const began = performance.now()
  const running = await server.start()
  await end
  const used = seconds(process.cpuUsage(cpu))
  const wall = (performance.now() - began) / 1000
  said.push(`    ${live} live messages in ${used.toFixed(1)} CPU s, ${wall.toFixed(1)} s: ${Math.round(live / used)} per CPU second, ${Math.round(live / wall)}/s`)
  for (const what of ['wall', 'cpu']) {
    const sorted = times.map((one) => one[what]).sort((a, b) => a - b)
    const by = what === 'wall' ? 'by the clock' : 'of CPU'
    said.push(`    leasing: ${micros(percentile(sorted, 0.5))} a message ${by}, ${micros(percentile(sorted, 0.99))} at the 99th percentile`)
  }
  said.push(`    ${dials} dead servers dialled; ${most} MB at the most`)
  await sleep(100)
  await running.stop({ within: 0 })
  await db.close()
  return { said, rate: live / used }
}

const children = []

/** A process of its own for a share of dead destinations. */
function side(share) {
  const own = join(folder, String(share))
  mkdirSync(own, { recursive: true })
  const child = fork(process.argv[1], { env: { ...process.env, FOLDER: own, SHARE: String(share) } })
  children.push(child)
  return new Promise((resolve, reject) => {
    child.on('message', resolve)
    child.on('exit', (code) => reject(new Error(`ended with ${code}`)))
  })
}

if (SHARE !== undefined) {
  // Nothing else keeps the process: there are no sockets.
  const alive = setInterval(() => {}, 1000)
  await run(0, WARM)
  process.send(await run(Number(SHARE), messages))
  clearInterval(alive)
  process.disconnect()
} else {
  try {
    const [alone, beside] = await Promise.all([side(0), side(DEAD)])
    for (const { said } of [alone, beside]) console.log(said.join('\n'))
    console.log(`live messages keep ${((beside.rate / alone.rate) * 100).toFixed(1)} % of their rate (aimed at: 95 %)`)
  } finally {
    for (const child of children) child.kill()
    if (!STORE) rmSync(folder, { recursive: true, force: true })
  }
}

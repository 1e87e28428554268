// What the SQLite store costs, and what of it grows with what is in there: at 10 000 messages in 100 accounts, and at 1 000 000
// in 10 000. Run by hand, after `npm run build`:  node bench/store.mjs
// env: STORE (a folder, 3 GB), DRIVER (a folder whose node_modules hold better-sqlite3; default: the driver that the store finds)
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { indexMessage } from 'posthorn/message'
import { sqlite } from 'posthorn/sqlite'

const folder = process.env.STORE ?? mkdtempSync(join(tmpdir(), 'posthorn-bench-'))
const driver = process.env.DRIVER && createRequire(join(process.env.DRIVER, 'package.json'))('better-sqlite3')
const path = join(folder, 'mail.db')
const ALL = [{ first: 1, last: 0xffffffff }]

function open(more) {
  return sqlite({ path, ...(driver ? { driver } : {}), ...more }).store
}

function message(number, octets) {
  const head = `From: Alice <alice@example.org>\r\nTo: bob@example.com\r\nSubject: Number ${number}\r\n`
    + `Message-ID: <${number}@example.org>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\n`
  let text = ''
  for (let word = number; text.length < octets; word = (word * 1103515245 + 12345) & 0x7fffffff) text += `${word.toString(36)} `
  const bytes = Buffer.from(head + text)
  const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
  return { body, facts: indexMessage(bytes), received: 1.7e12 + number }
}

/** As if it came anew: the store knows a message again by its body. */
function another({ body, ...rest }) {
  return { ...rest, body: { ...body } }
}

function keyword(round) {
  return { kind: 'add', flags: [`$k${round % 7}`] }
}

/** Runs it some times, and gives the median of CPU milliseconds and of wall-clock milliseconds. */
async function cost(run, rounds) {
  const taken = []
  for (let round = 0; round < rounds; round++) {
    const [cpu, from] = [process.cpuUsage(), performance.now()]
    await run(round)
    const { user, system } = process.cpuUsage(cpu)
    taken.push([(user + system) / 1000, performance.now() - from])
  }
  const median = (which) => taken.map((one) => one[which]).sort((a, b) => a - b)[rounds >> 1]
  return { cpu: median(0), wall: median(1) }
}

async function drain(pages) {
  let count = 0
  for await (const page of pages) count += page.length
  return count
}

/** One mailbox of 10 000 messages of 10 KB: what IMAP does at a time. */
async function many() {
  const store = open()
  const { id } = await store.create('many', ['INBOX'])
  const { id: other } = await store.create('many', ['Other'])
  const messages = Array.from({ length: 100 }, (_, number) => message(number, 10_000))
  const add = async () => {
    for (let from = 0; from < 100; from += 10) {
      await Promise.all(messages.slice(from, from + 10).map((one) => store.append(id, another(one))))
    }
  }
  const rows = [['append 100, 10 at a time', await cost(add, 100)]]
  const say = async (name, run, rounds = 15) => rows.push([name, await cost(run, rounds)])
  await say('entries of 10 000', () => drain(store.entries(id)))
  await say('flag 1:* of 10 000', (round) => store.flag(id, ALL, { kind: round % 2 ? 'remove' : 'add', flags: ['\\Flagged'] }))
  await say('entries of 10 000, flagged', () => drain(store.entries(id)))
  await say('list of 10 000, with facts', () => drain(store.list(id)), 5)
  await say('entries of 10', () => drain(store.entries(id, { uids: [{ first: 5000, last: 5009 }] })))
  await say('copy 1000', (round) => store.copy(id, [{ first: 1 + 500 * round, last: 1000 + 500 * round }], other))
  await say('move 500', (round) => store.move(id, [{ first: 1 + 500 * round, last: 500 + 500 * round }], other), 9)
  await say('expunge 500', (round) => store.expunge(other, [{ first: 1 + 500 * round, last: 500 + 500 * round }]), 9)
  const { modSeq } = (await store.mailboxes('many'))[0]
  await store.flag(id, [{ first: 9001, last: 9010 }], { kind: 'add', flags: ['$x'] })
  await say('changes of 10', () => store.changes(id, modSeq))
  await store.erase('many')
  await store.close()
  for (const [name, { cpu, wall }] of rows) {
    console.log(name.padEnd(36), `${cpu.toFixed(2)} ms CPU`.padStart(14), `${wall.toFixed(2)} ms`.padStart(12))
  }
}

/** Gives each account, beyond those that `have` it, a hundred messages, and measures. */
async function at(accounts, have) {
  const store = open()
  const boxes = []
  for (let from = 0; from < accounts; from += 200) {
    const names = Array.from({ length: Math.min(200, accounts - from) }, (_, index) => `user${from + index}`)
    boxes.push(...(await Promise.all(names.map(async (name) => (await store.create(name, ['INBOX'])).id))))
  }
  const small = Array.from({ length: 50 }, (_, number) => message(number, 200))
  for (let round = 0; round < 100; round++) {
    for (let from = have; from < accounts; from += 200) {
      await Promise.all(boxes.slice(from, from + 200).map((id, index) => {
        const one = small[(from + index) % 50]
        return store.append(id, another(one))
      }))
    }
  }
  let seed = 7
  const any = () => boxes[(seed = (seed * 1103515245 + 12345) & 0x7fffffff) % boxes.length]
  const name = () => `user${(seed = (seed * 1103515245 + 12345) & 0x7fffffff) % boxes.length}`
  const costs = {
    'append 10 to 10 mailboxes': await cost(() => (
      Promise.all(small.slice(0, 10).map((one) => store.append(any(), another(one))))
    ), 200),
    'flag 1': await cost((round) => store.flag(any(), [{ first: 50, last: 50 }], keyword(round)), 200),
    'flag 1:* of 100': await cost((round) => store.flag(any(), ALL, keyword(round)), 200),
    'changes since the appends': await cost(() => store.changes(any(), 99), 200),
    'mailboxes': await cost(() => store.mailboxes(name()), 200),
    'entries of 100': await cost(() => drain(store.entries(any())), 200),
    'list of 100, with facts': await cost(() => drain(store.list(any())), 200),
  }
  await store.close()
  costs['open the store'] = await cost(() => open().close(), 5)
  return costs
}

try {
  await many()
  const few = await at(100, 0)
  const lots = await at(10_000, 100)
  const title = ['10 000', '1 000 000', 'ratio'].map((one) => one.padStart(12)).join('')
  console.log(`\n${'milliseconds of CPU, then of wall clock'.padEnd(40)}${title}${title}`)
  for (const [name, { cpu, wall }] of Object.entries(few)) {
    const told = [cpu, lots[name].cpu, lots[name].cpu / cpu, wall, lots[name].wall, lots[name].wall / wall]
    console.log(name.padEnd(40) + told.map((one) => one.toFixed(3).padStart(12)).join(''))
  }
} finally {
  if (!process.env.STORE) rmSync(folder, { recursive: true, force: true })
}

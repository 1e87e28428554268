// PI1–PI15: the same ten thousand messages and commands at our IMAP server on the SQLite store and at Debian's Dovecot, in turn.
//   npm run bench -- --only PI            env: COUNT (messages; default 10000)
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Imap } from './lib/imap-client.mjs'
import { fmt, median, memory, settle, sleep, spread, usage } from './lib/proc.mjs'
import { work } from './lib/servers.mjs'

const COUNT = Number(process.env.COUNT ?? 10_000)
const progress = (text) => process.stderr.write(`${text}\n`)

function corpus() {
  const folder = path.join(work, 'corpus-imap')
  if (!fs.existsSync(folder)) {
    spawnSync(process.execPath, [path.join(path.dirname(fileURLToPath(import.meta.url)), 'corpus.mjs'), folder, String(COUNT)])
  }
  return fs.readdirSync(folder).sort().slice(0, COUNT).map((name) => path.join(folder, name))
}

async function login(server) {
  const client = await Imap.connect(server.port)
  await client.cmd('LOGIN user password')
  return client
}

async function fill(server, files) {
  const client = await login(server)
  const text = (await client.cmd('SELECT INBOX', { keep: true })).text.toString()
  for (let i = Number(/\* (\d+) EXISTS/.exec(text)?.[1] ?? 0); i < files.length; i++) {
    const date = `"${String(1 + (i % 28)).padStart(2, ' ')}-Mar-2025 10:00:00 +0000"`
    await client.cmd(`APPEND INBOX (${i % 3 ? '\\Seen' : ''}) ${date}`, { literal: fs.readFileSync(files[i]), sync: true })
  }
  client.end()
  await settle(server.pid)
}

/** Runs it again and again for a while: milliseconds, and those of the server's CPU, each time. */
async function timed(server, once, least = 5, most = 600) {
  await once()
  const [until, before] = [performance.now() + most, usage(server.pid).cpu]
  const each = []
  while (each.length < least || (performance.now() < until && each.length < 500)) each.push(await once())
  const cpu = ((usage(server.pid).cpu - before) / each.length) * 1e3
  return { ms: median(each), cpu }
}

const commands = (...lines) => async (server, client) => {
  let next = 0
  return timed(server, async () => (await client.cmd(lines[next++ % lines.length])).ms)
}

const ten = Buffer.concat([Buffer.from('Subject: ten\r\n\r\n'), Buffer.alloc(10_224, 'lorem ipsum dolor sit amet, consectetur adipiscing elit\r\n')])

/** One command and what is left to do when the client has its answer. */
async function once(server, client, line) {
  const before = usage(server.pid).cpu
  const { ms } = await client.cmd(line)
  await sleep(50)
  return { ms, cpu: (usage(server.pid).cpu - before) * 1e3 }
}

/** In a server that has just started and remembers nothing. */
const afterRestart = (line) => (server, client) => once(server, client, line)

/** Of messages that have just come into a mailbox: nobody has asked for them there before. */
const afterDelivery = (line) => async (server) => {
  const each = []
  for (let i = 0; i < 5; i++) {
    const client = await login(server)
    await client.cmd('CREATE bench-first').catch(() => undefined)
    await client.cmd('SELECT INBOX')
    await client.cmd('COPY 1:* bench-first')
    client.end()
    server.forget?.()
    const reader = await login(server)
    await reader.cmd('SELECT bench-first')
    const result = await once(server, reader, line)
    // The first of them is code that runs for the first time, which is another cell.
    if (i > 0) each.push(result)
    await reader.cmd('SELECT INBOX')
    await reader.cmd('DELETE bench-first')
    reader.end()
  }
  return middle(each)
}

/**
 * Messages after which an APPEND, and log-ins after which one, costs no more than it will for as long as the server is up; or
 * milliseconds, for those that take longer.
 */
const WARM_APPENDS = 4000
const WARM_LOGINS = 2000
const WARM = 5000

const appends = (connections) => async (server) => {
  const clients = []
  for (let i = 0; i < connections; i++) clients.push(await login(server))
  await clients[0].cmd('CREATE bench-append').catch(() => undefined)
  let count = 0
  const until = (over) => Promise.all(clients.map(async (client) => {
    for (; !over(); count++) await client.cmd('APPEND bench-append', { literal: ten, sync: true })
  }))
  const began = performance.now()
  await until(() => count >= WARM_APPENDS || performance.now() - began > WARM)
  count = 0
  const [from, before] = [performance.now(), usage(server.pid).cpu]
  await until(() => performance.now() - from >= 1500)
  const took = performance.now() - from
  const cpu = ((usage(server.pid).cpu - before) / count) * 1e3
  await clients[0].cmd('DELETE bench-append')
  for (const client of clients) client.end()
  return { ms: took / count, cpu }
}

/** Copies or moves in a round, and those before them: one alone is over in milliseconds. */
const TRANSFERS = 12
const WARM_TRANSFERS = 40

/** A copy or a move, of which each finds its mailbox empty. */
const transfer = (verb, set) => async (server) => {
  const client = await login(server)
  for (const name of ['bench-from', 'bench-to']) await client.cmd(`CREATE ${name}`).catch(() => undefined)
  const each = []
  for (let i = -WARM_TRANSFERS; i < TRANSFERS; i++) {
    await client.cmd('SELECT INBOX')
    if (verb === 'MOVE') {
      await client.cmd('COPY 1:1000 bench-from')
      await client.cmd('SELECT bench-from')
    }
    const command = `${verb} ${set} bench-to`
    if (i < 0) await client.cmd(command)
    else each.push(await once(server, client, command))
  }
  await client.cmd('SELECT INBOX')
  for (const name of ['bench-from', 'bench-to']) await client.cmd(`DELETE ${name}`)
  client.end()
  return { ms: median(each.map(({ ms }) => ms)), cpu: each.reduce((sum, { cpu }) => sum + cpu, 0) / each.length }
}

async function notice(server) {
  const [idler, writer] = [await login(server), await login(server)]
  await writer.cmd('CREATE bench-idle').catch(() => undefined)
  await idler.cmd('SELECT bench-idle')
  const each = []
  for (let i = 0; i < 8; i++) {
    await idler.idle()
    const seen = new Promise((resolve) => {
      idler.untagged = (text) => text.includes(' EXISTS') && resolve(performance.now())
    })
    await writer.cmd('APPEND bench-idle', { literal: ten.subarray(0, 2048), sync: true })
    const from = performance.now()
    each.push(Math.max(0, (await seen) - from))
    idler.untagged = null
    await idler.done()
    await sleep(50)
  }
  await writer.cmd('DELETE bench-idle')
  idler.end()
  writer.end()
  return { ms: median(each), cpu: Number.NaN }
}

async function logins(server) {
  const once = async () => {
    const from = performance.now()
    const client = await login(server)
    await client.cmd('LOGOUT').catch(() => undefined)
    client.end()
    return performance.now() - from
  }
  // What is measured is a server that has been up for a while: code that runs for the first time costs three times as much.
  const began = performance.now()
  for (let i = 0; i < WARM_LOGINS && performance.now() - began < WARM; i++) await once()
  return timed(server, once, 20, 1500)
}

async function idle(server) {
  const open = async () => {
    const client = await login(server)
    await client.cmd('SELECT INBOX')
    await client.idle()
    return client
  }
  const clients = [await open()]
  await settle(server.pid)
  const before = memory(server.pid).pss
  for (let i = 0; i < 50; i++) clients.push(...(await Promise.all(Array.from({ length: 20 }, open))))
  await sleep(1500)
  await settle(server.pid)
  const size = (memory(server.pid).pss - before) / 1000
  for (const client of clients) client.end()
  await sleep(500)
  return { ms: size, cpu: Number.NaN }
}

const envelope = 'FETCH 1:* (UID FLAGS ENVELOPE INTERNALDATE RFC822.SIZE)'
const both = ['dovecot-maildir', 'dovecot-mdbox']

/** `atMost`: milliseconds (KB for PI15) aimed at; `peers`: at least so many times as good as each of them. */
const cells = [
  // In a process that is fresh: a heap has room to spare from other work. Of several, pages that they share are counted once.
  { id: 'PI15', what: 'KB an idle connection', run: idle, atMost: 10, peers: 65, fresh: true },
  { id: 'PI1', what: 'FETCH 1:* (UID FLAGS)', run: commands('FETCH 1:* (UID FLAGS)'), atMost: 3, peers: 1.2 },
  { id: 'PI2', what: 'FETCH 1:* ENVELOPE …', run: commands(envelope), atMost: 24, peers: 3 },
  { id: 'PI3', what: 'FETCH 1:* ENVELOPE …, just delivered', run: afterDelivery(envelope), peers: 8 },
  { id: 'PI3', what: 'FETCH 1:* ENVELOPE …, just started', run: afterRestart(envelope), peers: 8, fresh: true },
  { id: 'PI4', what: 'FETCH 1:* BODYSTRUCTURE', run: commands('FETCH 1:* (BODYSTRUCTURE)'), atMost: 10, peers: 1 },
  { id: 'PI5', what: 'FETCH 1:* BODY.PEEK[]', run: commands('FETCH 1:* BODY.PEEK[]'), peers: 1 },
  { id: 'PI6', what: 'UID SEARCH SUBJECT', run: commands('UID SEARCH SUBJECT "zeppelin"'), atMost: 1.5, peers: 10, searches: true },
  { id: 'PI6', what: 'UID SEARCH FROM', run: commands('UID SEARCH FROM "berg"'), atMost: 1.5, peers: 10, searches: true },
  { id: 'PI7', what: 'UID SEARCH BODY, indexed', run: commands('UID SEARCH BODY "quasar"'), atMost: 3, peers: 200, searches: true },
  { id: 'PI8', what: 'UID SEARCH BODY, no index', run: commands('UID SEARCH BODY "quasar"'), peers: 5 },
  { id: 'PI9', what: 'SORT (REVERSE DATE)', run: commands('SORT (REVERSE DATE) UTF-8 ALL'), peers: 1.5 },
  { id: 'PI9', what: 'THREAD REFERENCES', run: commands('THREAD REFERENCES UTF-8 ALL'), peers: 1 },
  { id: 'PI10', what: 'APPEND 10 KB, 1 connection', run: appends(1), peers: 4 },
  { id: 'PI10', what: 'APPEND 10 KB, 10 connections', run: appends(10), peers: 8 },
  { id: 'PI11', what: 'STORE 1:* ±FLAGS', run: commands('STORE 1:* +FLAGS (\\Flagged)', 'STORE 1:* -FLAGS (\\Flagged)'), atMost: 3.5, peers: 1 },
  { id: 'PI12', what: 'COPY 1:1000', run: transfer('COPY', '1:1000'), peers: 2.5 },
  { id: 'PI12', what: 'MOVE 1:500', run: transfer('MOVE', '1:500'), peers: 2.5 },
  { id: 'PI13', what: 'IDLE: APPEND OK → EXISTS', run: notice, atMost: 2, peers: 250 },
  { id: 'PI14', what: 'connect, LOGIN, LOGOUT', run: logins, peers: 40 },
]

const shown = ({ ms, cpu }) => (Number.isFinite(cpu) ? `${fmt(ms)} ms, CPU ${fmt(cpu)}` : fmt(ms))
const middle = (results) => ({ ms: median(results.map(({ ms }) => ms)), cpu: median(results.map(({ cpu }) => cpu)) })

/** `up` starts a server by name, `down` stops it. */
export async function run({ rounds, up, down, wanted }) {
  const chosen = cells.filter(({ id }) => wanted(id))
  const files = corpus()
  const servers = new Map()
  for (const name of ['imap', 'imap-search', ...both]) {
    const server = await up(name)
    if (!server) continue
    progress(`${name}: ${files.length} messages`)
    await fill(server, files)
    servers.set(name, server)
  }
  console.log(`\n| id | of ${files.length} messages | ours | ${both.join(' | ')} | aimed at | met |\n|---|---|---|${both.map(() => '---|').join('')}---|---|`)
  for (const { id, what, run: measure, atMost, peers, searches, fresh } of chosen) {
    const ours = searches ? 'imap-search' : 'imap'
    const names = [ours, ...both].filter((name) => servers.has(name))
    const results = Object.fromEntries(names.map((name) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      for (const name of names) {
        if (fresh) {
          await down(name)
          servers.get(name).forget?.()
          servers.set(name, await up(name))
        }
        const server = servers.get(name)
        const client = await login(server)
        await client.cmd('SELECT INBOX')
        results[name].push(await measure(server, client))
        client.end()
        await settle(server.pid, 5000, 100)
      }
      progress(`${id} ${what}: round ${round + 1} of ${rounds}`)
    }
    const us = middle(results[ours])
    const ratios = both.filter((name) => results[name]).map((name) => {
      const them = middle(results[name])
      return Number.isFinite(us.cpu) ? them.cpu / us.cpu : them.ms / us.ms
    })
    const met = (ratios.length > 0 && Math.min(...ratios) >= peers) || (atMost !== undefined && us.ms <= atMost)
    const cellsOf = both.map((name) => (results[name] ? `${shown(middle(results[name]))} (${fmt(ratios.shift())}×)` : '–'))
    const range = spread(results[ours].map(({ ms }) => ms)).map(fmt).join('–')
    const aim = `${peers}×${atMost === undefined ? '' : ` or ≤ ${atMost}`}`
    console.log(`| ${id} | ${what} | ${shown(us)} (${range}) | ${cellsOf.join(' | ')} | ${aim} | ${met ? 'yes' : 'no'} |`)
  }
}

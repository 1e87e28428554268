// npm run bench [-- --only PS1,PD,PE] [--rounds 3] [--secs 1.5] [--out FILE]
// Runs ours and the peers in turn, round by round, so that a slow minute of the machine hits all alike, and prints ratios.
import fs from 'node:fs'
import { fmt, median, memory, settle, sleep, spread, usage } from './lib/proc.mjs'
import { hold, load, pinned, prepare, servers, work } from './lib/servers.mjs'
import * as targets from './targets.mjs'

const options = { only: '', rounds: '3', secs: '1.5', out: '' }
for (let i = 2; i < process.argv.length; i += 2) {
  const name = process.argv[i].replace(/^--/, '')
  if (!(name in options) || process.argv[i + 1] === undefined) throw new Error(`${process.argv[i]}: takes --only, --rounds, --secs, --out with a value`)
  options[name] = process.argv[i + 1]
}
const rounds = Number(options.rounds)
const secs = Number(options.secs)
const wanted = (id) => options.only === '' || options.only.split(',').some((prefix) => id.startsWith(prefix))
const keep = (row) => options.out && fs.appendFileSync(options.out, `${JSON.stringify(row)}\n`)
const progress = (text) => process.stderr.write(`${text}\n`)

const running = new Map()
const missing = new Map()
async function up(name) {
  if (running.has(name)) return running.get(name)
  if (missing.has(name)) return undefined
  try {
    const server = await servers[name]()
    running.set(name, server)
    return server
  } catch (error) {
    missing.set(name, error.message)
    progress(`without ${name}: ${error.message}`)
    return undefined
  }
}
async function down(name) {
  await running.get(name)?.stop()
  running.delete(name)
}

const label = ({ octets, sessions, mode, perConnection, startTls }) =>
  `${startTls ? 'STARTTLS, ' : ''}${octets >= 1e6 ? `${octets / 1e6} MB` : `${octets / 1024} KB`}, ${sessions} sessions, ${perConnection ? 'a connection each, ' : ''}${mode}`

const args = ({ octets, sessions, mode, perConnection, startTls }, seconds) => [
  '-s', String(sessions), '-m', '3000000', '-l', String(octets), '-P', mode, '-D', String(seconds), '-t', String(Math.ceil(seconds * 8 + 20)),
  ...(perConnection ? ['-k', String(perConnection)] : []),
  ...(startTls ? ['-T'] : []),
]

async function once(name, cell) {
  const server = await up(name)
  if (!server) return undefined
  await settle(server.pid, 15_000, 150)
  const before = usage(server.pid)
  const result = await load(server, args(cell, secs))
  await settle(server.pid, 20_000, 150)
  const cpu = usage(server.pid).cpu - before.cpu
  if (!result.messages || result.errors) {
    progress(`${name}: ${result.err ?? 'errors'}`)
    return undefined
  }
  return { capacity: result.messages / cpu, rate: result.msgs_per_s, p50: result.p50_ms, p99: result.p99_ms, micros: (cpu / result.messages) * 1e6 }
}

const better = { capacity: (us, them) => us / them, rate: (us, them) => us / them, p50: (us, them) => them / us, p99: (us, them) => them / us }

async function smtp() {
  const chosen = targets.smtp.filter(({ id }) => wanted(id))
  if (chosen.length === 0) return
  console.log('\n| id | load | ours, CPU µs a message | against | ratio (min–max) | aimed at | met |\n|---|---|---|---|---|---|---|')
  for (const { id, ours, cell, against } of chosen) {
    const names = [ours, ...against.map(({ peer }) => peer)]
    for (const name of names) if (await up(name)) await load(running.get(name), args(cell, 0.7))
    const results = Object.fromEntries(names.map((name) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      for (const name of names) {
        const result = await once(name, cell)
        results[name].push(result)
        keep({ id, name, round, ...result })
      }
      progress(`${id}: round ${round + 1} of ${rounds}`)
    }
    for (const { peer, atLeast, of } of against) {
      const ratios = results[ours].map((us, round) => (us && results[peer][round] ? better[of](us[of], results[peer][round][of]) : Number.NaN))
      const ratio = median(ratios)
      const micros = median(results[ours].map((us) => us?.micros ?? Number.NaN))
      const verdict = Number.isNaN(ratio) ? `no ${peer}` : ratio >= atLeast ? 'yes' : 'no'
      console.log(`| ${id} | ${label(cell)} | ${fmt(micros)} | ${peer}${of === 'capacity' ? '' : `, ${of}`} | ${fmt(ratio)} (${spread(ratios).map(fmt).join('–')}) | ${fmt(atLeast)} | ${verdict} |`)
    }
    // Databases and heaps that the last load has filled are not the next one's to carry.
    for (const name of names) await down(name)
  }
}

async function idle() {
  const chosen = targets.idle.filter(({ id }) => wanted(id))
  if (chosen.length === 0) return
  console.log('\n| id | idle connections | server | KB a connection (min–max) | aimed at | met |\n|---|---|---|---|---|---|')
  for (const { id, ours, connections, startTls, atMost, beside } of chosen) {
    for (const name of [ours, ...beside]) {
      const sizes = []
      for (let round = 0; round < rounds; round++) {
        const server = await up(name)
        if (!server) break
        await load(server, ['-s', '2', '-m', '20', '-l', '1024'])
        await settle(server.pid)
        const before = memory(server.pid)
        const held = await hold(server, connections, startTls)
        await sleep(1500)
        await settle(server.pid)
        sizes.push((memory(server.pid).rss - before.rss) / held.opened)
        await held.release()
        await down(name)
      }
      const size = median(sizes)
      const verdict = name !== ours ? '' : size <= atMost ? 'yes' : 'no'
      console.log(`| ${id} | ${connections}${startTls ? ', STARTTLS' : ''} | ${name} | ${fmt(size)} (${spread(sizes).map(fmt).join('–')}) | ${name === ours ? `≤ ${atMost}` : ''} | ${verdict} |`)
    }
  }
}

const problem = prepare()
if (problem) throw new Error(problem)
if (!pinned) progress('one core, or no taskset: server and load share it, so read the ratios with care')
progress(`Node ${process.version}; built programs and stores in ${work}`)
try {
  if (wanted('PE1')) await (await import('./engine.mjs')).run({ rounds, secs, targets: targets.engine })
  if (wanted('PP2')) await (await import('./parse.mjs')).run({ rounds, target: targets.parse, folder: work })
  if (wanted('PL1')) await (await import('./login.mjs')).run({ secs: Math.max(3, secs), target: targets.login })
  await smtp()
  await idle()
  if (wanted('PO1')) await (await import('./outbound.mjs')).run({ rounds, secs, up, down, args, keep, progress, target: targets.outbound })
  if (options.only === '' || options.only.includes('PI')) await (await import('./imap.mjs')).run({ rounds, up, down, wanted })
} finally {
  for (const name of [...running.keys()]) await down(name)
}
for (const [name, why] of missing) console.log(`\nWithout ${name}: ${why}`)

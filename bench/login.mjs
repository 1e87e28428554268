// A storm of wrong passwords against passwords().verify, and what it does to those who want something else of the same process:
// the time to an answer that costs nothing, and to one that reads a file (in libuv's thread pool, as hashes are computed).
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import net from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { fmt, sleep } from './lib/proc.mjs'

/** Connections that guess, and such as ask something else every few milliseconds. */
const GUESSERS = 100
const OTHERS = 10
const PAUSE = 5

/** Answers lines: `PING`, `FILE`, `LOGIN`; `DELAY` with the milliseconds of the event loop's delay since the last time. */
async function serve(scheme) {
  const { passwords } = await import('posthorn/node')
  const kept = passwords({ scheme })
  const hash = await kept.hash('the right one')
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const answers = {
    PING: () => 'PONG',
    FILE: async () => String((await readFile(fileURLToPath(import.meta.url))).length),
    LOGIN: () => kept.verify('a guess', hash).then(() => 'WRONG', (error) => error.code),
    DELAY: () => {
      const delay = `${loop.percentile(99) / 1e6} ${loop.max / 1e6}`
      loop.reset()
      return delay
    },
  }
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {})
    socket.on('data', async (line) => socket.write(`${await answers[String(line).trim()]()}\n`))
  })
  server.listen(0, '127.0.0.1', () => process.send(server.address().port))
}

async function connected(port) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return {
    async ask(word) {
      socket.write(`${word}\n`)
      return String((await once(socket, 'data'))[0]).trim()
    },
    end: () => socket.destroy(),
  }
}

const percentile = (times, share) => times.sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))]

/** Asks `word` over and over, pausing in between, until it is time. Gives the milliseconds of each answer. */
async function watch(port, word, end) {
  const all = await Promise.all(Array.from({ length: OTHERS }, async () => {
    const client = await connected(port)
    const times = []
    while (performance.now() < end) {
      const began = performance.now()
      await client.ask(word)
      times.push(performance.now() - began)
      await sleep(PAUSE)
    }
    client.end()
    return times
  }))
  return all.flat()
}

async function guess(port, end, tally) {
  const client = await connected(port)
  while (performance.now() < end) {
    const answer = await client.ask('LOGIN')
    tally[answer] = (tally[answer] ?? 0) + 1
    // Who is turned away comes again, at once but for a moment.
    if (answer !== 'WRONG') await sleep(10)
  }
  client.end()
}

async function storm(scheme, guessers, secs) {
  const child = fork(fileURLToPath(import.meta.url), [], { env: { ...process.env, SCHEME: scheme } })
  try {
    const [port] = await once(child, 'message')
    const control = await connected(port)
    await watch(port, 'PING', performance.now() + 200)
    await control.ask('DELAY')
    const end = performance.now() + secs * 1000
    const tally = {}
    const guessing = Array.from({ length: guessers }, () => guess(port, end, tally))
    const [pings, files] = await Promise.all([watch(port, 'PING', end), watch(port, 'FILE', end), ...guessing])
    const delay = Number((await control.ask('DELAY')).split(' ')[0])
    control.end()
    return { pings, files, delay, verified: (tally.WRONG ?? 0) / secs, refused: (tally.temporary ?? 0) / secs }
  } finally {
    child.kill()
  }
}

export async function run({ secs = 3, target, schemes = ['argon2id', 'scrypt', 'bcrypt'] }) {
  console.log('\n| id | storm | checked/s | turned away/s | event loop p99 ms | other commands p50, p99 ms | with a file p50, p99 ms | aimed at | met |\n|---|---|---|---|---|---|---|---|---|')
  for (const [scheme, guessers] of [[schemes[0], 0], ...schemes.map((name) => [name, GUESSERS])]) {
    const { pings, files, delay, verified, refused } = await storm(scheme, guessers, secs)
    const p99 = percentile(pings, 0.99)
    const both = (times) => `${fmt(percentile(times, 0.5))}, ${fmt(percentile(times, 0.99))}`
    const verdict = guessers === 0 ? ' | ' : `p99 < ${target.below} | ${p99 < target.below ? 'yes' : 'no'}`
    console.log(`| ${target.id} | ${guessers === 0 ? 'none' : `${guessers} × ${scheme}`} | ${fmt(verified)} | ${fmt(refused)} | ${fmt(delay)} | ${both(pings)} | ${both(files)} | ${verdict} |`)
  }
}

if (process.env.SCHEME && process.send) await serve(process.env.SCHEME)

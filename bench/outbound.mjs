// PO1: from submission to the next server. The load submits for a while; then it is waited for until the sink has had all. CPU of
// the server's process tree, for each message that has arrived.
import { fmt, median, settle, sleep, spread, usage } from './lib/proc.mjs'
import { load, sink } from './lib/servers.mjs'

/** Messages before the first round: programs in Node are measured as they are when they have been up for a while. */
const WARM = { node: 15_000, other: 300 }

/** A round lasts so many times as long as those of other cells: there are fewer messages in a second. */
const LONGER = 4

/** Milliseconds in which a server has to come to an end with what it has taken. */
const PATIENCE = 300_000

// Whom ours asks: any name and password will do.
const login = ['-A', Buffer.from('\0load\0password').toString('base64')]

/** Runs the cell on each server in turn and prints a table. */
export async function run({ rounds, secs, up, down, args, keep, progress, target }) {
  const { id, ours, cell, against } = target
  const names = [ours, ...against.map(({ peer }) => peer)]
  const results = Object.fromEntries(names.map((name) => [name, []]))
  let here
  try {
    here = await sink()
  } catch (error) {
    console.log(`\nWithout ${id}, smtp-sink: ${error.message}`)
    return
  }
  /** How many messages have come to the sink through a server, and CPU seconds of it. */
  async function once(name, how) {
    const server = await up(name)
    if (!server) return undefined
    const [before, had, began] = [usage(server.pid).cpu, here.messages, performance.now()]
    const result = await load(server, [...how, ...(name === ours ? login : [])])
    const end = performance.now() + PATIENCE
    while (here.messages - had < result.messages && performance.now() < end) await sleep(10)
    const messages = here.messages - had
    const wall = (performance.now() - began) / 1000
    await settle(server.pid, 20_000, 150)
    if (!result.messages || result.errors || messages !== result.messages) {
      progress(`${name}: ${result.err ?? 'errors'}; ${messages} of ${result.messages} have arrived`)
      return undefined
    }
    const cpu = usage(server.pid).cpu - before
    return { capacity: messages / cpu, micros: (cpu / messages) * 1e6, rate: messages / wall }
  }
  try {
    for (const name of names) {
      const messages = name.startsWith('postfix') ? WARM.other : WARM.node
      await once(name, [...args(cell, 0), '-m', String(messages), '-D', '0', '-t', '300'])
      progress(`${id}: ${name} is warm`)
    }
    for (let round = 0; round < rounds; round++) {
      for (const name of names) {
        const result = await once(name, args(cell, secs * LONGER))
        results[name].push(result)
        keep({ id, name, round, ...result })
      }
      progress(`${id}: round ${round + 1} of ${rounds}`)
    }
  } finally {
    for (const name of names) await down(name)
    here.stop()
  }
  console.log('\n| id | server | CPU µs a message (min–max) | messages/s | ratio (min–max) | aimed at | met |\n|---|---|---|---|---|---|---|')
  for (const name of names) {
    const of = (what) => results[name].map((result) => result?.[what] ?? Number.NaN)
    const peer = against.find(({ peer }) => peer === name)
    const ratios = results[ours].map((us, round) => (us?.capacity ?? Number.NaN) / (results[name][round]?.capacity ?? Number.NaN))
    const ratio = median(ratios)
    const verdict = Number.isNaN(ratio) ? `no ${name}` : ratio >= peer?.atLeast ? 'yes' : 'no'
    const compared = peer ? `${fmt(ratio)} (${spread(ratios).map(fmt).join('–')}) | ${fmt(peer.atLeast)} | ${verdict}` : ' |  | '
    console.log(`| ${id} | ${name} | ${fmt(median(of('micros')))} (${spread(of('micros')).map(fmt).join('–')}) | ${fmt(median(of('rate')))} | ${compared} |`)
  }
}

// Runs the simulator from the sources: the seeds of test/seeds.json, then, with `--for 60`, fresh ones for so many seconds, or
// with `--runs 100` so many (`--from 7`: beginning there). `npm run simulate -- --seed 7` replays one seed, `--print` shows its
// transcript, `--sabotage loses-recipients` builds in a fault. One run in twenty is run twice and compared.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createViteServer } from 'vitest/node'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    for: { type: 'string' },
    runs: { type: 'string' },
    from: { type: 'string' },
    sabotage: { type: 'string' },
    print: { type: 'boolean' },
  },
})

const vite = await createViteServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
})
const { simulate, simulationReport } = await vite.ssrLoadModule('/src/testing/simulator/index.ts')

// What nobody has caught would have ended a server.
let current
process.on('unhandledRejection', (error) => {
  failures++
  console.log(`Seed ${current} fails. To run it again: npm run simulate -- --seed ${current}\nNobody has caught:`, error)
})

// Databases are flushed at each commit, which costs nothing in memory.
const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

async function run(seed) {
  current = seed
  const folder = mkdtempSync(join(place, 'simulation-'))
  try {
    return await simulate({ seed, folder, ...(values.sabotage && { sabotage: values.sabotage }) })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

let failures = 0
const total = { runs: 0, messages: 0, underWay: 0, present: 0, lasted: 0 }

async function check(seed, twice) {
  const simulation = await run(seed)
  total.runs++
  total.messages += simulation.messages
  total.underWay += simulation.underWay
  total.present += simulation.present
  total.lasted += simulation.lasted
  const again = twice ? await run(seed) : simulation
  if (values.print) console.log(simulation.transcript.join('\n'))
  if (simulation.violations.length > 0 || again.hash !== simulation.hash) {
    failures++
    console.log(simulationReport(simulation, again))
  }
}

function* seeds() {
  if (values.seed !== undefined) return yield Number(values.seed)
  const fixed = JSON.parse(readFileSync(new URL('seeds.json', import.meta.url), 'utf8'))
  for (const { seed } of fixed) yield seed
  if (values.for === undefined && values.runs === undefined) return
  const end = performance.now() + Number(values.for ?? Infinity) * 1000
  const most = Number(values.runs ?? Infinity)
  let seed = values.from === undefined ? Math.floor(Date.now() / 10) % 1_000_000_000 : Number(values.from)
  for (let count = 0; count < most && performance.now() < end; count++) yield seed++
}

const began = process.cpuUsage()
for (const seed of seeds()) await check(seed, values.seed !== undefined || seed % 20 === 0)
const { user, system } = process.cpuUsage(began)
const minutes = (user + system) / 60e6
const days = (milliseconds) => (milliseconds / 86_400_000).toFixed(0)
// A message-day: one message in the system, wherever it is, for one simulated day.
console.log(
  `${total.runs} runs, ${failures} failed; ${total.messages} messages in ${days(total.lasted)} days;`
    + ` ${days(total.present)} message-days (${days(total.underWay)} of them under way) in ${(minutes * 60).toFixed(1)} s of CPU:`
    + ` ${days(total.present / minutes)} a minute`,
)
await vite.close()
process.exitCode = failures > 0 ? 1 : 0

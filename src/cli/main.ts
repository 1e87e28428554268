#!/usr/bin/env node
import { nodeClock } from '../adapters/node/index.ts'
import { LineWriter } from './lines.ts'
import { run } from './program.ts'
import { SecretReader } from './secret.ts'
import type { StopSignal } from './terminal.ts'

/** Milliseconds within which a second SIGINT is the same Ctrl-C: the terminal sends one, and npm passes its own on. */
const SAME_CTRL_C = 50

const numbers: Record<StopSignal, number> = { SIGINT: 2, SIGTERM: 15 }

const soon = (work: () => void): void => void setImmediate(work)
const out = new LineWriter(process.stdout, soon)
const error = new LineWriter(process.stderr, soon)

function stopped(): Promise<StopSignal> {
  return new Promise((resolve) => {
    let first: number | undefined
    const asked = (signal: StopSignal): void => {
      const at = nodeClock.ticks()
      if (first === undefined) {
        first = at
        resolve(signal)
      } else if (signal !== 'SIGINT' || at - first > SAME_CTRL_C) process.exit(128 + numbers[signal])
    }
    process.on('SIGINT', asked)
    process.on('SIGTERM', asked)
  })
}

// Node's own way of warning is not a line of JSON; and that SQLite is new in Node is nothing to act upon.
process.removeAllListeners('warning')
process.on('warning', (warning) => {
  const isKnown = warning.name === 'ExperimentalWarning' && warning.message.includes('SQLite')
  if (!isKnown) error.line(JSON.stringify({ time: new Date(nodeClock.now()).toISOString(), level: 'warn', msg: String(warning) }))
})

const code = await run({
  arguments: process.argv.slice(2),
  environment: process.env,
  pid: process.pid,
  clock: nodeClock,
  watched: process.stderr.isTTY === true,
  secrets: new SecretReader(process.stdin, (text) => void process.stderr.write(text)),
  out: (line) => out.line(line),
  outPiece: (text) => out.piece(text),
  error: (line) => error.line(line),
  progress: (text) => void process.stderr.write(`\r\x1b[K${text}`),
  stopped,
})
// A reader that is asleep does not keep the process from ending.
setTimeout(() => process.exit(code), 1000)
await Promise.all([out.end(), error.end()])
process.exit(code)

import { run } from '../../src/cli/program.ts'
import { virtualClock } from '../../src/testing/virtual-clock.ts'

/** Runs a command of `posthorn` in this process, on a data folder at a time; what it printed and how it ended. */
export async function commandHere(data: string, now: number, given: readonly string[]) {
  let out = ''
  const error: string[] = []
  const code = await run({
    arguments: given,
    environment: { POSTHORN_DATA: data },
    pid: 1,
    clock: virtualClock({ now }),
    watched: false,
    secrets: { isTyped: false, read: () => Promise.reject(new Error('nothing to read')) },
    out: (line) => void (out += `${line}\n`),
    outPiece: async (text) => (out += text) !== '',
    error: (line) => void error.push(line),
    progress: () => undefined,
    stopped: () => new Promise(() => undefined),
  })
  return { code, out, error: error.join('\n') }
}

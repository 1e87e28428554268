import { type ChildProcess, spawn } from 'node:child_process'
import { programAt } from './programs.ts'

/** How long anything may take, in milliseconds, before a test gives up on it. */
export const PATIENCE = 40_000

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** What it reads on standard input. */
  readonly input?: string | Uint8Array
}

/** How a program ended and what it said. */
export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
  /** Both, as they came. */
  readonly text: string
}

/** Everything that was started and has not ended: nothing outlives the tests. */
const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** A program that runs beside the tests. */
export class Child {
  out = ''
  err = ''
  text = ''
  readonly pid: number
  /** Resolves when it has ended and all it said is here. */
  readonly ended: Promise<Ran>
  readonly #process: ChildProcess
  readonly #watching = new Set<() => void>()
  #over = false

  /** `name` is looked for like a command. */
  constructor(name: string, given: readonly string[], options: RunOptions = {}) {
    const { cwd, env, input } = options
    const started = spawn(name === 'node' ? process.execPath : programAt(name), given, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
      stdio: 'pipe',
    })
    this.#process = started
    alive.add(started)
    this.pid = started.pid ?? 0
    started.stdin.on('error', () => undefined)
    if (input !== undefined) started.stdin.end(input)
    started.stdout.setEncoding('utf8').on('data', (text: string) => this.#heard('out', text))
    started.stderr.setEncoding('utf8').on('data', (text: string) => this.#heard('err', text))
    this.ended = new Promise((resolve, reject) => {
      started.once('error', reject)
      started.once('close', (code) => {
        alive.delete(started)
        this.#over = true
        const { out, err, text } = this
        resolve({ code, out, err, text })
        this.#changed()
      })
    })
  }

  /** Writes to its standard input. */
  write(text: string | Uint8Array): void {
    this.#process.stdin?.write(text)
  }

  /** Ends its standard input. */
  end(): void {
    this.#process.stdin?.end()
  }

  /** The first match in all that it says, from `from` on. Rejects when it ends without, or takes too long. */
  said(pattern: RegExp, from = 0, patience = PATIENCE): Promise<RegExpExecArray> {
    return this.until(() => pattern.exec(this.text.slice(from)) ?? undefined, String(pattern), patience)
  }

  /** The first result that is not `undefined`, looked for whenever it says something. */
  until<T>(look: () => T | undefined, what: string, patience = PATIENCE): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#watching.delete(check)
      }
      const fail = (why: string): void => {
        done()
        reject(new Error(`${why} without ${what}:\n${this.text.slice(-4000)}`))
      }
      const check = (): void => {
        const found = look()
        if (found === undefined) return this.#over ? fail('it ended') : undefined
        done()
        resolve(found)
      }
      const timer = setTimeout(() => fail(`${patience} ms`), patience)
      this.#watching.add(check)
      check()
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Asks it to end; after ten seconds it is ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ran> {
    this.#process.kill(signal)
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 10_000)
    const ran = await this.ended
    clearTimeout(timer)
    return ran
  }

  #heard(where: 'out' | 'err', text: string): void {
    this[where] += text
    this.text += text
    this.#changed()
  }

  #changed(): void {
    for (const check of [...this.#watching]) check()
  }
}

/** Runs a program to its end. One that takes too long is ended, and that is an error. */
export async function run(name: string, given: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = new Child(name, given, { input: '', ...options })
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.signal('SIGKILL')
  }, PATIENCE)
  const ran = await child.ended
  clearTimeout(timer)
  if (late) throw new Error(`${name} took more than ${PATIENCE} ms:\n${ran.text.slice(-4000)}`)
  return ran
}

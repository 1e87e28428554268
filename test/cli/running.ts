import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach } from 'vitest'

/** One line of JSON. */
export type Line = Readonly<Record<string, unknown>>

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The environment without what is set for posthorn outside, and with what is set here. */
function environment(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('POSTHORN_'))
  return { ...Object.fromEntries(inherited), ...settings }
}

/** A command that was started; what it prints is read line by line. */
export class Running {
  readonly child: ChildProcess
  /** Resolves when it has ended and everything it said was read. */
  readonly ended: Promise<Ended>
  readonly out: string[] = []
  readonly error: string[] = []
  private readonly waiting = new Set<() => void>()
  private over = false

  constructor(main: string, given: readonly string[], settings: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [main, ...given], { env: environment(settings), stdio: ['ignore', 'pipe', 'pipe'] })
    for (const [stream, lines] of [[this.child.stdout!, this.out], [this.child.stderr!, this.error]] as const) {
      createInterface(stream).on('line', (line) => {
        lines.push(line)
        this.look()
      })
    }
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        this.over = true
        this.look()
        resolve({ code, signal })
      })
    })
  }

  /** The first line on standard output with that event, or a later one. */
  async event(name: string, count = 1): Promise<Line> {
    const events = (): Line[] => this.out.map((line) => JSON.parse(line) as Line)
    return this.until(() => events().filter(({ event }) => event === name)[count - 1], name)
  }

  /** A line of its log. */
  async logged(msg: string): Promise<Line> {
    return this.until(() => this.error.map((line) => JSON.parse(line) as Line).find((line) => line['msg'] === msg), msg)
  }

  /** Ends it and gives how that went. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.child.kill(signal)
    return this.ended
  }

  private until<T>(find: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find()
        if (found === undefined && !this.over) return
        this.waiting.delete(look)
        if (found === undefined) reject(new Error(`ended without ${what}: ${this.error.join('\n')}`))
        else resolve(found)
      }
      this.waiting.add(look)
      look()
    })
  }

  private look(): void {
    for (const look of [...this.waiting]) look()
  }
}

/** A server that is up, and its ports. */
export interface Served {
  readonly server: Running
  readonly ready: Line
  readonly mx: number
  readonly submission: number
  readonly smtps: number
  readonly imap: number
  readonly imaps: number
  readonly lmtp: number
}

/** Servers and data folders for the tests of a file: whatever a test leaves is ended and removed after it. */
export function servers(main: () => string) {
  const folders: string[] = []
  const started: Running[] = []
  afterEach(async () => {
    await Promise.all(started.splice(0).map((server) => server.stop('SIGKILL')))
    for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true })
  })
  const listeners = ['MX', 'SUBMISSION', 'SMTPS', 'LMTP', 'IMAP', 'IMAPS']
  const free = Object.fromEntries(listeners.map((name) => [`POSTHORN_${name}_PORT`, 'auto']))
  return {
    folder(): string {
      const made = mkdtempSync(join(tmpdir(), 'posthorn-cli-'))
      folders.push(made)
      return made
    },
    /** Starts a server on free ports. */
    async serve(data: string, settings: Readonly<Record<string, string>> = {}, flags: readonly string[] = []): Promise<Served> {
      const server = new Running(main(), ['serve', ...flags], { POSTHORN_DATA: data, ...free, ...settings })
      started.push(server)
      const ready = await server.event('ready')
      const ports = { mx: 0, submission: 0, smtps: 0, lmtp: 0, imap: 0, imaps: 0, ...(ready['ports'] as Record<string, number>) }
      return { server, ready, ...ports }
    },
  }
}

/** What a command prints, and how it ends. */
export async function command(main: string, given: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const running = new Running(main, given, settings)
  const { code } = await running.ended
  return { code, out: running.out, error: running.error.join('\n') }
}

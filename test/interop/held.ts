import { mkdtempSync, rmSync, chmodSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** What a file of tests holds; let go of when its tests are over, the last first, whatever became of them. */
export class Held {
  readonly #undo: (() => unknown)[] = []

  /** Has it stopped in the end. */
  keep<T extends { stop(): unknown }>(held: T): T {
    this.later(() => held.stop())
    return held
  }

  /** Has that done in the end. */
  later(undo: () => unknown): void {
    this.#undo.push(undo)
  }

  /** A folder of its own, which programs under other users can enter too. */
  folder(name: string): string {
    const folder = mkdtempSync(join(tmpdir(), `posthorn-${name}-`))
    chmodSync(folder, 0o755)
    this.later(() => rmSync(folder, { recursive: true, force: true }))
    return folder
  }

  async release(): Promise<void> {
    const errors: unknown[] = []
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        await undo()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'not everything could be stopped')
  }
}

/** Call it at the top of a file of tests, or of a `describe`. */
export function holding(): Held {
  const held = new Held()
  afterAll(() => held.release())
  return held
}

/** Ports are given out from here on, below those that the system gives to clients: none of these can sit on one. */
let next = 20_000 + ((process.pid * 37) % 10_000)

/** A TCP port of the loopback that was free just now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = next++
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

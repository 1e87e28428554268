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

/** A TCP port of the loopback that was free just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address()
      server.close(() => resolve(typeof bound === 'object' && bound ? bound.port : 0))
    })
  })
}

// By name: a test that fakes the global timers must not stop the queue.
import { clearInterval, setInterval } from 'node:timers'
import type { Connection, Statement } from './driver.ts'

/** Milliseconds between two looks for what other processes have written. */
const LOOK = 200

/** Tells those who work on the queue that there may be something to do, whoever wrote it. */
export class QueueWatching {
  readonly #version: Statement
  readonly #watchers = new Set<() => void>()
  #timer: NodeJS.Timeout | undefined
  #seen = 0

  constructor(db: Connection) {
    this.#version = db.prepare('PRAGMA data_version')
  }

  add(told: () => void): () => void {
    const watcher = (): void => told()
    if (this.#watchers.size === 0) {
      this.#seen = this.#dataVersion()
      this.#timer = setInterval(() => this.#look(), LOOK).unref()
    }
    this.#watchers.add(watcher)
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size === 0) this.close()
    }
  }

  /** Not from inside a call: whoever is told may call. */
  tell(): void {
    for (const watcher of this.#watchers) queueMicrotask(() => this.#watchers.has(watcher) && watcher())
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#watchers.clear()
  }

  #look(): void {
    try {
      const version = this.#dataVersion()
      if (version === this.#seen) return
      this.#seen = version
      this.tell()
    } catch {
      // What cannot be read now is looked at again.
    }
  }

  #dataVersion(): number {
    return this.#version.get()?.['data_version'] as number
  }
}

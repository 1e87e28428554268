import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BodyStore, BodyWriter, StoredBody } from '../../contracts/bodies.ts'
import { fileBodies } from './bodies.ts'

/**
 * Bodies in a folder of their own among the system's temporary files, made when the first body comes and removed by
 * `close`. They are not flushed: they serve while a message is on its way to where it will be safe.
 */
export function spoolBodies(): BodyStore {
  return new Spool()
}

class Spool implements BodyStore {
  readonly traits = { durability: 'process' } as const
  #opened: Promise<{ directory: string; bodies: BodyStore }> | undefined

  create(): BodyWriter {
    return new SpoolWriter(this.#bodies())
  }

  async open(id: string): Promise<StoredBody | undefined> {
    return (await this.#opened)?.bodies.open(id)
  }

  /** Never makes the folder anew: a delivery may end, and its body go, when the folder is gone with the server. */
  async remove(ids: readonly string[]): Promise<void> {
    await (await this.#opened)?.bodies.remove(ids)
  }

  async *list(): AsyncGenerator<string> {
    if (this.#opened) yield* (await this.#opened).bodies.list()
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    if (opened) await rm((await opened).directory, { recursive: true, force: true })
  }

  async #bodies(): Promise<BodyStore> {
    this.#opened ??= this.#make()
    try {
      return (await this.#opened).bodies
    } catch (error) {
      // The next body tries anew: the disk may be full now and not then.
      this.#opened = undefined
      throw error
    }
  }

  async #make(): Promise<{ directory: string; bodies: BodyStore }> {
    const directory = await mkdtemp(join(tmpdir(), 'posthorn-'))
    return { directory, bodies: await fileBodies({ directory, fsync: false }) }
  }
}

/** A writer that waits for its store to be opened. */
class SpoolWriter implements BodyWriter {
  #writer: BodyWriter | undefined
  readonly #opening: Promise<BodyWriter>
  #discarded = false

  constructor(bodies: Promise<BodyStore>) {
    this.#opening = bodies.then((store) => (this.#writer = store.create()))
    // Whoever writes, commits or discards hears of it.
    this.#opening.catch(() => undefined)
  }

  write(bytes: Uint8Array): void | Promise<void> {
    return this.#writer ? this.#writer.write(bytes) : this.#opening.then((writer) => writer.write(bytes))
  }

  async commit(): Promise<StoredBody> {
    return (await this.#opening).commit()
  }

  async discard(): Promise<void> {
    if (this.#discarded) return
    this.#discarded = true
    await this.#opening.then((writer) => writer.discard(), () => undefined)
  }
}

import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { BodyStore, BodyWriter, ByteRange, StoredBody } from '../../contracts/bodies.ts'
import { MailError, isMailError } from '../../protocol/session/errors.ts'
import { closedError } from './commit.ts'
import { filesIn, flushFolder, isName, makeFolder, newName, pathOf, PRIVATE, readFile, removeFile, writeAll } from './files.ts'

/** Settings of {@link fileBodies}. */
export interface FileBodiesOptions {
  /** The folder, made where it is missing. No two stores at a time may have the same one. */
  readonly path: string
  /**
   * `disk` (default) flushes file and folder at each commit. `process` does not: right for bodies on their way in, which
   * nobody has answered for yet; the mail store that takes them over flushes them then.
   */
  readonly durability?: 'disk' | 'process'
}

/**
 * Bodies in a folder, a file each. The SQLite mail store takes such a body over by a second link to the file, without a
 * copy; remove it here when it was delivered. What a crash left half written is swept when the folder is opened again;
 * committed bodies stay until they are removed.
 *
 * @throws MailError `config` when the folder cannot be used
 */
export function fileBodies({ path, durability = 'disk' }: FileBodiesOptions): BodyStore {
  const folder = resolve(path)
  try {
    makeFolder(folder)
    for (const name of filesIn(folder).partial) removeFile(pathOf(folder, name, true))
  } catch (error) {
    throw new MailError('config', `${path} cannot be used for bodies: ${(error as Error).message}`, { cause: error })
  }
  return new FileBodies(folder, durability)
}

class FileBodies implements BodyStore {
  readonly traits: { readonly durability: 'disk' | 'process' }
  readonly #folder: string
  readonly #writers = new Set<FileWriter>()
  #closed = false

  constructor(folder: string, durability: 'disk' | 'process') {
    this.#folder = folder
    this.traits = { durability }
  }

  create(): BodyWriter {
    if (this.#closed) throw closedError()
    const writer = new FileWriter(this.#folder, this.traits.durability === 'disk', this.#writers)
    this.#writers.add(writer)
    return writer
  }

  async open(id: string): Promise<StoredBody | undefined> {
    if (this.#closed) throw closedError()
    if (!isName(id)) return undefined
    const path = pathOf(this.#folder, id)
    try {
      return new FileBody(id, (await stat(path)).size, path)
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return undefined
      throw failure(error)
    }
  }

  async remove(ids: readonly string[]): Promise<void> {
    if (this.#closed) throw closedError()
    for (const id of ids) if (isName(id)) await rm(pathOf(this.#folder, id), { force: true }).catch(rethrow)
  }

  async *list(): AsyncGenerator<string, void, undefined> {
    if (this.#closed) throw closedError()
    for (const name of await readdir(this.#folder).catch(rethrow)) if (isName(name)) yield name
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#writers].map((writer) => writer.discard()))
  }
}

class FileWriter implements BodyWriter {
  readonly #folder: string
  readonly #flush: boolean
  readonly #among: Set<FileWriter>
  readonly #name = newName()
  #file: FileHandle | undefined
  #size = 0
  #state: 'open' | 'committed' | 'discarded' = 'open'
  /** What is being done with the file; a `discard` waits for it. */
  #work: Promise<void> = Promise.resolve()

  constructor(folder: string, flush: boolean, among: Set<FileWriter>) {
    this.#folder = folder
    this.#flush = flush
    this.#among = among
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#size += bytes.length
    return this.#then(async () => writeAll(await this.#handle(), bytes))
  }

  async commit(): Promise<StoredBody> {
    const path = pathOf(this.#folder, this.#name)
    try {
      await this.#then(async () => {
        const file = await this.#handle()
        if (this.#flush) await file.sync()
        await this.#release()
        await rename(pathOf(this.#folder, this.#name, true), path)
        if (this.#flush) await flushFolder(this.#folder)
      })
    } catch (error) {
      if (this.#state === 'open') await rm(path, { force: true }).catch(ignore)
      await this.discard()
      throw error
    }
    this.#state = 'committed'
    this.#among.delete(this)
    return new FileBody(this.#name, this.#size, path)
  }

  async discard(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'discarded'
    this.#among.delete(this)
    await this.#work
    await this.#release().catch(ignore)
    await rm(pathOf(this.#folder, this.#name, true), { force: true }).catch(ignore)
  }

  /** Does one thing with the file, after those before it. */
  async #then(work: () => Promise<void>): Promise<void> {
    const before = this.#work
    const done = before.then(() => {
      if (this.#state !== 'open') throw new MailError('misuse', 'The body was committed or discarded already')
      return work()
    })
    this.#work = done.catch(ignore)
    await done.catch(rethrow)
  }

  async #handle(): Promise<FileHandle> {
    this.#file ??= await open(pathOf(this.#folder, this.#name, true), 'wx', PRIVATE)
    return this.#file
  }

  async #release(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}

class FileBody implements StoredBody {
  readonly id: string
  readonly size: number
  readonly file: string

  constructor(id: string, size: number, file: string) {
    this.id = id
    this.size = size
    this.file = file
  }

  read(range?: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    return readFile(this.file, range ?? { start: 0, end: this.size })
  }
}

function failure(error: unknown): MailError {
  return isMailError(error) ? error : new MailError('temporary', `bodies: ${(error as Error).message}`, { cause: error })
}

function rethrow(error: unknown): never {
  throw failure(error)
}

// A part that cannot be removed is swept when the folder is opened again.
function ignore(): void {}

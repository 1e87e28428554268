import { constants } from 'node:fs'
import { mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { BodyStore, BodyWriter, ByteRange, StoredBody } from '../../contracts/bodies.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { aSwitch, aText, checkOptions, required } from '../../protocol/session/options.ts'
import { BodyFile } from './body-file.ts'
import { randomBytes } from './random.ts'

/** What `fileBodies()` takes. */
export interface FileBodiesOptions {
  /** Made if need be. Bodies lie in 256 folders below it, by the first octet of their id; unfinished ones in `unfinished`. */
  readonly directory: string
  /** Flush file and folder before `commit` resolves (default true). Without it a body survives the process, not the machine. */
  readonly fsync?: boolean
  /** No other process uses the folder (default false): whatever is unfinished when it is opened was left behind, and goes. */
  readonly alone?: boolean
}

/** Nobody writes on one message for so long; what is older was left behind by a process that died. */
const stale = 24 * 3_600_000
const readSize = 65_536
const unfinished = 'unfinished'

/** The platform cannot open a folder for flushing. */
const flushesFolders = process.platform !== 'win32'

/**
 * A body store on files: one a body, never seen before it is whole. Several processes may share the folder.
 * Rejects with a `config` MailError when the folder cannot be used; its methods reject with `temporary` ones (disk full, I/O
 * error).
 */
export async function fileBodies(options: FileBodiesOptions): Promise<BodyStore> {
  checkOptions('fileBodies', options, { directory: required(aText), fsync: aSwitch, alone: aSwitch })
  const { directory, fsync = true, alone = false } = options
  const bodies = new FileBodies(resolve(directory), fsync)
  try {
    await mkdir(join(directory, unfinished), { recursive: true, mode: 0o700 })
    await sweep(join(directory, unfinished), alone ? Infinity : Date.now() - stale)
  } catch (cause) {
    throw new MailError('config', `${directory} cannot be used for message bodies: ${reason(cause)}`, { cause })
  }
  return bodies
}

class FileBodies implements BodyStore {
  readonly traits: BodyStore['traits']
  readonly #directory: string
  readonly #fsync: boolean
  /** Folders that are known to be there, and to stay. */
  readonly #folders = new Set<string>()

  constructor(directory: string, fsync: boolean) {
    this.traits = { durability: fsync ? 'disk' : 'process' }
    this.#directory = directory
    this.#fsync = fsync
  }

  create(): BodyWriter {
    const id = newId()
    return new FileBodyWriter(this, id, join(this.#directory, unfinished, id))
  }

  async open(id: string): Promise<StoredBody | undefined> {
    if (!isId(id)) return undefined
    const found = await temporary(stat(this.pathOf(id)).catch(absent))
    return found === undefined ? undefined : this.stored(id, found.size)
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) if (isId(id)) await temporary(rm(this.pathOf(id), { force: true }))
  }

  async *list(): AsyncGenerator<string> {
    for (const folder of await temporary(names(this.#directory))) {
      if (folder.length !== 2) continue
      for (const id of await temporary(names(join(this.#directory, folder)))) if (isId(id)) yield id
    }
  }

  /** Puts a finished file in its place. */
  async keep(id: string, file: BodyFile, path: string): Promise<StoredBody> {
    const size = await file.finish(this.#fsync)
    const folder = join(this.#directory, id.slice(0, 2))
    if (!this.#folders.has(folder)) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      if (this.#fsync) await flushFolder(this.#directory)
      this.#folders.add(folder)
    }
    await rename(path, this.pathOf(id))
    // POSIX promises nothing of a name until its folder is flushed.
    if (this.#fsync) await flushFolder(folder)
    return this.stored(id, size)
  }

  pathOf(id: string): string {
    return join(this.#directory, id.slice(0, 2), id)
  }

  stored(id: string, size: number): StoredBody {
    const file = this.pathOf(id)
    return { id, size, file, read: (range) => readFrom(file, range ?? { start: 0, end: size }) }
  }
}

class FileBodyWriter implements BodyWriter {
  readonly #store: FileBodies
  readonly #id: string
  readonly #path: string
  #file: BodyFile | undefined
  #over = false

  constructor(store: FileBodies, id: string, path: string) {
    this.#store = store
    this.#id = id
    this.#path = path
  }

  write(bytes: Uint8Array): void | Promise<void> {
    this.#check('write')
    this.#file ??= this.#begin()
    return this.#file.write(bytes)
  }

  async commit(): Promise<StoredBody> {
    this.#check('commit')
    this.#over = true
    this.#file ??= this.#begin()
    try {
      return await this.#store.keep(this.#id, this.#file, this.#path)
    } catch (error) {
      await this.#forget()
      throw asTemporary(error)
    }
  }

  async discard(): Promise<void> {
    if (this.#over) return
    this.#over = true
    await this.#forget()
  }

  #begin(): BodyFile {
    return new BodyFile(open(this.#path, 'wx', 0o600))
  }

  #check(call: string): void {
    if (this.#over) throw new MailError('misuse', `${call}() after commit() or discard(): begin a new body with create()`)
  }

  async #forget(): Promise<void> {
    if (this.#file === undefined) return
    await this.#file.abandon()
    await rm(this.#path, { force: true }).catch(() => {})
  }
}

/** 32 hexadecimal digits: the only names that this store ever turns into a path. */
const newId = (): string => Buffer.from(randomBytes(16)).toString('hex')

function isId(id: string): boolean {
  if (id.length !== 32) return false
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i)
    if (!(code >= 0x30 && code <= 0x39) && !(code >= 0x61 && code <= 0x66)) return false
  }
  return true
}

async function* readFrom(path: string, { start, end }: ByteRange): AsyncGenerator<Uint8Array> {
  if (start >= end) return
  const file = await temporary(open(path, constants.O_RDONLY))
  try {
    for (let at = start; at < end;) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(readSize, end - at))
      const { bytesRead } = await temporary(file.read(buffer, 0, buffer.length, at))
      if (bytesRead === 0) throw new MailError('temporary', `${path} is shorter than it was`)
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

async function flushFolder(path: string): Promise<void> {
  if (!flushesFolders) return
  const folder: FileHandle = await open(path, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function sweep(directory: string, before: number): Promise<void> {
  for (const name of await names(directory)) {
    const path = join(directory, name)
    const found = await stat(path).catch(absent)
    if (found !== undefined && found.mtimeMs < before) await rm(path, { force: true })
  }
}

async function names(directory: string): Promise<string[]> {
  const found: string[] = []
  for await (const entry of await opendir(directory)) found.push(entry.name)
  return found
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}

const temporary = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => {
  throw asTemporary(error)
})

/** Whatever ails the disk (ENOSPC, EIO, EMFILE, EROFS), the mail is asked to come back: an operator can mend it. */
const asTemporary = (cause: unknown): MailError =>
  cause instanceof MailError ? cause : new MailError('temporary', `message body: ${reason(cause)}`, { cause })

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))

import { type Hash, randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, statSync, unlinkSync } from 'node:fs'
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Body, ByteRange } from '../../contracts/bodies.ts'
import { MailError } from '../../protocol/session/errors.ts'

/** Octets read from a file at a time. */
const CHUNK = 256 * 1024

/** The mode of files with mail in them: nobody but this user. */
export const PRIVATE = 0o600

const PARTIAL = '.part'

/** The names of our files, UUIDs: no other file in the folder is touched. */
const NAME = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Where the file of that name is, complete or (`partial`) being written. */
export function pathOf(folder: string, name: string, partial = false): string {
  return join(folder, partial ? name + PARTIAL : name)
}

/**
 * Puts a body into the folder as a file of its own and gives its name back, once file and name are on disk. `hash` is fed with
 * its octets.
 *
 * Written under another name, flushed, renamed, and the folder flushed: whoever sees the name sees the whole file, after
 * power loss too. Rejects with what the file system says or, when the body is not as long as it says, a `misuse` MailError;
 * then it leaves nothing behind.
 */
export async function keepFile(folder: string, body: Body, hash?: Hash): Promise<string> {
  const name = randomUUID()
  const partial = pathOf(folder, name, true)
  const path = pathOf(folder, name)
  try {
    if (!(await linkFile(body, partial))) await writeFile(partial, body, hash)
    else if (hash) for await (const chunk of readFile(partial, { start: 0, end: body.size })) hash.update(chunk)
    await rename(partial, path)
    await flushFolder(folder)
    return name
  } catch (error) {
    await Promise.all([rm(partial, { force: true }), rm(path, { force: true })]).catch(() => {
      // What cannot be removed now is swept at the next open.
    })
    throw error
  }
}

/** A second name for a body that is a file. `false` where it is none, or links do not work: then the octets are copied. */
async function linkFile(body: Body, to: string): Promise<boolean> {
  if (body.file === undefined) return false
  try {
    const file = await open(body.file, 'r')
    try {
      if ((await file.stat()).size !== body.size) return false
      // Its store may not have flushed it (`durability: 'process'`).
      await file.datasync()
    } finally {
      await file.close()
    }
    await link(body.file, to)
    return true
  } catch {
    return false
  }
}

async function writeFile(path: string, body: Body, hash: Hash | undefined): Promise<void> {
  const file = await open(path, 'wx', PRIVATE)
  try {
    let octets = 0
    if (body.bytes) {
      hash?.update(body.bytes)
      await writeAll(file, body.bytes)
      octets = body.bytes.length
    } else {
      for await (const chunk of body.read()) {
        octets += chunk.length
        hash?.update(chunk)
        await writeAll(file, chunk)
      }
    }
    if (octets !== body.size) throw new MailError('misuse', `body: says ${body.size} octets, has ${octets}`)
    // The size is all of the metadata that matters, and datasync flushes it.
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** Writes all of it: `write` itself may stop short. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done)).bytesWritten
}

/** Flushes the names in a folder. Windows has no such thing and needs none. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Reads octets of a file. It stays readable while it is read, even when it is removed meanwhile.
 *
 * Throws a `permanent` MailError when it is not there, `temporary` when it cannot be read or ends too early.
 */
export async function* readFile(path: string, { start, end }: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw readError(path, error)
  })
  try {
    for (let at = start; at < end;) {
      const bytes = new Uint8Array(Math.min(CHUNK, end - at))
      const { bytesRead } = await file.read(bytes, 0, bytes.length, at).catch((error: unknown) => {
        throw readError(path, error)
      })
      if (bytesRead === 0) throw new MailError('temporary', `${path} is too short`)
      at += bytesRead
      yield bytes.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

function readError(path: string, cause: unknown): MailError {
  const gone = (cause as { code?: unknown }).code === 'ENOENT'
  return new MailError(gone ? 'permanent' : 'temporary', gone ? `${path} is not there` : `${path} cannot be read`, { cause })
}

/** Whether the file is there. */
export function hasFile(folder: string, name: string): boolean {
  return existsSync(pathOf(folder, name))
}

/** Makes the folder, and those it is in, where they are missing, for this user alone; their names are on disk when it returns. */
export function makeFolder(folder: string): void {
  // Upwards to one that is there, then down again. Node's own `recursive` never ends where nothing can be made, as in /proc.
  const missing: string[] = []
  for (let at = folder; !isFolder(at) && dirname(at) !== at; at = dirname(at)) missing.push(at)
  for (const at of missing.reverse()) {
    if (!madeFolder(at) || process.platform === 'win32') continue
    const parent = openSync(dirname(at), 'r')
    try {
      fsyncSync(parent)
    } finally {
      closeSync(parent)
    }
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Whether it was made; `false` where another was quicker. */
function madeFolder(path: string): boolean {
  try {
    mkdirSync(path, 0o700)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST' && isFolder(path)) return false
    throw error
  }
}

/** The names of all complete files, and of those that were left half written. */
export function filesIn(folder: string): { complete: string[]; partial: string[] } {
  const names = readdirSync(folder)
  const ours = (name: string): boolean => NAME.test(name)
  return {
    complete: names.filter(ours),
    partial: names.filter((name) => name.endsWith(PARTIAL)).map((name) => name.slice(0, -PARTIAL.length)).filter(ours),
  }
}

/** Removes a file; one that is not there is no error. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error
  }
}

import { constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, readFile, rename, rm, stat, unlink, utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import { MailError, isMailError } from '../../protocol/session/errors.ts'

/** What the disk says of a file or folder. */
export interface Stat {
  /** Octets. */
  readonly size: number
  /** When the content changed, in milliseconds since the Unix epoch, as finely as the disk tells. */
  readonly mtime: number
  /** When the content or its names changed. */
  readonly ctime: number
  readonly atime: number
  readonly inode: number
}

/**
 * All that is done to the disk: few things, so that a test can let any of them fail. Paths are whole. What is missing is
 * `undefined`, or no error where it is removed; all else that goes wrong is thrown as the system says it.
 */
export interface Disk {
  /** Names in a folder. */
  names(folder: string): Promise<readonly string[] | undefined>
  stat(path: string): Promise<Stat | undefined>
  /** All octets of a file, or those of a range as far as they are there. */
  read(path: string, from?: number, length?: number): Promise<Uint8Array | undefined>
  /** A file as it streams by. */
  stream(path: string, from: number, end: number): AsyncIterable<Uint8Array>
  /** A new file with these octets, flushed where told; `EEXIST` where there is one. */
  create(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, flush: boolean): Promise<void>
  /** Puts octets at an offset of a file and cuts off what was behind it; makes the file where it is missing. */
  write(path: string, at: number, octets: Uint8Array, flush: boolean): Promise<void>
  /** Flushes the octets of a file. */
  flush(path: string): Promise<void>
  /** Flushes the names in a folder. */
  flushFolder(folder: string): Promise<void>
  /** Sets the time of a file; milliseconds since the Unix epoch. */
  setTime(path: string, time: number): Promise<void>
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Removes a file. */
  remove(path: string): Promise<void>
  /** Removes a folder with all in it. */
  removeAll(path: string): Promise<void>
  /** Makes a folder and those it is in, and flushes their names. */
  makeFolder(folder: string): Promise<void>
}

/** Octets read at a time. */
const CHUNK = 256 * 1024
/** Mail is for nobody but this user. */
const FILE_MODE = 0o600
const FOLDER_MODE = 0o700

/** The disk of this machine. */
export const nodeDisk: Disk = {
  names: (folder) => readdir(folder).catch(missing),
  async stat(path) {
    const found = await stat(path).catch(missing)
    return found && { size: found.size, mtime: found.mtimeMs, ctime: found.ctimeMs, atime: found.atimeMs, inode: found.ino }
  },
  async read(path, from, length) {
    if (from === undefined || length === undefined) return readFile(path).catch(missing)
    const file = await open(path, constants.O_RDONLY).catch(missing)
    if (!file) return undefined
    try {
      return await readRange(file, from, length)
    } finally {
      await file.close()
    }
  },
  async *stream(path, from, end) {
    if (from >= end) return
    const file = await open(path, constants.O_RDONLY)
    try {
      for (let at = from; at < end;) {
        const octets = await readRange(file, at, Math.min(CHUNK, end - at))
        if (octets.length === 0) return
        at += octets.length
        yield octets
      }
    } finally {
      await file.close()
    }
  },
  async create(path, chunks, flush) {
    const file = await open(path, 'wx', FILE_MODE)
    try {
      for await (const chunk of chunks) await writeAll(file, chunk)
      if (flush) await file.sync()
    } finally {
      await file.close()
    }
  },
  async write(path, at, octets, flush) {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, FILE_MODE)
    try {
      if ((await file.stat()).size > at) await file.truncate(at)
      await writeAll(file, octets, at)
      if (flush) await file.datasync()
    } finally {
      await file.close()
    }
  },
  async flush(path) {
    const file = await open(path, constants.O_RDONLY)
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  },
  async flushFolder(folder) {
    await nodeDisk.flush(folder)
  },
  setTime: (path, time) => utimes(path, time / 1000, time / 1000),
  link,
  rename,
  remove: (path) => unlink(path).catch(missing),
  removeAll: (path) => rm(path, { recursive: true, force: true }),
  async makeFolder(folder) {
    const first = await mkdir(folder, { recursive: true, mode: FOLDER_MODE })
    if (first === undefined) return
    for (let made = folder; ; made = dirname(made)) {
      await nodeDisk.flushFolder(dirname(made))
      if (made === first) return
    }
  },
}

async function readRange(file: FileHandle, from: number, length: number): Promise<Uint8Array> {
  const octets = Buffer.allocUnsafeSlow(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(octets, done, length - done, from + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return octets.subarray(0, done)
}

/** Writes all of it: `write` itself may stop short. */
async function writeAll(file: FileHandle, octets: Uint8Array, at?: number): Promise<void> {
  for (let done = 0; done < octets.length;) {
    done += (await file.write(octets, done, octets.length - done, at === undefined ? null : at + done)).bytesWritten
  }
}

function missing(error: unknown): undefined {
  const code = codeOf(error)
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
}

/** What the system calls the error. */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code
}

/** Whether a file, or a folder on the way to it, was not there. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
}

/** Whatever ails the disk (ENOSPC, EIO, EMFILE, EROFS), the mail is asked to come back: an operator can mend it. */
export function storageError(cause: unknown): MailError {
  if (isMailError(cause)) return cause
  return new MailError('temporary', `maildir: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}

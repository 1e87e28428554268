import { join } from 'node:path'
import type { Disk, Stat } from './disk.ts'
import { type LockOptions, takeLock } from './lock.ts'
import { formatUidList, formatUidRecord, parseUidList, type UidList, type UidRecord } from './uidlist.ts'

/** The name of the file in a mailbox's folder. */
export const UID_LIST = 'dovecot-uidlist'

/** `dovecot-uidlist` of one mailbox, shared with Dovecot: read and written under the lock that Dovecot takes. */
export class UidFile {
  readonly #lock: LockOptions
  readonly #disk: Disk
  readonly #dir: string
  readonly #path: string
  #sign: string | undefined
  #head: Omit<UidList, 'records'> | undefined
  /** Octets that are whole lines: where to go on writing. */
  #end = 0

  constructor(lock: LockOptions, dir: string) {
    this.#lock = lock
    this.#disk = lock.disk
    this.#dir = dir
    this.#path = join(dir, UID_LIST)
  }

  /** Runs with the lock. */
  async locked<T>(run: () => Promise<T>): Promise<T> {
    const lock = await takeLock(`${this.#path}.lock`, this.#lock)
    try {
      return await run()
    } finally {
      await lock.release()
    }
  }

  /** What the head of the file says; `undefined` where there is none. With the lock. */
  async head(): Promise<Omit<UidList, 'records'> | undefined> {
    const sign = signOf(await this.#disk.stat(this.#path))
    if (sign !== undefined && sign === this.#sign) return this.#head
    return this.all()
  }

  /** What all of the file says; `undefined` where there is none. With the lock. */
  async all(): Promise<UidList | undefined> {
    const sign = signOf(await this.#disk.stat(this.#path))
    const octets = await this.#disk.read(this.#path)
    const list = octets && parseUidList(Buffer.from(octets).toString('utf8'))
    // Not the records: there may be many, and they are asked for seldom.
    this.#head = list && { uidValidity: list.uidValidity, uidNext: list.uidNext, guid: list.guid }
    this.#end = octets ? octets.lastIndexOf(10) + 1 : 0
    this.#sign = sign
    return list
  }

  /** Adds records, flushed. What was read before stands; with the lock. Gives what undoes it. */
  async append(records: readonly UidRecord[]): Promise<() => Promise<void>> {
    const [path, before] = [this.#path, this.#end]
    const undo = async (): Promise<void> => {
      this.#sign = undefined
      await this.#disk.write(path, before, new Uint8Array(0), false)
    }
    try {
      const octets = Buffer.from(records.map(formatUidRecord).join(''))
      await this.#disk.write(path, before, octets, true)
      this.#end = before + octets.length
    } catch (error) {
      await undo().catch(() => undefined)
      throw error
    }
    const uidNext = (records.at(-1)?.uid ?? 0) + 1
    if (this.#head && uidNext > this.#head.uidNext) this.#head = { ...this.#head, uidNext }
    this.#sign = signOf(await this.#disk.stat(path))
    return undo
  }

  /** Puts a new list in the place of the old one; with the lock. */
  async replace(list: UidList): Promise<void> {
    this.#sign = undefined
    await replaceFile(this.#disk, this.#dir, UID_LIST, formatUidList(list))
  }
}

/** Puts a file in the place of an older one: whoever reads sees either. Flushed. */
export async function replaceFile(disk: Disk, dir: string, name: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dir, `${name}.posthorn`)
  await disk.remove(temporary)
  await disk.create(temporary, [typeof content === 'string' ? Buffer.from(content) : content], true)
  await disk.rename(temporary, join(dir, name))
  await disk.flushFolder(dir)
}

/** What is different when a file is. */
export function signOf(stat: Stat | undefined): string | undefined {
  return stat && `${stat.inode}:${stat.size}:${stat.mtime}`
}

import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MailError } from '../../protocol/session/errors.ts'
import { randomHex } from './digest.ts'
import { codeOf, type Disk } from './disk.ts'

/*
 * A lock is a file that only one can create. It says who has it: `pid:host`, as Dovecot writes it, so that it is known for a
 * leftover when that process is gone.
 */

/** Milliseconds after which a lock that nobody has touched is a leftover, wherever its holder ran. */
const STALE = 120_000
/** Milliseconds between touches of a lock that is held. */
const TOUCH = 30_000

/** How locks are taken. */
export interface LockOptions {
  readonly disk: Disk
  readonly hostname: string
  /** Milliseconds before waiting for another process ends in a `temporary` error. */
  readonly patience: number
}

/** A lock that is held. */
export interface HeldLock {
  /** It was taken from a process that died with it, or is taken for dead. */
  readonly wasStale: boolean
  release(): Promise<void>
}

/** When this process began, milliseconds since the Unix epoch. */
const began = Date.now() - process.uptime() * 1000

/**
 * Takes a lock, waiting for whoever has it. Throws `temporary` when that takes too long, and what the system says when the
 * folder is gone (`ENOENT`) or cannot be written to.
 */
export async function takeLock(path: string, { disk, hostname, patience }: LockOptions): Promise<HeldLock> {
  const content = Buffer.from(`${process.pid}:${hostname}`)
  let wasStale = false
  for (let waited = 0, pause = 1; ; waited += pause, pause = Math.min(50, pause * 2)) {
    try {
      await createWhole(path, content, disk)
      break
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
    if (await removeStale(path, hostname, disk)) {
      wasStale = true
      pause = 0
      await removeDrafts(path, disk)
    } else if (waited >= patience) {
      throw new MailError('temporary', `maildir: ${path} is held by another process`)
    } else await sleep(pause)
  }
  const touching = setInterval(() => void disk.setTime(path, Date.now()).catch(() => undefined), TOUCH)
  touching.unref()
  return {
    wasStale,
    release: async () => {
      clearInterval(touching)
      await disk.remove(path)
    },
  }
}

/** Under another name first: a lock that a crash left empty would not say whose it was. */
async function createWhole(path: string, content: Uint8Array, disk: Disk): Promise<void> {
  const draft = `${path}.${randomHex(6)}`
  await disk.create(draft, [content], false)
  try {
    await disk.link(draft, path)
  } finally {
    await disk.remove(draft)
  }
}

/** Removes what crashes have left under other names. */
async function removeDrafts(path: string, disk: Disk): Promise<void> {
  for (const name of (await disk.names(dirname(path))) ?? []) {
    const draft = join(dirname(path), name)
    if (!draft.startsWith(`${path}.`)) continue
    const found = await disk.stat(draft)
    if (found && Date.now() - found.ctime > STALE) await disk.remove(draft)
  }
}

/** Removes a lock whose holder is gone. */
async function removeStale(path: string, hostname: string, disk: Disk): Promise<boolean> {
  const [found, content] = [await disk.stat(path), await disk.read(path)]
  if (!found || !content) return true
  const silent = Date.now() - Math.max(found.mtime, found.ctime) > STALE
  if (!silent && !isDead(Buffer.from(content).toString('latin1'), found.ctime, hostname)) return false
  // By another name first: of several who found it stale, one removes it, and none removes the lock that follows.
  const aside = `${path}.${randomHex(6)}`
  try {
    await disk.rename(path, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true
    throw error
  }
  const taken = await disk.stat(aside)
  if (taken && taken.inode !== found.inode) await disk.link(aside, path).catch(() => undefined)
  await disk.remove(aside)
  return true
}

function isDead(content: string, taken: number, hostname: string): boolean {
  const colon = content.indexOf(':')
  const pid = Number(content.slice(0, colon))
  if (colon < 1 || content.slice(colon + 1).trim() !== hostname || !Number.isInteger(pid) || pid < 1) return false
  // After a restart in a container we have the number of the process that was there before us.
  if (pid === process.pid) return taken < began
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return codeOf(error) === 'ESRCH'
  }
}

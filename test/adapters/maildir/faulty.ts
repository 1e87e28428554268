import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Disk, nodeDisk } from '../../../src/adapters/maildir/disk.ts'

/** A disk that is told to fail. */
export interface FaultyDisk {
  readonly disk: Disk
  /** Calls so far that change something. */
  readonly calls: () => number
  /** From now on nothing fails any more. */
  readonly heal: () => void
}

/** Calls that only look. */
const LOOKS = new Set<string | symbol>(['names', 'stat', 'read', 'stream'])

/**
 * A disk on which the call with that number (from 1 on, of those that change something) does not take place. `dies`: nor does any
 * other after it, as if the process had been killed; a `torn` write is done by half. Without: an I/O error, once.
 */
export function faultyDisk(at: number, how: 'dies' | 'torn' | 'fails'): FaultyDisk {
  let calls = 0
  let healed = false
  const gate = (name: string | symbol): boolean => {
    if (healed) return false
    if (!LOOKS.has(name)) calls++
    if (how === 'fails') return !LOOKS.has(name) && calls === at
    return calls >= at
  }
  const disk = new Proxy(nodeDisk, {
    get(target, name: keyof Disk) {
      if (name === 'stream') {
        return async function* (...given: Parameters<Disk['stream']>) {
          if (gate(name)) throw fault()
          yield* target.stream(...given)
        }
      }
      return async (...given: unknown[]) => {
        const stopped = gate(name)
        if (stopped && calls === at && how === 'torn' && name === 'write') await tear(given as Parameters<Disk['write']>)
        if (stopped) throw fault()
        return (target[name] as (...all: unknown[]) => unknown)(...given)
      }
    },
  })
  return { disk, calls: () => calls, heal: () => void (healed = true) }
}

async function tear([path, at, octets]: Parameters<Disk['write']>): Promise<void> {
  await nodeDisk.write(path, at, octets.subarray(0, Math.floor(octets.length / 2)), false)
}

const fault = (): Error => Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })

/** What the next process does that finds locks of one that is dead: this one is alive, so it is done for it. */
export function removeLocks(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.name.endsWith('.lock')) rmSync(join(entry.parentPath, entry.name), { force: true })
  }
}

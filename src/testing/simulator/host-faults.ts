import type { Directory } from '../../contracts/directory.ts'
import type { Policy } from '../../contracts/policy.ts'
import type { Address } from '../../message/address.ts'
import type { Draws } from './draws.ts'
import { type Life, never } from './life.ts'

/** How often what a host is made of goes wrong: one call in so many; 0: none does. */
export interface HostFaults {
  readonly hostThrows: number
  readonly hostSilent: number
}

/** Where they happen. */
export interface FaultyPart {
  readonly life: Life
  readonly draws: Draws
  readonly faults: HostFaults
  readonly isHealed: () => boolean
  readonly note: (what: string) => void
  /** Told of an address of which nobody can say now what it means. */
  readonly unresolved: (address: string) => void
}

/** What it throws says so: nobody needs to look for the reason. */
const ON_PURPOSE = 'on purpose'

/** Whether something was thrown by a part that throws on purpose. */
export const isOnPurpose = (error: unknown): boolean => error instanceof Error && error.message.includes(ON_PURPOSE)

const asked = ['resolve', 'account', 'verify', 'maySendAs', 'named'] as const

/** A directory that throws, or never answers. */
export function faultyDirectory(directory: Directory, part: FaultyPart): Directory {
  const calls = asked.map((method) => {
    const call = directory[method].bind(directory) as (...given: readonly unknown[]) => Promise<unknown>
    return [method, (...given: readonly unknown[]) => {
      const [address] = given as readonly Address[]
      const failed = (): void => method === 'resolve' ? part.unresolved(`${address!.local}@${address!.domain}`) : undefined
      return faulty(method, part, () => call(...given), failed)
    }] as const
  })
  return { ...directory, ...Object.fromEntries(calls) } as Directory
}

/** A policy that has nothing against anything; it throws, or never answers. */
export function faultyPolicy(part: FaultyPart): Policy {
  const asked = (stage: string) => (): Promise<undefined> => faulty(stage, part, async () => undefined)
  return {
    name: 'moody',
    connect: asked('connect'),
    sender: asked('sender'),
    recipient: asked('recipient'),
    message: asked('message'),
  }
}

async function faulty<T>(
  method: string, { life, draws, faults, isHealed, note }: FaultyPart, run: () => Promise<T>, failed?: () => void,
): Promise<T> {
  if (life.isOver) return never()
  if (isHealed()) return run()
  if (draws.oneIn(faults.hostThrows)) {
    note(`${method} throws`)
    failed?.()
    throw new Error(`${method} fails ${ON_PURPOSE}`)
  }
  if (!draws.oneIn(faults.hostSilent)) return run()
  note(`${method} never answers`)
  failed?.()
  return never()
}

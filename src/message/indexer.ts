import { type Budgets, defaultBudgets } from './budgets.ts'
import type { MessageFacts } from './facts.ts'
import { StructureScan } from './structure-scan.ts'

/** Takes in a message as its bytes stream by. */
export interface Indexer {
  /** The next octets, in any portions; the indexer keeps no view of them. */
  push(bytes: Uint8Array): void
  /** The message is over. Call it once; nothing may be pushed afterwards. */
  end(): MessageFacts
}

const nothing = new Uint8Array(0)

/** Octets of room kept between two portions of a message though nothing is in them. */
const MOST_IDLE = 65_536

/**
 * Finds out what a message says, in one pass over bytes that stream by: the facts are the same however they are split. Total:
 * whatever comes, it never throws, takes time linear in the octets and holds no more than the headers within the budgets.
 */
export function createIndexer(budgets: Partial<Budgets> = {}): Indexer {
  const scan = new StructureScan({ ...defaultBudgets, ...budgets })
  let held = nothing
  let length = 0
  const hold = (bytes: Uint8Array, from: number): void => {
    const room = length + bytes.length - from
    if (room > held.length) {
      const larger = new Uint8Array(Math.max(1024, room * 2))
      larger.set(held.subarray(0, length))
      held = larger
    }
    held.set(from === 0 ? bytes : bytes.subarray(from), length)
    length = room
  }
  return {
    push(bytes) {
      if (length === 0) {
        const rest = scan.run(bytes, false)
        if (rest < bytes.length) hold(bytes, rest)
        return
      }
      hold(bytes, 0)
      const rest = scan.run(held.subarray(0, length), false)
      held.copyWithin(0, rest, length)
      length -= rest
      // A large header is read: its room is not needed any more.
      if (length === 0 && held.length > MOST_IDLE) held = nothing
    },
    end() {
      scan.run(held.subarray(0, length), true)
      return scan.facts()
    },
  }
}

/** The facts of a message that is in memory as a whole. */
export function indexMessage(bytes: Uint8Array, budgets: Partial<Budgets> = {}): MessageFacts {
  const scan = new StructureScan({ ...defaultBudgets, ...budgets })
  scan.run(bytes, true)
  return scan.facts()
}

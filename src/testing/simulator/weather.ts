import type { Clock } from '../../protocol/session/clock.ts'
import { virtualNetwork, type VirtualNetwork } from '../network.ts'
import type { Draws } from './draws.ts'
import type { Plan } from './plan.ts'

/** A network on which bytes take their time, come in pieces and in lumps, get stuck, and whose connections break. */
export function weatheredNetwork(clock: Clock, draws: Draws, plan: Plan, isHealed: () => boolean): VirtualNetwork {
  return virtualNetwork({
    clock,
    passage: () => {
      const latency = draws.between(1, plan.latency)
      const isStuck = !isHealed() && draws.oneIn(plan.stalls)
      const stuckAt = clock.ticks() + (isStuck ? draws.below(2_000) : Infinity)
      const stuckFor = isStuck ? draws.pick([20_000, 400_000, 10_000_000]) : 0
      let last = 0
      const schedule = (task: () => void): void => {
        const now = clock.ticks()
        const arrives = now >= stuckAt && now < stuckAt + stuckFor ? stuckAt + stuckFor : now + latency
        last = Math.max(last, arrives)
        clock.alarm(last, task)
      }
      return { schedule, chunk: plan.chunk === 65_536 ? plan.chunk : draws.between(1, plan.chunk) }
    },
    passing: (connection) => {
      if (isHealed()) return
      if (draws.oneIn(plan.resets)) clock.alarm(clock.ticks() + 1 + draws.below(2_000), () => connection.reset())
      if (draws.oneIn(plan.halfCloses)) clock.alarm(clock.ticks() + 1 + draws.below(2_000), () => connection.finish())
    },
  })
}

import type { SmtpClientConfig } from './config.ts'
import type { Open, SessionPhase, Slot, Transaction } from './context.ts'

/** What time-outs are counted from. Moments are milliseconds. */
export interface Waiting {
  readonly config: SmtpClientConfig
  readonly phase: SessionPhase
  readonly open: Open | undefined
  /** The message whose commands or content are sent; the one before it, of which all is sent. */
  readonly transaction: Transaction | undefined
  readonly finishing: Transaction | undefined
  readonly slots: readonly Slot[]
  /** When the first slot became that, when the question was put, when the phase began, when nothing was left to do. */
  readonly headSince: number
  readonly askedAt: number
  readonly phaseSince: number
  readonly idleSince: number
  /** Since when output waits to be taken. */
  readonly unsaid: number | undefined
}

/** When something must have happened; `Infinity` where nothing is waited for. */
export function deadlineOf(waiting: Waiting): number {
  const { config, slots, open } = waiting
  const { timeouts } = config
  const [head] = slots
  let at = (waiting.unsaid ?? Infinity) + timeouts.block
  if (head !== undefined) at = Math.min(at, waiting.headSince + timeouts[head.patience])
  if (waiting.phase === 'handshake') at = Math.min(at, waiting.phaseSince + timeouts.handshake)
  if (open !== undefined) at = Math.min(at, patienceWithHost(waiting, open))
  const transaction = waiting.finishing ?? waiting.transaction
  return transaction === undefined ? at : Math.min(at, transaction.began + timeouts.transaction)
}

/** When the host must have answered. */
export function patienceWithHost(waiting: Waiting, open: Open): number {
  const { answer, keepAlive } = waiting.config.timeouts
  if (open.kind !== 'ready') return waiting.askedAt + answer
  // Something else is waited for.
  if (waiting.slots.length > 0) return Infinity
  return Math.min(idleUntil(waiting), Math.max(waiting.idleSince, waiting.headSince) + keepAlive)
}

/** Until when a connection may lie idle. */
export const idleUntil = ({ config, idleSince }: Waiting): number => idleSince + config.timeouts.idle

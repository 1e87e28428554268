import type { Pop3ServerConfig } from '../config.ts'
import type { Pop3Question, Wait } from '../run.ts'

/** What a session knows of itself that decides when it loses patience. Times in milliseconds. */
export interface Patience {
  readonly config: Pop3ServerConfig
  readonly isLoggedIn: boolean
  readonly began: number
  readonly since: number
  readonly begunAt: number | undefined
  /** A command is at work. */
  readonly isRunning: boolean
  readonly waiting: Wait | Pop3Question | undefined
  readonly waitingSince: number
}

/** When something must have happened. */
export function deadlineOf(session: Patience): number {
  const { timeouts } = session.config
  const { waiting, waitingSince } = session
  switch (waiting?.kind) {
    case undefined:
      return session.isRunning ? waitingSince + timeouts.idle : lineDeadline(session)
    case 'room':
      return waitingSince + timeouts.idle
    case 'pause':
      return waiting.until
    case 'line':
      return Math.min(waitingSince + timeouts.command, lastMoment(session))
    case 'tls':
      return waitingSince + timeouts.handshake
    default:
      return waitingSince + timeouts.answer
  }
}

function lineDeadline(session: Patience): number {
  const { timeouts } = session.config
  const { begunAt } = session
  return Math.min(begunAt === undefined ? session.since + timeouts.idle : begunAt + timeouts.command, lastMoment(session))
}

/** Whoever has not logged in by then will not. */
function lastMoment({ isLoggedIn, began, config }: Patience): number {
  return isLoggedIn ? Infinity : began + config.timeouts.greeting
}

import type { ImapServerConfig } from '../config.ts'
import type { ImapQuestion, Wait } from '../run.ts'

/** What a session knows of itself that decides when it loses patience. Times in milliseconds. */
export interface Patience {
  readonly config: ImapServerConfig
  readonly account: string | undefined
  readonly began: number
  readonly since: number
  readonly begunAt: number | undefined
  readonly waiting: Wait | ImapQuestion | undefined
  readonly waitingSince: number
  /** Octets that were taken last. */
  readonly onItsWay: number
}

/** Milliseconds that a client may take for an octet of what is on its way to it: 500 octets a second. */
const SLOWEST = 2

/** When something must have happened. */
export function deadlineOf(session: Patience): number {
  const { timeouts } = session.config
  const { waiting } = session
  switch (waiting?.kind) {
    case undefined:
      return lineDeadline(session)
    case 'news':
    case 'pause':
      return waiting.until
    case 'line':
    case 'rest':
    case 'literal':
    case 'stream':
    case 'skip':
      return Math.min(session.waitingSince + timeouts.command, lastMoment(session))
    case 'tls':
      return session.waitingSince + timeouts.handshake
    case 'room':
      // The client does not read, or the line is slow: the driver alone could tell which.
      return session.waitingSince + timeouts.idle + session.onItsWay * SLOWEST
    default:
      return session.waitingSince + timeouts.answer
  }
}

function lineDeadline(session: Patience): number {
  const { timeouts } = session.config
  const { begunAt } = session
  const at = begunAt === undefined ? session.since + timeouts.idle : begunAt + timeouts.command
  return Math.min(at, lastMoment(session))
}

/** Whoever has not logged in by then will not. */
function lastMoment({ account, began, config }: Patience): number {
  return account === undefined ? began + config.timeouts.greeting : Infinity
}

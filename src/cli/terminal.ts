import type { Clock } from '../protocol/session/clock.ts'
import type { Environment } from './given.ts'

/** Which signal asks to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM'

/** The process as commands see it. */
export interface Terminal {
  readonly arguments: readonly string[]
  readonly environment: Environment
  readonly pid: number
  readonly clock: Clock
  /** Somebody reads standard error on a screen. */
  readonly watched: boolean
  /** Passwords from standard input. */
  readonly secrets: {
    /** Somebody types. */
    readonly isTyped: boolean
    /** The next line. Rejects with a `config` MailError where there is none. */
    read(prompt: string): Promise<string>
  }
  /** Standard output, a line at a time; lines of one turn of the event loop are one write. */
  out(line: string): void
  /** Standard output, a piece at a time. Await it before the next. `false`: nobody reads any more. */
  outPiece(text: string): Promise<boolean>
  /** Standard error, a line at a time. */
  error(line: string): void
  /** Puts a text in the place of the one before, on the screen of whoever watches. */
  progress(text: string): void
  /** Resolves at the first signal to stop; the next one ends the process. */
  stopped(): Promise<StopSignal>
}

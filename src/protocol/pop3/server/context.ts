import type { SaslChannel } from '../../sasl/channel.ts'
import type { Pop3ServerConfig } from '../config.ts'
import type { Pop3CloseReason, Pop3ServerEvent } from '../events.ts'
import type { Maildrop } from '../maildrop.ts'
import type { Result, Run } from '../run.ts'

/** What a command may see and do: the session without its input and its clockwork. */
export interface Pop3Context {
  readonly config: Pop3ServerConfig
  /** Milliseconds; the time of the latest input. */
  readonly now: number
  readonly channel: SaslChannel
  /** What USER said, a string of octets. */
  username: string | undefined
  /** UTF8 was said (RFC 6856 §2.1). */
  utf8: boolean
  /** Once somebody has logged in. */
  maildrop: Maildrop | undefined
  failedAuth: number
  /** Says octets as they are. */
  write(octets: string | Uint8Array): void
  /** Hands an event to the host. */
  emit(event: Pop3ServerEvent): void
  /** Ends the conversation: with this as the last response, or without a word. Nothing that is said later counts. */
  close(why: Pop3CloseReason, last?: Result): void
}

/** Where a command may be given: before log-in (AUTHORIZATION), after it (TRANSACTION) (RFC 1939 §3). */
export type State = 'authorization' | 'transaction'

/** A command. */
export interface Command {
  /** In upper case. */
  readonly name: string
  readonly states: readonly State[]
  /**
   * Runs. `argument` is what follows the command and one space, a string of octets. May throw Mistaken and Refused. Nothing: it
   * has said all by itself.
   */
  run(context: Pop3Context, argument: string): Run<Result | undefined>
}

/** Before log-in. */
export const AUTHORIZATION: readonly State[] = ['authorization']

/** After log-in. */
export const TRANSACTION: readonly State[] = ['transaction']

/** In both. */
export const ANY: readonly State[] = ['authorization', 'transaction']

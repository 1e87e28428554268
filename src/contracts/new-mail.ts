import type { Envelope } from './received.ts'

/** Mail of the application's own, which has no socket to come by. */
export interface NewMail {
  /** The envelope's sender, who hears what becomes of it, as `local@domain`; `null`: nobody does. */
  readonly from: string | null
  /** At least one, as `local@domain`. */
  readonly to: readonly string[]
  /** The message, header and all. Its line ends become CRLF, whatever they are. */
  readonly content: string | Uint8Array | AsyncIterable<Uint8Array>
  /**
   * Who sends it: an account, which may send what it could submit itself, and nothing else. Default: the application, which may
   * send as whom it likes.
   */
  readonly account?: string
  /** RFC 3461: how much of the message a report returns, the sender's own name for it, about what to report. */
  readonly ret?: Envelope['ret']
  readonly envid?: string
  readonly notify?: readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[]
  /** RFC 8689: never in the clear, on no leg of its way. */
  readonly requireTls?: boolean
  /** RFC 6710: -9 to 9. */
  readonly priority?: number
  /** Not before that, in milliseconds since the Unix epoch. */
  readonly notBefore?: number
}

/** A recipient that was refused: no mail goes there. */
export interface RefusedRecipient {
  /** As it was given. */
  readonly to: string
  readonly code: number
  /** The reply, as a server would have given it: `550 5.1.1 No such mailbox here`. */
  readonly reply: string
}

/** Mail that was taken over. */
export interface EnqueuedMail {
  readonly id: string
  /** Its own, or the one that it was given, in angle brackets. */
  readonly messageId: string
  /** Recipients that it goes to, as they were given. */
  readonly accepted: readonly string[]
  readonly refused: readonly RefusedRecipient[]
}

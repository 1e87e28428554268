import type { OutgoingMessage } from './dispatch.ts'

/**
 * Signs a message of ours that goes out. Gives header fields to be put before all that the message has, each ended by CRLF; an
 * empty text where there is nothing to sign it with. The message is in its final form: whoever sends it changes nothing behind
 * these fields. Rejects with a `temporary` MailError where it should be signed and cannot be now; it does not go out then.
 */
export type Sign = (message: OutgoingMessage) => Promise<string>

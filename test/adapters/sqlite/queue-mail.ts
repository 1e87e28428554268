import type { OutgoingMessage } from '../../../src/contracts/dispatch.ts'
import { envelope } from '../../../src/testing/contracts/sample-queue.ts'
import { numbered } from './mail.ts'

/** A message for `recipients` many, whose octets tell its number; at hand, unless it is to be read. */
export function outgoing(number: number, size: number, { recipients = 1, read = false } = {}): OutgoingMessage {
  const { body, facts, received } = numbered(number, size, read)
  const to = Array.from({ length: recipients }, (_, i) => `r${i}@example.net`)
  return { envelope: envelope(to), body, facts, received, account: 'alice' }
}

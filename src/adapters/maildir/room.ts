import type { Quota, Usage } from '../../contracts/mailbox.ts'
import { MailError } from '../../protocol/session/errors.ts'

/** Octets that each message is counted for beside its size: about what its names, entry and facts take. */
export const OVERHEAD = 1024

/** What an account holds after more messages, given their sizes. Throws `quota` where that is more than it may. */
export function withMore({ messages, octets }: Usage, sizes: readonly number[], quota: Quota | undefined): Usage {
  const after = {
    messages: messages + sizes.length,
    octets: sizes.reduce((sum, size) => sum + size + OVERHEAD, octets),
  }
  if (quota && (after.messages > quota.messages || after.octets > quota.octets)) {
    throw new MailError('quota', 'The account would hold more than it may')
  }
  return after
}

import type { Resolution } from '../contracts/directory.ts'
import type { Verdict } from '../contracts/policy.ts'
import { defer, reject } from './verdict.ts'

/** What is said of mailboxes, the same wherever it is found out (RFC 3463, RFC 5248). */
export const mailboxReplies = {
  unknown: reject(550, '5.1.1', 'No such user here'),
  relayDenied: reject(550, '5.7.1', 'Relaying denied: that domain is not one of mine'),
  disabled: reject(550, '5.2.1', 'Mailbox is not available'),
  /** A circle among aliases is a fault of ours, which somebody will mend: no reason to bounce mail. */
  broken: defer(451, '4.2.4', 'That address cannot be resolved now, try again later'),
  notSent: reject(550, '5.7.1', 'This server does not send mail to other servers'),
  full: reject(552, '5.2.2', 'Mailbox full'),
  /** Not all that the message is for: those who have room must not lose it, those who have none get another chance. */
  someFull: defer(452, '4.2.2', 'One of several mailboxes is full, try again later'),
  tooLarge: reject(552, '5.2.3', 'Message is larger than that mailbox takes'),
  loop: reject(554, '5.4.6', 'Delivered here before: this is a mail loop'),
  notStored: reject(554, '5.3.0', 'Message cannot be stored here'),
  fault: defer(451, '4.3.0', 'Temporary failure, try again later'),
} as const satisfies Record<string, Verdict>

/** What RCPT hears of an address that mail cannot be delivered to. */
export function refusalOfKind(kind: Exclude<Resolution['kind'], 'here'>): Verdict {
  return kind === 'elsewhere' ? mailboxReplies.relayDenied : mailboxReplies[kind]
}

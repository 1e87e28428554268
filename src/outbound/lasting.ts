import type { DeliveryAction } from '../message/delivery-action.ts'

/**
 * How long a failure lasts: `hard`: the address takes no mail, and will not tomorrow; `soft`: this message, or today, or by this
 * way. Only what is hard is a reason never to write there again.
 */
export type Lasting = 'hard' | 'soft'

/** Statuses of class 5 that leave no doubt, by subject and detail (RFC 3463 §3). */
const CERTAIN: ReadonlyMap<string, Lasting> = new Map<string, Lasting>([
  ['1.1', 'hard'], ['1.2', 'hard'], ['1.3', 'hard'], ['1.6', 'hard'], ['1.10', 'hard'], ['2.1', 'hard'], ['4.4', 'hard'],
  ['7.13', 'hard'], ['1.7', 'soft'], ['1.8', 'soft'], ['2.2', 'soft'], ['2.3', 'soft'], ['3.4', 'soft'], ['4.6', 'soft'],
  ['4.7', 'soft'],
])

/** What servers write, the most telling first: many have one code for everything. */
const SAYINGS: readonly (readonly [Lasting, readonly string[]])[] = [
  // It is about us.
  ['soft', ['sender address', 'sender domain', 'sender rejected', 'sender verif', 'sender is not']],
  ['soft', ['quota', 'mailbox full', 'mailbox is full', 'over storage', 'insufficient system storage', 'insufficient disk']],
  ['soft', ['spam', 'blacklist', 'blocklist', 'blocked', 'reputation', 'spamhaus', 'dmarc', 'greylist', 'too large', 'too big']],
  ['hard', ['user unknown', 'unknown user', 'no such user', 'nosuchuser', 'no such recipient', 'no such mailbox']],
  ['hard', ['no mailbox', 'user not known', 'not our customer', 'recipient not recognized', 'recipient rejected']],
  ['hard', ['does not exist', "doesn't exist", 'not exist', 'unknown recipient', 'recipient unknown', 'unknown mailbox']],
  ['hard', ['invalid recipient', 'invalid mailbox', 'unknown address', 'address unknown', 'address not found', 'recipnotfound']],
  ['hard', ['mailbox unavailable', 'mailbox not found', 'recipient not found', 'user not found', 'not a valid mailbox']],
  ['hard', ["couldn't be found", "wasn't found", 'no longer available', 'account is disabled', 'account has been disabled']],
  ['hard', ['account is inactive', 'mailbox disabled', 'no longer valid', 'recipient address rejected: access denied']],
  ['hard', ['host not found', 'domain not found', "couldn't find any host", 'unrouteable address', 'unroutable address']],
  ['soft', ['policy', 'not authorized', 'not allowed', 'relaying denied', 'relay denied', 'relay access denied', 'rejected']],
]

/** Reply codes that say as much as a status does (RFC 5321 §4.2.3). */
const CODES: ReadonlyMap<number, Lasting> = new Map<number, Lasting>([[550, 'hard'], [551, 'hard'], [553, 'hard']])

/**
 * How long what a report says lasts; `undefined` for what is no failure. `text`: whatever was said of it; `code`: the SMTP reply
 * code in it.
 */
export function lastingOf(
  action: DeliveryAction,
  status: string | undefined,
  text: string,
  code: number | undefined,
): Lasting | undefined {
  if (action === 'delayed') return 'soft'
  if (action !== 'failed') return undefined
  const [group, subject = '', detail = ''] = (status ?? '').split('.', 3)
  if (group === '4' || (group === '' && code !== undefined && code < 500)) return 'soft'
  const certain = CERTAIN.get(`${subject}.${detail}`)
  if (certain) return certain
  const lower = text.toLowerCase()
  const saying = SAYINGS.find(([, phrases]) => phrases.some((phrase) => lower.includes(phrase)))
  if (saying) return saying[0]
  // A subject that is about the address (RFC 3463 §3.2, §3.3); or the code, where the status says nothing.
  if (subject === '1' || subject === '2') return 'hard'
  if (subject !== '' && subject !== '0') return 'soft'
  return code === undefined ? (subject === '0' ? 'hard' : 'soft') : (CODES.get(code) ?? 'soft')
}

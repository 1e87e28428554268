import type { Authentication } from '../../contracts/authentication.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import type { Awaitable, Policy, Stage, Verdict } from '../../contracts/policy.ts'
import type { Recipient } from '../../contracts/received.ts'
import type { Address } from '../../message/address.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { clientOf, networkOf } from '../../protocol/session/networks.ts'
import {
  aCount, aFunction, aNumber, aNumberAboveZero, checkOptions, having, oneOf, type OptionKinds, required,
} from '../../protocol/session/options.ts'
import { GreylistRecords } from '../greylist-records.ts'
import { defer, ourFault } from '../verdict.ts'

/** Whom {@link greylist} lets wait, and for how long. Times are milliseconds. */
export interface GreylistOptions {
  /** Where it is kept who has come. Several servers may share it. */
  readonly store: KeyValue
  /** How long who is new has to wait (default five minutes). */
  readonly wait?: number
  /** By when he has to come again; later he is new again (default two days). */
  readonly retryWithin?: number
  /** How long he is known, from the last message on (default 35 days: what comes once a month stays known). */
  readonly lifetime?: number
  /** So many senders and recipients of a client must have come again for all that it sends to be let in (default 5; 0: never). */
  readonly allowAfter?: number
  /** What a client is known by: its `network` (the default; /24 or /64), or its `address` (of IPv6 its /64). */
  readonly by?: 'network' | 'address'
  /**
   * When: at RCPT (the default), where nothing of a message has been sent yet; or once it is there, where it is known who has
   * signed it, too, at the price of its octets. Messages from the null sender are always judged once they are there: who checks
   * an address by one never sends it.
   */
  readonly at?: 'recipient' | 'message'
  /** Who need not wait: known senders, for instance. Asked of each recipient. */
  readonly exempt?: (sender: Address | null, to: Recipient, stage: Stage) => Awaitable<boolean>
  /** What happens where the store fails (default `pass`, and the server's observer is told). */
  readonly onError?: 'pass' | 'defer'
}

const kinds: OptionKinds<GreylistOptions> = {
  store: required(having('a store', 'get', 'set', 'swap')),
  wait: aNumber,
  retryWithin: aNumberAboveZero,
  lifetime: aNumberAboveZero,
  allowAfter: aCount,
  by: oneOf('network', 'address'),
  at: oneOf('recipient', 'message'),
  exempt: aFunction,
  onError: oneOf('pass', 'defer'),
}

/** Recipients of one message that are looked up once it is there: who lets so many wait lets all of them wait. */
const MOST_RECIPIENTS = 20

/**
 * Lets who is new wait: `450 4.7.1`, with the seconds that are left. Servers come again, spam engines mostly do not. Who is new
 * is told by three things: the client, by its network, or by the domain that SPF has found to be its own (put an authentication
 * that judges at MAIL before this, in {@link inOrder}); the sender, without tags and numbers, which lists put in; and the
 * recipient.
 *
 * Exempt are who has logged in, clients of which several have come again, senders that DMARC has passed (known only
 * `at: 'message'`), and whoever `exempt` names. Nothing of what is written here outlives its time: the store frees it.
 *
 * ```ts
 * import { greylist } from 'posthorn'
 * import { memoryKeyValue } from 'posthorn/memory'
 *
 * greylist({ store: memoryKeyValue(), wait: 300_000, exempt: (sender) => sender?.domain === 'partner.example' })
 * ```
 */
export function greylist(options: GreylistOptions): Policy {
  checkOptions('greylist', options, kinds)
  const {
    store, wait = 300_000, retryWithin = 2 * 86_400_000, lifetime = 35 * 86_400_000, allowAfter = 5, by = 'network',
    at = 'recipient', exempt, onError = 'pass',
  } = options
  if (retryWithin <= wait) {
    throw new MailError('config', 'greylist: retryWithin is not longer than wait; nobody could come in time.')
  }
  const records = new GreylistRecords(store, { wait, retryWithin, lifetime, allowAfter })
  const one = async (to: Recipient, stage: Stage): Promise<number> => {
    const { sender } = stage.envelope!
    const client = clientKey(stage, by)
    if (client === undefined || (await exempt?.(sender, to, stage))) return 0
    return records.left(client, senderKey(sender), `${to.user.toLowerCase()}@${to.domain}`, stage.now)
  }
  const judge = async (recipients: readonly Recipient[], stage: Stage): Promise<Verdict | undefined> => {
    try {
      let left = 0
      for (const to of recipients) left = Math.max(left, await one(to, stage))
      return left === 0 ? undefined : defer(450, '4.7.1', `Greylisted, try again in ${Math.ceil(left / 1000)} seconds`)
    } catch (error) {
      stage.trouble(error)
      return onError === 'pass' ? undefined : { kind: 'defer', reply: ourFault }
    }
  }
  const isMeant = ({ connection, envelope }: Stage, now: 'recipient' | 'message'): boolean =>
    connection.account === undefined && now === (envelope?.sender ? at : 'message')
  return {
    name: 'greylist',
    recipient: (to, stage) => (isMeant(stage, 'recipient') ? judge([to], stage) : undefined),
    message: ({ envelope }, stage) => {
      const isPassed = authenticationIn(stage)?.dmarc?.result === 'pass'
      return isMeant(stage, 'message') && !isPassed ? judge(envelope.recipients.slice(0, MOST_RECIPIENTS), stage) : undefined
    },
  }
}

/** The domain that answers for the client, or where it comes from; `undefined`: that is not known. */
function clientKey(stage: Stage, by: 'network' | 'address'): string | undefined {
  const spf = authenticationIn(stage)?.spf
  if (spf?.result === 'pass' && spf.identity === 'mailfrom') return spf.domain
  const { address } = stage.connection.peer
  if (address === undefined) return undefined
  return by === 'network' ? networkOf(address) : clientOf(address)
}

function authenticationIn({ noted }: Stage): Authentication | undefined {
  for (let at = noted.length - 1; at >= 0; at--) {
    const note = noted[at]!
    if (note.kind === 'authentication') return note.authentication
  }
  return undefined
}

/** Without what changes from message to message: tags, and numbers (`bounce-4711-alice=a.test@list.test`). */
function senderKey(sender: Address | null): string {
  if (sender === null) return '<>'
  const plus = sender.local.indexOf('+')
  const local = plus > 0 ? sender.local.slice(0, plus) : sender.local
  return `${local.toLowerCase().replaceAll(/\d+/g, '#')}@${sender.domain}`
}

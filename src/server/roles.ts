import { readAddress } from '../accounts/address.ts'
import { authenticate } from '../accounts/authenticate.ts'
import { composeMail } from '../adapters/nodemailer/compose.ts'
import { nodeClock, nodeCrypto, randomBytes } from '../adapters/node/index.ts'
import type { Dispatch } from '../contracts/dispatch.ts'
import type { MailQueue } from '../contracts/queue.ts'
import type { Observer } from '../observe/events.ts'
import { quietly } from '../observe/observers.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { SmtpExtensions } from '../protocol/smtp/index.ts'
import type { Address } from '../message/address.ts'
import { Addressing } from './addressing.ts'
import { FilteredDelivery, type FilteringPlaces } from './filtering/filtered-delivery.ts'
import { Undertaking } from './filtering/undertaking.ts'
import { Webhooks } from './filtering/webhooks.ts'
import { LocalDelivery, type Taken } from './local-delivery.ts'
import { LocalQueue } from './local-queue.ts'
import type { LoginOptions, MailServerOptions, SmtpListenerName } from './mail-server-options.ts'
import { Mailboxes } from './mailboxes.ts'
import type { ReceiverOptions } from './options.ts'
import type { Deliver } from './reception.ts'
import type { OutgoingOptions } from './outgoing/options.ts'
import { Outgoing } from './outgoing/outgoing.ts'
import { type Addresses, withPostmaster } from './postmaster.ts'
import type { QuotaWatch } from './quota-watch.ts'
import { Submission } from './submission.ts'

/** The observer of a server, which may be none. */
export function observerOf({ observe }: MailServerOptions): Observer {
  return observe ? quietly(observe) : () => undefined
}

/** What sets one listener apart from the others. */
export type Role = Partial<ReceiverOptions> & Pick<ReceiverOptions, 'accepts' | 'deliver' | 'profile'>

/** What the listeners for mail do with it, and where it goes. */
export interface Roles {
  readonly of: Record<SmtpListenerName, Role>
  /** Where mail is handed in that is to go out. */
  readonly dispatch: Dispatch
  readonly addressing: Addressing
  readonly submission: Submission
  /** Delivers what waits in the queue, where there is one. */
  readonly outgoing: Outgoing | undefined
  /** Tells programs of mail, where filters may. */
  readonly webhooks: Webhooks | undefined
}

/** Ways on for what filters pass on and answer. */
interface Ways {
  readonly addresses: Addresses
  readonly dispatch: Dispatch
  readonly forwards: Dispatch
  readonly forwarded: ((sender: Address | null) => Promise<Address | null>) | undefined
}

/** Filters, and what they need. `ways`: there once everything is composed. */
function filteringOf(
  { filter, webhooks: calls, hostname, resolver, outgoing }: MailServerOptions,
  places: Omit<FilteringPlaces, 'filter' | 'undertaking'>, ways: () => Ways,
): { readonly filtering: FilteredDelivery | undefined; readonly webhooks: Webhooks | undefined } {
  const { clock, random, failed } = places
  const webhooks = calls && new Webhooks(calls, { resolver, clock, random, failed })
  if (!filter) return { filtering: undefined, webhooks }
  const compose = outgoing?.compose ?? composeMail
  const undertaking = new Undertaking({
    addresses: () => ways().addresses,
    dispatch: () => ways().dispatch,
    forwards: () => ways().forwards,
    forwarded: async (sender) => ways().forwarded?.(sender) ?? sender,
    answers: { hostname, clock, random, compose, failed },
    webhooks,
    failed,
  })
  return { filtering: new FilteredDelivery({ ...places, filter, undertaking }), webhooks }
}

/** The server's resolver serves whoever delivers, too. */
function outgoingOf({ outgoing = {}, resolver }: MailServerOptions): OutgoingOptions {
  return resolver === undefined ? outgoing : { resolver, ...outgoing }
}

/** Composes what happens to mail. */
export function rolesOf(
  options: MailServerOptions, login: LoginOptions, warnings: QuotaWatch, taken: Taken | undefined,
): Roles {
  const { hostname, directory, store, plaintextAuth = false, hideClient = false, keyValue } = options
  const { clock = nodeClock, random = randomBytes } = options
  const observe = observerOf(options)
  const failed = (what: string, error: unknown): void => observe({ kind: 'failed', at: clock.now(), what, error })
  const addresses = addressesOf(options)
  const mailboxes = new Mailboxes(store, clock, observe, directory, warnings)
  const { filtering, webhooks } = filteringOf(options, { mailboxes, observe, clock, random, failed }, () => ways)
  const local = new LocalQueue(addresses, mailboxes, store, filtering)
  const places = { hostname, directory: addresses, mailboxes, filtering, local, keyValue, observe, clock, random }
  const outgoing = isQueue(options.queue) ? new Outgoing({ ...places, queue: options.queue }, outgoingOf(options)) : undefined
  const dispatch = outgoing ?? (options.queue as Dispatch | undefined) ?? local
  const addressing = new Addressing(outgoing?.returns.addresses ?? addresses, mailboxes, dispatch)
  const forwarded = outgoing && ((sender: Address | null) => outgoing.returns.forwarded(sender))
  const forwards = outgoing?.forwards ?? dispatch
  const ways = { addresses: outgoing?.returns.addresses ?? addresses, dispatch, forwards, forwarded }
  const delivery = new LocalDelivery({ addressing, mailboxes, filtering, queue: forwards, forwarded, taken, failed })
  const submission = new Submission({ hostname, directory, queue: dispatch, taken, random, failed })
  const fromPeople: Role = {
    profile: 'submission',
    accepts: addressing.anybody,
    deliver: submission.deliver,
    policies: [submission.policy],
    authenticate: authenticate({
      ...login,
      directory,
      hostname,
      right: 'smtp',
      crypto: { ...nodeCrypto, random },
    }),
    authRequired: true,
    plaintextAuth,
    hideClient,
    // RFC 8314 §4: nobody's password crosses the wire in the clear.
    smtp: { tlsRequired: plaintextAuth !== true, ...(outgoing ? { extensions: queued } : {}) },
  }
  return {
    of: {
      mx: {
        profile: 'mx', accepts: addressing.ours, deliver: reading(delivery.toAll, outgoing), trace: 'final',
        policies: outgoing?.policies ?? [],
      },
      submission: fromPeople,
      submissions: fromPeople,
      lmtp: { profile: 'lmtp', accepts: addressing.ours, deliver: delivery.toEach, trace: 'final' },
    },
    dispatch,
    addressing,
    submission,
    outgoing,
    webhooks,
  }
}

/** Looks at what was delivered: it may be a bounce of something that went out. */
function reading(deliver: Deliver, outgoing: Outgoing | undefined): Deliver {
  if (!outgoing) return deliver
  return async (message, context) => {
    const verdict = await deliver(message, context)
    if (verdict === undefined) await outgoing.returns.read(message)
    return verdict
  }
}

/** RFC 3461, RFC 2852, RFC 6710, RFC 4865: what a queue makes of what its messages ask for. */
const queued: Partial<SmtpExtensions> = {
  dsn: true,
  deliverBy: true,
  requireTls: true,
  priority: 'MIXER',
  // A month, or any day that somebody who writes mail today may mean.
  futureRelease: { seconds: 2_678_400, until: '2099-12-31T23:59:59Z' },
}

const isQueue = (queue: MailServerOptions['queue']): queue is MailQueue => queue !== undefined && 'lease' in queue

function addressesOf({ directory, hostname, postmaster }: MailServerOptions): Addresses {
  if (postmaster === undefined) return directory
  const address = readAddress(postmaster)
  if (!address) throw new MailError('config', `mailServer: postmaster is ${JSON.stringify(postmaster)}; it takes an address.`)
  return withPostmaster(directory, hostname, address)
}

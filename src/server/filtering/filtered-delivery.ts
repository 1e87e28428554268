import type { Account } from '../../contracts/directory.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { Filtered, FilterSubject, MailFilter } from '../../contracts/filter.ts'
import type { Mailbox } from '../../contracts/mailbox.ts'
import type { Verdict } from '../../contracts/policy.ts'
import type { ReceivedMessage } from '../../contracts/received.ts'
import { readRange } from '../../contracts/read-body.ts'
import { mailboxReplies } from '../../inbound/mailbox-replies.ts'
import { refusalText } from '../../inbound/refusal-text.ts'
import { reject } from '../../inbound/verdict.ts'
import type { Observer } from '../../observe/events.ts'
import { shown } from '../../observe/shown.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { samePath } from '../../protocol/imap/mailbox-name.ts'
import { isPromise } from '../after.ts'
import type { Content } from '../edited-body.ts'
import { mailboxPath } from '../filed-mailbox.ts'
import type { Copy, Mailboxes } from '../mailboxes.ts'
import { StoredArrival } from '../received-message.ts'
import type { Destined } from './destined.ts'
import { type Contents, editedContents } from './header-edits.ts'
import { type Plan, plainly, planOf } from './plan.ts'
import type { Undertaking } from './undertaking.ts'

/** What filtering works with. */
export interface FilteringPlaces {
  readonly filter: MailFilter
  readonly mailboxes: Mailboxes
  readonly undertaking: Undertaking
  readonly observe: Observer
  readonly clock: Clock
  readonly random: (octets: number) => Uint8Array
  /** Hears of faults of ours, in words. */
  readonly failed: (what: string, error: unknown) => void
}

/** What became of a message: its id where it is now, or why it is nowhere. */
export type Outcome = { readonly id: string } | { readonly refusal: Verdict }

/** Under which circumstances a message is delivered. */
export interface Circumstances {
  /** Nobody waits for it any more, and whoever has sent it comes again. */
  readonly signal?: AbortSignal | undefined
  /** The answer is for these accounts alone: a message that all of them reject is refused. */
  readonly refuses: boolean
}

/** Milliseconds for which a filter is waited for. */
const PATIENCE = 10_000
/** Filters that run side by side. */
const BESIDE = 16

/** What is done for one account. */
interface Case extends Destined {
  readonly filtered: Filtered | undefined
  readonly plan: Plan
}

/**
 * Delivers mail to accounts past their filters. What a filter has decided is safe when it is said that the message was taken;
 * where a filter fails, or what it wants cannot be done, the message is in INBOX.
 */
export class FilteredDelivery {
  private readonly places: FilteringPlaces

  constructor(places: FilteringPlaces) {
    this.places = places
  }

  /** Mail out of a queue, whose client has long gone. `id`: default, one of its own. */
  async queued(
    { envelope, received, account }: OutgoingMessage, { body, facts }: Content, to: readonly Destined[], how: Circumstances,
    id = Buffer.from(this.places.random(12)).toString('hex'),
  ): Promise<Outcome> {
    const head = body.bytes ?? (await readRange(body, { start: 0, end: facts.structure.body }))
    const peer = { address: undefined, port: undefined, localAddress: undefined, localPort: undefined }
    const unknown = { tls: undefined, hello: undefined, forwarded: undefined }
    const connection = { id, peer, began: received, protocol: 'smtp', account, ...unknown } as const
    return this.deliver(new StoredArrival({ id, envelope, connection, received, body, notes: [], head, facts }), to, how)
  }

  /** Never rejects. */
  async deliver(message: ReceivedMessage, to: readonly Destined[], how: Circumstances): Promise<Outcome> {
    const { mailboxes } = this.places
    const cases: Case[] = []
    for (let at = 0; at < to.length; at += BESIDE) {
      cases.push(...await Promise.all(to.slice(at, at + BESIDE).map((one) => this.caseOf(message, one, how.signal))))
    }
    if (cases.every(({ filtered }) => filtered === undefined)) {
      const { body, facts, received } = message
      const outcome = await mailboxes.deliver(to.map(({ account }) => account), { body, facts, received }, 'inbox', how.signal)
      return 'refusal' in outcome ? outcome : { id: outcome.stored.id }
    }
    if (how.refuses && cases.every(({ plan }) => plan.rejection !== undefined)) return this.refuse(message, cases)
    return this.carryOut(message, cases, how.signal)
  }

  /** RFC 5429 §2.1.1: nobody takes it, and the client is told so. */
  private async refuse(message: ReceivedMessage, cases: readonly Case[]): Promise<Outcome> {
    for (const one of cases) await this.settle(message, one, [`reject: ${one.plan.rejection!}`])
    return { refusal: reject(550, '5.7.1', refusalText(cases[0]!.plan.rejection!)) }
  }

  private async carryOut(message: ReceivedMessage, cases: readonly Case[], signal: AbortSignal | undefined): Promise<Outcome> {
    const { mailboxes, undertaking, failed } = this.places
    const contents = editedContents(message)
    let copies: readonly Copy[]
    try {
      copies = await Promise.all(cases.flatMap((one) => one.plan.copies.map((copy) => copyOf(message, one, copy, contents))))
    } catch (error) {
      failed('filter', error)
      return { refusal: mailboxReplies.fault }
    }
    // Mailboxes first: what they have no room for must not have gone on to others.
    const stored = copies.length > 0 ? await mailboxes.deliverAll(copies, signal) : undefined
    if (stored && 'refusal' in stored) return stored
    if (signal?.aborted && !stored) return { refusal: mailboxReplies.fault }
    const ends = await Promise.all(cases.map(async (one) => {
      const { done, lost } = await undertaking.undertake(message, one, one.plan, contents)
      return { done, lost, refusal: lost ? await this.rescue(message, one) : undefined }
    }))
    for (const [at, { done, lost, refusal }] of ends.entries()) {
      const one = cases[at]!
      if (!refusal) await this.settle(message, one, [...one.plan.copies.map(copyWords), ...done, ...(lost ? ['keep'] : [])])
    }
    const refusal = ends.find((end) => end.refusal)?.refusal
    // What others have already comes to them twice: better than not at all (RFC 5321 §6.1).
    if (refusal) return { refusal: cases.length === 1 ? refusal : mailboxReplies.fault }
    return { id: stored?.stored.id ?? message.id }
  }

  /** Something went wrong that was to be done: the message is in INBOX, at least. */
  private async rescue({ body, facts, received }: ReceivedMessage, { account, plan }: Case): Promise<Verdict | undefined> {
    if (plan.copies.some(({ place }) => place === 'inbox')) return undefined
    const outcome = await this.places.mailboxes.deliver([account], { body, facts, received }, 'inbox')
    return 'refusal' in outcome && plan.copies.length === 0 ? outcome.refusal : undefined
  }

  /** What one account's filter makes of it. Its faults keep the message. */
  private async caseOf(message: ReceivedMessage, one: Destined, signal: AbortSignal | undefined): Promise<Case> {
    try {
      const filtered = (await this.asked(message, one, signal)) ?? undefined
      return { ...one, filtered, plan: filtered ? planOf(filtered) : plainly }
    } catch (error) {
      this.places.failed(`filter mail of ${one.account.id}`, error)
      return { ...one, filtered: undefined, plan: plainly }
    }
  }

  private async asked(
    message: ReceivedMessage, { account, recipient }: Destined, signal: AbortSignal | undefined,
  ): Promise<Filtered | undefined> {
    const { filter, clock } = this.places
    const own = new AbortController()
    const gone = (): void => own.abort()
    if (signal?.aborted) gone()
    const subject: FilterSubject = { account, recipient, ...this.looks(account), now: clock.now(), signal: own.signal }
    const answer = filter.filter(message, subject)
    if (!isPromise(answer)) return answer
    signal?.addEventListener('abort', gone, { once: true })
    const late = new Promise<never>((_, fail) => {
      const tooLate = (): void => fail(new MailError('temporary', 'The filter was not waited for any longer'))
      if (own.signal.aborted) tooLate()
      own.signal.addEventListener('abort', tooLate, { once: true })
    })
    const alarm = clock.alarm(clock.ticks() + PATIENCE, () => own.abort())
    try {
      return await Promise.race([answer, late])
    } finally {
      alarm.cancel()
      signal?.removeEventListener('abort', gone)
    }
  }

  /** Looks at the account's mailboxes, once. */
  private looks(account: Account): Pick<FilterSubject, 'hasMailbox' | 'hasUse'> {
    let looked: Promise<readonly Mailbox[]> | undefined
    const all = (): Promise<readonly Mailbox[]> => (looked ??= this.places.mailboxes.mailboxes(account))
    return {
      hasMailbox: async (path) => {
        const meant = mailboxPath(path)
        // INBOX is made when mail comes: it is always there.
        if (meant?.length === 1 && meant[0] === 'INBOX') return true
        return meant !== undefined && (await all()).some((one) => samePath(one.path, meant))
      },
      hasUse: async (use) => (await all()).some((one) => one.use === use),
    }
  }

  /** It is safe: the filter may remember it, and who watches is told. */
  private async settle(
    message: ReceivedMessage, { account, recipient, filtered, plan }: Case, done: readonly string[],
  ): Promise<void> {
    if (!filtered) return
    const { observe, clock, failed } = this.places
    try {
      await filtered.done?.()
    } catch (error) {
      // What is not remembered may be said once more; the message is safe.
      failed(`filter mail of ${account.id}`, error)
    }
    const { envelope: { sender } } = message
    const isDropped = plan.copies.length + plan.redirects.length === 0 && plan.rejection === undefined && !done.includes('keep')
    observe({
      kind: 'filtered',
      at: clock.now(),
      message: message.id,
      account: account.id,
      recipient: shown(recipient),
      sender: shown(sender),
      done: isDropped ? [...done, 'discard'] : done,
      tags: plan.tags,
      steps: filtered.steps,
      error: filtered.error,
    })
  }
}

function copyWords({ place }: Plan['copies'][number]): string {
  return typeof place === 'object' ? `file into ${place.path.join('/')}` : 'keep'
}

async function copyOf(
  { received }: ReceivedMessage, { account }: Destined, { place, flags, edits }: Plan['copies'][number], contents: Contents,
): Promise<Copy> {
  const { body, facts } = await contents(edits)
  return { account, place, message: flags.length > 0 ? { body, facts, received, flags } : { body, facts, received } }
}

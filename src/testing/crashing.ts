import type { StoredBody } from '../contracts/bodies.ts'
import type { MailStore } from '../contracts/store.ts'
import { MailError } from '../protocol/session/errors.ts'
import { seededRandom } from './random.ts'

/** A call that a crashing store let fail. */
export interface Mishap {
  /** The method of the store, or `read` for reading a body. */
  readonly method: string
  /** `before`: nothing was done. `after`: all was done, and the caller did not hear of it. */
  readonly when: 'before' | 'after'
}

/** Settings of {@link crashing}. */
export interface CrashingOptions {
  /** One call in so many fails, by and large; with `Infinity` none does. Default 8. */
  readonly often?: number
  /** Told of each call that fails, in the order of the calls. */
  readonly told?: (mishap: Mishap) => void
}

/**
 * A store with which anything that can be waited for may fail, `temporary`: before anything happened, or after it did, as when
 * a connection breaks between the commit and its answer. So it is the one exception to the rule that what rejects has changed
 * nothing, and what a host has to live with if its store is on another machine. Pages of listings and chunks of bodies fail in
 * the midst; hints of `watch` are lost or doubled. Calls that fail do so by the seed and their order alone. `close` never fails.
 *
 * For hosts, to see that they lose nothing and double nothing that matters; to look at what is there, ask the store itself.
 */
export function crashing(store: MailStore, seed: number, { often = 8, told = () => {} }: CrashingOptions = {}): MailStore {
  const random = seededRandom(seed)

  /** What becomes of the call that is made now. */
  const fate = (method: string): Mishap['when'] | undefined => {
    const drawn = random.below(2 * often)
    const when = drawn === 0 ? 'before' : drawn === 1 ? 'after' : undefined
    if (when) told({ method, when })
    return when
  }

  const risky = <Given extends unknown[], Result>(method: string, call: (...given: Given) => Promise<Result>) => {
    return async (...given: Given): Promise<Result> => {
      const when = fate(method)
      if (when === 'before') throw crash(method, when)
      const result = await call.apply(store, given)
      if (when === 'after') throw crash(method, when)
      return result
    }
  }

  const riskyEach = <Given extends unknown[], Item>(method: string, iterate: (...given: Given) => AsyncIterable<Item>) => {
    return async function* (...given: Given): AsyncGenerator<Item, void, undefined> {
      const items = iterate.apply(store, given)
      const when = fate(method)
      if (when === 'before') throw crash(method, when)
      for await (const item of items) {
        yield item
        const next = fate(method)
        if (next) throw crash(method, next)
      }
      if (when === 'after') throw crash(method, when)
    }
  }

  const riskyBody = async (id: string): Promise<StoredBody | undefined> => {
    const body = await risky('body', store.body)(id)
    if (!body) return undefined
    const read = riskyEach('read', body.read.bind(body))
    // Octets at hand would be read past all that can fail.
    return { id: body.id, size: body.size, read }
  }

  const { appendAll, move, recount, accounts, subscriptions, subscribe, claim, search, watch, close } = store
  return {
    traits: store.traits,
    mailboxes: risky('mailboxes', store.mailboxes),
    create: risky('create', store.create),
    rename: risky('rename', store.rename),
    remove: risky('remove', store.remove),
    append: risky('append', store.append),
    entries: riskyEach('entries', store.entries),
    list: riskyEach('list', store.list),
    changes: risky('changes', store.changes),
    flag: risky('flag', store.flag),
    expunge: risky('expunge', store.expunge),
    copy: risky('copy', store.copy),
    body: riskyBody,
    usage: risky('usage', store.usage),
    erase: risky('erase', store.erase),
    ...(appendAll && { appendAll: risky('appendAll', appendAll) }),
    ...(move && { move: risky('move', move) }),
    ...(recount && { recount: risky('recount', recount) }),
    ...(accounts && { accounts: riskyEach('accounts', accounts) }),
    ...(subscriptions && { subscriptions: risky('subscriptions', subscriptions) }),
    ...(subscribe && { subscribe: risky('subscribe', subscribe) }),
    ...(claim && { claim: risky('claim', claim) }),
    ...(search && { search: risky('search', search) }),
    ...(watch && {
      watch: (hear) => watch.call(store, (mailbox) => {
        const when = fate('watch')
        if (when !== 'before') hear(mailbox)
        if (when === 'after') hear(mailbox)
      }),
    }),
    ...(close && { close: () => close.call(store) }),
  }
}

function crash(method: string, when: Mishap['when']): MailError {
  return new MailError('temporary', `${method} failed on purpose, ${when} it was done`)
}

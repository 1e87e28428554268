import { memoryStore } from '../../../src/adapters/memory/index.ts'
import { turn } from '../../../src/adapters/node/event-loop.ts'
import type { MailStore } from '../../../src/contracts/store.ts'
import { all, type Fault, fault, mapped, overlaid, type WholeStore } from './fault.ts'

const counting: readonly Fault[] = [
  fault('usage and quota', 'counts octets alone', (store) => ({
    usage: async (account) => {
      const { messages, octets } = await store.usage(account)
      return { messages, octets: octets - messages * store.traits.overhead }
    },
  })),
  fault('usage and quota', 'counts copies once', (store) => {
    const copies = { messages: 0, octets: 0 }
    return {
      copy: async (...given) => {
        const before = await store.usage('alice')
        const copied = await store.copy(...given)
        const after = await store.usage('alice')
        copies.messages += after.messages - before.messages
        copies.octets += after.octets - before.octets
        return copied
      },
      usage: async (account) => {
        const { messages, octets } = await store.usage(account)
        return { messages: messages - copies.messages, octets: octets - copies.octets }
      },
    }
  }),
  fault('usage and quota', 'knows no bound', (store) => ({ append: (id, given) => store.append(id, given) })),
  fault('usage and quota', 'knows no bound of messages', (store) => ({
    append: (id, given, room) => store.append(id, given, room?.quota && { quota: { ...room.quota, messages: Infinity } }),
  })),
  fault('usage and quota', 'refuses the last that fits', (store) => ({
    append: (id, given, room) => {
      return store.append(id, given, room?.quota && { quota: { ...room.quota, octets: room.quota.octets - 1 } })
    },
  })),
  fault('usage and quota', 'lets in what begins within the bound', (store) => ({
    append: (id, given, room) => {
      const octets = (room?.quota?.octets ?? Infinity) + given.body.size
      return store.append(id, given, room?.quota && { quota: { ...room.quota, octets } })
    },
  })),
  fault('usage and quota', 'looks at the bound some time before', (store) => ({
    append: async (id, given, room) => {
      const { messages, octets } = await store.usage('alice')
      const quota = room?.quota ?? { messages: Infinity, octets: Infinity }
      const over = messages + 1 > quota.messages || octets + given.body.size + store.traits.overhead > quota.octets
      await turn()
      return store.append(id, given, over && room ? room : {})
    },
  })),
  fault('usage and quota', 'calls it another error', (store) => ({
    append: (id, given, room) => store.append(id, given, room).catch(() => store.append('none', given)),
  })),
  fault('usage and quota', 'never frees what was used', (store) => {
    let gone = 0
    return {
      expunge: async (id, uids) => {
        gone += (await store.usage('alice')).messages
        return store.expunge(id, uids)
      },
      append: (id, given, room) => {
        return store.append(id, given, room?.quota && { quota: { ...room.quota, messages: room.quota.messages - gone } })
      },
    }
  }),
  fault('recount', 'counts from nothing', (store) => ({
    recount: async (account) => {
      await store.recount(account)
      return { messages: 0, octets: 0 }
    },
  })),
  fault('recount', 'creates those it does not know', (store) => ({
    recount: async (account) => {
      await store.create(account, ['INBOX'])
      return store.recount(account)
    },
  })),
]

/** A store in memory that is said to outlive its process. */
export function lastingStore(): WholeStore {
  const store = memoryStore() as WholeStore
  return overlaid(store, { traits: { ...store.traits, durability: 'process' } })
}

/** A store that is said to outlive its process, and what is found of it after that. */
function forgetting(name: string, found: (store: WholeStore) => Partial<WholeStore>): Fault {
  return {
    topic: 'after a crash',
    name,
    open: () => {
      const store = lastingStore()
      return { store, reopen: async () => overlaid(store, found(store)) }
    },
  }
}

const lasting: readonly Fault[] = [
  forgetting('has forgotten flags', (store) => ({
    list: (id, which) => mapped(store.list(id, which), (one) => ({ ...one, flags: [] })),
  })),
  forgetting('has forgotten the last message', (store) => ({
    async *list(id, which) {
      for await (const page of store.list(id, which)) if (page.length > 1) yield page.slice(0, -1)
    },
  })),
  forgetting('has forgotten what the next UID is', (store) => ({
    append: async (id, given, room) => ({ ...(await store.append(id, given, room)), uid: 1 }),
  })),
  forgetting('has forgotten what was expunged', (store) => ({
    changes: async (...given) => ({ ...(await store.changes(...given)), vanished: [], complete: true }),
  })),
  forgetting('has forgotten what the highest mod-sequence was', (store) => ({
    mailboxes: async (account) => Promise.all((await store.mailboxes(account)).map(async (mailbox) => {
      return { ...mailbox, modSeq: Math.max(0, ...(await all(store, mailbox.id)).map(({ modSeq }) => modSeq)) }
    })),
  })),
  forgetting('has forgotten subscriptions', () => ({ subscriptions: async () => [] })),
  forgetting('has forgotten large bodies', (store) => ({
    body: async (id) => {
      const body = await store.body(id)
      return body && body.size > 65_536 ? undefined : body
    },
  })),
  forgetting('begins anew with UIDVALIDITY', (store) => ({
    create: async (...given) => ({ ...(await store.create(...given)), uidValidity: 1 }),
  })),
  {
    topic: 'after a crash',
    name: 'says that it lasts, and does not show it',
    open: () => ({ store: lastingStore() }),
  },
  {
    topic: 'after a crash',
    name: 'has nothing left',
    open: () => ({ store: lastingStore(), reopen: async () => lastingStore() }),
  },
]

const closing: readonly Fault[] = [
  fault('close', 'drops what is under way', (store) => {
    let closed = false
    return {
      append: async (id, given, room) => {
        await turn()
        return closed ? store.append('none', given) : store.append(id, given, room)
      },
      close: async () => {
        closed = true
        await store.close()
      },
    }
  }),
  fault('close', 'goes on', () => ({ close: async () => {} })),
  fault('close', 'goes on listing', (store) => {
    let closed = false
    return {
      async *list(id, which) {
        if (!closed) yield* store.list(id, which)
      },
      close: async () => {
        closed = true
        await store.close()
      },
    }
  }),
  fault('close', 'can be closed once', (store) => {
    let closed = false
    return {
      close: async () => {
        if (closed) await (store as MailStore).usage('alice')
        closed = true
        await store.close()
      },
    }
  }),
]

/** Faults of accounts and of the store as a whole. */
export const accountFaults: readonly Fault[] = [...counting, ...lasting, ...closing]

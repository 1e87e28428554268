import { turn } from '../../../src/adapters/node/event-loop.ts'
import type { Append, Entry, MessageRange, NewMessage, StoredMessage } from '../../../src/contracts/store.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { octetsOf } from '../../../src/testing/contracts/checks.ts'
import { message } from '../../../src/testing/contracts/sample-mail.ts'
import { all, type Fault, fault, mapped, type WholeStore } from './fault.ts'

const appending: readonly Fault[] = [
  fault('append', 'loses keywords', (store) => ({
    append: (id, { flags = [], ...rest }, room) => {
      return store.append(id, { ...rest, flags: flags.filter((flag) => flag.startsWith('\\')) }, room)
    },
  })),
  fault('append', 'spells flags as they come', (store) => ({
    append: async (id, given, room) => ({ ...(await store.append(id, given, room)), flags: given.flags ?? [] }),
  })),
  fault('append', 'takes whole seconds for dates', (store) => ({
    append: (id, given, room) => store.append(id, { ...given, received: Math.floor(given.received / 1000) * 1000 }, room),
  })),
  fault('append', 'saves at the time of receipt', (store) => ({
    append: async (id, given, room) => ({ ...(await store.append(id, given, room)), saved: given.received }),
  })),
  fault('append', 'keeps what there is of a body that breaks', (store) => ({
    append: (id, given, room) => store.append(id, given, room).catch((error: unknown) => {
      if (isMailError(error) && error.code !== 'permanent') return store.append(id, message(new Uint8Array(0)), room)
      throw error
    }),
  })),
  fault('append', 'ends bodies with a line end of its own', (store) => ({
    append: async (id, given, room) => {
      const bytes = new Uint8Array(given.body.size + 1)
      let at = 0
      for await (const chunk of given.body.read()) {
        bytes.set(chunk, at)
        at += chunk.length
      }
      const { body } = message(bytes)
      return store.append(id, { ...given, body }, room)
    },
  })),
  fault('append', 'takes facts for its own kind of data', (store) => ({
    append: (id, given, room) => {
      return store.append(id, { ...given, facts: { octets: given.facts.octets } as NewMessage['facts'] }, room)
    },
  })),
  fault('append', 'creates mailboxes as it needs them', (store) => ({
    append: (id, given, room) => store.append(id, given, room).catch(async (error: unknown) => {
      if (!isMailError(error) || error.code !== 'permanent') throw error
      return store.append((await store.create('alice', [id])).id, given, room)
    }),
  })),
  fault('append', 'counts one UID for all mailboxes, from above', (store) => {
    let next = 2 ** 31
    return { append: async (id, given, room) => ({ ...(await store.append(id, given, room)), uid: next-- }) }
  }),
  fault('append, many at once', 'knows bodies by their octets alone', (store) => {
    const known = new Map<number, NewMessage>()
    return {
      append: (id, given, room) => {
        const first = known.get(given.body.size) ?? given
        known.set(given.body.size, first)
        return store.append(id, { ...given, facts: first.facts }, room)
      },
    }
  }),
  fault('append, many at once', 'resolves before it can be seen', (store) => {
    const late = new Set<number>()
    return {
      append: async (id, given, room) => {
        const stored = await store.append(id, given, room)
        late.add(stored.uid)
        void turn().then(() => late.delete(stored.uid))
        return stored
      },
      async *list(id, which) {
        for await (const page of store.list(id, which)) {
          const seen = page.filter(({ uid }) => !late.has(uid))
          if (seen.length > 0) yield seen
        }
      },
    }
  }),
  fault('append, many at once', 'gives one reader the flags of another', (store) => {
    const flags = new WeakMap<object, readonly string[]>()
    return {
      append: (id, given, room) => {
        const first = flags.get(given.body) ?? given.flags ?? []
        flags.set(given.body, first)
        return store.append(id, { ...given, flags: first }, room)
      },
    }
  }),
  fault('append, many at once', 'lets one failure fail those beside it', (store) => {
    let broken = false
    return {
      append: async (id, given, room) => {
        const append = store.append(id, given, room)
        append.catch(() => void (broken = true))
        await turn()
        return broken ? store.append('none', given) : append
      },
    }
  }),
]

const appendingAll: readonly Fault[] = [
  fault('appendAll', 'adds one after the other', (store) => ({
    appendAll: async (appends) => {
      const stored: StoredMessage[] = []
      for (const { mailbox, message: given, ...room } of appends) stored.push(await store.append(mailbox, given, room))
      return stored
    },
  })),
  fault('appendAll', 'lets others see what it has so far', (store) => ({
    appendAll: async (appends) => {
      const parts: (readonly Append[])[] = [appends.slice(0, 5), appends.slice(5)]
      const stored: StoredMessage[] = []
      for (const part of appends.length > 10 ? parts : [appends]) {
        stored.push(...(await store.appendAll(part)))
        await turn()
      }
      return stored
    },
  })),
  fault('appendAll', 'adds in the other order', (store) => ({
    appendAll: async (appends) => [...(await store.appendAll([...appends].reverse()))].reverse(),
  })),
  fault('appendAll', 'weighs each by itself', (store) => ({
    appendAll: async (appends) => {
      const octets = (await store.usage('alice')).octets + store.traits.overhead
      const over = appends.find(({ message: { body }, quota }) => octets + body.size > (quota?.octets ?? Infinity))
      return store.appendAll(over ? [over] : appends.map(({ mailbox, message: given }) => ({ mailbox, message: given })))
    },
  })),
]

/** A store whose listings are others. */
function listing(name: string, change: (pages: AsyncIterable<readonly Entry[]>) => AsyncIterable<readonly Entry[]>): Fault {
  return fault('entries and list', name, (store) => ({ entries: (id, which) => change(store.entries(id, which)) }))
}

const reading: readonly Fault[] = [
  fault('entries and list', 'looks at the UIDs alone', (store) => ({
    entries: (id, which) => store.entries(id, which?.uids ? { uids: which.uids } : {}),
  })),
  fault('entries and list', 'looks at the mod-sequence alone', (store) => ({
    list: (id, which) => store.list(id, which?.since === undefined ? {} : { since: which.since }),
  })),
  fault('entries and list', 'leaves out the last of each range', (store) => ({
    list: (id, { uids, ...which } = {}) => store.list(id, uids === undefined ? which : {
      ...which, uids: uids.map(({ first, last }) => ({ first, last: last - 1 })),
    }),
  })),
  fault('entries and list', 'lists what changed at the mod-sequence too', (store) => ({
    entries: (id, { since = 0, ...which } = {}) => store.entries(id, { ...which, since: since - 1 }),
  })),
  listing('stops after a page', async function* (pages) {
    for await (const page of pages) return yield page
  }),
  listing('ends with an empty page', async function* (pages) {
    yield* pages
    yield []
  }),
  listing('gives the last of a page twice', async function* (pages) {
    for await (const page of pages) {
      yield page
      yield page.slice(-1)
    }
  }),
  listing('has forgotten when', (pages) => mapped(pages, (entry) => ({ ...entry, saved: 0 }))),
  fault('entries and list', 'lists flags as they were', (store) => {
    const first = new Map<number, readonly string[]>()
    return {
      entries: (id, which) => mapped(store.entries(id, which), (entry) => {
        return { ...entry, flags: first.get(entry.uid) ?? [] }
      }),
      append: async (id, given, room) => {
        const stored = await store.append(id, given, room)
        first.set(stored.uid, stored.flags)
        return stored
      },
    }
  }),
  fault('entries and list', 'refuses what it does not have', (store) => ({
    async *list(id, which) {
      await store.changes(id, 0)
      yield* store.list(id, which)
    },
  })),
]

const bodies: readonly Fault[] = [
  fault('body', 'goes with the first message of several', (store) => {
    const gone = new Set<string>()
    return {
      expunge: async (id, uids) => {
        for (const entry of await all(store, id, uids)) gone.add(entry.id)
        return store.expunge(id, uids)
      },
      body: async (id) => (gone.has(id) ? undefined : store.body(id)),
    }
  }),
  fault('body', 'reads one octet too many', (store) => ({
    body: async (id) => {
      const body = await store.body(id)
      if (!body) return undefined
      return { ...body, read: (range) => body.read(range && { start: range.start, end: Math.min(body.size, range.end + 1) }) }
    },
  })),
  fault('body', 'reads from the beginning', (store) => ({
    body: async (id) => {
      const body = await store.body(id)
      return body && { ...body, read: (range) => body.read(range && { start: 0, end: range.end }) }
    },
  })),
  fault('body', 'yields an empty chunk', (store) => ({
    body: async (id) => {
      const body = await store.body(id)
      return body && {
        ...body,
        async *read(range) {
          yield* body.read(range)
          yield new Uint8Array(0)
        },
      }
    },
  })),
  fault('body', 'takes any name for a number', (store) => ({ body: (id) => store.body(id.trim()) })),
  fault('body', 'names messages by their place', (store) => ({
    append: async (id, given, room) => {
      const stored = await store.append(id, given, room)
      return { ...stored, id: String((await all(store, id)).findIndex(({ uid }) => uid === stored.uid)) }
    },
  })),
]

/** The octets of ranges, out of what the store gives one by one. */
function octetsBy(read: (store: WholeStore, range: MessageRange) => Promise<Uint8Array | undefined>) {
  return (store: WholeStore): Partial<WholeStore> => ({
    octets: (ranges) => Promise.all(ranges.map((range) => read(store, range))),
  })
}

async function octetsIn(store: WholeStore, { message: id, start, end }: MessageRange): Promise<Uint8Array | undefined> {
  const body = await store.body(id)
  return body && octetsOf(body, { start, end })
}

const readingSeveral: readonly Fault[] = [
  fault('octets', 'gives whole messages', octetsBy(async (store, { message: id }) => {
    const body = await store.body(id)
    return body && octetsOf(body)
  })),
  fault('octets', 'reads from the beginning', octetsBy((store, { message: id, start, end }) =>
    octetsIn(store, { message: id, start: 0, end: end - start }))),
  fault('octets', 'takes any name for a number', octetsBy((store, range) =>
    octetsIn(store, { ...range, message: range.message.trim() }))),
  fault('octets', 'leaves out what it does not have', (store) => ({
    octets: async (ranges) => {
      const found = await Promise.all(ranges.map((range) => octetsIn(store, range)))
      return found.filter((bytes) => bytes !== undefined)
    },
  })),
]

const claiming: readonly Fault[] = [
  fault('claim', 'claims nothing', (store) => ({
    claim: async (id) => {
      await store.expunge(id, [])
      return 1
    },
  })),
  fault('claim', 'lets two claim at once', (store) => ({
    claim: async (id) => {
      const box = (await store.mailboxes('alice')).find((mailbox) => mailbox.id === id)
      await turn()
      const from = await store.claim(id)
      return box?.recentFrom ?? from
    },
  })),
  fault('claim', 'claims what comes next too', (store) => ({
    mailboxes: async (account) => (await store.mailboxes(account)).map((mailbox) => {
      return { ...mailbox, recentFrom: mailbox.recentFrom === 1 ? 1 : mailbox.uidNext + 1 }
    }),
  })),
]

const searching: readonly Fault[] = [
  fault('search', 'minds the case', (store) => ({
    search: async (id, words, where) => (/[A-Z]/.test(words) ? [] : store.search(id, words, where)),
  })),
  fault('search', 'looks at whole words', (store) => ({
    search: async (id, words, where) => (words === 'arbou' ? [] : store.search(id, words, where)),
  })),
  fault('search', 'never looks into the header', (store) => ({ search: (id, words) => store.search(id, words, 'body') })),
  fault('search', 'knows nothing, ever', () => ({ search: async () => undefined })),
  fault('search', 'forgets copies with the original', (store) => {
    let expunged = false
    return {
      expunge: (id, uids) => {
        expunged = true
        return store.expunge(id, uids)
      },
      search: async (id, words, where) => (expunged ? [] : store.search(id, words, where)),
    }
  }),
]

const watching: readonly Fault[] = [
  fault('watch', 'never tells', () => ({ watch: () => () => {} })),
  fault('watch', 'tells after the end', (store) => ({
    watch: (told) => {
      store.watch(told)
      return () => {}
    },
  })),
  fault('watch', 'tells the last who asked', (store) => {
    let end = (): void => {}
    return {
      watch: (told) => {
        end()
        end = store.watch(told)
        return end
      },
    }
  }),
  fault('watch', 'tells of new messages alone', (store) => {
    let quiet = false
    return {
      watch: (told) => store.watch((id) => void (quiet || told(id))),
      flag: async (...given) => {
        quiet = true
        const flagged = await store.flag(...given)
        await turn()
        quiet = false
        return flagged
      },
    }
  }),
  fault('watchAccount', 'never tells', () => ({ watchAccount: () => () => {} })),
  fault('watchAccount', 'tells after the end', (store) => ({
    watchAccount: (account, told) => {
      store.watchAccount(account, told)
      return () => {}
    },
  })),
  fault('watchAccount', 'tells of every account', (store) => ({ watchAccount: (_, told) => store.watch(() => told()) })),
  fault('watchAccount', 'tells of messages alone', (store) => {
    let quiet = 0
    const still = async <T>(doing: Promise<T>): Promise<T> => {
      quiet++
      const done = await doing
      await turn()
      quiet--
      return done
    }
    return {
      watchAccount: (account, told) => store.watchAccount(account, () => void (quiet > 0 || told())),
      rename: (id, path) => still(store.rename(id, path)),
      subscribe: (account, path, wanted) => still(store.subscribe(account, path, wanted)),
    }
  }),
  fault('watchAccount', 'tells nothing of subscriptions', (store) => {
    let quiet = 0
    return {
      watchAccount: (account, told) => store.watchAccount(account, () => void (quiet > 0 || told())),
      subscribe: async (...given) => {
        quiet++
        await store.subscribe(...given)
        await turn()
        quiet--
      },
    }
  }),
  fault('watch', 'tells a name of its own', (store) => ({ watch: (told) => store.watch((id) => told(`mailbox ${id}`)) })),
]

/** Faults of messages: how they come, and how they are read. */
export const messageFaults: readonly Fault[] = [
  ...appending, ...appendingAll, ...reading, ...bodies, ...readingSeveral, ...claiming, ...searching, ...watching,
]

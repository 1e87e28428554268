import { turn } from '../../../src/adapters/node/event-loop.ts'
import { memoryStore } from '../../../src/adapters/memory/index.ts'
import type { Body } from '../../../src/contracts/bodies.ts'
import type { MailStore, NewMessage } from '../../../src/contracts/store.ts'
import { octetsOf } from '../../../src/testing/contracts/checks.ts'
import type { StoreMethod } from '../../../src/testing/contracts/imap-witness.ts'
import { all, type Fault, fault, mapped, only, overlaid, type WholeStore } from './fault.ts'
import { lastingStore } from './faults-account.ts'

/** A store that breaks one promise, and the method that the suite has to name. */
export interface ImapFault extends Fault {
  readonly culprit: StoreMethod
}

function broken(
  topic: string,
  name: string,
  culprit: StoreMethod,
  methods: (store: WholeStore) => Partial<WholeStore>,
): ImapFault {
  return { ...fault(topic, name, methods), culprit }
}

/** One that is whole until its process ends. */
function forgetful(name: string, culprit: StoreMethod, found: (store: WholeStore) => Partial<WholeStore>): ImapFault {
  const open: Fault['open'] = () => {
    const store = lastingStore()
    return { store, reopen: async () => overlaid(store, found(store)) }
  }
  return { topic: 'after a restart', name, culprit, open }
}

/** The message with other octets. */
async function rewritten(given: NewMessage, change: (octets: string) => string): Promise<NewMessage> {
  const bytes = Buffer.from(change(Buffer.from(await octetsOf(given.body)).toString('latin1')), 'latin1')
  return { ...given, body: bodyOf(bytes) }
}

function bodyOf(bytes: Uint8Array): Body {
  return {
    size: bytes.length,
    async *read({ start, end } = { start: 0, end: bytes.length }) {
      if (start < end) yield bytes.subarray(start, end)
    },
  }
}

const life: readonly ImapFault[] = [
  broken('mailbox life', 'gives names one case', 'create', (store) => ({
    create: (account, path, use) => store.create(account, path.map((name) => name.toLowerCase().replace('inbox', 'INBOX')), use),
  })),
  broken('mailbox life', 'takes dots for something else', 'create', (store) => ({
    create: (account, path, use) => {
      return store.create(account, path.flatMap((name) => name.split('.').filter((one) => one !== '')), use)
    },
  })),
  broken('mailbox life', 'renames a mailbox alone', 'rename', (store) => ({
    rename: async (id, path) => {
      const boxes = await store.mailboxes('alice')
      const from = boxes.find((one) => one.id === id)!.path
      await store.rename(id, path)
      for (const below of boxes) {
        if (below.id !== id && from.every((name, at) => below.path[at] === name)) await store.rename(below.id, below.path)
      }
    },
  })),
  broken('mailbox life', 'removes what lies below as well', 'remove', (store) => ({
    remove: async (id) => {
      const boxes = await store.mailboxes('alice')
      const path = boxes.find((one) => one.id === id)?.path
      for (const one of boxes) if (path?.every((name, at) => one.path[at] === name)) await store.remove(one.id)
    },
  })),
  broken('mailbox life', 'begins UIDVALIDITY anew', 'create', (store) => ({
    create: async (...given) => ({ ...(await store.create(...given)), uidValidity: 1 }),
    mailboxes: async (account) => (await store.mailboxes(account)).map((one) => ({ ...one, uidValidity: 1 })),
  })),
  broken('mailbox life', 'does not count what is seen', 'mailboxes', (store) => ({
    mailboxes: async (account) => (await store.mailboxes(account)).map((one) => ({ ...one, unseen: one.messages })),
  })),
  broken('subscriptions', 'forgets them with the mailbox', 'remove', (store) => ({
    remove: async (id) => {
      const box = (await store.mailboxes('alice')).find((one) => one.id === id)
      await store.remove(id)
      if (box) await store.subscribe('alice', box.path, false)
    },
  })),
  broken('subscriptions', 'forgets none', 'subscribe', (store) => ({
    subscribe: async (account, path) => store.subscribe(account, path, true),
  })),
]

const messages: readonly ImapFault[] = [
  broken('messages', 'mends line ends', 'append', (store) => ({
    append: async (id, given, room) => {
      return store.append(id, await rewritten(given, (octets) => octets.replace(/\r?\n/g, '\r\n')), room)
    },
  })),
  broken('messages', 'stores seven bits of eight', 'append', (store) => ({
    append: async (id, given, room) => {
      const mended = (octets: string): string => octets.replace(/[\x80-\xff]/g, '?')
      return store.append(id, await rewritten(given, mended), room)
    },
  })),
  broken('messages', 'reads all where a range was asked for', 'body', (store) => ({
    body: async (id) => {
      const body = await store.body(id)
      return body && { id, size: body.size, read: () => body.read() }
    },
    octets: undefined as never,
  })),
  broken('messages', 'keeps dates to the day', 'append', (store) => ({
    append: (id, given, room) => store.append(id, { ...given, received: given.received - (given.received % 86_400_000) }, room),
  })),
  broken('messages', 'knows the facts of the first message alone', 'list', (store) => {
    let first: NewMessage['facts'] | undefined
    return { list: (id, which) => mapped(store.list(id, which), (one) => ({ ...one, facts: (first ??= one.facts) })) }
  }),
  broken('messages', 'tells the same UID again and again', 'append', (store) => ({
    append: async (id, given, room) => ({ ...(await store.append(id, given, room)), uid: 1 }),
  })),
  broken('several messages in one APPEND', 'adds those that fit', 'appendAll', (store) => ({
    appendAll: async (appends) => {
      const stored = []
      for (const { mailbox, message, ...room } of appends) stored.push(await store.append(mailbox, message, room))
      return stored
    },
  })),
  broken('several messages in one APPEND', 'adds the last first', 'appendAll', (store) => ({
    appendAll: async (appends) => [...(await store.appendAll([...appends].reverse()))].reverse(),
  })),
]

const flags: readonly ImapFault[] = [
  broken('flags', 'has letters for 26 keywords', 'flag', (store) => ({
    flag: async (id, uids, change, since) => {
      const known = new Set((await all(store, id)).flatMap((entry) => entry.flags))
      const fits = change.flags.filter((flag) => known.size < 26 || known.has(flag))
      return store.flag(id, uids, { ...change, flags: fits }, since)
    },
  })),
  broken('flags', 'removes those that are not named', 'flag', (store) => ({
    flag: (id, uids, change, since) => {
      return store.flag(id, uids, change.kind === 'remove' ? { kind: 'replace', flags: [] } : change, since)
    },
  })),
  broken('flags', 'writes what it read some time before', 'flag', (store) => ({
    flag: async (id, uids, change, since) => {
      if (change.kind !== 'add') return store.flag(id, uids, change, since)
      const before = (await all(store, id, uids))[0]?.flags ?? []
      await someTime()
      return store.flag(id, uids, { kind: 'replace', flags: [...new Set([...before, ...change.flags])] }, since)
    },
  })),
  broken('flags', 'tells of new messages only', 'changes', (store) => ({
    changes: async (id, since, most) => {
      const changes = await store.changes(id, since, most)
      return { ...changes, changed: changes.changed.filter(({ flags: its }) => its.length === 0) }
    },
  })),
  broken('EXPUNGE', 'removes all between the first and the last', 'expunge', (store) => ({
    expunge: (id, uids) => store.expunge(id, uids.length > 0 ? [{ first: uids[0]!.first, last: uids.at(-1)!.last }] : []),
  })),
  broken('EXPUNGE', 'leaves the last', 'expunge', (store) => ({
    expunge: (id, uids) => store.expunge(id, uids.slice(0, -1)),
  })),
  broken('EXPUNGE', 'does not tell what is gone', 'changes', (store) => ({
    changes: async (...given) => ({ ...(await store.changes(...given)), vanished: [], complete: true }),
  })),
  broken('EXPUNGE', 'takes the highest UID for the last that there was', 'mailboxes', (store) => ({
    mailboxes: async (account) => Promise.all((await store.mailboxes(account)).map(async (one) => {
      return { ...one, uidNext: Math.max(0, ...(await all(store, one.id)).map(({ uid }) => uid)) + 1 }
    })),
  })),
]

const copies: readonly ImapFault[] = [
  broken('COPY', 'forgets flags', 'copy', (store) => ({
    copy: async (id, uids, to, room) => {
      const copied = await store.copy(id, uids, to, room)
      for (const one of copied) await store.flag(to, only(one.to), { kind: 'replace', flags: [] })
      return copied
    },
  })),
  broken('COPY', 'tells the UIDs the wrong way round', 'copy', (store) => ({
    copy: async (...given) => (await store.copy(...given)).map(({ from, to }) => ({ from: to, to: from })),
  })),
  broken('COPY', 'loses the body with the original', 'expunge', (store) => {
    const gone = new Set<string>()
    return {
      expunge: async (id, uids) => {
        for (const entry of await all(store, id, uids)) gone.add(entry.id)
        return store.expunge(id, uids)
      },
      body: async (id) => (gone.has(id) ? undefined : store.body(id)),
      octets: undefined as never,
    }
  }),
  broken('MOVE', 'leaves the originals', 'move', (store) => ({ move: (id, uids, to) => store.copy(id, uids, to) })),
  broken('MOVE', 'copies, and removes some time later', 'move', (store) => ({
    move: async (id, uids, to) => {
      const copied = await store.copy(id, uids, to)
      await someTime()
      await store.expunge(id, uids)
      return copied
    },
  })),
]

const replacing: readonly ImapFault[] = [
  broken('REPLACE', 'leaves the other', 'replace', (store) => ({
    replace: (_id, _uid, { mailbox, message, ...room }) => store.append(mailbox, message, room),
  })),
  broken('REPLACE', 'looks some time before whether the other is there', 'replace', (store) => ({
    replace: async (id, uid, { mailbox, message, ...room }) => {
      if ((await all(store, id, only(uid))).length === 0) return undefined
      await someTime()
      const stored = await store.append(mailbox, message, room)
      await store.expunge(id, only(uid))
      return stored
    },
  })),
]

const changes: readonly ImapFault[] = [
  broken('CONDSTORE', 'does not look whether others have changed it', 'flag', (store) => ({
    flag: (id, uids, change) => store.flag(id, uids, change),
  })),
  broken('CONDSTORE', 'changes none where one was changed', 'flag', (store) => ({
    flag: async (id, uids, change, since = Infinity) => {
      const entries = await all(store, id, uids)
      if (entries.every(({ modSeq }) => modSeq <= since)) return store.flag(id, uids, change, since)
      return { changed: [], modified: (await store.flag(id, uids, { kind: 'add', flags: [] }, 0)).modified }
    },
  })),
  broken('CONDSTORE', 'tells of all, changed or not', 'entries', (store) => ({
    entries: (id, which = {}) => store.entries(id, which.uids ? { uids: which.uids } : {}),
  })),
  broken('CONDSTORE', 'takes no mod-sequence for what goes', 'expunge', (store) => ({
    mailboxes: async (account) => Promise.all((await store.mailboxes(account)).map(async (one) => {
      return { ...one, modSeq: Math.max(0, ...(await all(store, one.id)).map(({ modSeq }) => modSeq)) }
    })),
  })),
  broken('QRESYNC', 'forgets what is gone, and says that it does not', 'changes', (store) => ({
    changes: async (id, since, most) => ({ ...(await store.changes(id, since, most)), vanished: [], complete: true }),
  })),
  broken('QRESYNC', 'remembers the last that went', 'changes', (store) => ({
    changes: async (id, since, most) => {
      const told = await store.changes(id, since, most)
      return { ...told, vanished: told.vanished.slice(-1), complete: true }
    },
  })),
  broken('QRESYNC', 'misses the change behind the one it was asked for', 'entries', (store) => ({
    entries: (id, which = {}) => store.entries(id, which.since ? { ...which, since: which.since + 1 } : which),
  })),
  broken('IDLE', 'never tells', 'watch', () => ({ watch: () => () => {} })),
  broken('IDLE', 'tells of what comes, not of what goes', 'watch', (store) => {
    let quiet = false
    return {
      watch: (told) => store.watch((id) => quiet || told(id)),
      expunge: async (id, uids) => {
        quiet = true
        return store.expunge(id, uids)
      },
    }
  }),
]

const searches: readonly ImapFault[] = [
  broken('SEARCH', 'knows words from their beginnings', 'search', (store) => ({
    search: async (id, words, where) => (words.toLowerCase().startsWith('arb') ? [] : store.search(id, words, where)),
  })),
  broken('SEARCH', 'indexes what is appended, not what is copied', 'search', (store) => {
    const copied = new Set<string>()
    return {
      copy: (id, uids, to, room) => {
        copied.add(to)
        return store.copy(id, uids, to, room)
      },
      search: async (id, words, where) => (copied.has(id) ? [] : store.search(id, words, where)),
    }
  }),
  broken('SEARCH by the index', 'indexes the beginning of a message', 'search', (store) => ({
    search: async (id, words, where) => (words.toLowerCase() === 'from' ? [] : store.search(id, words, where)),
  })),
]

/** Long enough for other sessions to have looked as well, however busy the machine is. */
async function someTime(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await turn()
}

/** A store that heeds quotas by what it sees some time before. */
function late(store: WholeStore): Partial<WholeStore> {
  return {
    append: async (id, given, room) => {
      const { messages: count, octets } = await store.usage('alice')
      const quota = room?.quota ?? { messages: Infinity, octets: Infinity }
      const over = count + 1 > quota.messages || octets + given.body.size + store.traits.overhead > quota.octets
      await someTime()
      return store.append(id, given, over && room ? room : {})
    },
  }
}

const quotas: readonly ImapFault[] = [
  broken('QUOTA', 'counts what it is not', 'usage', (store) => ({
    usage: async (account) => {
      const used = await store.usage(account)
      return { ...used, octets: used.octets - used.messages * store.traits.overhead }
    },
  })),
  broken('QUOTA', 'lets copies in', 'copy', (store) => ({ copy: (id, uids, to) => store.copy(id, uids, to) })),
  broken('QUOTA', 'knows no bound', 'append', (store) => ({ append: (id, given) => store.append(id, given) })),
  broken('QUOTA', 'looks at the bound some time before', 'append', late),
]

const whole: readonly ImapFault[] = [
  broken('POP3', 'keeps what was deleted', 'expunge', () => ({ expunge: async (_id, uids) => uids })),
  broken('POP3', 'gives the beginning of what is read', 'body', (store) => ({
    body: async (id) => {
      const body = await store.body(id)
      return body && { id, ...bodyOf((await octetsOf(body)).subarray(0, 30)), size: body.size }
    },
  })),
  broken('several sessions', 'loses one message of ten', 'append', (store) => {
    let count = 0
    return {
      append: async (id, given, room) => {
        const stored = await store.append(id, given, room)
        if (++count % 10 === 0) await store.expunge(id, only(stored.uid))
        return stored
      },
    }
  }),
  broken('several sessions', 'confuses bodies', 'body', (store) => {
    let before: string | undefined
    return {
      body: async (id) => {
        const other = before ?? id
        before = id
        return store.body(Number(id) % 7 === 0 ? other : id)
      },
      octets: undefined as never,
    }
  }),
  broken('several sessions', 'now and then forgets to tell of a change', 'changes', (store) => {
    let count = 0
    return {
      changes: async (...given) => {
        const told = await store.changes(...given)
        return ++count % 9 === 0 ? { ...told, changed: told.changed.slice(1) } : told
      },
    }
  }),
  forgetful('has forgotten flags', 'entries', (store) => ({
    entries: (id, which) => mapped(store.entries(id, which), (one) => ({ ...one, flags: [] })),
  })),
  forgetful('has forgotten what was expunged', 'changes', (store) => ({
    changes: async (...given) => ({ ...(await store.changes(...given)), vanished: [], complete: true }),
  })),
  forgetful('gives UIDs again', 'append', (store) => ({
    append: async (id, given, room) => ({ ...(await store.append(id, given, room)), uid: 6 }),
  })),
  { topic: 'after a restart', name: 'has nothing left', culprit: 'mailboxes', open: nothingLeft },
]

function nothingLeft(): ReturnType<Fault['open']> {
  const found: MailStore = memoryStore()
  return { store: lastingStore(), reopen: async () => (await found.create('alice', ['INBOX']), found) }
}

/** Faults by topic. */
export const imapFaults: readonly ImapFault[] = [
  ...life, ...messages, ...flags, ...copies, ...replacing, ...changes, ...searches, ...quotas, ...whole,
]

import { turn } from '../../../src/adapters/node/event-loop.ts'
import type { UidSet } from '../../../src/contracts/mailbox.ts'
import type { Changes, Copied, Entry, FlagChange } from '../../../src/contracts/store.ts'
import { all, type Fault, fault, mapped, only } from './fault.ts'

const nothing: UidSet = []

/** A store whose `changes` tells something else. */
function telling(name: string, told: (changes: Changes, since: number) => Changes): Fault {
  return fault('changes', name, (store) => ({
    changes: async (id, since, most) => told(await store.changes(id, since, most), since),
  }))
}

const changing: readonly Fault[] = [
  telling('misses what was expunged', (changes) => ({ ...changes, vanished: nothing, complete: true })),
  telling('never has more', (changes) => ({ ...changes, more: false })),
  telling('tells it by UID', (changes) => ({ ...changes, changed: [...changes.changed].sort((a, b) => a.uid - b.uid) })),
  telling('tells flags as they were', (changes) => {
    return { ...changes, changed: changes.changed.map((one) => ({ ...one, flags: [] })) }
  }),
  telling('stays where it is asked from', (changes, since) => ({ ...changes, modSeq: since })),
  telling('tells all of a wide range as vanished', (changes) => ({ ...changes, vanished: [{ first: 1, last: 2 ** 32 - 1 }] })),
  telling('tells what vanished in any order', (changes) => ({ ...changes, vanished: [...changes.vanished].reverse() })),
  fault('changes', 'knows no bound', (store) => ({ changes: (id, since) => store.changes(id, since, 1_000_000) })),
  fault('changes', 'has no bound of its own', (store) => ({
    changes: (id, since, most = Infinity) => store.changes(id, since, most),
  })),
  fault('changes', 'begins at the mod-sequence', (store) => ({
    changes: (id, since, most) => store.changes(id, Math.max(0, since - 1), most),
  })),
  fault('changes', 'tells new messages alone', (store) => ({
    changes: async (id, since, most) => {
      const changes = await store.changes(id, since, most)
      return { ...changes, changed: changes.changed.filter(({ flags }) => flags.length === 0) }
    },
  })),
  fault('changes', 'jumps to the end after a part', (store) => ({
    changes: async (id, since, most) => {
      const [changes, { modSeq }] = [await store.changes(id, since, most), await store.changes(id, since, 1_000_000)]
      return { ...changes, modSeq, more: false }
    },
  })),
  fault('changes', 'knows nothing of what it does not have', (store) => ({
    changes: (id, since, most) => store.changes(id, since, most).catch(() => {
      return { modSeq: 0, changed: [], vanished: [], more: false, complete: true }
    }),
  })),
]

/** A store that changes flags otherwise. */
function changed(name: string, other: (change: FlagChange) => FlagChange): Fault {
  return fault('flag', name, (store) => ({
    flag: (id, uids, change, unchangedSince) => store.flag(id, uids, other(change), unchangedSince),
  }))
}

const flagging: readonly Fault[] = [
  changed('adds what it is to replace by', ({ kind, flags }) => ({ kind: kind === 'replace' ? 'add' : kind, flags })),
  changed('has no case for keywords', ({ kind, flags }) => ({ kind, flags: flags.map((flag) => flag.toLowerCase()) })),
  changed('takes one flag at a time', ({ kind, flags }) => ({ kind, flags: flags.slice(0, 1) })),
  changed('does not know the system flags in capitals', ({ kind, flags }) => {
    return { kind, flags: flags.map((flag) => (flag === '\\SEEN' ? 'SEEN' : flag)) }
  }),
  fault('flag', 'looks at no mod-sequence', (store) => ({ flag: (id, uids, change) => store.flag(id, uids, change) })),
  fault('flag', 'takes "not above" for "below"', (store) => ({
    flag: (id, uids, change, unchangedSince) => {
      return store.flag(id, uids, change, unchangedSince === undefined ? undefined : unchangedSince - 1)
    },
  })),
  fault('flag', 'does nothing where one has changed since', (store) => ({
    flag: async (id, uids, change, unchangedSince = Infinity) => {
      const newer = (await all(store, id, uids)).some(({ modSeq }) => modSeq > unchangedSince)
      return store.flag(id, newer ? nothing : uids, change, unchangedSince)
    },
  })),
  fault('flag', 'tells those that it left as they were', (store) => ({
    flag: async (id, uids, change, unchangedSince) => {
      const flagged = await store.flag(id, uids, change, unchangedSince)
      return { ...flagged, changed: await all(store, id, uids) }
    },
  })),
  fault('flag', 'tells nothing of those that it left alone', (store) => ({
    flag: async (...given) => ({ ...(await store.flag(...given)), modified: [] }),
  })),
  fault('flag', 'takes no mod-sequence', (store) => {
    const before = new Map<number, number>()
    return {
      flag: async (id, uids, change, unchangedSince) => {
        for (const { uid, modSeq } of await all(store, id, uids)) before.set(uid, before.get(uid) ?? modSeq)
        return store.flag(id, uids, change, unchangedSince)
      },
      entries: (id, which) => mapped(store.entries(id, which), (entry) => {
        return { ...entry, modSeq: before.get(entry.uid) ?? entry.modSeq }
      }),
    }
  }),
  fault('flag', 'writes back what it had read', (store) => ({
    flag: async (id, uids, change, unchangedSince) => {
      if (change.kind !== 'add') return store.flag(id, uids, change, unchangedSince)
      const read = await all(store, id, uids)
      const { modified } = await store.flag(id, uids, { kind: 'add', flags: [] }, unchangedSince)
      await turn()
      const done = await Promise.all(read.map(({ uid, flags }) => {
        return store.flag(id, only(uid), { kind: 'replace', flags: [...flags, ...change.flags] }, unchangedSince)
      }))
      return { changed: done.flatMap((one) => one.changed), modified }
    },
  })),
  fault('flag', 'lets all win who saw the same', (store) => ({
    flag: async (id, uids, change, unchangedSince = Infinity) => {
      const newer = (await all(store, id, uids)).some(({ modSeq }) => modSeq > unchangedSince)
      await turn()
      return store.flag(id, uids, change, newer ? unchangedSince : undefined)
    },
  })),
  fault('flag', 'counts unread mail no more', (store) => {
    const first = new Map<string, number>()
    return {
      mailboxes: async (account) => (await store.mailboxes(account)).map((mailbox) => {
        first.set(mailbox.id, Math.max(first.get(mailbox.id) ?? 0, mailbox.unseen))
        return { ...mailbox, unseen: first.get(mailbox.id) ?? 0 }
      }),
    }
  }),
]

const expunging: readonly Fault[] = [
  fault('expunge', 'tells the UIDs it was given', (store) => ({
    expunge: async (id, uids) => {
      await store.expunge(id, uids)
      return uids
    },
  })),
  fault('expunge', 'removes what is flagged as deleted alone', (store) => ({
    expunge: async (id, uids) => {
      const gone: UidSet[number][] = []
      for (const { uid, flags } of await all(store, id, uids)) {
        if (flags.includes('\\Deleted')) gone.push(...(await store.expunge(id, only(uid))))
      }
      return gone
    },
  })),
  fault('expunge', 'gives the last UID again', (store) => {
    let free = 0
    return {
      expunge: async (id, uids) => {
        const gone = await store.expunge(id, uids)
        free = gone.at(-1)?.last ?? free
        return gone
      },
      append: async (id, given, room) => {
        const stored = await store.append(id, given, room)
        return { ...stored, uid: free || stored.uid }
      },
    }
  }),
  fault('expunge', 'counts uidNext from what is there', (store) => ({
    mailboxes: async (account) => Promise.all((await store.mailboxes(account)).map(async (mailbox) => {
      return { ...mailbox, uidNext: ((await all(store, mailbox.id)).at(-1)?.uid ?? 0) + 1 }
    })),
  })),
  fault('expunge', 'takes the mod-sequence of the last that is there', (store) => ({
    mailboxes: async (account) => Promise.all((await store.mailboxes(account)).map(async (mailbox) => {
      return { ...mailbox, modSeq: Math.max(0, ...(await all(store, mailbox.id)).map(({ modSeq }) => modSeq)) }
    })),
  })),
  fault('expunge', 'tells two what only one did', (store) => ({
    expunge: async (id, uids) => {
      const there = (await all(store, id, uids)).map(({ uid }) => uid)
      await turn()
      await store.expunge(id, uids)
      return there.map((uid) => ({ first: uid, last: uid }))
    },
  })),
  fault('expunge', 'counts what is deleted on', (store) => {
    let deleted = 0
    return {
      expunge: async (id, uids) => {
        deleted += (await all(store, id, uids)).filter(({ flags }) => flags.includes('\\Deleted')).length
        return store.expunge(id, uids)
      },
      mailboxes: async (account) => (await store.mailboxes(account)).map((mailbox) => {
        return { ...mailbox, deleted: mailbox.deleted + deleted }
      }),
    }
  }),
]

const copying: readonly Fault[] = [
  fault('copy', 'copies one after the other', (store) => ({
    copy: async (id, uids, to, room) => {
      const copied: Copied[] = []
      await store.copy(id, nothing, to)
      for (const { uid } of await all(store, id, uids)) {
        copied.push(...(await store.copy(id, only(uid), to, room)))
        await turn()
      }
      return copied
    },
  })),
  fault('copy', 'leaves flags behind', (store) => ({
    copy: async (id, uids, to, room) => {
      const copied = await store.copy(id, uids, to, room)
      for (const one of copied) await store.flag(to, only(one.to), { kind: 'replace', flags: [] })
      return copied
    },
  })),
  fault('copy', 'receives them anew', (store) => {
    const copies = new Set<string>()
    return {
      copy: async (id, uids, to, room) => {
        const copied = await store.copy(id, uids, to, room)
        for (const one of copied) copies.add(`${to} ${one.to}`)
        return copied
      },
      entries: (id, which) => mapped(store.entries(id, which), (entry) => {
        return copies.has(`${id} ${entry.uid}`) ? { ...entry, received: entry.saved } : entry
      }),
    }
  }),
  fault('copy', 'gives copies ids of their own', (store) => {
    const copies = new Set<string>()
    return {
      copy: async (id, uids, to, room) => {
        const copied = await store.copy(id, uids, to, room)
        for (const one of copied) copies.add(`${to} ${one.to}`)
        return copied
      },
      entries: (id, which) => mapped(store.entries(id, which), (entry) => {
        return copies.has(`${id} ${entry.uid}`) ? { ...entry, id: `copy of ${entry.id}` } : entry
      }),
    }
  }),
  fault('copy', 'knows no bound', (store) => ({ copy: (id, uids, to) => store.copy(id, uids, to) })),
  fault('copy', 'fills up to the bound', (store) => ({
    copy: async (id, uids, to, room) => {
      if (!room) return store.copy(id, uids, to)
      const copied: Copied[] = []
      for (const { uid } of await all(store, id, uids)) copied.push(...(await store.copy(id, only(uid), to, room)))
      return copied
    },
  })),
  fault('copy', 'takes the originals along', (store) => ({
    copy: async (id, uids, to, room) => {
      const copied = await store.copy(id, uids, to, room)
      if (id !== to) await store.expunge(id, uids)
      return copied
    },
  })),
  fault('copy', 'creates what it copies to', (store) => ({
    copy: (id, uids, to, room) => store.copy(id, uids, to, room).catch(async () => {
      return store.copy(id, uids, (await store.create('alice', [to])).id)
    }),
  })),
  fault('copy', 'says where they went the other way round', (store) => ({
    copy: async (...given) => {
      const copied = await store.copy(...given)
      return copied.map(({ from }, index) => ({ from, to: copied[copied.length - 1 - index]?.to as number }))
    },
  })),
]

/** A store that moves by a copy and something after it. */
function moved(name: string, after: (id: string, uids: UidSet) => UidSet, pause = false): Fault {
  return fault('move', name, (store) => ({
    move: async (id, uids, to) => {
      const copied = await store.copy(id, uids, to)
      if (pause) await turn()
      const gone = copied.map(({ from }) => ({ first: from, last: from }))
      await store.expunge(id, after(id, gone))
      return copied
    },
  }))
}

const moving: readonly Fault[] = [
  moved('leaves the originals', () => []),
  moved('leaves the last', (_, gone) => gone.slice(0, -1)),
  moved('moves twice what two move at once', (_, gone) => gone, true),
  fault('move', 'leaves what stays in its mailbox', (store) => ({
    move: async (id, uids, to) => {
      if (id !== to) return store.move(id, uids, to)
      return (await all(store, id, uids)).map(({ uid }) => ({ from: uid, to: uid }))
    },
  })),
  fault('move', 'goes without a trace', (store) => {
    const went = new Set<number>()
    return {
      move: async (id, uids, to) => {
        const copied = await store.move(id, uids, to)
        for (const { from } of copied) went.add(from)
        return copied
      },
      changes: async (id, since, most) => {
        const changes = await store.changes(id, since, most)
        return { ...changes, vanished: changes.vanished.filter(({ first }) => !went.has(first)) }
      },
    }
  }),
  fault('move', 'reads what it moves', (store) => ({
    move: async (id, uids, to) => {
      const copied = await store.move(id, uids, to)
      for (const one of copied) await store.flag(to, only(one.to), { kind: 'add', flags: ['\\Seen'] })
      return copied
    },
  })),
]

const followed: readonly Fault[] = [
  fault('any operations', 'says that it remembers what it has forgotten', (store) => ({
    changes: async (...given) => ({ ...(await store.changes(...given)), complete: true }),
  }), { remembered: 3 }),
  fault('any operations', 'forgets the flags of every tenth message', (store) => {
    const lost = (entry: Entry): Entry => (entry.uid % 10 === 0 ? { ...entry, flags: [] } : entry)
    return { entries: (id, which) => mapped(store.entries(id, which), lost) }
  }),
  fault('any operations', 'loses count of octets where much was expunged', (store) => {
    let expunged = 0
    return {
      expunge: async (id, uids) => {
        const gone = await store.expunge(id, uids)
        expunged += gone.length
        return gone
      },
      usage: async (account) => {
        const { messages, octets } = await store.usage(account)
        return { messages, octets: octets + (expunged > 20 ? 1 : 0) }
      },
    }
  }),
  fault('many at once', 'tells the mod-sequence of now for the changes of before', (store) => ({
    changes: async (id, since, most) => {
      const changes = await store.changes(id, since, most)
      await turn()
      return changes.more ? changes : { ...changes, modSeq: (await store.changes(id, since, 1_000_000)).modSeq }
    },
  })),
  fault('many at once', 'shows some messages later than those after them', (store) => {
    const asked = new Map<string, number>()
    return {
      async *entries(id, which) {
        for await (const page of store.entries(id, which)) {
          const seen = page.filter(({ uid }) => {
            const times = (asked.get(`${id} ${uid}`) ?? 0) + 1
            asked.set(`${id} ${uid}`, times)
            return uid % 5 !== 0 || times > 2
          })
          if (seen.length > 0) yield seen
        }
      },
    }
  }),
  fault('many at once', 'moves what is gone', (store) => ({
    move: async (id, uids, to) => {
      const copied = await store.copy(id, uids, to)
      await turn()
      await store.expunge(id, uids)
      return copied
    },
  })),
]

/** Faults of what is done to messages, and of how that is told. */
export const changeFaults: readonly Fault[] = [
  ...changing, ...flagging, ...expunging, ...copying, ...moving, ...followed,
]

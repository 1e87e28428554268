import { turn } from '../../../src/adapters/node/event-loop.ts'
import type { Mailbox } from '../../../src/contracts/mailbox.ts'
import { all, type Fault, fault, type WholeStore } from './fault.ts'

/** A store whose mailboxes say something else of themselves. */
function saying(topic: string, name: string, said: (mailbox: Mailbox) => Mailbox): Fault {
  return fault(topic, name, (store) => ({
    create: async (...given) => said(await store.create(...given)),
    mailboxes: async (account) => (await store.mailboxes(account)).map(said),
  }))
}

async function find(store: WholeStore, account: string, path: readonly string[]): Promise<Mailbox | undefined> {
  return (await store.mailboxes(account)).find((mailbox) => mailbox.path.join('\n') === path.join('\n'))
}

async function owner(store: WholeStore, id: string): Promise<Mailbox | undefined> {
  for await (const account of store.accounts()) {
    const found = (await store.mailboxes(account)).find((mailbox) => mailbox.id === id)
    if (found) return found
  }
  return undefined
}

const creating: readonly Fault[] = [
  saying('mailboxes', 'forgets the use', ({ use: _, ...mailbox }) => mailbox),
  saying('mailboxes', 'begins with UIDVALIDITY 0', (mailbox) => ({ ...mailbox, uidValidity: 0 })),
  fault('mailboxes', 'begins with mod-sequence 0', (store) => ({
    create: async (...given) => ({ ...(await store.create(...given)), modSeq: 0 }),
  })),
  saying('mailboxes', 'calls every message unseen', (mailbox) => ({ ...mailbox, unseen: mailbox.messages + 1 })),
  saying('mailboxes', 'folds names to one case', ({ path, ...mailbox }) => {
    return { ...mailbox, path: path.map((name) => name.toLowerCase()) }
  }),
  fault('mailboxes', 'finds a mailbox by the last of its names', (store) => ({
    mailbox: async (account, path) => (await store.mailboxes(account)).find((mailbox) => mailbox.path.at(-1) === path.at(-1)),
  })),
  fault('mailboxes', 'lists children first', (store) => ({
    mailboxes: async (account) => [...(await store.mailboxes(account))].reverse(),
  })),
  fault('mailboxes', 'takes accounts without their case', (store) => ({
    create: (account, ...rest) => store.create(account.toLowerCase(), ...rest),
    mailboxes: (account) => store.mailboxes(account.toLowerCase()),
  })),
  fault('mailboxes', 'gives a mailbox the use that is asked for last', (store) => ({
    create: async (account, path, use) => ({ ...(await store.create(account, path)), ...(use ? { use } : {}) }),
  })),
  fault('mailboxes', 'has several mailboxes for one use', (store) => ({
    create: (account, path, use) => store.create(account, path, use).catch(() => store.create(account, path)),
  })),
  fault('mailboxes', 'gives back a mailbox as it once was', (store) => {
    const made = new Map<string, Mailbox>()
    return {
      create: async (account, path, use) => {
        const key = JSON.stringify([account, path])
        made.set(key, made.get(key) ?? await store.create(account, path, use))
        return made.get(key) as Mailbox
      },
    }
  }),
  fault('mailboxes', 'creates parents', (store) => ({
    create: async (account, path, use) => {
      for (let depth = 1; depth < path.length; depth++) await store.create(account, path.slice(0, depth))
      return store.create(account, path, use)
    },
  })),
]

const renaming: readonly Fault[] = [
  fault('rename', 'leaves children', (store) => ({
    rename: async (id, path) => {
      const box = await owner(store, id)
      const below = (await store.mailboxes(box?.account ?? '')).filter((other) => {
        return other.path.length > (box?.path.length ?? 0) && box?.path.every((name, index) => other.path[index] === name)
      })
      await store.rename(id, path)
      for (const child of below) await store.rename(child.id, child.path)
    },
  })),
  fault('rename', 'takes along what only begins alike', (store) => ({
    rename: async (id, path) => {
      const box = await owner(store, id)
      const alike = (await store.mailboxes(box?.account ?? '')).filter((other) => {
        return other.path.length === 1 && other.id !== id && other.path[0]?.startsWith(box?.path[0] ?? '')
      })
      await store.rename(id, path)
      for (const other of alike) await store.rename(other.id, [...path, 'x'])
    },
  })),
  fault('rename', 'overwrites what is there', (store) => ({
    rename: async (id, path) => {
      const box = await owner(store, id)
      const there = box && await find(store, box.account, path)
      if (there && there.id !== id) await store.remove(there.id)
      await store.rename(id, path)
    },
  })),
  fault('rename', 'moves one mailbox after the other', (store) => ({
    rename: async (id, path) => {
      const box = await owner(store, id)
      const boxes = await store.mailboxes(box?.account ?? '')
      const from = box?.path ?? []
      if (box && !await find(store, box.account, path) && !from.every((name, index) => path[index] === name)) {
        for (const other of boxes.filter((one) => one.path.length === 2 && one.path[0] === from[0])) {
          await store.rename(other.id, [...path, other.path[1] as string])
          await turn()
        }
      }
      await store.rename(id, path)
    },
  })),
  fault('rename', 'keeps UIDVALIDITY under any path', (store) => {
    const first = new Map<string, number>()
    return {
      mailboxes: async (account) => (await store.mailboxes(account)).map((mailbox) => {
        first.set(mailbox.id, first.get(mailbox.id) ?? mailbox.uidValidity)
        return { ...mailbox, uidValidity: first.get(mailbox.id) as number }
      }),
      create: async (...given) => {
        const made = await store.create(...given)
        first.set(made.id, first.get(made.id) ?? made.uidValidity)
        return made
      },
    }
  }),
  fault('rename', 'has no error for what is not there', (store) => ({
    rename: async (id, path) => {
      if (await owner(store, id)) await store.rename(id, path)
    },
  })),
  fault('rename', 'calls the path it has taken', (store) => ({
    rename: async (id, path) => {
      const box = await owner(store, id)
      if (box?.path.join() === path.join()) return store.rename('none', path)
      await store.rename(id, path)
    },
  })),
]

const removing: readonly Fault[] = [
  fault('remove', 'removes what is below', (store) => ({
    remove: async (id) => {
      const box = await owner(store, id)
      const others = await store.mailboxes(box?.account ?? '')
      await store.remove(id)
      for (const other of others) if (box?.path.every((name, index) => other.path[index] === name)) await store.remove(other.id)
    },
  })),
  fault('remove', 'goes on counting what was removed', (store) => {
    let removed = 0
    return {
      remove: async (id) => {
        removed += (await all(store, id)).length
        await store.remove(id)
      },
      usage: async (account) => {
        const { messages, octets } = await store.usage(account)
        return { messages: messages + removed, octets }
      },
    }
  }),
  fault('remove', 'gives the id to the next', (store) => {
    const inner = new Map<string, string>()
    const said = (mailbox: Mailbox): Mailbox => ({ ...mailbox, id: `${mailbox.account}/${mailbox.path.join('/')}` })
    return {
      create: async (...given) => {
        const made = await store.create(...given)
        inner.set(said(made).id, made.id)
        return said(made)
      },
      append: (id, ...rest) => store.append(inner.get(id) ?? '', ...rest),
      remove: (id) => store.remove(inner.get(id) ?? ''),
    }
  }),
  saying('remove', 'has one UIDVALIDITY for all', (mailbox) => ({ ...mailbox, uidValidity: 1 })),
  fault('remove', 'takes the copies elsewhere along', (store) => {
    const gone = new Set<string>()
    return {
      remove: async (id) => {
        for (const entry of await all(store, id)) gone.add(entry.id)
        await store.remove(id)
      },
      body: async (id) => (gone.has(id) ? undefined : store.body(id)),
    }
  }),
  fault('remove', 'refuses what is gone already', (store) => ({
    remove: async (id) => ((await owner(store, id)) ? store.remove(id) : store.rename(id, ['x'])),
  })),
]

const erasing: readonly Fault[] = [
  fault('erase', 'leaves subscriptions', (store) => ({
    erase: async (account) => {
      const paths = await store.subscriptions(account)
      await store.erase(account)
      for (const path of paths) await store.subscribe(account, path, true)
    },
  })),
  fault('erase', 'leaves bodies', (store) => ({
    erase: async (account) => {
      const kept = await store.create('nobody', [account])
      for (const { id } of await store.mailboxes(account)) await store.copy(id, [{ first: 1, last: 9999 }], kept.id)
      await store.erase(account)
    },
  })),
  fault('erase', 'takes what others have too', (store) => {
    const gone = new Set<string>()
    return {
      erase: async (account) => {
        for (const { id } of await store.mailboxes(account)) for (const entry of await all(store, id)) gone.add(entry.id)
        await store.erase(account)
      },
      body: async (id) => (gone.has(id) ? undefined : store.body(id)),
    }
  }),
  fault('erase', 'leaves mailboxes, empty', (store) => ({
    erase: async (account) => {
      for (const { id } of await store.mailboxes(account)) await store.expunge(id, [{ first: 1, last: 9999 }])
    },
  })),
]

const accounts: readonly Fault[] = [
  fault('accounts', 'goes on naming who has nothing left', (store) => {
    const seen = new Set<string>()
    return {
      create: (account, ...rest) => {
        seen.add(account)
        return store.create(account, ...rest)
      },
      async *accounts() {
        yield* seen
      },
    }
  }),
  fault('accounts', 'names an account once a mailbox', (store) => ({
    async *accounts() {
      for await (const name of store.accounts()) for (const _ of await store.mailboxes(name)) yield name
    },
  })),
]

const subscribing: readonly Fault[] = [
  fault('subscriptions', 'forgets what is removed', (store) => ({
    remove: async (id) => {
      const box = await owner(store, id)
      if (box) for (const path of await store.subscriptions(box.account)) await store.subscribe(box.account, path, false)
      await store.remove(id)
    },
  })),
  fault('subscriptions', 'subscribes what it creates', (store) => ({
    create: async (account, path, use) => {
      await store.subscribe(account, path, true)
      return store.create(account, path, use)
    },
  })),
  fault('subscriptions', 'takes a slash for a level', (store) => ({
    subscribe: (account, path, wanted) => store.subscribe(account, path.join('/').split('/'), wanted),
  })),
  fault('subscriptions', 'forgets none', (store) => ({
    subscribe: async (account, path, wanted) => (wanted ? store.subscribe(account, path, true) : undefined),
  })),
]

/** Faults of mailboxes as a whole. */
export const mailboxFaults: readonly Fault[] = [
  ...creating, ...renaming, ...removing, ...erasing, ...accounts, ...subscribing,
]

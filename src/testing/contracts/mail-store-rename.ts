import type { MailStore } from '../../contracts/store.ts'
import { equal, holds, rejects } from './checks.ts'
import { pathsOf } from './mail-store-mailboxes.ts'
import {
  consistent,
  fill,
  inbox,
  listed,
  mailboxOf,
  type MailStoreContractOptions,
  meanwhile,
  unknownIds,
} from './sample-mail.ts'

/** Creates mailboxes under these paths, which are given joined, and gives their ids in the same order. */
async function make(store: MailStore, ...paths: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  for (const path of paths) ids.push((await store.create('alice', path.split('/'))).id)
  return ids
}

/** What `rename` does. */
export function renaming({ it, open }: MailStoreContractOptions): void {
  it('keeps all but the path', async () => {
    const { store } = await open()
    const made = await inbox(store)
    await fill(store, made.id, [], ['\\Seen'], ['\\Deleted'])
    const [before, messages] = [await mailboxOf(store, made), await listed(store, made.id)]
    await store.rename(made.id, ['x', 'y', 'z'])
    const after = await mailboxOf(store, made)
    equal({ ...after, modSeq: before.modSeq }, { ...before, path: ['x', 'y', 'z'] })
    holds(after.modSeq >= before.modSeq, 'the mod-sequence fell')
    equal(await listed(store, made.id), messages)
    const [next] = await fill(store, made.id, [])
    holds(next?.uid as number > (messages.at(-1)?.uid as number), 'the UID was used before')
    await consistent(store)
  })

  it('takes all below it along, and nothing else', async () => {
    const { store } = await open()
    const ids = await make(store, 'a', 'a/b', 'a/b/c', 'a/a', 'ab', 'b/a', 'A/b', 'a%')
    await store.create('alice', ['a/b'])
    const others = await Promise.all([['a'], ['a', 'b']].map((path) => store.create('bob', path)))
    await fill(store, ids[2] as string, ['\\Seen'])
    await store.rename(ids[0] as string, ['n', 'm'])
    equal((await pathsOf(store)).sort(), ['A/b', 'a%', 'a/b', 'ab', 'b/a', 'n/m', 'n/m/a', 'n/m/b', 'n/m/b/c'])
    equal((await store.mailboxes('alice')).find(({ path }) => path.join() === 'n,m,b,c')?.id, ids[2])
    equal((await listed(store, ids[2] as string)).length, 1)
    equal(await store.mailboxes('bob'), others)
    await consistent(store)
  })

  it('is seen by nobody half done', async () => {
    const { store } = await open()
    const [id] = await make(store, 'a', ...Array.from({ length: 20 }, (_, i) => `a/${i}`))
    await meanwhile(store.rename(id as string, ['b']), async () => {
      const tops = new Set((await store.mailboxes('alice')).map(({ path }) => path[0]))
      equal(tops.size, 1, 'number of names at the top')
    })
    equal((await pathsOf(store)).filter((path) => path.startsWith('b')).length, 21)
  })

  it('refuses a path that is taken, and then has changed nothing', async () => {
    const { store } = await open()
    const [id] = await make(store, 'a', 'a/b', 'a/c', 'z', 'y/c')
    const before = await store.mailboxes('alice')
    await rejects(store.rename(id as string, ['z']), 'permanent')
    // Free itself, but not for all that come along.
    await rejects(store.rename(id as string, ['y']), 'permanent')
    equal(await store.mailboxes('alice'), before)
  })

  it('refuses a path below the old one', async () => {
    const { store } = await open()
    const [id] = await make(store, 'a', 'a/b')
    const before = await store.mailboxes('alice')
    for (const path of [['a', 'c'], ['a', 'b', 'c'], ['a', 'b']]) await rejects(store.rename(id as string, path), 'permanent')
    equal(await store.mailboxes('alice'), before)
    await store.rename(id as string, ['ab'])
    equal((await pathsOf(store)).sort(), ['ab', 'ab/b'])
  })

  it('refuses a mailbox it does not have', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    for (const none of unknownIds(id)) await rejects(store.rename(none, ['x']), 'permanent')
    equal(await pathsOf(store), ['INBOX'])
  })

  it('gives a path to one of many at once', async () => {
    const { store } = await open()
    const ids = await make(store, 'a', 'b', 'c')
    const outcomes = await Promise.allSettled([
      ...ids.map((id) => store.rename(id, ['x'])),
      store.create('alice', ['x']).then(() => Promise.reject(new Error('created'))),
    ])
    const renamed = outcomes.filter(({ status }) => status === 'fulfilled').length
    const paths = await pathsOf(store)
    equal(new Set(paths).size, paths.length, 'number of paths')
    equal(paths.includes('x') && renamed <= 1, true, 'whether one has the path')
    for (const one of outcomes.slice(0, 3)) if (one.status === 'rejected') await rejects(Promise.reject(one.reason), 'permanent')
  })

  it('changes nothing when the path is the one it has', async () => {
    const { store } = await open()
    const [id] = await make(store, 'a', 'a/b')
    const before = await store.mailboxes('alice')
    await store.rename(id as string, ['a'])
    equal(await store.mailboxes('alice'), before)
  })

  it('moves up into a place that it leaves', async () => {
    const { store } = await open()
    const [id, below, deeper] = await make(store, 'a/b', 'a/b/b', 'a/b/b/b')
    await store.rename(id as string, ['a'])
    const found = (await store.mailboxes('alice')).map((mailbox) => [mailbox.id, mailbox.path.join('/')])
    equal(found, [[id, 'a'], [below, 'a/b'], [deeper, 'a/b/b']])
  })

  it('frees the old path for another', async () => {
    const { store } = await open()
    const [id, below] = await make(store, 'a', 'a/b')
    const before = await store.mailboxes('alice')
    await store.rename(id as string, ['c'])
    const fresh = [await store.create('alice', ['a']), await store.create('alice', ['a', 'b'])]
    holds(fresh.every((mailbox) => mailbox.id !== id && mailbox.id !== below), 'the id is of the one that was renamed')
    for (const [index, mailbox] of fresh.entries()) {
      holds(mailbox.uidValidity > (before[index]?.uidValidity as number), 'UIDVALIDITY did not grow under the old path')
    }
  })

  it('lets UIDVALIDITY grow under a path that another has had', async () => {
    const { store } = await open()
    const [older, below] = await make(store, 'a', 'a/x')
    const [newer, deeper] = await make(store, 'b', 'b/x')
    const validities = async (): Promise<Map<string, number>> => {
      return new Map((await store.mailboxes('alice')).map(({ path, uidValidity }) => [path.join('/'), uidValidity]))
    }
    const before = await validities()
    await store.remove(newer as string)
    await store.rename(deeper as string, ['c'])
    await store.rename(older as string, ['b'])
    const after = await validities()
    for (const path of ['b', 'b/x']) {
      holds(after.get(path) as number > (before.get(path) as number), `UIDVALIDITY did not grow under ${path}`)
    }
    equal((await store.mailboxes('alice')).map(({ id }) => id).sort(), [older, below, deeper].sort())
  })
}

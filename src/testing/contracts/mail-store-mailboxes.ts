import type { MailStore } from '../../contracts/store.ts'
import { allOf, equal, holds, pattern, rejects } from './checks.ts'
import {
  consistent,
  entriesOf,
  everyUid,
  fill,
  inbox,
  listed,
  mailboxOf,
  type MailStoreContractOptions,
  message,
  needing,
  octetsIn,
  plainFacts,
  unknownIds,
} from './sample-mail.ts'

const oddPaths: readonly (readonly string[])[] = [
  ['INBOX'], ['inbox'], ['Inbox'], ['INBOX', 'a'], ['a/b'], ['a', 'b'], ['a.b'], ['..'], ['.'], ['~'], ['-'], ['%'], ['*'], ['"'],
  ["'"], ['\\'], ['a\u0000b'], ['['], ['["a"]'], [' '], ['\u00e9'], ['e\u0301'], ['\ud83d\udcec'], ['Entw\u00fcrfe', '2026'],
  ['x'.repeat(1000)], Array.from({ length: 60 }, () => 'd'), ['__proto__'], ['constructor'],
]

/** The paths of an account's mailboxes, joined, in the order in which they are listed. */
export async function pathsOf(store: MailStore, account = 'alice'): Promise<string[]> {
  return (await store.mailboxes(account)).map(({ path }) => path.join('/'))
}

/** What `mailboxes` and `create` do. */
export function creating(options: MailStoreContractOptions): void {
  const { it, open } = options
  it('has none for an account it has never seen', async () => {
    const { store } = await open()
    equal(await store.mailboxes('nobody'), [])
  })

  it('creates one that is empty', async () => {
    const { store } = await open()
    const made = await store.create('alice', ['Archive', '2026'])
    equal([made.account, made.path], ['alice', ['Archive', '2026']])
    holds(made.modSeq >= 1, 'modSeq is below 1')
    equal([made.messages, made.unseen, made.deleted, made.octets, made.use], [0, 0, 0, 0, undefined])
    holds(made.uidNext >= 1, 'uidNext is below 1')
    const { uidValidity } = made
    holds(Number.isInteger(uidValidity) && uidValidity > 0 && uidValidity < 2 ** 32, 'uidValidity is not 1 to 2^32 - 1')
    equal(await store.mailboxes('alice'), [made])
    equal(await listed(store, made.id), [])
  })

  needing(options, 'mailbox', 'mailbox')('finds each by its path, and nothing by others', async (store) => {
    for (const path of oddPaths) await store.create('alice', path)
    await fill(store, (await inbox(store)).id, ['\\Seen'], [])
    for (const mailbox of await store.mailboxes('alice')) equal(await store.mailbox('alice', mailbox.path), mailbox)
    for (const path of [['INBOX', 'A'], ['INBOX', ''], ['x'], ['d', 'd'], ['[']]) {
      const there = (await store.mailboxes('alice')).find((mailbox) => JSON.stringify(mailbox.path) === JSON.stringify(path))
      equal(await store.mailbox('alice', path), there)
    }
    equal(await store.mailbox('bob', ['INBOX']), undefined)
    equal(await store.mailbox('nobody', ['INBOX']), undefined)
  })

  it('creates one per path, for whoever asks and however many at once', async () => {
    const { store } = await open()
    const made = await Promise.all(Array.from({ length: 5 }, () => inbox(store)))
    for (const mailbox of [...made, await inbox(store)]) equal(mailbox, made[0])
    equal((await store.mailboxes('alice')).length, 1)
  })

  it('gives back a mailbox as it stands', async () => {
    const { store } = await open()
    const made = await inbox(store)
    const [stored, again] = await Promise.all([store.append(made.id, message(pattern(10))), inbox(store)])
    holds(again.uidNext > stored.uid || again.uidNext === made.uidNext, 'uidNext is of another mailbox')
    const after = await inbox(store)
    equal(after, await mailboxOf(store, made))
    holds(after.uidNext > stored.uid, 'uidNext is not above the UID')
    equal([after.messages, after.unseen, after.octets], [1, 1, 10])
  })

  it('keeps accounts apart', async () => {
    const { store } = await open()
    const names = ['alice', 'Alice', 'alice ', 'bob', '', 'a%', "a'", '__proto__', '\u00e5', 'a\u030a']
    const ids = new Set<string>()
    for (const name of names) ids.add((await inbox(store, name)).id)
    equal(ids.size, names.length, 'number of mailboxes')
    for (const name of names) equal((await store.mailboxes(name)).map(({ account }) => account), [name])
  })

  it('takes any name, creates no parents, and lists parents first', async () => {
    const { store } = await open()
    // In either order: whether the oldest or the newest comes first, it is not by chance that parents do.
    for (const [account, paths] of [['alice', [...oddPaths].reverse()], ['bob', oddPaths]] as const) {
      for (const path of paths) equal((await store.create(account, path)).path, path)
      const found = (await store.mailboxes(account)).map(({ path }) => path)
      equal(found.map((path) => JSON.stringify(path)).sort(), oddPaths.map((path) => JSON.stringify(path)).sort())
      for (const [index, path] of found.entries()) {
        const parent = found.findIndex((other) => JSON.stringify(other) === JSON.stringify(path.slice(0, -1)))
        holds(parent < index, `${path.join('/')} comes before its parent`)
      }
    }
  })

  it('keeps the use it was created for', async () => {
    const { store } = await open()
    const sent = await store.create('alice', ['Sent'], '\\Sent')
    const plain = await store.create('alice', ['Old'])
    equal([sent.use, plain.use], ['\\Sent', undefined])
    equal((await store.create('alice', ['Sent'], '\\Junk')).use, '\\Sent')
    equal((await store.create('alice', ['Old'], '\\Junk')).use, undefined)
    await store.rename(sent.id, ['Gone out'])
    equal((await mailboxOf(store, sent)).use, '\\Sent', 'use after a rename')
  })

  it('gives each use to one mailbox of an account', async () => {
    const { store } = await open()
    const { id } = await store.create('alice', ['Trash'], '\\Trash')
    await rejects(store.create('alice', ['Bin'], '\\Trash'), 'permanent')
    equal(await pathsOf(store), ['Trash'])
    equal((await store.create('bob', ['Bin'], '\\Trash')).use, '\\Trash')
    const many = ['a', 'b', 'c'].map((name) => store.create('alice', [name], '\\Sent'))
    equal((await Promise.allSettled(many)).filter(({ status }) => status === 'fulfilled').length, 1, 'mailboxes for one use')
    await store.remove(id)
    equal((await store.create('alice', ['Bin'], '\\Trash')).use, '\\Trash')
  })
}

/** What `remove` does. */
export function removing({ it, open }: MailStoreContractOptions): void {
  it('removes a mailbox with its messages, once', async () => {
    const { store } = await open()
    const { id } = await store.create('alice', ['Old'])
    const kept = await inbox(store)
    await fill(store, id, [], ['\\Seen'])
    await fill(store, kept.id, [])
    await store.remove(id)
    equal(await pathsOf(store), ['INBOX'])
    equal(await entriesOf(store, id), [])
    await rejects(store.append(id, message(pattern(5))), 'permanent')
    await rejects(store.changes(id, 0), 'permanent')
    await consistent(store)
    await store.remove(id)
    for (const none of unknownIds(kept.id)) await store.remove(none)
    equal((await entriesOf(store, kept.id)).length, 1)
  })

  it('leaves those below it', async () => {
    const { store } = await open()
    const { id } = await store.create('alice', ['a'])
    const below = await store.create('alice', ['a', 'b'])
    await fill(store, below.id, [])
    await store.remove(id)
    equal(await pathsOf(store), ['a/b'])
    equal((await entriesOf(store, below.id)).length, 1)
  })

  it('never takes another for it', async () => {
    const { store } = await open()
    const seen = new Set<string>()
    let validity = 0
    for (let i = 0; i < 5; i++) {
      const { id, uidValidity } = await inbox(store)
      holds(!seen.has(id), `the id ${id} was given twice`)
      holds(uidValidity > validity, 'UIDVALIDITY did not grow under the path of one that was removed')
      seen.add(id)
      validity = uidValidity
      await fill(store, id, [])
      await store.remove(id)
    }
  })

  it('leaves messages that are elsewhere too', async () => {
    const { store } = await open()
    const old = await store.create('alice', ['Old'])
    const kept = await inbox(store)
    const bytes = pattern(3000)
    const stored = await store.append(old.id, message(bytes))
    await store.copy(old.id, everyUid, kept.id)
    await store.remove(old.id)
    equal(await octetsIn(store, stored), bytes)
    equal((await listed(store, kept.id)).map(plainFacts), [plainFacts(stored)])
  })

  it('ends well while messages come in', async () => {
    const { store } = await open()
    const { id } = await inbox(store)
    const appends = Array.from({ length: 10 }, (_, i) => store.append(id, message(pattern(50, i))))
    await store.remove(id)
    await Promise.all(appends.map((append) => append.catch((error: unknown) => rejects(Promise.reject(error), 'permanent'))))
    await consistent(store)
    equal((await store.usage('alice')).messages, 0)
  })
}

/** What `erase` does. */
export function erasing({ it, open }: MailStoreContractOptions): void {
  it('leaves nothing of an account, and all of the others', async () => {
    const { store } = await open()
    const [alice, bob] = [await inbox(store), await inbox(store, 'bob')]
    await store.create('alice', ['a', 'b'])
    const [secret] = await fill(store, alice.id, [], ['\\Deleted'])
    const shared = await store.append(alice.id, message(pattern(700)))
    await store.copy(alice.id, [{ first: shared.uid, last: shared.uid }], bob.id)
    await store.subscribe?.('alice', ['a', 'b'], true)
    await store.erase('alice')
    equal(await store.mailboxes('alice'), [])
    equal(await store.usage('alice'), { messages: 0, octets: 0 })
    equal(await entriesOf(store, alice.id), [])
    equal(await store.body(secret?.id as string), undefined, 'body of what was erased')
    if (store.subscriptions) equal(await store.subscriptions('alice'), [])
    equal(await octetsIn(store, shared), pattern(700))
    equal((await entriesOf(store, bob.id)).map(({ id }) => id), [shared.id])
    await consistent(store, 'bob')
  })

  it('is no error where there is nothing', async () => {
    const { store } = await open()
    await store.erase('nobody')
    await inbox(store)
    await store.erase('alice')
    await store.erase('alice')
  })

  it('lets an account begin anew as another', async () => {
    const { store } = await open()
    const before = await inbox(store)
    await fill(store, before.id, [])
    await store.erase('alice')
    const after = await inbox(store)
    holds(after.id !== before.id, 'the mailbox id was used before')
    holds(after.uidValidity > before.uidValidity, 'UIDVALIDITY did not grow')
    equal(after.messages, 0)
    await consistent(store)
  })
}

/** What `accounts` gives. */
export function listingAccounts(options: MailStoreContractOptions): void {
  const it = needing(options, 'accounts', 'accounts')

  it('names those that have mailboxes', async (store) => {
    const named = async (): Promise<string[]> => (await allOf(store.accounts())).sort()
    equal(await named(), [])
    for (const name of ['bob', 'alice', '', '__proto__']) await inbox(store, name)
    await store.create('alice', ['Sent'])
    equal(await named(), ['', '__proto__', 'alice', 'bob'])
    await store.erase('bob')
    await store.remove((await inbox(store, '')).id)
    equal(await named(), ['__proto__', 'alice'])
  })
}

/** What `subscribe` and `subscriptions` do. */
export function subscribing(options: MailStoreContractOptions): void {
  const it = needing(options, 'subscriptions', 'subscriptions', 'subscribe')

  it('remembers paths, whether or not there are such mailboxes', async (store) => {
    const subscribed = async (account = 'alice'): Promise<string[]> => {
      return (await store.subscriptions(account)).map((path) => JSON.stringify(path)).sort()
    }
    equal(await subscribed(), [])
    const { id } = await store.create('alice', ['a'])
    equal(await subscribed(), [])
    for (const path of [['a'], ['a', 'b'], ['a/b'], ['a'], ['__proto__']]) await store.subscribe('alice', path, true)
    equal(await subscribed(), ['["__proto__"]', '["a","b"]', '["a"]', '["a/b"]'])
    equal(await subscribed('bob'), [])
    await store.rename(id, ['c'])
    await store.remove(id)
    await store.subscribe('alice', ['a', 'b'], false)
    await store.subscribe('alice', ['never'], false)
    equal(await subscribed(), ['["__proto__"]', '["a"]', '["a/b"]'])
    equal(await pathsOf(store), [])
  })
}

import { print } from '../../adapters/node/print.ts'
import type { StoredMessage } from '../../contracts/store.ts'
import { allOf, equal, holds, pattern, rejects } from './checks.ts'
import { appending, appendingMany } from './mail-store-append.ts'
import { listing, reading } from './mail-store-read.ts'
import { inbox, mailboxOf, type MailStoreContractOptions, message, octetsIn, uidsOf } from './sample-mail.ts'

export type { MailStoreContractOptions, OpenedMailStore } from './sample-mail.ts'

/** What every mail store has to do, whatever it runs on. */
export function mailStoreContract(options: MailStoreContractOptions): void {
  const { describe } = options
  describe('mailboxes', () => mailboxes(options))
  describe('append', () => appending(options))
  describe('append, many at once', () => appendingMany(options))
  describe('list', () => listing(options))
  describe('body', () => reading(options))
  describe('after a crash', () => surviving(options))
  describe('close', () => closing(options))
}

const oddPaths: readonly (readonly string[])[] = [
  ['INBOX'], ['inbox'], ['Inbox'], ['INBOX', 'a'], ['a/b'], ['a', 'b'], ['a.b'], ['..'], ['.'], ['~'], ['-'], ['%'], ['*'], ['"'],
  ["'"], ['\\'], ['a\u0000b'], ['['], ['["a"]'], [' '], ['\u00e9'], ['e\u0301'], ['\ud83d\udcec'], ['Entw\u00fcrfe', '2026'],
  ['x'.repeat(1000)], Array.from({ length: 60 }, () => 'd'), ['__proto__'], ['constructor'],
]

function mailboxes({ it, open }: MailStoreContractOptions): void {
  it('has none for an account it has never seen', async () => {
    const { store } = await open()
    equal(await store.mailboxes('nobody'), [])
  })

  it('creates one that is empty', async () => {
    const { store } = await open()
    const made = await store.create('alice', ['Archive', '2026'])
    equal([made.account, made.path, made.modSeq], ['alice', ['Archive', '2026'], 0])
    holds(made.uidNext >= 1, 'uidNext is below 1')
    const { uidValidity } = made
    holds(Number.isInteger(uidValidity) && uidValidity > 0 && uidValidity < 2 ** 32, 'uidValidity is not 1 to 2^32 - 1')
    equal(await store.mailboxes('alice'), [made])
    equal(await allOf(store.list(made.id)), [])
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
}

function surviving({ it, open, skipped = print }: MailStoreContractOptions): void {
  it('has all that was acknowledged, and goes on counting', async () => {
    const { store, reopen } = await open()
    const { durability } = store.traits
    if (durability === 'none') {
      skipped('mailStoreContract: after a crash (durability is none)')
      return
    }
    if (!reopen) throw new Error(`durability is ${durability}: give reopen, so that it can be shown`)
    const made = await inbox(store)
    const empty = await store.create('alice', ['Drafts'])
    const stored: StoredMessage[] = []
    for (const size of [10, 100_000, 2_000_000]) stored.push(await store.append(made.id, message(pattern(size))))
    const before = await store.mailboxes('alice')
    const again = await reopen()
    equal(await again.mailboxes('alice'), before)
    equal(await allOf(again.list(made.id)), stored)
    for (const one of stored) equal(await octetsIn(again, one), pattern(one.octets))
    const next = await again.append(made.id, message(pattern(5)))
    holds(next.uid > (stored[2] as StoredMessage).uid, 'the UID was used before')
    holds(next.modSeq > (stored[2] as StoredMessage).modSeq, 'the mod-sequence was used before')
    holds(stored.every(({ id }) => id !== next.id), 'the message id was used before')
    const other = await again.create('alice', ['Sent'])
    holds(other.id !== made.id && other.id !== empty.id, 'the mailbox id was used before')
  })
}

function closing({ it, open, skipped = print }: MailStoreContractOptions): void {
  it('finishes what it has, then takes no more', async () => {
    const { store } = await open()
    if (!store.close) {
      skipped('mailStoreContract: close (the store has none)')
      return
    }
    const { id } = await inbox(store)
    const appends = Array.from({ length: 10 }, (_, i) => store.append(id, message(pattern(50, i))))
    await store.close()
    equal(new Set(uidsOf(await Promise.all(appends))).size, 10, 'appends that were finished')
    await rejects(store.append(id, message(pattern(5))), 'closed')
    await rejects(store.append(id, message(pattern(2_000_000))), 'closed')
    await rejects(inbox(store), 'closed')
    await rejects(store.mailboxes('alice'), 'closed')
    await rejects(store.body('1'), 'closed')
    await rejects(allOf(store.list(id)), 'closed')
    await store.close()
  })
}

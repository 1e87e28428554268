import { cpSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openStore } from '../../../src/adapters/maildir/maildir.ts'
import type { Disk } from '../../../src/adapters/maildir/disk.ts'
import type { MailStore, StoredMessage } from '../../../src/contracts/store.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { faultyDisk, removeLocks } from './faulty.ts'
import { memoryFolder, openMail } from './folders.ts'
import { entriesOf, listOf, mail, only, textOf, tree } from './mail.ts'

/** What is done, a step after the other, and what holds after it. */
interface Step {
  readonly name: string
  readonly run: (store: Required<MailStore>, ids: Ids) => Promise<unknown>
}

interface Ids {
  readonly inbox: string
  readonly other: string
  readonly bob: string
}

const all = [{ first: 1, last: 1000 }]

const steps: readonly Step[] = [
  { name: 'append', run: (store, { inbox }) => store.append(inbox, mail('appended')) },
  {
    name: 'append to many',
    run: async (store, { inbox, other, bob }) => {
      const given = mail('to many', { flags: ['\\Seen', 'many'] })
      const appends = await Promise.allSettled([inbox, other, bob, inbox].map((id) => store.append(id, given)))
      for (const append of appends) if (append.status === 'rejected') throw append.reason
    },
  },
  { name: 'flag', run: (store, { inbox }) => store.flag(inbox, all, { kind: 'add', flags: ['\\Seen', 'new-keyword'] }) },
  { name: 'expunge', run: (store, { inbox }) => store.expunge(inbox, [{ first: 2, last: 3 }]) },
  { name: 'copy', run: (store, { inbox, other }) => store.copy(inbox, all, other) },
  { name: 'copy to another account', run: (store, { inbox, bob }) => store.copy(inbox, all, bob) },
  { name: 'move', run: (store, { inbox, other }) => store.move(inbox, all, other) },
  { name: 'move within', run: (store, { inbox }) => store.move(inbox, all, inbox) },
  { name: 'create', run: (store) => store.create('alice', ['New', 'Box'], '\\Sent') },
  { name: 'rename', run: (store, { other }) => store.rename(other, ['Renamed']) },
  { name: 'rename INBOX', run: (store, { inbox }) => store.rename(inbox, ['Old', 'Inbox']) },
  { name: 'remove', run: (store, { other }) => store.remove(other) },
  { name: 'remove INBOX', run: (store, { inbox }) => store.remove(inbox) },
  { name: 'subscribe', run: (store) => store.subscribe('alice', ['a', 'b'], true) },
  { name: 'erase', run: (store) => store.erase('bob') },
]

/** The same mail for every test: made once, then copied. */
export async function prepared(path: string): Promise<Ids> {
  template ??= prepare()
  const { folder, ids } = await template
  cpSync(folder, path, { recursive: true, preserveTimestamps: true })
  return ids
}

let template: Promise<{ folder: string; ids: Ids }> | undefined

async function prepare(): Promise<{ folder: string; ids: Ids }> {
  const path = memoryFolder()
  const { store } = openMail({ path })
  const inbox = (await store.create('alice', ['INBOX'])).id
  const other = (await store.create('alice', ['Other'])).id
  await store.create('alice', ['Other', 'below'])
  const bob = (await store.create('bob', ['INBOX'])).id
  for (let i = 0; i < 4; i++) await store.append(inbox, mail(`before ${i}`, i === 1 ? { flags: ['\\Flagged', 'k'] } : {}))
  await store.append(other, mail('other'))
  await store.subscribe('alice', ['Other'], true)
  return { folder: path, ids: { inbox, other, bob } }
}

interface Picture {
  readonly what: unknown
  readonly mails: readonly { readonly uid: number; readonly mail: string }[]
}

/** All that can be told apart: mailboxes, subscriptions, and what is in them by subject, UIDs and flags. */
async function pictured(store: Required<MailStore>): Promise<Picture[]> {
  const pictures: Picture[] = []
  for (const account of ['alice', 'bob']) {
    for (const { id, path, use, messages, unseen, octets } of await store.mailboxes(account)) {
      const found = await listOf(store, id)
      const told = ({ flags, facts }: StoredMessage): string => `${facts.envelope.subject} ${flags.toSorted().join(' ')}`
      const mails = found.map((one) => ({ uid: one.uid, mail: told(one) }))
      expect([messages, unseen]).toEqual([found.length, found.filter(({ flags }) => !flags.includes('\\Seen')).length])
      expect(octets).toBe(found.reduce((sum, one) => sum + one.octets, 0))
      pictures.push({ what: [account, path, use], mails })
      for (const one of found) expect(await textOf(store, one)).toContain(`Subject: ${one.facts.envelope.subject}`)
    }
    pictures.push({ what: await store.subscriptions(account), mails: [] })
  }
  return pictures
}

/** The same without UIDs: those that nobody has seen may be skipped. */
const withoutUids = (pictures: readonly Picture[]): unknown =>
  pictures.map(({ what, mails }) => [what, mails.map(({ mail: told }) => told).sort()])

/** A store on a disk that fails. */
export const openFaulty = (path: string, disk: Disk): Required<MailStore> => {
  return openStore({ path, hostname: 'mx.test' }, disk, 300) as unknown as Required<MailStore>
}

/** How many calls a step makes, and what there is before and after it. */
async function measured(step: Step): Promise<{ calls: number; before: Picture[]; after: Picture[] }> {
  const path = memoryFolder()
  const ids = await prepared(path)
  const before = await pictured(openMail({ path }).store)
  const { disk, calls } = faultyDisk(0, 'fails')
  const store = openFaulty(path, disk)
  await step.run(store, ids)
  return { calls: calls(), before, after: await pictured(openMail({ path }).store) }
}

/** Nothing that was half made stays where somebody could take it for mail. */
function expectClean(path: string): void {
  const left = tree(path).filter((name) => /posthorn-(new|gone|intent)/.test(name))
  expect(left).toEqual([])
}

/** It goes on as if nothing had been. */
async function expectUse(store: Required<MailStore>): Promise<void> {
  const { id, uidNext } = await store.create('alice', ['INBOX'])
  const seen = new Set((await entriesOf(store, id)).map(({ uid }) => uid))
  const { uid } = await store.append(id, mail('afterwards'))
  expect(uid).toBeGreaterThanOrEqual(uidNext)
  expect(seen.has(uid)).toBe(false)
  await store.expunge(id, only(uid))
}

/** Lets each step die, be torn or fail at every call of `every`, in turn from the first ones on. */
export function crashing(every: number): void {
  describe.each(steps)('a process that dies during $name', (step) => {
    it.each(['dies', 'torn'] as const)('leaves all of it or nothing, at whichever call it %s', async (how) => {
      const { calls, before, after } = await measured(step)
      expect(calls).toBeGreaterThan(2)
      const many = step.name === 'append to many'
      for (let at = 1 + steps.indexOf(step) % every; at <= calls; at += every) {
        const path = memoryFolder()
        const ids = await prepared(path)
        const faulty = openFaulty(path, faultyDisk(at, how).disk)
        const done = await step.run(faulty, ids).then(() => true, (error: unknown) => {
          expect(isMailError(error) && error.code).toBe('temporary')
          return false
        })
        removeLocks(path)
        const { store } = openMail({ path })
        const there = await pictured(store)
        const outcomes = [...(done ? [] : [before]), after].map(withoutUids)
        // Appends are one by one all or nothing: any of them may be there.
        if (!many || done) expect(outcomes).toContainEqual(withoutUids(there))
        expect(await pictured(openMail({ path }).store)).toEqual(there)
        if (step.name !== 'erase') expectClean(path)
        await expectUse(store)
      }
    })
  })

  describe.each(steps)('a disk that fails once during $name', (step) => {
    it('is told as a temporary error, and what was promised holds', async () => {
      const { calls, before, after } = await measured(step)
      for (let at = 1 + steps.indexOf(step) % every; at <= calls; at += every) {
        const path = memoryFolder()
        const ids = await prepared(path)
        const { disk, heal } = faultyDisk(at, 'fails')
        const store = openFaulty(path, disk)
        const done = await step.run(store, ids).then(() => true, (error: unknown) => {
          expect(isMailError(error) && error.code).toBe('temporary')
          return false
        })
        // What runs side by side does not always take as many calls.
        heal()
        // The lock may have been what could not be removed.
        removeLocks(path)
        const there = await pictured(store)
        const outcomes = [...(done ? [] : [before]), after].map(withoutUids)
        if (step.name !== 'append to many' || done) expect(outcomes).toContainEqual(withoutUids(there))
        expect(withoutUids(await pictured(openMail({ path }).store))).toEqual(withoutUids(there))
        await expectUse(store)
      }
    })
  })
}

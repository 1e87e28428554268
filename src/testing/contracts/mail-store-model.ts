import type { Mailbox, UidSet } from '../../contracts/mailbox.ts'
import type { Entry, FlagChange, MailStore } from '../../contracts/store.ts'
import { type SeededRandom, seededRandom } from '../random.ts'
import { equal, holds, pattern, rejects } from './checks.ts'
import { Replica } from './mail-store-replica.ts'
import { consistent, entriesOf, entryOf, isIn, type MailStoreContractOptions, message, setOf, uidsOf } from './sample-mail.ts'

/** A mailbox as a plain list of what was done to it. */
interface PlainBox {
  readonly id: string
  path: readonly string[]
  uidValidity: number
  uidNext: number
  modSeq: number
  entries: readonly Entry[]
  /** How it was, to begin from what somebody knew then. */
  readonly past: { readonly modSeq: number; readonly entries: readonly Entry[] }[]
}

const NAMES = ['a', 'b']
const FLAGS = ['\\Seen', '\\SEEN', '\\Deleted', '\\deleted', '$A', '$a']
const STEPS = 250

/** Random operations on a store, and on plain lists beside it. */
class Course {
  #store: MailStore
  readonly #random: SeededRandom
  #boxes: PlainBox[] = []
  /** By path, joined: the mailbox that had it last, and its UIDVALIDITY. */
  readonly #validities = new Map<string, { readonly id: string; readonly uidValidity: number }>()
  #size = 0

  constructor(store: MailStore, random: SeededRandom) {
    this.#store = store
    this.#random = random
  }

  /** Goes on with what has become of the store. */
  use(store: MailStore): void {
    this.#store = store
  }

  /** Does one thing, and gives its name. */
  async step(): Promise<string> {
    const { move, appendAll, recount, replace } = this.#store
    if (this.#boxes.length === 0) await this.#create()
    const steps: readonly (readonly [string, number, () => Promise<void>])[] = [
      ['create', this.#boxes.length < 4 ? 3 : 0, () => this.#create()],
      ['rename', 3, () => this.#rename()],
      ['remove', 1, () => this.#remove()],
      ['append', 12, () => this.#append()],
      ['appendAll', appendAll ? 4 : 0, () => this.#appendAll()],
      ['replace', replace ? 2 : 0, () => this.#replace()],
      ['flag', 6, () => this.#flag()],
      ['expunge', 5, () => this.#expunge()],
      ['copy', 2, () => this.#copy()],
      ['move', move ? 2 : 0, () => this.#move()],
      ['recount', recount ? 1 : 0, async () => void (await recount?.call(this.#store, 'alice'))],
    ]
    let at = this.#random.below(steps.reduce((sum, [, weight]) => sum + weight, 0))
    const [name, , take] = steps.find(([, weight]) => (at -= weight) < 0) as (typeof steps)[number]
    await take()
    return name
  }

  /** Throws unless the store is what the lists are, and one who follows it sees that. */
  async check(): Promise<void> {
    const mailboxes = await this.#store.mailboxes('alice')
    equal(mailboxes.map(({ id }) => id).sort(), this.#boxes.map(({ id }) => id).sort(), 'mailboxes')
    for (const mailbox of mailboxes) await this.#checkBox(mailbox, this.#boxes.find(({ id }) => id === mailbox.id) as PlainBox)
    await consistent(this.#store)
    if (this.#boxes.length > 0) await this.#replay(this.#pick(), 1 + this.#random.below(10))
  }

  /** Throws unless the present follows from every moment of the past. */
  async end(): Promise<void> {
    for (const { id, past } of this.#boxes) {
      for (const { modSeq, entries } of past) {
        await new Replica(this.#store, id, modSeq, entries).check(1000, `what changed after ${modSeq}`)
      }
    }
  }

  async #checkBox(mailbox: Mailbox, box: PlainBox): Promise<void> {
    const { path, uidValidity, uidNext, modSeq } = mailbox
    equal(path, box.path, 'path')
    const name = path.join('/')
    equal(await entriesOf(this.#store, box.id), box.entries, `entries of ${name}`)
    holds(uidNext >= box.uidNext && modSeq >= box.modSeq, `uidNext or modSeq of ${name} fell`)
    const before = this.#validities.get(name)
    const grown = before === undefined || uidValidity > before.uidValidity
    holds(grown || (before.id === box.id && uidValidity === before.uidValidity), `UIDVALIDITY of ${name} did not grow`)
    this.#validities.set(name, { id: box.id, uidValidity })
    Object.assign(box, { uidValidity, uidNext, modSeq })
    if (box.past.at(-1)?.modSeq !== modSeq) box.past.push({ modSeq, entries: box.entries })
  }

  async #replay(box: PlainBox, most: number): Promise<void> {
    const { modSeq, entries } = box.past[this.#random.below(box.past.length)] as PlainBox['past'][number]
    const what = `what changed after ${modSeq} in ${box.path.join('/')}, ${most} at a time`
    await new Replica(this.#store, box.id, modSeq, entries).check(most, what)
  }

  async #create(): Promise<void> {
    const path = this.#path()
    const there = this.#at(path)
    const made = await this.#store.create('alice', path)
    if (there) return equal([made.id, made.messages], [there.id, there.entries.length], 'the mailbox that was there')
    const { id, uidValidity, uidNext, modSeq } = made
    this.#boxes.push({ id, path, uidValidity, uidNext, modSeq, entries: [], past: [{ modSeq, entries: [] }] })
  }

  async #rename(): Promise<void> {
    const [box, path] = [this.#pick(), this.#path()]
    const from = box.path
    const isMoved = (one: PlainBox): boolean => from.every((name, index) => one.path[index] === name)
    const moves = this.#boxes.filter(isMoved).map((moved) => ({ moved, to: [...path, ...moved.path.slice(from.length)] }))
    const below = path.length > from.length && from.every((name, index) => path[index] === name)
    const taken = moves.some(({ to }) => this.#boxes.some((other) => !isMoved(other) && other.path.join() === to.join()))
    if (below || taken) return rejects(this.#store.rename(box.id, path), 'permanent')
    await this.#store.rename(box.id, path)
    for (const { moved, to } of moves) moved.path = to
  }

  async #remove(): Promise<void> {
    const box = this.#pick()
    await this.#store.remove(box.id)
    this.#boxes = this.#boxes.filter((other) => other !== box)
  }

  async #append(): Promise<void> {
    const box = this.#pick()
    const { messages, octets } = await this.#store.usage('alice')
    const given = this.#message()
    const after = octets + given.body.size + this.#store.traits.overhead
    // Bounds around what fits, which it does more often than not.
    const quota = { messages: messages + this.#random.below(8), octets: after - 1 + this.#random.below(8) }
    const fits = quota.messages > messages && quota.octets >= after
    const append = this.#store.append(box.id, given, { quota })
    if (fits) this.#arrived(box, [await append])
    else await rejects(append, 'quota')
  }

  async #appendAll(): Promise<void> {
    const boxes = Array.from({ length: this.#random.below(6) }, () => this.#pick())
    const appends = boxes.map((box) => ({ mailbox: box.id, message: this.#message() }))
    const stored = await this.#store.appendAll?.(appends) ?? []
    equal(stored.map(({ mailbox }) => mailbox), boxes.map(({ id }) => id), 'mailboxes of what was added')
    for (const [index, box] of boxes.entries()) this.#arrived(box, [stored[index] as Entry])
  }

  async #replace(): Promise<void> {
    const [from, to] = [this.#pick(), this.#pick()]
    const uid = 1 + this.#random.below(from.uidNext)
    const gone = from.entries.filter((entry) => entry.uid === uid)
    const stored = await this.#store.replace?.(from.id, uid, { mailbox: to.id, message: this.#message() })
    equal(stored === undefined, gone.length === 0, 'nothing was replaced')
    if (stored) this.#arrived(to, [stored])
    this.#left(from, gone)
  }

  async #flag(): Promise<void> {
    const box = this.#pick()
    const uids = this.#uids(box)
    const kind = (['add', 'remove', 'replace'] as const)[this.#random.below(3)] as FlagChange['kind']
    const flags = this.#flags()
    const unchangedSince = this.#random.below(3) === 0 ? this.#random.below(box.modSeq + 2) : Infinity
    const chosen = box.entries.filter(({ uid }) => isIn(uids, uid))
    const changing = chosen.filter(({ modSeq }) => modSeq <= unchangedSince)
      .map((entry) => ({ ...entry, flags: flagsAfter(entry.flags, { kind, flags }) }))
      .filter((after) => after.flags.join(' ') !== box.entries.find(({ uid }) => uid === after.uid)?.flags.join(' '))
    const done = unchangedSince === Infinity
      ? await this.#store.flag(box.id, uids, { kind, flags })
      : await this.#store.flag(box.id, uids, { kind, flags }, unchangedSince)
    equal(done.modified, setOf(uidsOf(chosen.filter(({ modSeq }) => modSeq > unchangedSince))), 'modified')
    equal(done.changed.map(({ uid, flags: its }) => [uid, [...its].sort()]), changing.map(({ uid, flags: its }) => [uid, its]))
    const modSeqs = done.changed.map(({ modSeq }) => modSeq)
    holds(modSeqs.every((modSeq) => modSeq > box.modSeq), 'a mod-sequence is not above those before')
    const after = new Map(changing.map((entry, index) => [entry.uid, { ...entry, modSeq: modSeqs[index] as number }]))
    box.entries = box.entries.map((entry) => after.get(entry.uid) ?? entry)
  }

  async #expunge(): Promise<void> {
    const box = this.#pick()
    const uids = this.#uids(box)
    const gone = box.entries.filter(({ uid }) => isIn(uids, uid))
    equal(await this.#store.expunge(box.id, uids), setOf(uidsOf(gone)), 'what was expunged')
    this.#left(box, gone)
  }

  async #copy(): Promise<void> {
    const [from, to] = [this.#pick(), this.#pick()]
    const uids = this.#uids(from)
    const chosen = from.entries.filter(({ uid }) => isIn(uids, uid))
    const copied = await this.#store.copy(from.id, uids, to.id)
    await this.#went(chosen, copied, to)
  }

  async #move(): Promise<void> {
    const [from, to] = [this.#pick(), this.#pick()]
    const uids = this.#uids(from)
    const chosen = from.entries.filter(({ uid }) => isIn(uids, uid))
    const moved = await this.#store.move?.(from.id, uids, to.id) ?? []
    await this.#went(chosen, moved, to)
    this.#left(from, chosen)
  }

  /** Notes copies: as they are there, so far as they are what they were here. */
  async #went(chosen: readonly Entry[], copied: readonly { from: number; to: number }[], to: PlainBox): Promise<void> {
    equal(copied.map((one) => one.from), uidsOf(chosen), 'UIDs of what went')
    const there = await entriesOf(this.#store, to.id, { uids: setOf(copied.map((one) => one.to)) })
    equal(uidsOf(there), copied.map((one) => one.to), 'UIDs where it went')
    for (const [index, { id, received, octets, flags }] of there.entries()) {
      const before = chosen[index] as Entry
      equal([id, received, octets, flags], [before.id, before.received, before.octets, before.flags], 'what arrived')
    }
    this.#arrived(to, there)
  }

  #arrived(box: PlainBox, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const last = box.entries.at(-1)
      holds(entry.uid >= box.uidNext && entry.uid > (last?.uid ?? 0), `UID ${entry.uid} was used before`)
      holds(entry.modSeq > box.modSeq && entry.modSeq > 0, `mod-sequence ${entry.modSeq} was used before`)
      box.entries = [...box.entries, entryOf(entry)]
    }
  }

  #left(box: PlainBox, gone: readonly Entry[]): void {
    const uids = new Set(uidsOf(gone))
    box.entries = box.entries.filter(({ uid }) => !uids.has(uid))
    // What went took a mod-sequence of its own.
    if (gone.length > 0) box.modSeq++
  }

  #pick(): PlainBox {
    return this.#boxes[this.#random.below(this.#boxes.length)] as PlainBox
  }

  #at(path: readonly string[]): PlainBox | undefined {
    return this.#boxes.find((box) => box.path.join() === path.join())
  }

  #path(): string[] {
    return Array.from({ length: 1 + this.#random.below(2) }, () => NAMES[this.#random.below(2)] as string)
  }

  /** Some UIDs, most of which there are or were. */
  #uids({ uidNext }: PlainBox): UidSet {
    const any = (): number => 1 + this.#random.below(uidNext + 2)
    const [first, length] = [any(), this.#random.below(6)]
    return this.#random.below(2) === 0 ? [{ first, last: first + length }] : setOf(Array.from({ length }, any))
  }

  #flags(): string[] {
    const flags = FLAGS.filter(() => this.#random.below(4) === 0)
    return flags.filter((flag) => !flags.some((other) => other !== flag && spelt(other) === spelt(flag)))
  }

  #message(): ReturnType<typeof message> {
    return message(pattern(this.#random.below(300), this.#size++), { flags: this.#flags(), received: this.#size })
  }
}

/** The flags in order, after a change. */
function flagsAfter(before: readonly string[], { kind, flags }: FlagChange): string[] {
  const named = flags.map(spelt)
  const kept = before.filter((flag) => (kind === 'add' ? true : kind === 'remove' ? !named.includes(flag) : false))
  return [...new Set(kind === 'remove' ? kept : [...kept, ...named])].sort()
}

function spelt(flag: string): string {
  return flag === '\\SEEN' ? '\\Seen' : flag === '\\deleted' ? '\\Deleted' : flag
}

/** Takes so many steps, looks after each, and opens what a crash leaves after every so many of them. */
async function take(
  course: Course,
  steps: number,
  crash?: { readonly every: number; readonly reopen: () => Promise<MailStore> },
): Promise<void> {
  const names: string[] = []
  try {
    for (let i = 1; i <= steps; i++) {
      names.push(await course.step())
      await course.check()
      if (!crash || i % crash.every !== 0) continue
      names.push('crash')
      course.use(await crash.reopen())
      await course.check()
    }
    await course.end()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`After ${names.length} steps (${names.slice(-5).join(', ')}): ${why}`, { cause })
  }
}

/** A store against plain lists of what was done to it. */
export function modelling({ it, open }: MailStoreContractOptions): void {
  for (const seed of [1, 2, 3]) {
    it(`is a list of what was done to it, and so are its changes (seed ${seed})`, async () => {
      const { store } = await open()
      await take(new Course(store, seededRandom(seed)), STEPS)
    })
  }
}

/** The same, with a crash now and then. */
export async function modelCrashes(store: MailStore, reopen: () => Promise<MailStore>): Promise<void> {
  await take(new Course(store, seededRandom(4)), STEPS / 2, { every: STEPS / 10, reopen })
}

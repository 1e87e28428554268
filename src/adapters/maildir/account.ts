import { join } from 'node:path'
import type { MailboxId, SpecialUse, Usage } from '../../contracts/mailbox.ts'
import { comparePaths, isAtOrBelow } from '../../contracts/mailbox-path.ts'
import { isMailError, MailError } from '../../protocol/session/errors.ts'
import { ACCOUNT_FILE, isLongAccount } from './account-name.ts'
import { Box } from './box.ts'
import { randomHex, sha256 } from './digest.ts'
import { codeOf, isMissing } from './disk.ts'
import { discardMailbox, identityOf, makeMailbox, readAbout, sweepFolders, writeAbout } from './folders.ts'
import { carryOutRenaming, forgetIntent, type Intent, type Moving, readIntent, type Renaming, writeIntent } from './intent.ts'
import { takeLock } from './lock.ts'
import { isDigested, mailboxFolder, pathOfFolder } from './mailbox-name.ts'
import { OVERHEAD } from './room.ts'
import type { Owner, Shared } from './shared.ts'
import type { Message, State } from './state.ts'
import { type Adding, addMessages, removeMessages } from './transact.ts'
import { uidsOf } from './uids.ts'
import { erasedValidity, keepErased, keepLeft, keepValidity, lastValidity, leftPaths } from './validity.ts'

/** A mailbox of an account. */
export interface Place {
  /** In the account's folder; `''` for INBOX. */
  readonly folder: string
  readonly path: readonly string[]
  readonly use: SpecialUse | undefined
  readonly box: Box
  /** Of its `cur`: another one is another mailbox. */
  readonly inode: number
  /** Of `dovecot-uidlist` when it was found. */
  readonly uidValidity: number
}

/** One account: a folder, the mailboxes in it, and the lock under which all of them are changed. */
export class Account implements Owner {
  readonly name: string
  readonly tag: string
  /** Its folder, absolute. */
  readonly dir: string
  readonly #root: string
  readonly #folder: string
  readonly #shared: Shared
  readonly #places = new Map<string, Place>()
  #turn: Promise<unknown> = Promise.resolve()
  #recovered = false
  /** All mailboxes have been looked for. */
  #listed = false
  #lastValidity = 0

  constructor(shared: Shared, root: string, folder: string, name: string) {
    this.name = name
    this.tag = tagOf(folder)
    this.dir = join(root, folder)
    this.#root = root
    this.#folder = folder
    this.#shared = shared
  }

  /** Messages that are held in memory. */
  get held(): number {
    let held = 0
    for (const { box } of this.#places.values()) held += box.held
    return held
  }

  /** The mailboxes that are known, without a look at the disk. */
  get known(): Iterable<Place> {
    return this.#places.values()
  }

  /** Lets go of what is known of messages. */
  forget(): void {
    for (const { box } of this.#places.values()) box.forget()
  }

  /** Mailboxes are looked for when they are asked for next: they are not where they were. */
  lookAround(): void {
    this.#places.clear()
  }

  /** Runs alone, of all tasks of the account in all processes. `permanent` where there is no such account. */
  locked<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => this.#alone(run))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async nextValidity(): Promise<number> {
    const { disk, now } = this.#shared
    const seen = [await lastValidity(disk, this.dir), await erasedValidity(disk, this.#root), this.#lastValidity]
    const last = Math.max(...seen, ...[...this.#places.values()].map(({ uidValidity }) => uidValidity))
    this.#lastValidity = Math.max(last + 1, Math.floor(now() / 1000) || 0)
    await keepValidity(disk, this.dir, this.#lastValidity)
    return this.#lastValidity
  }

  /** Its mailboxes as the disk has them, parents before children. `locked`: the lock is held already. */
  async places(locked = false): Promise<Place[]> {
    // What a crash left half done is nothing to look at.
    if (!locked && !this.#recovered && await this.#shared.disk.stat(this.dir)) await this.locked(async () => undefined)
    const names = await this.#shared.disk.names(this.dir)
    const folders = ['', ...(names ?? []).filter((name) => pathOfFolder(name) !== undefined).sort()]
    const found = new Map<string, Place>()
    const guids = new Set<string>()
    for (const folder of names ? folders : []) {
      const place = await this.#placeIn(folder, locked)
      const key = place && JSON.stringify(place.path)
      if (!place || key === undefined || found.has(key)) continue
      // A folder that somebody copied is another mailbox.
      if (guids.has(place.box.guid as string)) await this.#renew(place.box, locked)
      guids.add(place.box.guid as string)
      found.set(key, place)
    }
    const there = new Set([...found.values()].map(({ folder }) => folder))
    for (const folder of this.#places.keys()) if (!there.has(folder)) this.#places.delete(folder)
    return [...found.values()].sort((a, b) => comparePaths(a.path, b.path))
  }

  /** The mailbox with an id. */
  async place(id: MailboxId, locked = false): Promise<Place | undefined> {
    for (const place of this.#places.values()) if (place.box.id === id) return place
    return (await this.places(locked)).find(({ box }) => box.id === id)
  }

  /** The mailbox with an id and what is in it; `undefined` where there is none. */
  async viewOf(id: MailboxId): Promise<{ readonly place: Place; readonly state: State } | undefined> {
    for (let tries = 0; tries < 2; tries++) {
      const place = this.#recovered ? await this.place(id) : (await this.places()).find(({ box }) => box.id === id)
      if (!place) return undefined
      const state = await ifThere(place.box.view())
      if (state && place.box.id === id) return { place, state }
      // Somebody else has given it another folder, or removed it.
      this.#places.delete(place.folder)
    }
    return undefined
  }

  /** The same with the lock; `permanent` where there is none. `again`: as if its folders had changed. */
  async lookOf(id: MailboxId, again = false): Promise<{ readonly place: Place; readonly state: State }> {
    for (let tries = 0; tries < 2; tries++) {
      const place = some(await this.place(id, true))
      const state = await ifThere(place.box.look(again))
      if (state && place.box.id === id) return { place, state }
      this.#places.delete(place.folder)
    }
    throw noMailbox()
  }

  /** The mailbox with a path, made where it is missing. */
  async create(path: readonly string[], use: SpecialUse | undefined): Promise<Place> {
    const there = (await this.places()).find((place) => comparePaths(place.path, path) === 0)
    if (there) return there
    const { disk } = this.#shared
    await this.makeFolder()
    return this.locked(async () => {
      const places = await this.places(true)
      const known = places.find((place) => comparePaths(place.path, path) === 0)
      if (known) return known
      if (use !== undefined && places.some((place) => place.use === use)) {
        throw new MailError('permanent', `There is a mailbox for ${use} already`)
      }
      const folder = mailboxFolder(path)
      const about = { ...(isDigested(folder) && { path }), ...(use !== undefined && { use }) }
      await makeMailbox(disk, this.dir, folder, { guid: randomHex(16), uidValidity: await this.nextValidity(), ...about })
      return await this.#placeIn(folder, true) as Place
    })
  }

  /** Makes the account's folder. */
  async makeFolder(): Promise<void> {
    const { disk } = this.#shared
    await disk.makeFolder(this.dir)
    if (isLongAccount(this.#folder) && !(await disk.stat(join(this.dir, ACCOUNT_FILE)))) {
      const name = Buffer.from(JSON.stringify(this.name))
      await disk.create(join(this.dir, ACCOUNT_FILE), [name], true).catch((error: unknown) => {
        if (codeOf(error) !== 'EEXIST') throw error
      })
    }
  }

  /** Gives a mailbox and all below it other paths. */
  rename(id: MailboxId, path: readonly string[]): Promise<void> {
    return this.locked(async () => {
      const places = await this.places(true)
      const { path: from } = some(places.find(({ box }) => box.id === id))
      if (comparePaths(from, path) === 0) return
      const moving = places.filter((place) => isAtOrBelow(place.path, from))
      const moves = moving.map((place) => ({ place, to: [...path, ...place.path.slice(from.length)] }))
      if (isAtOrBelow(path, from)) throw new MailError('permanent', 'A mailbox cannot be renamed to a path below itself')
      const targets = new Set(moves.map(({ to }) => JSON.stringify(to)))
      const taken = places.find((place) => targets.has(JSON.stringify(place.path)) && !moving.includes(place))
      if (taken) throw new MailError('permanent', `There is a mailbox ${taken.path.join('/')} already`)
      await this.#moveAll(moves)
    })
  }

  /** Removes a mailbox with its messages. */
  remove(id: MailboxId): Promise<void> {
    return this.locked(async () => {
      const place = await this.place(id, true)
      if (!place) return
      const { uidValidity } = await place.box.look()
      await keepLeft(this.#shared.disk, this.dir, [{ path: place.path, uidValidity }])
      await discardMailbox(this.#shared.disk, this.dir, place.folder)
      this.#places.delete(place.folder)
      this.#shared.tell(id)
    })
  }

  /** Removes all there is. */
  erase(): Promise<void> {
    return this.locked(async () => {
      const { disk } = this.#shared
      const validities = (await this.places(true)).map(({ uidValidity }) => uidValidity)
      await keepErased(disk, this.#root, Math.max(await lastValidity(disk, this.dir), this.#lastValidity, ...validities))
      // A name that no account's folder has.
      const going = join(this.#root, `%gone-${randomHex(8)}`)
      await disk.rename(this.dir, going)
      await disk.flushFolder(this.#root)
      this.#places.clear()
      await disk.removeAll(going)
    })
  }

  /** What its mailboxes hold together. */
  async usage(): Promise<Usage> {
    const states: State[] = []
    for (const { box } of await this.places()) states.push(await box.view())
    return sumOf(states)
  }

  /** The same, with the lock, as far as this store has brought it about. */
  async usageAtOnce(): Promise<Usage> {
    const places = this.#places.size > 0 && this.#listed ? [...this.#places.values()] : await this.places(true)
    this.#listed = true
    return sumOf(await Promise.all(places.map(({ box }) => box.glance())))
  }

  /** Adds messages and removes them from where they were, in one step. */
  async moveMessages(from: Place, messages: readonly Message[], to: Place, adding: readonly Adding[]): Promise<Message[]> {
    const bases = adding.map(({ base }) => base)
    const intent: Intent = { kind: 'move', from: from.box.id, uids: uidsOf(messages), to: to.box.id, bases }
    await this.#intend(intent, async () => {
      await addMessages(to.box, await to.box.look(), adding, true)
      const state = await from.box.look()
      await removeMessages(from.box, state, state.find(uidsOf(messages)))
    })
    const state = await to.box.look()
    return bases.map((base) => state.named(base) as Message)
  }

  /** Does what takes steps. Where one fails, what was begun is finished or taken back, at once or by the next who comes. */
  async #intend(intent: Intent, run: () => Promise<void>): Promise<void> {
    this.#recovered = false
    try {
      await writeIntent(this.#shared.disk, this.dir, intent)
      await run()
      await forgetIntent(this.#shared.disk, this.dir)
      this.#recovered = true
    } catch (error) {
      if (!(await this.#recover())) throw error
    }
  }

  async #alone<T>(run: () => Promise<T>): Promise<T> {
    const lock = await takeLock(join(this.dir, 'posthorn.lock'), this.#shared.lock).catch((error: unknown) => {
      throw isMissing(error) ? new MailError('permanent', 'There is no such mailbox', { cause: error }) : error
    })
    try {
      if (lock.wasStale || !this.#recovered) await this.#recover()
      return await run()
    } finally {
      // What is done is done: a lock that cannot be removed is a leftover soon.
      await lock.release().catch(() => undefined)
    }
  }

  /** Finishes what was begun and takes back what was not decided. Gives whether anything was finished. */
  async #recover(): Promise<boolean> {
    const { disk } = this.#shared
    const intent = await readIntent(disk, this.dir)
    const finish = (it: Intent): Promise<boolean> => (it.kind === 'rename' ? this.#finishRenaming(it) : this.#finishMoving(it))
    const finished = intent !== undefined && await finish(intent)
    if (intent) await forgetIntent(disk, this.dir)
    await sweepFolders(disk, this.dir)
    this.#recovered = true
    return finished
  }

  async #finishRenaming(intent: Renaming): Promise<boolean> {
    try {
      await carryOutRenaming(this.#shared.disk, this.dir, intent)
      return true
    } catch (error) {
      // Something else has the name by now: what was to be renamed stays where it is.
      if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error) ?? '')) return false
      throw error
    }
  }

  async #finishMoving(intent: Moving): Promise<boolean> {
    const [from, to] = [await this.place(intent.from, true), await this.place(intent.to, true)]
    const arrived = to && await to.box.look(true)
    if (!from || !arrived || !intent.bases.every((base) => arrived.byBase.has(base))) return false
    const state = await from.box.look(true)
    await removeMessages(from.box, state, state.find(intent.uids))
    return true
  }

  async #placeIn(folder: string, locked: boolean): Promise<Place | undefined> {
    const { disk } = this.#shared
    const dir = join(this.dir, folder)
    const cur = await disk.stat(join(dir, 'cur'))
    const known = this.#places.get(folder)
    if (!cur || known?.inode === cur.inode) return cur && known
    const [about, identity] = [await readAbout(disk, dir), await identityOf(disk, dir)]
    const box = new Box(this.#shared, this, dir)
    box.guid = identity.guid
    if (box.guid === undefined) await (locked ? box.look() : box.view())
    const path = isDigested(folder) && about.path ? about.path : pathOfFolder(folder) as readonly string[]
    // Somebody else may have found it meanwhile: one mailbox, one object.
    const found = this.#places.get(folder)
    if (found?.inode === cur.inode) return found
    const place: Place = { folder, path, use: about.use, box, inode: cur.inode, uidValidity: identity.uidValidity ?? 0 }
    this.#places.set(folder, place)
    return place
  }

  #renew(box: Box, locked: boolean): Promise<void> {
    const renew = async (): Promise<void> => box.become(await box.look(), { guid: randomHex(16) })
    return locked ? renew() : this.locked(renew)
  }

  async #moveAll(moves: readonly { readonly place: Place; readonly to: readonly string[] }[]): Promise<void> {
    const { disk } = this.#shared
    const left = await leftPaths(disk, this.dir)
    const seen: { path: readonly string[]; uidValidity: number }[] = []
    for (const { place: { box, path, folder, use }, to } of moves) {
      const state = await box.look()
      seen.push({ path, uidValidity: state.uidValidity })
      // RFC 9051 §2.3.1.1: whoever knows the path by a mailbox that had it before sees the UIDVALIDITY grow.
      const before = left.get(JSON.stringify(to)) ?? 0
      if (before >= state.uidValidity) await box.become(state, { uidValidity: await this.nextValidity() })
      const digested = isDigested(mailboxFolder(to))
      if (digested || isDigested(folder)) await writeAbout(disk, box.dir, { ...(digested && { path: to }), ...(use && { use }) })
    }
    await keepLeft(disk, this.dir, seen)
    const steps = moves.map(({ place, to }) => ({ from: place.folder, to: mailboxFolder(to), guid: place.box.guid as string }))
    const intent: Renaming = { kind: 'rename', moves: steps }
    await this.#intend(intent, () => carryOutRenaming(disk, this.dir, intent))
    for (const { place } of moves) this.#places.delete(place.folder)
    for (const { place } of moves) this.#shared.tell(place.box.id)
  }
}

/** Sixteen digits that stand for an account in the ids of what it has. */
export function tagOf(folder: string): string {
  return sha256(folder).slice(0, 16)
}

function some(place: Place | undefined): Place {
  if (!place) throw noMailbox()
  return place
}

/** There is no mailbox with that id. */
export function noMailbox(): MailError {
  return new MailError('permanent', 'There is no such mailbox')
}

async function ifThere(state: Promise<State>): Promise<State | undefined> {
  try {
    return await state
  } catch (error) {
    if (isMailError(error) && error.code === 'permanent') return undefined
    throw error
  }
}

function sumOf(states: readonly State[]): Usage {
  const messages = states.reduce((sum, state) => sum + state.messages.length, 0)
  return { messages, octets: states.reduce((sum, { octets }) => sum + octets, messages * OVERHEAD) }
}

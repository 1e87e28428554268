import { join } from 'node:path'
import type { MailboxId } from '../../contracts/mailbox.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Stat } from './disk.ts'
import { factsFile, readRecords } from './facts.ts'
import { formatLines, type Line, VERSION } from './journal.ts'
import { JOURNAL, KEYWORDS, loadState, type Pending, readKeywords } from './load.ts'
import { scan } from './scan.ts'
import type { Desk, Owner, Shared } from './shared.ts'
import type { Message, State } from './state.ts'
import { replaceFile, signOf, UidFile } from './uid-file.ts'

/** What the files of a mailbox look like: where it is the same, nothing has changed. */
interface Signs {
  readonly journal: string | undefined
  readonly keywords: string | undefined
  readonly new: number
  readonly cur: number
}

/** Milliseconds within which a folder may change again without a new time: two seconds on the coarsest disks. */
const COARSE = 2000
/** Reading folders again that perhaps have not changed takes one part of the time in so many, at most. */
const SHARE = 20

/** One mailbox: a folder, and what is known of it. All but {@link Box.view} runs with the lock of the account. */
export class Box implements Desk {
  readonly shared: Shared
  readonly owner: Owner
  /** Its folder, absolute. */
  readonly dir: string
  readonly uids: UidFile
  /** Set once known: 32 hexadecimal digits. */
  guid: string | undefined
  #state: State | undefined
  #signs: Signs | undefined
  /** Octets of the journal that have been said. */
  #end = 0
  #pending: Pending | undefined
  /** The folders were read when their times were old enough to show every later change. */
  #sure = false
  /** The times of the folders after what we did to them; -1: not what we alone did. */
  #touched: { readonly new: number; readonly cur: number } | undefined
  #scanned = 0
  #cost = 0

  constructor(shared: Shared, owner: Owner, dir: string) {
    this.shared = shared
    this.owner = owner
    this.dir = dir
    this.uids = new UidFile(shared.lock, dir)
  }

  get id(): MailboxId {
    return this.owner.tag + (this.guid ?? '')
  }

  /** Messages that are held in memory. */
  get held(): number {
    return this.#state?.messages.length ?? 0
  }

  /** Lets go of what is known; it is read again when asked for. */
  forget(): void {
    this.#state = undefined
    this.#signs = undefined
    this.#touched = undefined
  }

  /** What there is now, what other programs did included. Takes no lock unless something has changed. */
  async view(): Promise<State> {
    const [state, known] = [this.#state, this.#signs]
    if (state && known) {
      const [journal, folders] = await Promise.all([this.shared.disk.stat(join(this.dir, JOURNAL)), this.#folders()])
      const same = signOf(journal) === known.journal && folders.new === known.new && folders.cur === known.cur
      if (same && !this.#isDue() && this.#signs === known) return state
    }
    return this.owner.locked(() => this.look())
  }

  /** What there is as far as this store, in whatever process, has brought it about. Others are seen at the next look. */
  async glance(): Promise<State> {
    const state = this.#state
    const journal = state && await this.shared.disk.stat(join(this.dir, JOURNAL))
    return state && signOf(journal) === this.#signs?.journal ? state : this.look()
  }

  /** What there is now. `again`: the folders are read even if they seem not to have changed. */
  async look(again = false): Promise<State> {
    const signs = await this.#read()
    const known = this.#signs
    if (!this.#state || !known || signs.journal !== known.journal) return this.#scan(await this.#load())
    if (signs.keywords !== known.keywords) this.#state.keywords = await readKeywords(this.shared.disk, this.dir)
    const changed = signs.keywords !== known.keywords || signs.new !== known.new || signs.cur !== known.cur
    return again || changed || this.#isDue() ? this.#scan(this.#state) : this.#state
  }

  /** Says something. Where `flush` is not given it may be lost in a power failure. */
  async write(state: State, lines: readonly Line[], flush: boolean): Promise<void> {
    const end = await this.prepare(lines, flush)
    this.#end = end
    for (const line of lines) state.apply(line)
  }

  /** Writes lines that are said by {@link Box.carriedOut} only. Gives where they end. */
  async prepare(lines: readonly Line[], flush: boolean): Promise<number> {
    const octets = formatLines(lines)
    try {
      await this.shared.disk.write(join(this.dir, JOURNAL), this.#end, octets, flush)
    } catch (error) {
      await this.cancel()
      throw error
    }
    return this.#end + octets.length
  }

  /** Takes back what was prepared, as far as the disk allows. What is known is read again. */
  async cancel(): Promise<void> {
    this.forget()
    await this.shared.disk.write(join(this.dir, JOURNAL), this.#end, new Uint8Array(0), false).catch(() => undefined)
  }

  /** What was prepared has been done to the files. `ok`: and that is told to whoever comes after a crash. */
  async carriedOut(state: State, lines: readonly Line[], end: number, ok: 'no' | 'written' | 'flushed'): Promise<void> {
    this.#end = end
    if (ok !== 'no') this.#end = await this.prepare([['ok']], ok === 'flushed')
    for (const line of lines) state.apply(line)
    await this.settle(state)
  }

  /** After a change of ours: what the files look like now is known. `told`: others want to know too. */
  async settle(state: State, told = true): Promise<void> {
    if (state.lines > 2 * state.messages.length + 1000) await this.rewrite(state)
    const { new: incoming = -1, cur = -1 } = this.#touched ?? this.#signs ?? {}
    this.#signs = { ...await this.#read(), new: incoming, cur }
    this.#touched = undefined
    if (told) this.shared.tell(this.id)
  }

  /** Gives, takes or changes names of messages: what the folders look like because of that is no news, all else is. */
  async touching(run: () => Promise<void>): Promise<void> {
    const before = await this.#folders()
    const same = before.new === this.#signs?.new && before.cur === this.#signs.cur
    await run()
    this.#touched = same ? await this.#folders() : { new: -1, cur: -1 }
    // Another program may have been as quick as we were: a later look makes sure.
    this.#sure = false
  }

  /** Writes a journal that says the same in fewer lines. */
  async rewrite(state: State): Promise<void> {
    const { disk } = this.shared
    const old = factsFile(this.dir, state.factsFile)
    const size = (await disk.stat(old))?.size ?? 0
    const used = state.messages.reduce((octets, { factsLength }) => octets + factsLength, 0)
    const move = size > 2 * used + 65_536
    const records = move ? await this.#copyRecords(state) : undefined
    const lines = state.snapshot(VERSION, records?.number ?? state.factsFile, records?.places)
    const octets = formatLines(lines)
    await replaceFile(disk, this.dir, JOURNAL, octets)
    this.#end = octets.length
    state.lines = lines.length
    if (!records) return
    state.factsFile = records.number
    for (const [uid, [factsAt, factsLength]] of records.places) state.replace(uid, { factsAt, factsLength })
    await disk.remove(old).catch(() => undefined)
  }

  /** Gives the mailbox another GUID or UIDVALIDITY. */
  async become(state: State, { guid = state.guid, uidValidity = state.uidValidity }): Promise<void> {
    await this.uids.locked(async () => {
      const records = (await this.uids.all())?.records ?? []
      state.guid = this.guid = guid
      state.uidValidity = uidValidity
      // The journal first: of the two the higher UIDVALIDITY counts, and ours only grow.
      await this.rewrite(state)
      await this.uids.replace({ guid, uidValidity, uidNext: state.uidNext, records })
    })
    await this.settle(state)
  }

  /** The records of facts that the messages have, as far as they are whole. */
  records(state: State, messages: readonly Message[]): Promise<(Uint8Array | undefined)[]> {
    return readRecords(this.shared.disk, factsFile(this.dir, state.factsFile), messages)
  }

  /** Adds records to the facts, not flushed. Gives the place of each. */
  async addRecords(number: number, records: readonly (Uint8Array | undefined)[]): Promise<(readonly [number, number])[]> {
    const path = factsFile(this.dir, number)
    const from = (await this.shared.disk.stat(path))?.size ?? 0
    let at = from
    const places = records.map((record) => {
      const place = record ? [at, record.length] as const : [0, 0] as const
      at += record?.length ?? 0
      return place
    })
    if (at > from) await this.shared.disk.write(path, from, Buffer.concat(records.filter((one) => one !== undefined)), false)
    return places
  }

  /** Where a message's file is, as far as is known. */
  fileOf({ folder, name }: Pick<Message, 'folder' | 'name'>): string {
    return join(this.dir, folder, name)
  }

  async #load(): Promise<State> {
    const { disk, now } = this.shared
    this.forget()
    await this.#folders()
    await prepareFolders(disk, this.dir)
    return this.uids.locked(async () => {
      const fresh = { now: Math.max(now(), Date.now()), nextValidity: () => this.owner.nextValidity() }
      const loaded = await loadState(disk, this.dir, this.uids, fresh)
      const { state } = loaded
      this.#end = loaded.end
      this.#pending = loaded.pending
      if (loaded.journalStale) await this.rewrite(state)
      if (loaded.listStale) {
        const { uidValidity, uidNext, guid, messages } = state
        const known = (await this.uids.all())?.uidValidity === uidValidity
        const records = known ? (await this.uids.all())?.records : messages.map(({ uid, base, id }) => ({ uid, base, guid: id }))
        await this.uids.replace({ uidValidity, uidNext, guid, records: records ?? [] })
      }
      this.guid = state.guid
      this.#state = state
      return state
    })
  }

  async #scan(state: State): Promise<State> {
    const started = Date.now()
    const before = await this.#read()
    try {
      const changed = await scan(this, state, this.#pending)
      this.#pending = undefined
      if (changed) this.shared.tell(this.id)
    } catch (error) {
      this.forget()
      throw error
    }
    this.#scanned = Date.now()
    this.#cost = this.#scanned - started
    this.#signs = { ...await this.#read(), new: before.new, cur: before.cur }
    this.#sure = Math.max(before.new, before.cur) < started - COARSE
    return state
  }

  #isDue(): boolean {
    return !this.#sure && Date.now() - this.#scanned > Math.max(COARSE, SHARE * this.#cost)
  }

  async #read(): Promise<Signs> {
    const { disk } = this.shared
    const statOf = (name: string): Promise<Stat | undefined> => disk.stat(join(this.dir, name))
    const [folders, journal, keywords] = await Promise.all([this.#folders(), statOf(JOURNAL), statOf(KEYWORDS)])
    return { ...folders, journal: signOf(journal), keywords: signOf(keywords) }
  }

  /** Throws `permanent` where the mailbox is gone. */
  async #folders(): Promise<{ readonly new: number; readonly cur: number }> {
    const [incoming, current] = await Promise.all(['new', 'cur'].map((name) => this.shared.disk.stat(join(this.dir, name))))
    if (!current) throw new MailError('permanent', 'There is no such mailbox')
    return { new: incoming?.mtime ?? 0, cur: current.mtime }
  }

  /** The facts that are still of use, in a file of the next number. */
  async #copyRecords(state: State): Promise<{ number: number; places: Map<number, readonly [number, number]> }> {
    const number = state.factsFile + 1
    await this.shared.disk.remove(factsFile(this.dir, number))
    const places = new Map<number, readonly [number, number]>()
    for (let at = 0; at < state.messages.length; at += 500) {
      const messages = state.messages.slice(at, at + 500)
      const moved = await this.addRecords(number, await this.records(state, messages))
      messages.forEach(({ uid }, index) => places.set(uid, moved[index] as readonly [number, number]))
    }
    return { number, places }
  }
}

/** Milliseconds after which a file in `tmp` that nobody touches was left behind (the Maildir text). */
const LEFT = 36 * 3_600_000

/** Makes folders that another program has not, and removes what was left in `tmp`. */
async function prepareFolders(disk: Shared['disk'], dir: string): Promise<void> {
  for (const name of ['new', 'tmp']) await disk.makeFolder(join(dir, name))
  for (const name of await disk.names(join(dir, 'tmp')) ?? []) {
    const path = join(dir, 'tmp', name)
    const found = await disk.stat(path)
    const touched = found ? Math.max(found.atime, found.mtime, found.ctime) : Infinity
    if (touched < Date.now() - LEFT) await disk.remove(path).catch(() => undefined)
  }
}

import { canonicalFlags } from '../../contracts/flag-change.ts'
import type { UidSet } from '../../contracts/mailbox.ts'
import type { Changes, Entry, Selection } from '../../contracts/store.ts'
import { parseFileName } from './file-name.ts'
import { flagsOfInfo } from './flags.ts'
import type { FlagRow, Line, Row } from './journal.ts'
import { Keywords } from './keywords.ts'
import { LAST_UID } from './uidlist.ts'
import { among, indexFrom } from '../../contracts/uid-list.ts'
import { setOf } from '../../protocol/bytes/number-set.ts'
import { everything } from './uids.ts'

/** A message in a mailbox. Never changed, only replaced. */
export interface Message {
  readonly uid: number
  readonly folder: 'new' | 'cur'
  /** Of its file, with the info. */
  readonly name: string
  readonly base: string
  readonly id: string
  readonly modSeq: number
  readonly received: number
  readonly saved: number
  /** With CRLF line ends, whatever the file has. */
  readonly octets: number
  /** The file has LF line ends, as other programs write them: read with CRLF. */
  readonly bareLf: boolean
  readonly flags: readonly string[]
  /** Those of the flags that the name cannot say. */
  readonly extra: readonly string[]
  /** Where its facts are in the file of facts; length 0: nowhere. */
  readonly factsAt: number
  readonly factsLength: number
}

interface Expunged {
  readonly modSeq: number
  readonly first: number
  readonly last: number
}

/** Ranges of expunged UIDs that are remembered. */
const REMEMBERED = 10_000
/** Messages taken out of the list one by one rather than by going through it. */
const FEW = 8
/** Messages in a line of a journal that is written anew. */
const CHUNK = 500

/** What a mailbox is, by its journal: built by applying line after line. */
export class State {
  guid = ''
  uidValidity = 0
  uidNext = 1
  /** UIDs below this one that are not here are gone; of those above, `dovecot-uidlist` may know. */
  settled = 1
  modSeq = 1
  recentFrom = 1
  /** Number of the file of facts. */
  factsFile = 0
  keywords: Keywords
  /** By ascending UID. */
  messages: Message[] = []
  readonly byBase = new Map<string, number>()
  /** One of the messages with that id; copies in the same mailbox share it. */
  readonly #byId = new Map<string, number>()
  unseen = 0
  deleted = 0
  octets = 0
  /** Lines applied: how long the journal is. */
  lines = 0
  #expunged: Expunged[] = []
  /** Mod-sequence up to which expunges are no longer known. */
  forgotten = 0

  constructor(keywords: Keywords) {
    this.keywords = keywords
  }

  /** Takes a line of the journal in. Lines that contradict what is there are passed over. */
  apply(line: Line): void {
    this.lines++
    switch (line[0]) {
      case 'head':
        [, , this.guid, this.uidValidity, this.uidNext, this.modSeq, this.forgotten, this.recentFrom, this.factsFile] = line
        this.settled = this.uidNext
        break
      case 'add':
      case 'all':
        for (const row of line[1]) this.#add(row)
        break
      case 'set':
        line[2].forEach((row, index) => this.#set(line[1] + index, row))
        break
      case 'gone':
        this.#remove(line[2].map(([first, last], index) => ({ modSeq: line[1] + index, first, last })))
        break
      case 'old':
        this.#remove(line[1].map(([modSeq, first, last]) => ({ modSeq, first, last })))
        break
      case 'claim':
        this.recentFrom = line[1]
        break
      case 'lost':
        this.forgotten = this.modSeq = Math.max(this.modSeq + 1, line[1])
        break
      case 'facts':
        for (const [uid, factsAt, factsLength] of line[1]) this.replace(uid, { factsAt, factsLength })
        break
      case 'ok':
        break
    }
  }

  /** The lines of which a journal that says the same consists. `facts`: where facts are now, by UID. */
  snapshot(version: number, factsFile: number, facts?: ReadonlyMap<number, readonly [at: number, length: number]>): Line[] {
    const { guid, uidValidity, settled, modSeq, forgotten, recentFrom } = this
    const lines: Line[] = [['head', version, guid, uidValidity, settled, modSeq, forgotten, recentFrom, factsFile]]
    lines.push(['old', this.#expunged.map((one) => [one.modSeq, one.first, one.last] as const)])
    for (let at = 0; at < this.messages.length; at += CHUNK) {
      lines.push(['add', this.messages.slice(at, at + CHUNK).map((message) => rowOf(message, facts?.get(message.uid)))])
    }
    return lines
  }

  /** Of those whose UID is above `after`, the first `most` that are selected. */
  select({ uids = everything, since = 0 }: Selection, after: number, most: number): Message[] {
    const found: Message[] = []
    for (const { first, last } of uids) {
      for (let at = indexFrom(this.messages, Math.max(first, after + 1)); at < this.messages.length; at++) {
        const message = this.messages[at] as Message
        if (message.uid > last) break
        if (message.modSeq > since && found.push(message) === most) return found
      }
    }
    return found
  }

  find(uids: UidSet): Message[] {
    return among(this.messages, uids)
  }

  /** The message with a UID. */
  at(uid: number): Message | undefined {
    const found = this.messages[indexFrom(this.messages, uid)]
    return found?.uid === uid ? found : undefined
  }

  /** The message whose file has that base. */
  named(base: string): Message | undefined {
    const uid = this.byBase.get(base)
    return uid === undefined ? undefined : this.at(uid)
  }

  /** A message with that id. */
  withId(id: string): Message | undefined {
    const uid = this.#byId.get(id)
    // Of several copies the one that was remembered may be gone.
    return uid === undefined ? this.messages.find((message) => message.id === id) : this.at(uid)
  }

  /** Every message that was added or changed, and every range that was expunged, took a mod-sequence of its own. */
  changes(since: number, most: number): Changes {
    const changed = this.messages.filter(({ modSeq }) => modSeq > since)
    const expunged = this.#expunged.filter(({ modSeq }) => modSeq > since)
    const sequence = [...changed, ...expunged].map(({ modSeq }) => modSeq).sort((a, b) => a - b)
    const more = sequence.length > most
    const modSeq = more ? sequence[most - 1] as number : this.modSeq
    return {
      modSeq,
      changed: changed.filter((one) => one.modSeq <= modSeq).sort((a, b) => a.modSeq - b.modSeq).map(entryOf),
      vanished: setOf(expunged.filter((range) => range.modSeq <= modSeq)),
      more,
      complete: since >= this.forgotten,
    }
  }

  /** Changes what is known of a message, without a trace in the change log. */
  replace(uid: number, change: Partial<Message>): void {
    const index = indexFrom(this.messages, uid)
    const before = this.messages[index]
    if (before?.uid !== uid) return
    const after = { ...before, ...change }
    this.messages[index] = after
    this.#count(before, -1)
    this.#count(after, 1)
  }

  /** The flags that a name means in this mailbox, with those it cannot say. */
  flagsOf(name: string, extra: readonly string[]): readonly string[] {
    return canonicalFlags([...flagsOfInfo(parseFileName(name).info, this.keywords), ...extra])
  }

  #add(row: Row): void {
    const [uid, folder, name, id, modSeq, received, saved, octets, bareLf, extra, factsAt, factsLength] = row
    const { base } = parseFileName(name)
    const last = this.messages.at(-1)?.uid ?? 0
    if (uid <= last || uid > LAST_UID || this.byBase.has(base)) return
    const message: Message = {
      uid,
      folder: folder === 0 ? 'new' : 'cur',
      name,
      base,
      id,
      modSeq,
      received,
      saved,
      octets,
      bareLf: bareLf === 1,
      flags: this.flagsOf(name, extra),
      extra,
      factsAt,
      factsLength,
    }
    this.messages.push(message)
    this.byBase.set(base, uid)
    this.#byId.set(id, uid)
    this.#count(message, 1)
    this.settled = Math.max(this.settled, uid + 1)
    this.uidNext = Math.max(this.uidNext, this.settled)
    this.modSeq = Math.max(this.modSeq, modSeq)
  }

  #set(modSeq: number, [uid, folder, name, extra]: FlagRow): void {
    this.replace(uid, { modSeq, folder: folder === 0 ? 'new' : 'cur', name, extra, flags: this.flagsOf(name, extra) })
    this.modSeq = Math.max(this.modSeq, modSeq)
  }

  #remove(ranges: readonly Expunged[]): void {
    const gone = new Set(among(this.messages, setOf(ranges)))
    if (gone.size < FEW) for (const { uid } of gone) this.messages.splice(indexFrom(this.messages, uid), 1)
    else this.messages = this.messages.filter((message) => !gone.has(message))
    for (const message of gone) {
      this.byBase.delete(message.base)
      if (this.#byId.get(message.id) === message.uid) this.#byId.delete(message.id)
      this.#count(message, -1)
    }
    for (const range of ranges) this.#expunged.push(range)
    const over = this.#expunged.splice(0, Math.max(0, this.#expunged.length - REMEMBERED))
    this.forgotten = over.at(-1)?.modSeq ?? this.forgotten
    this.modSeq = Math.max(this.modSeq, ranges.at(-1)?.modSeq ?? 0)
  }

  #count({ octets, flags }: Message, by: 1 | -1): void {
    this.octets += by * octets
    if (!flags.includes('\\Seen')) this.unseen += by
    if (flags.includes('\\Deleted')) this.deleted += by
  }
}

/** The message as the journal has it. */
function rowOf(message: Message, [at, length]: readonly [number, number] = [message.factsAt, message.factsLength]): Row {
  const { uid, folder, name, id, modSeq, received, saved, octets, bareLf, extra } = message
  return [uid, folder === 'new' ? 0 : 1, name, id, modSeq, received, saved, octets, bareLf ? 1 : 0, extra, at, length]
}

/** What a store tells of it. */
export function entryOf({ id, uid, modSeq, received, saved, flags, octets }: Message): Entry {
  return { id, uid, modSeq, received, saved, flags: [...flags], octets }
}

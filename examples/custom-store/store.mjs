// A mail store of one's own, over a journal. What it leaves out (move, watch, search, …) is left out by having no such method;
// a server does without. It looks at all entries for whatever it is asked: right for hundreds of messages, not for millions.
import { randomUUID } from 'node:crypto'
import { MailError } from 'posthorn'
import {
  among, canonicalFlags, changedFlags, comparePaths, isAtOrBelow, pageOfFacts, readBody, setOfAscending,
} from 'posthorn/contracts'
import { Journal } from './journal.mjs'

const everyUid = [{ first: 1, last: 2 ** 32 - 1 }]

/** @implements {import('posthorn').MailStore} */
export class JournalStore {
  // Written, not flushed: it survives a crash of the process, not of the machine. A server that must not lose mail wants `disk`.
  traits = { durability: 'process', overhead: 512 }
  #journal

  constructor(path) {
    this.#journal = new Journal(path)
  }

  async mailboxes(account) {
    return this.#of(account).map((box) => this.#view(box)).sort((a, b) => comparePaths(a.path, b.path))
  }

  async create(account, path, use) {
    const boxes = this.#of(account)
    const there = boxes.find((box) => comparePaths(box.path, path) === 0)
    if (there) return this.#view(there)
    if (use && boxes.some((box) => box.use === use)) throw permanent(`There is a mailbox for ${use} already`)
    const uidValidity = this.#nextValidity(this.#numbers.last)
    const box = { id: String(uidValidity), account, path, use, uidValidity, uidNext: 1, modSeq: 1, expunged: 0 }
    this.#journal.write([boxRow(box), ['numbers', '', { ...this.#numbers, last: uidValidity }]])
    return this.#view(box)
  }

  async rename(mailbox, path) {
    const { account, path: from } = this.#box(mailbox)
    if (path.length > from.length && isAtOrBelow(path, from)) throw permanent('That path lies below the mailbox itself')
    const [moving, staying] = [[], []]
    for (const box of this.#of(account)) (isAtOrBelow(box.path, from) ? moving : staying).push(box)
    let { last, left } = this.#numbers
    const changes = moving.map((box) => {
      const to = [...path, ...box.path.slice(from.length)]
      if (staying.some((other) => comparePaths(other.path, to) === 0)) throw permanent(`${to.join('/')} is there already`)
      // Someone may know that path by a mailbox that has left it: under a path UIDVALIDITY only grows.
      const uidValidity = box.uidValidity < this.#numbers.left ? (last = this.#nextValidity(last)) : box.uidValidity
      left = Math.max(left, box.uidValidity)
      return boxRow({ ...box, path: to, uidValidity })
    })
    this.#journal.write([...changes, ['numbers', '', { last, left }]])
  }

  async remove(mailbox) {
    const box = this.#boxes.get(mailbox)
    if (box) this.#journal.write(this.#removal([box]))
  }

  append(mailbox, { body, facts, received, flags = [] }, room) {
    return this.#journal.busy(async () => {
      const bytes = await readBody(body)
      // From here on nothing is waited for: all is decided and written in one step.
      const id = randomUUID()
      const message = { facts: JSON.stringify(facts), body: Buffer.from(bytes).toString('base64') }
      const entry = { id, received, flags: canonicalFlags(flags), octets: bytes.length }
      const [added] = this.#add(this.#box(mailbox), [entry], room, [['messages', id, message]])
      return this.#withFacts(added)
    })
  }

  async *entries(mailbox, which) {
    const found = this.#found(mailbox, which)
    if (found.length > 0) yield found.map(entryOf)
  }

  async *list(mailbox, which) {
    const found = this.#found(mailbox, which)
    const lengths = found.map(({ id }) => this.#journal.table('messages').get(id).facts.length)
    for (let at = 0, count; at < found.length; at += count) {
      count = pageOfFacts(lengths.slice(at, at + 1000))
      yield found.slice(at, at + count).map((entry) => this.#withFacts(entry))
    }
  }

  async changes(mailbox, since, most = 1000) {
    const box = this.#box(mailbox)
    const changed = this.#in(mailbox).filter(({ modSeq }) => modSeq > since).sort((a, b) => a.modSeq - b.modSeq).map(entryOf)
    const [told, more] = [changed.slice(0, most), changed.length > most]
    // It keeps no list of what was expunged; it knows whether there is something to be told, and says that it cannot.
    return { modSeq: more ? told.at(-1).modSeq : box.modSeq, changed: told, vanished: [], more, complete: since >= box.expunged }
  }

  async flag(mailbox, uids, change, unchangedSince = Infinity) {
    const box = this.#box(mailbox)
    const chosen = among(this.#in(mailbox), uids)
    let { modSeq } = box
    const changed = chosen.filter((entry) => entry.modSeq <= unchangedSince).flatMap((entry) => {
      const flags = changedFlags(entry.flags, change)
      return flags ? [{ ...entry, flags, modSeq: ++modSeq }] : []
    })
    if (changed.length > 0) this.#journal.write([...changed.map(rowOf), boxRow({ ...box, modSeq })])
    return { changed: changed.map(entryOf), modified: uidsOf(chosen.filter((entry) => entry.modSeq > unchangedSince)) }
  }

  async expunge(mailbox, uids) {
    const box = this.#box(mailbox)
    const gone = among(this.#in(mailbox), uids)
    const modSeq = box.modSeq + 1
    if (gone.length > 0) this.#journal.write([...this.#gone(gone), boxRow({ ...box, modSeq, expunged: modSeq })])
    return uidsOf(gone)
  }

  async copy(mailbox, uids, to, room) {
    const entries = among(this.#in(this.#box(mailbox).id), uids)
    return this.#add(this.#box(to), entries, room).map(({ uid }, index) => ({ from: entries[index].uid, to: uid }))
  }

  async body(id) {
    const message = this.#journal.table('messages').get(id)
    if (!message) return undefined
    const bytes = Buffer.from(message.body, 'base64')
    return {
      id,
      size: bytes.length,
      async *read({ start, end } = { start: 0, end: bytes.length }) {
        if (start < end) yield bytes.subarray(start, end)
      },
    }
  }

  async usage(account) {
    return this.#usage(account)
  }

  async erase(account) {
    this.#journal.write(this.#removal(this.#of(account)))
    this.#journal.compact()
  }

  close() {
    return this.#journal.close()
  }
  get #boxes() {
    return this.#journal.table('boxes')
  }

  #box(mailbox) {
    const box = this.#boxes.get(mailbox)
    if (!box) throw permanent(`There is no mailbox ${mailbox}`)
    return box
  }

  #of(account) {
    return [...this.#boxes.values()].filter((box) => box.account === account)
  }

  #in(mailbox) {
    return [...this.#journal.table('entries').values()].filter((entry) => entry.mailbox === mailbox)
  }

  #view({ expunged: _, use, ...box }) {
    const entries = this.#in(box.id)
    const having = (flag) => entries.filter(({ flags }) => flags.includes(flag)).length
    const octets = entries.reduce((sum, entry) => sum + entry.octets, 0)
    const counted = { messages: entries.length, unseen: entries.length - having('\\Seen'), deleted: having('\\Deleted'), octets }
    return { ...box, ...counted, ...(use && { use }) }
  }

  #withFacts(entry) {
    return { ...entryOf(entry), mailbox: entry.mailbox, facts: JSON.parse(this.#journal.table('messages').get(entry.id).facts) }
  }

  #found(mailbox, { uids = everyUid, since = 0 } = {}) {
    return among(this.#in(mailbox), uids).filter(({ modSeq }) => modSeq > since)
  }

  /** The highest UIDVALIDITY there was, and the highest of a mailbox that has left its path. */
  get #numbers() {
    return this.#journal.table('numbers').get('') ?? { last: 0, left: 0 }
  }

  #nextValidity(last) {
    return Math.max(last + 1, Math.floor(Date.now() / 1000))
  }

  #removal(boxes) {
    const { last, left } = this.#numbers
    const numbers = { last, left: Math.max(left, ...boxes.map(({ uidValidity }) => uidValidity)) }
    const gone = this.#gone(boxes.flatMap(({ id }) => this.#in(id)))
    return [...gone, ...boxes.map(({ id }) => ['boxes', id, null]), ['numbers', '', numbers]]
  }

  /** The end of entries, and of messages that no other entry has. */
  #gone(entries) {
    const keys = new Set(entries.map(keyOf))
    const kept = new Set([...this.#journal.table('entries').values()].filter((one) => !keys.has(keyOf(one))).map(({ id }) => id))
    const unused = new Set(entries.map(({ id }) => id).filter((id) => !kept.has(id)))
    return [...[...keys].map((key) => ['entries', key, null]), ...[...unused].map((id) => ['messages', id, null])]
  }

  /** Adds entries to a mailbox where there is room for them, together with what they need. */
  #add(box, entries, { quota } = {}, needs = []) {
    const { messages, octets } = this.#usage(box.account, entries)
    const over = quota && (messages > quota.messages || octets > quota.octets)
    if (over) throw new MailError('quota', 'The account would hold more than it may')
    const { id: mailbox, uidNext, modSeq } = box
    const saved = Date.now()
    const added = entries.map((entry, i) => ({ ...entry, mailbox, uid: uidNext + i, modSeq: modSeq + 1 + i, saved }))
    const after = { ...box, uidNext: uidNext + added.length, modSeq: modSeq + added.length }
    if (added.length > 0) this.#journal.write([...needs, ...added.map(rowOf), boxRow(after)])
    return added
  }

  #usage(account, more = []) {
    const all = [...this.#of(account).flatMap(({ id }) => this.#in(id)), ...more]
    return { messages: all.length, octets: all.reduce((sum, { octets }) => sum + octets + this.traits.overhead, 0) }
  }
}

const keyOf = ({ mailbox, uid }) => `${mailbox} ${uid}`
const rowOf = (entry) => ['entries', keyOf(entry), entry]
const boxRow = (box) => ['boxes', box.id, box]
const entryOf = ({ mailbox: _, ...entry }) => entry
const uidsOf = (entries) => setOfAscending(entries.map(({ uid }) => uid))
const permanent = (message) => new MailError('permanent', message)

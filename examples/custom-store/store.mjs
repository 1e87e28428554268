// A mail store of one's own, over a journal. What it leaves out (move, watch, search, …) is left out by having no such method;
// a server does without. It looks at all entries for whatever it is asked: right for hundreds of messages, not for millions.
import { randomUUID } from 'node:crypto'
import { MailError } from 'posthorn'
import { Journal } from './journal.mjs'
import { among, changedFlags, comparePaths, everyUid, octetsOf, ranges, spelt, startsWith } from './values.mjs'

const PAGE = 200

/** @implements {import('posthorn').MailStore} */
export class JournalStore {
  // Written, not flushed: it survives a crash of the process, not of the machine. A server that must not lose mail wants `disk`.
  traits = { durability: 'process', overhead: 512 }
  #journal
  #appends = new Set()
  #closing = false

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
    const uidValidity = this.#after(this.#numbers.last)
    const id = String(uidValidity)
    const box = { id, account, path, use, uidValidity, uidNext: 1, modSeq: 0, expunged: 0 }
    this.#journal.write([['boxes', id, box], ['numbers', '', { ...this.#numbers, last: uidValidity }]])
    return this.#view(box)
  }

  async rename(mailbox, path) {
    const { account, path: from } = this.#box(mailbox)
    if (path.length > from.length && startsWith(path, from)) throw permanent('That path lies below the mailbox itself')
    const [moving, staying] = [[], []]
    for (const box of this.#of(account)) (startsWith(box.path, from) ? moving : staying).push(box)
    const changes = []
    let { last, left } = this.#numbers
    for (const box of moving) {
      const to = [...path, ...box.path.slice(from.length)]
      const taken = staying.some((other) => comparePaths(other.path, to) === 0)
      if (taken) throw permanent(`There is a mailbox ${to.join('/')} already`)
      // Someone may know that path by a mailbox that has left it: under a path UIDVALIDITY only grows.
      const uidValidity = box.uidValidity < this.#numbers.left ? (last = this.#after(last)) : box.uidValidity
      left = Math.max(left, box.uidValidity)
      changes.push(['boxes', box.id, { ...box, path: to, uidValidity }])
    }
    this.#journal.write([...changes, ['numbers', '', { last, left }]])
  }

  async remove(mailbox) {
    const box = this.#boxes.get(mailbox)
    if (box) this.#journal.write(this.#removal([box]))
  }

  async append(mailbox, message, room) {
    if (this.#closing) throw new MailError('closed', 'The store was closed')
    const append = this.#append(mailbox, message, room)
    this.#appends.add(append)
    return append.finally(() => this.#appends.delete(append))
  }

  async #append(mailbox, { body, facts, received, flags = [] }, room) {
    const bytes = await octetsOf(body)
    // From here on nothing is waited for: all is decided and written in one step.
    const box = this.#box(mailbox)
    this.#checkRoom(box.account, [bytes.length], room)
    const id = randomUUID()
    const changes = [['messages', id, { facts: JSON.stringify(facts), body: bytes.toString('base64') }]]
    const [entry] = this.#add(changes, box, [{ id, received, flags: spelt(flags), octets: bytes.length }])
    this.#journal.write(changes)
    return this.#withFacts(entry)
  }

  entries(mailbox, which) {
    return this.#pages(mailbox, which, entryOf)
  }

  list(mailbox, which) {
    return this.#pages(mailbox, which, (entry) => this.#withFacts(entry))
  }

  async changes(mailbox, since, most = 1000) {
    const box = this.#box(mailbox)
    const changed = this.#in(mailbox).filter(({ modSeq }) => modSeq > since).sort((a, b) => a.modSeq - b.modSeq)
    const more = changed.length > most
    const told = changed.slice(0, most).map(entryOf)
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
    if (changed.length > 0) this.#journal.write([...changed.map(rowOf), ['boxes', box.id, { ...box, modSeq }]])
    return { changed: changed.map(entryOf), modified: ranges(chosen.filter((entry) => entry.modSeq > unchangedSince)) }
  }

  async expunge(mailbox, uids) {
    const box = this.#box(mailbox)
    const gone = among(this.#in(mailbox), uids)
    const modSeq = box.modSeq + 1
    if (gone.length > 0) this.#journal.write([...this.#gone(gone), ['boxes', box.id, { ...box, modSeq, expunged: modSeq }]])
    return ranges(gone)
  }

  async copy(mailbox, uids, to, room) {
    const [from, target] = [this.#box(mailbox), this.#box(to)]
    const entries = among(this.#in(from.id), uids)
    this.#checkRoom(target.account, entries.map(({ octets }) => octets), room)
    const changes = []
    const copies = this.#add(changes, target, entries)
    this.#journal.write(changes)
    return copies.map(({ uid }, index) => ({ from: entries[index].uid, to: uid }))
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

  async close() {
    this.#closing = true
    await Promise.allSettled(this.#appends)
    this.#journal.close()
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
    return {
      ...box,
      messages: entries.length,
      unseen: entries.length - having('\\Seen'),
      deleted: having('\\Deleted'),
      octets: entries.reduce((sum, { octets }) => sum + octets, 0),
      ...(use && { use }),
    }
  }

  #withFacts(entry) {
    return { ...entryOf(entry), mailbox: entry.mailbox, facts: JSON.parse(this.#journal.table('messages').get(entry.id).facts) }
  }

  async *#pages(mailbox, { uids = everyUid, since = 0 } = {}, as) {
    for (let after = 0; ;) {
      const rest = among(this.#in(mailbox), uids).filter(({ uid, modSeq }) => uid > after && modSeq > since)
      if (rest.length === 0) return
      const page = rest.slice(0, PAGE)
      yield page.map(as)
      after = page.at(-1).uid
    }
  }

  /** The highest UIDVALIDITY there was, and the highest of a mailbox that has left its path. */
  get #numbers() {
    return this.#journal.table('numbers').get('') ?? { last: 0, left: 0 }
  }

  #after(validity) {
    return Math.max(validity + 1, Math.floor(Date.now() / 1000))
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
    const others = [...this.#journal.table('entries').values()].filter((entry) => !keys.has(keyOf(entry)))
    const kept = new Set(others.map(({ id }) => id))
    const unused = new Set(entries.map(({ id }) => id).filter((id) => !kept.has(id)))
    return [...[...keys].map((key) => ['entries', key, null]), ...[...unused].map((id) => ['messages', id, null])]
  }

  #add(changes, box, entries) {
    const { id: mailbox, uidNext, modSeq } = box
    const saved = Date.now()
    const added = entries.map((entry, i) => ({ ...entry, mailbox, uid: uidNext + i, modSeq: modSeq + 1 + i, saved }))
    const after = { ...box, uidNext: uidNext + added.length, modSeq: modSeq + added.length }
    if (added.length > 0) changes.push(...added.map(rowOf), ['boxes', mailbox, after])
    return added
  }

  #usage(account, more = []) {
    const sizes = [...this.#of(account).flatMap(({ id }) => this.#in(id)).map(({ octets }) => octets), ...more]
    return { messages: sizes.length, octets: sizes.reduce((sum, octets) => sum + octets + this.traits.overhead, 0) }
  }

  #checkRoom(account, sizes, { quota } = {}) {
    if (!quota) return
    const { messages, octets } = this.#usage(account, sizes)
    const over = messages > quota.messages || octets > quota.octets
    if (over) throw new MailError('quota', 'The account would hold more than it may')
  }
}

const keyOf = ({ mailbox, uid }) => `${mailbox} ${uid}`
const rowOf = (entry) => ['entries', keyOf(entry), entry]
const entryOf = ({ mailbox: _, ...entry }) => entry
const permanent = (message) => new MailError('permanent', message)

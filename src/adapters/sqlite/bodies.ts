import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { Body, ByteRange, StoredBody } from '../../contracts/bodies.ts'
import type { MessageId, MessageRange } from '../../contracts/store.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Appending } from './append.ts'
import { rowId } from './counters.ts'
import { bytesIn, type Connection, type Statement } from './driver.ts'
import { keepFile, pathOf, readFile, removeFile } from './files.ts'
import { factsText, Keeping } from './keeping.ts'
import { KeptBody } from './kept-body.ts'
import type { Content, Shared } from './recent.ts'

/** Octets of a body read at a time, where it is in a row. */
const CHUNK = 1024 * 1024

/** Octets that bodies of one transaction take in rows together; the loop stands still while they are written. */
const MOST_IN_ROWS = 8 * 1024 * 1024

/** Ranges from which on they are read by one query, and how long they may be on average. */
const LEAST_PIECES = 4
const MOST_PIECE = 16 * 1024

/** Runs a query; what it throws becomes a MailError. */
export type Read = <T>(query: () => T) => T

/** Bodies that are there, in rows and files. */
export class StoredBodies {
  readonly #db: Connection
  readonly #folder: string
  readonly #read: Read
  readonly #message: Statement
  readonly #data: Statement
  readonly #piece: Statement
  readonly #octets: Statement
  readonly #pieces: Statement
  readonly #facts: Statement

  constructor(db: Connection, folder: string, read: Read) {
    this.#db = db
    this.#folder = folder
    this.#read = read
    this.#message = db.prepare('SELECT octets, file FROM messages AS m WHERE id = ?'
      + ' AND NOT EXISTS (SELECT 1 FROM shares WHERE message = m.id AND extra < 0)')
    this.#data = db.prepare('SELECT data FROM bodies WHERE id = ?')
    this.#facts = db.prepare('SELECT facts FROM messages WHERE id = ?')
    this.#piece = db.prepare('SELECT substr(data, ?, ?) AS data FROM bodies WHERE id = ?')
    // The length alone is told without reading the row; all of it is given without a copy.
    this.#octets = db.prepare('SELECT CASE length(data) WHEN ? THEN data ELSE substr(data, ?, ?) END AS data FROM bodies AS b'
      + ' WHERE id = ? AND NOT EXISTS (SELECT 1 FROM shares WHERE message = b.id AND extra < 0)')
    // As text octets are put together whatever they are.
    this.#pieces = db.prepare('SELECT count(b.id) AS found,'
      + " CAST(group_concat(CAST(substr(b.data, w.value ->> 1, w.value ->> 2) AS TEXT), '') AS BLOB) AS data"
      + ' FROM json_each(?) AS w LEFT JOIN bodies AS b ON b.id = w.value ->> 0'
      + ' AND NOT EXISTS (SELECT 1 FROM shares WHERE message = b.id AND extra < 0)')
  }

  /** What a message says, as it is kept, or `undefined` where it is not there. */
  facts(row: number): string | undefined {
    return this.#read(() => this.#facts.get(row))?.['facts'] as string | undefined
  }

  /** The body of a message, or `undefined` where no mailbox has the message. */
  open(message: MessageId): StoredBody | undefined {
    const row = rowId(message)
    const found = this.#read(() => (row === undefined ? undefined : this.#message.get(row)))
    if (row === undefined || !found) return undefined
    const size = found['octets'] as number
    if (found['file'] === null) return new KeptBody(this.#db, row, size, undefined, (range) => this.#readRow(row, range, size))
    const file = pathOf(this.#folder, found['file'] as string)
    return new KeptBody(this.#db, row, size, file, (range) => readFile(file, range))
  }

  /** Octets that lie in rows, at once. */
  octets(ranges: readonly MessageRange[]): (Uint8Array | undefined)[] {
    const octets = ranges.reduce((sum, { start, end }) => sum + end - start, 0)
    const isOne = ranges.length >= LEAST_PIECES && octets <= ranges.length * MOST_PIECE
    return (isOne && this.#inOnePiece(ranges, octets)) || this.#read(() => ranges.map(({ message, start, end }) => {
      const row = rowId(message)
      const found = row === undefined ? undefined : this.#octets.get(end - start, start + 1, end - start, row)
      return found && bytesIn(found, 'data')
    }))
  }

  /**
   * The same by one query: what that saves is more than to copy small ranges once more costs. `undefined`: not all of them lie
   * in rows.
   */
  #inOnePiece(ranges: readonly MessageRange[], octets: number): Uint8Array[] | undefined {
    const wanted = ranges.map(({ message, start, end }) => [rowId(message) ?? 0, start + 1, end - start])
    const row = this.#read(() => this.#pieces.get(JSON.stringify(wanted)))
    const all = row && row['data'] !== null ? bytesIn(row, 'data') : undefined
    if (all?.length !== octets || row?.['found'] !== ranges.length) return undefined
    let at = 0
    return ranges.map(({ start, end }) => all.subarray(at, (at += end - start)))
  }

  async *#readRow(row: number, { start, end }: ByteRange, size: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = start; at < end; at += CHUNK) {
      const length = Math.min(CHUNK, end - at)
      const found = this.#read(() => (length === size ? this.#data.get(row) : this.#piece.get(at + 1, length, row)))
      if (!found) throw new MailError('permanent', `Message ${row} was removed`)
      yield bytesIn(found, 'data')
      if (at + CHUNK < end) await turn()
    }
  }
}

/** From where on what is done with a body. */
export interface Thresholds {
  /** Bodies above this many octets become files. */
  readonly file: number
  /** Bodies from this many octets on are looked for by hash. */
  readonly hash: number
}

/** Bodies that come in: at hand, to be gathered, or to become files. */
export class NewBodies {
  readonly #appending: Appending
  readonly #from: Thresholds
  readonly #read: Read

  constructor(appending: Appending, from: Thresholds, read: Read) {
    this.#appending = appending
    this.#from = from
    this.#read = read
  }

  /** The common case: the octets are at hand and fit into a row. `undefined`: it is not so; then {@link take}. */
  atHand(message: Content): Keeping | undefined {
    const { size, bytes } = message.body
    if (size > this.#from.file || bytes?.length !== size) return undefined
    return this.#inRow(message, bytes)
  }

  /** Reads the bodies, or writes them to files, and gives them to `add`, which resolves when they are stored. */
  async take<T>(all: readonly Content[], add: (keepings: readonly Keeping[]) => Promise<T>): Promise<T> {
    const files: Shared[] = []
    const rows = new Set<Body>()
    let room = Math.max(MOST_IN_ROWS, this.#from.file)
    try {
      // One after the other: a file is there once and for all of them before the next is begun.
      const keepings: Keeping[] = []
      for (const message of all) {
        const { body } = message
        const kept = this.#kept(message)
        if (kept) {
          keepings.push(kept)
          continue
        }
        if (!rows.has(body) && body.size <= Math.min(room, this.#from.file)) {
          rows.add(body)
          room -= body.size
        }
        keepings.push(rows.has(body)
          ? this.atHand(message) ?? this.#inRow(message, await gather(body))
          : await this.#inFile(message, files))
      }
      return await add(keepings)
    } finally {
      for (const shared of files) await this.#release(shared)
    }
  }

  /** The message is in this database already, and says the same: however large, there is nothing to be read. */
  #kept(message: Content): Keeping | undefined {
    const row = this.#appending.rowOf(message.body)
    if (row === undefined || this.#read(() => this.#appending.facts(row)) !== factsText(message.facts)) return undefined
    const shared = this.#appending.shared(message)
    shared.committed = row
    return new Keeping(message, undefined, this.#appending, shared)
  }

  #inRow(message: Content, bytes: Uint8Array): Keeping {
    const shared = this.#appending.shared(message)
    if (bytes.length >= this.#from.hash && shared.committed === undefined) {
      shared.hash ??= createHash('sha256').update(bytes).update(factsText(message.facts)).digest()
    }
    return new Keeping(message, bytes, this.#appending, shared)
  }

  /** One file, however many get the message. */
  async #inFile(message: Content, files: Shared[]): Promise<Keeping> {
    const shared = this.#appending.shared(message)
    const known = shared.committed
    if (known !== undefined) {
      if (this.#read(() => this.#appending.exists(known))) return new Keeping(message, undefined, this.#appending, shared)
      shared.committed = undefined
    }
    files.push(shared)
    shared.users++
    shared.file ??= this.#keep(shared, message)
    return new Keeping(message, await shared.file, this.#appending, shared)
  }

  async #keep(shared: Shared, { body, facts }: Content): Promise<string> {
    shared.isFileKept = false
    const hash = body.size >= this.#from.hash ? createHash('sha256') : undefined
    const file = await keepFile(this.#appending.folder, body, hash)
    shared.hash = hash?.update(factsText(facts)).digest()
    return file
  }

  /** The last one out removes a file that no row names; what cannot be removed now is swept at the next open. */
  async #release(shared: Shared): Promise<void> {
    if (--shared.users > 0) return
    const { file } = shared
    shared.file = undefined
    if (!shared.isFileKept) await file?.then((name) => removeFile(pathOf(this.#appending.folder, name))).catch(() => {})
  }
}

/** All octets of a body that is small enough to be held. */
export async function gather(body: Body): Promise<Uint8Array> {
  const all = new Uint8Array(body.size)
  let octets = 0
  for await (const chunk of body.bytes ? [body.bytes] : body.read()) {
    if (octets + chunk.length <= all.length) all.set(chunk, octets)
    octets += chunk.length
  }
  if (octets !== body.size) throw new MailError('misuse', `body: says ${body.size} octets, has ${octets}`)
  return all
}

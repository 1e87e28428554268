// Tables in memory, and a file with a line for each change to them: a database small enough to read.
import { appendFileSync, closeSync, existsSync, ftruncateSync, openSync, readFileSync, renameSync } from 'node:fs'
import { statSync, writeFileSync } from 'node:fs'
import { MailError } from 'posthorn'

export class Journal {
  #path
  #file
  #length = 0
  #tables = new Map()
  #work = new Set()
  #closing = false

  constructor(path) {
    this.#path = path
    const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
    // What stands behind the last line end was cut short by a crash: it never was.
    for (const line of text.split('\n').slice(0, -1)) this.#apply(JSON.parse(line))
    this.compact()
  }

  /** The rows of a table by key, oldest first. Not to be written to. */
  table(name) {
    if (this.#file === undefined) throw new MailError('closed', 'The store was closed')
    return this.#tables.get(name) ?? new Map()
  }

  /** Changes all of them or none: `[table, key, row]`, with `null` to remove a row. */
  write(changes) {
    if (changes.length === 0) return
    const line = `${JSON.stringify(changes)}\n`
    try {
      appendFileSync(this.#file, line)
    } catch (cause) {
      ftruncateSync(this.#file, this.#length)
      throw new MailError('temporary', 'The journal cannot be written', { cause })
    }
    this.#length += Buffer.byteLength(line)
    this.#apply(changes)
  }

  /** Forgets for good what is no more: writes a new file, and puts it in the place of the old one. */
  compact() {
    const rows = [...this.#tables].flatMap(([table, its]) => [...its].map(([key, row]) => [[table, key, row]]))
    writeFileSync(`${this.#path}.new`, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    renameSync(`${this.#path}.new`, this.#path)
    this.#release()
    this.#file = openSync(this.#path, 'a')
    this.#length = statSync(this.#path).size
  }

  /** Does work that has to wait for something before it writes; `close` waits for it. */
  async busy(work) {
    if (this.#closing) throw new MailError('closed', 'The store was closed')
    const doing = work()
    this.#work.add(doing)
    return doing.finally(() => this.#work.delete(doing))
  }

  async close() {
    this.#closing = true
    await Promise.allSettled(this.#work)
    this.#release()
  }

  #release() {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #apply(changes) {
    for (const [table, key, row] of changes) {
      if (!this.#tables.has(table)) this.#tables.set(table, new Map())
      if (row === null) this.#tables.get(table).delete(key)
      else this.#tables.get(table).set(key, row)
    }
  }
}

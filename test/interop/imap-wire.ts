import { connect, type Socket } from 'node:net'
import { PATIENCE } from './children.ts'

/** A value in an answer: NIL, an atom, a string, or a list. Octets are the code units of strings. */
export type Value = null | Atom | string | readonly Value[]

/** What stands bare in an answer: a number, a flag, an item with its section in brackets. */
export interface Atom {
  readonly atom: string
}

/** What a server said to a command. */
export interface Answer {
  /** The tagged response, without the tag. */
  readonly end: string
  /** Untagged responses, each with what stood in it. */
  readonly lines: readonly (readonly Value[])[]
  /** All of it, as it came. */
  readonly said: string
}

/** A connection to an IMAP server for whoever wants to see what it says. One command at a time. */
export class ImapWire {
  readonly #socket: Socket
  #came = ''
  #changed: () => void = () => undefined
  #tag = 0
  #said = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.#came += text
      this.#changed()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#changed())
  }

  /** Connects and logs in. */
  static async open(port: number, user: string, password: string): Promise<ImapWire> {
    const wire = new ImapWire(connect(port, '127.0.0.1'))
    await wire.#line()
    await wire.ok(`LOGIN ${user} ${password}`)
    return wire
  }

  /** Says a command, whose literals do not wait; octets are code units. */
  async command(text: string): Promise<Answer> {
    const tag = `t${++this.#tag}`
    this.#said = text.slice(0, 200)
    this.#socket.write(`${tag} ${text}\r\n`, 'latin1')
    const lines: Value[][] = []
    let said = ''
    for (;;) {
      const line = await this.#line()
      said += line
      if (line.startsWith(`${tag} `)) return { end: line.slice(tag.length + 1, -2), lines, said }
      lines.push(parsed(line.slice(2, -2)))
    }
  }

  /** Says a command that must succeed. */
  async ok(text: string): Promise<Answer> {
    const answer = await this.command(text)
    if (!answer.end.startsWith('OK')) throw new Error(`${text.slice(0, 200)}: ${answer.end}`)
    return answer
  }

  /** What FETCH says: for each number the items by name. */
  async fetch(text: string): Promise<Map<number, Map<string, Value>>> {
    const found = new Map<number, Map<string, Value>>()
    for (const [number, kind, list] of (await this.ok(text)).lines) {
      if (atomOf(kind) !== 'FETCH' || !Array.isArray(list)) continue
      const at = Number(atomOf(number))
      const items = found.get(at) ?? new Map<string, Value>()
      found.set(at, items)
      for (let item = 0; item < list.length; item += 2) items.set(atomOf(list[item] as Value) ?? '?', list[item + 1] as Value)
    }
    return found
  }

  /** The numbers that SEARCH or SORT finds; the tagged response where it is not OK. */
  async numbers(text: string): Promise<string> {
    const { end, lines } = await this.command(text)
    if (!end.startsWith('OK')) return end
    const line = lines.find(([kind]) => /^(?:SEARCH|SORT|THREAD)$/.test(atomOf(kind) ?? ''))
    return line === undefined ? 'nothing' : shown(line.slice(1))
  }

  async close(): Promise<void> {
    await this.command('LOGOUT').catch(() => undefined)
    this.#socket.destroy()
  }

  /** The next response, with the literals in it. */
  #line(): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${this.#said}: ${this.#came.slice(-500)}`)), PATIENCE)
      const settle = (act: () => void): void => {
        clearTimeout(timer)
        this.#changed = () => undefined
        act()
      }
      this.#changed = () => {
        const end = endOfResponse(this.#came)
        if (end === undefined) {
          if (this.#socket.destroyed) settle(() => reject(new Error(`closed after ${this.#said}: ${this.#came.slice(-500)}`)))
          return
        }
        const line = this.#came.slice(0, end)
        this.#came = this.#came.slice(end)
        settle(() => resolve(line))
      }
      this.#changed()
    })
  }
}

/** Where the first response in the text ends. */
function endOfResponse(text: string): number | undefined {
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n', at)
    if (end < 0) return undefined
    const literal = /\{(\d+)\}$/.exec(text.slice(Math.max(at, end - 24), end))
    if (!literal) return end + 2
    at = end + 2 + Number(literal[1])
    if (at > text.length) return undefined
  }
}

/** The name of an atom. */
export function atomOf(value: Value | undefined): string | undefined {
  return value !== null && typeof value === 'object' && 'atom' in value ? value.atom : undefined
}

/** As text, the same for the same values however they were written: literals and quoted strings alike. */
export function shown(value: Value | undefined): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'NIL'
  if (typeof value === 'string') return JSON.stringify(value)
  return 'atom' in value ? value.atom : `(${value.map(shown).join(' ')})`
}

/** The values in a response; of text that is no such thing whatever can be made of it. */
function parsed(text: string): Value[] {
  const root: Value[] = []
  const open: Value[][] = [root]
  const put = (value: Value): unknown => open[open.length - 1]!.push(value)
  for (let at = 0; at < text.length;) {
    const octet = text[at]!
    if (octet === '(') {
      const list: Value[] = []
      put(list)
      open.push(list)
      at++
    } else if (octet === ')') {
      if (open.length > 1) open.pop()
      at++
    } else if (octet === '"') {
      const end = endOfQuoted(text, at)
      put(text.slice(at + 1, end - 1).replace(/\\(.)/gs, '$1'))
      at = end
    } else if (octet === '{') {
      const from = text.indexOf('\r\n', at) + 2
      const end = from + Number(text.slice(at + 1, from - 3))
      put(text.slice(from, end))
      at = end
    } else if (octet === ' ') at++
    else {
      const end = endOfAtom(text, at)
      const atom = text.slice(at, end)
      put(atom.toUpperCase() === 'NIL' ? null : { atom })
      at = end
    }
  }
  return root
}

function endOfQuoted(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return text.length
}

/** An atom ends before a blank or parenthesis, unless that stands in brackets: `BODY[HEADER.FIELDS (To)]<0>`. */
function endOfAtom(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const octet = text[at]!
    if (octet === '[') depth++
    else if (octet === ']') depth--
    else if (depth <= 0 && (octet === ' ' || octet === '(' || octet === ')')) return Math.max(at, from + 1)
  }
  return text.length
}

import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../../protocol/session/clock.ts'

/** Milliseconds after which the file is read anew. */
const READ_AGAIN = 10_000

/** Where this system keeps its table of hosts. */
export const SYSTEM_HOSTS =
  process.platform === 'win32'
    ? join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32\\drivers\\etc\\hosts')
    : '/etc/hosts'

/** Names that are known without asking: `localhost`, and those in the system's table. */
export class HostsTable {
  readonly #path: string | undefined
  readonly #clock: Clock
  #names = new Map<string, readonly string[]>()
  #read = -Infinity
  #reading: Promise<void> = Promise.resolve()

  constructor(path: string | undefined, clock: Clock) {
    this.#path = path
    this.#clock = clock
  }

  /** The addresses of a name (lower case) for a type; `undefined`: the DNS has to be asked. */
  async find(name: string, type: 'A' | 'AAAA'): Promise<readonly string[] | undefined> {
    // RFC 6761 §6.3: never a question for the DNS, whatever the table says or lacks.
    if (name === 'localhost' || name.endsWith('.localhost')) return [type === 'A' ? '127.0.0.1' : '::1']
    if (this.#path === undefined) return undefined
    const now = this.#clock.ticks()
    if (now - this.#read >= READ_AGAIN) {
      this.#read = now
      this.#reading = this.#load(this.#path)
    }
    await this.#reading
    const found = this.#names.get(name)?.filter((address) => isIP(address) === (type === 'A' ? 4 : 6))
    return found !== undefined && found.length > 0 ? found : undefined
  }

  async #load(path: string): Promise<void> {
    try {
      this.#names = parseHosts(await readFile(path, 'utf8'))
    } catch {
      // No table is a table with nothing in it: many containers have none.
      this.#names = new Map()
    }
  }
}

function parseHosts(text: string): Map<string, readonly string[]> {
  const names = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...rest] = (line.split('#', 1)[0] ?? '').split(/\s+/).filter((word) => word !== '')
    if (isIP(address) === 0) continue
    for (const given of rest) {
      const name = given.toLowerCase()
      const known = names.get(name)
      if (known === undefined) names.set(name, [address.toLowerCase()])
      else if (!known.includes(address.toLowerCase())) known.push(address.toLowerCase())
    }
  }
  return names
}

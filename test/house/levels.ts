import { type Finding, mentions, type Source, target } from './source.ts'

/** The rooms of docs/architecture.md §2 by level: a room may import from rooms of a lower level. */
const levels = new Map([
  ['protocol/bytes', 0],
  ['message', 1],
  ['protocol/sasl', 1],
  ['protocol/session', 1],
  ['protocol/smtp', 2],
  ['protocol/imap', 2],
  ['protocol/pop3', 2],
  ['contracts', 2],
  ['accounts', 3],
  ['inbound', 3],
  ['outbound', 3],
  ['observe', 3],
  ['adapters', 4],
  ['server', 5],
  ['admin', 5],
  ['cli', 6],
  ['index', 6],
  ['testing', 7],
])

/** What levels do not tell: an adapter serves a contract, it knows nothing of the conversations and pipelines. */
const conversations = ['protocol/smtp', 'protocol/imap', 'protocol/pop3']
const walls = new Map([['adapters', new Set([...conversations, 'accounts', 'inbound', 'outbound', 'observe'])]])

/** The packages that a room other than an adapter may import. */
const packages = new Map([
  ['message', new Set(['iconv-lite', 'punycode.js'])],
  ['admin', new Set(['hono', 'hono-openapi', 'valibot'])],
  ['cli', new Set(['commander'])],
  ['testing', new Set(['vitest'])],
])

/**
 * Packages that a user may not have, or that not every supported Node has: imported when needed, never at module top. Types
 * are erased; that none of them is published is seen in the package itself.
 */
const optional = new Set([
  '@node-rs/argon2', 'bcryptjs', 'better-sqlite3', 'libsql', 'mailauth', 'mailparser', 'node:sqlite', 'nodemailer',
])

interface Room {
  /** Its name in {@link levels}. */
  readonly kind: string
  /** Its folder: each adapter is a room of its own. */
  readonly folder: string
  readonly level: number
}

/** The room that a path of `src/` lies in. */
export function roomOf(path: string): Room | undefined {
  if (path === 'src/index.ts') return { kind: 'index', folder: 'src', level: 6 }
  const [top = '', next = '', deeper] = path.replace(/^src\//, '').split('/')
  const nested = top === 'protocol' || top === 'adapters'
  if (nested && deeper === undefined) return undefined
  const kind = top === 'protocol' ? `protocol/${next}` : top
  const level = next === '' ? undefined : levels.get(kind)
  return level === undefined ? undefined : { kind, folder: nested ? `${top}/${next}` : top, level }
}

/** Levels 0 to 3: the rooms that know nothing of the machine. */
export function isNeutral(path: string): boolean {
  const room = roomOf(path)
  return room !== undefined && room.level <= 3
}

/** Who may import whom, and which packages. */
export function levelFindings(sources: readonly Source[]): Finding[] {
  const found: Finding[] = []
  for (const source of sources) {
    if (!source.path.startsWith('src/') || source.path.endsWith('.d.ts')) continue
    const room = roomOf(source.path)
    if (!room) {
      found.push({ path: source.path, line: 1, message: 'lies in no room of docs/architecture.md §2' })
      continue
    }
    for (const { specifier, line, lazy, typeOnly } of mentions(source)) {
      const message = specifier.startsWith('.')
        ? inside(room, target(source.path, specifier), specifier)
        : outside(room, specifier, lazy || typeOnly, source.path)
      if (message) found.push({ path: source.path, line, message })
    }
  }
  return found
}

function inside(from: Room, path: string, specifier: string): string | undefined {
  if (!/\.ts$/.test(specifier)) return `imports ${specifier}: imports carry the .ts extension`
  const to = roomOf(path)
  if (!to) return `imports ${path}, which lies in no room`
  if (to.folder === from.folder) return undefined
  if (to.kind === 'testing') return `imports ${path}: nothing imports testing`
  if (to.level >= from.level) return `${from.folder} (level ${from.level}) imports ${path} (level ${to.level})`
  if (walls.get(from.kind)?.has(to.kind)) return `${from.folder} imports ${path}: it may know contracts and levels 0 and 1`
  return undefined
}

function outside(room: Room, specifier: string, harmless: boolean, path: string): string | undefined {
  const name = packageOf(specifier)
  if (name === 'posthorn') return `${path} imports the package by its name`
  if (room.kind !== 'adapters') return packages.get(room.kind)?.has(name) ? undefined : `${room.folder} imports ${specifier}`
  if (!optional.has(name) || harmless) return undefined
  return `imports ${specifier} at module top: not everybody has it, so import() it when it is needed`
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}

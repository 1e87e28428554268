import { utf8Octets } from '../protocol/bytes/text.ts'
import { MailError } from '../protocol/session/errors.ts'

/*
 * Conversations of IMAP written down in Markdown. A heading of the second level begins a transcript; what stands before the first
 * one counts for all.
 *
 *   ```mail NAME    a message, line by line, that mailboxes of `config` name
 *   ```config       settings, `name: value`; see imap-play.ts
 *   ```imap         the conversation
 *
 *   C: text     the client's line, CRLF added         S: text     the server's line, CRLF left off
 *   C| text\n   the client's octets, with escapes     ! words     something else that happens: time, TLS, mail that comes
 *   C2: text    another client's line                 S2: text    what the server says to it
 *   # text      a remark
 *
 * `…` in a line of the server's stands for anything, and alone for any lines. Client lines that follow each other come in one
 * batch; what it leads to stands below it, all of it.
 */

/** What a client does, or what happens, and what comes of it. */
export interface ImapStep {
  /** The line of the text it begins at. */
  readonly line: number
  /** Which client: 1 unless the text says another. */
  readonly client: number
  /** Octets that the client sends, a string of octets; or the words of what happens. */
  readonly octets?: string
  readonly happens?: string
  /** What each client must hear, by its number. */
  readonly says: ReadonlyMap<number, readonly string[]>
}

/** One conversation. */
export interface ImapTranscript {
  readonly title: string
  readonly line: number
  /** Settings: its own behind those of the whole text. */
  readonly config: readonly (readonly [name: string, value: string])[]
  readonly steps: readonly ImapStep[]
  /** Messages by name. */
  readonly mail: ReadonlyMap<string, string>
}

interface Draft {
  readonly title: string
  readonly line: number
  readonly config: [string, string][]
  readonly steps: DraftStep[]
}

interface DraftStep {
  readonly line: number
  readonly client: number
  octets?: string
  happens?: string
  readonly says: Map<number, string[]>
}

/** All transcripts of a text. Throws a `config` MailError that names the line where something cannot be read. */
export function parseImapTranscripts(text: string): ImapTranscript[] {
  const common: [string, string][] = []
  const mail = new Map<string, string>()
  const drafts: Draft[] = []
  let fence: string | undefined
  text.split('\n').forEach((line, at) => {
    const draft = drafts.at(-1)
    if (line.startsWith('```')) fence = fence === undefined ? line.slice(3).trim() : undefined
    else if (fence === 'config') readSetting(draft?.config ?? common, line, at + 1)
    else if (fence === 'imap' && draft) readLine(draft.steps, line, at + 1)
    else if (fence?.startsWith('mail ')) {
      const name = fence.slice(5)
      mail.set(name, `${mail.get(name) ?? ''}${unescape(line, at + 1)}\r\n`)
    }
    else if (fence === undefined && line.startsWith('## ')) {
      drafts.push({ title: line.slice(3).trim(), line: at + 1, config: [...common], steps: [newStep(at + 1, 1)] })
    }
  })
  return drafts.filter(({ steps }) => steps.length > 1 || steps[0]!.says.size > 0).map((draft) => ({ ...draft, mail }))
}

const newStep = (line: number, client: number): DraftStep => ({ line, client, says: new Map() })

function readSetting(config: [string, string][], text: string, line: number): void {
  if (text.trim() === '' || text.startsWith('#')) return
  const colon = text.indexOf(':')
  if (colon < 0) throw new MailError('config', `line ${line}: a setting is written "name: value".`)
  config.push([text.slice(0, colon).trim(), text.slice(colon + 1).trim()])
}

function readLine(steps: DraftStep[], text: string, line: number): void {
  if (text === '' || text.startsWith('#')) return
  if (text.startsWith('! ')) return void steps.push({ ...newStep(line, 1), happens: text.slice(2) })
  const digit = /^[CS]\d/.test(text) ? 1 : 0
  const client = digit ? Number(text[1]) : 1
  const mark = text[0]! + text[1 + digit]!
  const rest = text.slice(text.charAt(2 + digit) === ' ' ? 3 + digit : 2 + digit)
  const last = steps.at(-1)!
  if (mark === 'S:') last.says.set(client, [...(last.says.get(client) ?? []), utf8Octets(rest)])
  else if (mark === 'C:' || mark === 'C|') {
    const octets = mark === 'C:' ? `${utf8Octets(rest)}\r\n` : unescape(rest, line)
    if (last.octets !== undefined && last.client === client && last.says.size === 0) last.octets += octets
    else steps.push({ ...newStep(line, client), octets })
  } else throw new MailError('config', `line ${line}: a line begins with C:, C|, S:, ! or #.`)
}

const escapes: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', 0: '\0', '\\': '\\' }
const escape = /\\(?:x([0-9a-fA-F]{2})|\*\{(\d{1,7})\}(.)|(.?))/gsu

/** `\r \n \t \0 \\ \xHH`, `\*{1000}a` for a thousand a; other characters stand for their UTF-8 octets. */
function unescape(text: string, line: number): string {
  return utf8Octets(text).replace(escape, (all, hex?: string, times?: string, repeated?: string, kind?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    if (times !== undefined) return repeated!.repeat(Number(times))
    if (kind === undefined || !(kind in escapes)) throw new MailError('config', `line ${line}: there is no escape ${all}.`)
    return escapes[kind]!
  })
}

const ANYTHING = utf8Octets('…')

/** What differs between the lines that must be said and those that were, or nothing. */
export function imapDifference(wanted: readonly string[], said: string): string | undefined {
  const lines = said.split('\r\n')
  if (lines.at(-1) === '') lines.pop()
  let at = 0
  for (const [index, want] of wanted.entries()) {
    if (want === ANYTHING) {
      const next = wanted[index + 1]
      if (next === undefined) return undefined
      while (at < lines.length && !matchesLine(next, lines[at]!)) at++
    } else if (at < lines.length && matchesLine(want, lines[at]!)) at++
    else return `wanted ${want}, got ${lines[at] ?? 'nothing'}`
  }
  return at < lines.length ? `nobody wanted ${lines[at]}` : undefined
}

function matchesLine(wanted: string, line: string): boolean {
  const [first, ...rest] = wanted.split(ANYTHING)
  const last = rest.pop()
  if (last === undefined) return line === first
  if (!line.startsWith(first!) || !line.endsWith(last) || line.length < first!.length + last.length) return false
  let at = first!.length
  for (const piece of rest) {
    const found = line.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return at <= line.length - last.length
}

import { utf8Octets } from '../protocol/bytes/text.ts'
import { MailError } from '../protocol/session/errors.ts'

/*
 * Conversations written down in Markdown. A heading of the second level begins a transcript; what stands before the first one
 * counts for all. In `config` blocks there are settings, in `smtp` blocks the conversation, line by line:
 *
 *   C: text     the client's line, CRLF added         S: text     the server's line, CRLF left off
 *   C| text\n   the client's octets, with escapes     S: 250 …    one whole reply with that code
 *   E: text     an event                              ! words     something else that happens: time, TLS, an answer
 *   # text      a remark
 *
 * Client lines that follow each other come in one batch. What a batch or a happening leads to stands below it, all of it; events
 * may be left out of a transcript altogether.
 */

/** What a client does, or what happens, and what comes of it. */
export interface TranscriptStep {
  /** The line of the text it begins at. */
  readonly line: number
  /**
   * Octets that the client sends, a string of octets; or the words of what happens. The first step of a transcript has
   * neither.
   */
  readonly octets?: string
  readonly happens?: string
  /** Lines that the server must say. */
  readonly says: readonly string[]
  /** Events that must come. */
  readonly events: readonly string[]
}

/** One conversation. */
export interface Transcript {
  readonly title: string
  readonly line: number
  /** Settings: its own behind those of the whole text. */
  readonly config: ReadonlyMap<string, string>
  readonly steps: readonly TranscriptStep[]
  /** It tells its events. */
  readonly tellsEvents: boolean
}

interface DraftStep {
  line: number
  octets?: string
  happens?: string
  says: string[]
  events: string[]
}

/** All transcripts of a text. Throws a `config` MailError that names the line where something cannot be read. */
export function parseTranscripts(text: string): Transcript[] {
  const common = new Map<string, string>()
  const found: { title: string; line: number; config: Map<string, string>; steps: DraftStep[] }[] = []
  let fence: string | undefined
  text.split('\n').forEach((line, at) => {
    const current = found.at(-1)
    if (line.startsWith('```')) fence = fence === undefined ? line.slice(3).trim() : undefined
    else if (fence === 'config') readSetting(current?.config ?? common, line, at + 1)
    else if (fence === 'smtp' && current) readLine(current.steps, line, at + 1)
    else if (fence === undefined && line.startsWith('## ')) {
      found.push({ title: line.slice(3).trim(), line: at + 1, config: new Map(common), steps: [newStep(at + 1)] })
    }
  })
  return found
    .filter(({ steps }) => steps.length > 1 || steps[0]!.says.length > 0)
    .map((draft) => ({ ...draft, tellsEvents: draft.steps.some(({ events }) => events.length > 0) }))
}

const newStep = (line: number): DraftStep => ({ line, says: [], events: [] })

function readSetting(config: Map<string, string>, text: string, line: number): void {
  if (text.trim() === '' || text.startsWith('#')) return
  const colon = text.indexOf(': ')
  if (colon < 0) throw new MailError('config', `line ${line}: a setting is written "name: value".`)
  config.set(text.slice(0, colon).trim(), text.slice(colon + 2).trim())
}

function readLine(steps: DraftStep[], text: string, line: number): void {
  if (text === '' || text.startsWith('#')) return
  const mark = text.slice(0, 2)
  const rest = text.slice(text.charAt(2) === ' ' ? 3 : 2)
  const last = steps.at(-1)!
  if (mark === 'S:') last.says.push(rest)
  else if (mark === 'E:') last.events.push(rest)
  else if (mark === 'C:' || mark === 'C|') {
    const octets = mark === 'C:' ? `${unescape(rest, line)}\r\n` : unescape(rest, line)
    if (last.octets !== undefined && last.says.length + last.events.length === 0) last.octets += octets
    else steps.push({ ...newStep(line), octets })
  } else if (mark === '! ') steps.push({ ...newStep(line), happens: text.slice(2) })
  else throw new MailError('config', `line ${line}: a line begins with C:, C|, S:, E:, ! or #.`)
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

/** What differs between the lines that must be said and those that were, or nothing. `S: 250 …` stands for a whole reply. */
export function outputDifference(wanted: readonly string[], said: string): string | undefined {
  const lines = said === '' ? [] : said.split('\r\n').slice(0, -1)
  if (said !== '' && !said.endsWith('\r\n')) return `the output does not end with CRLF: ${JSON.stringify(said)}`
  let at = 0
  for (const want of wanted) {
    if (want.endsWith(' …')) {
      const code = want.slice(0, 3)
      while (lines[at]?.startsWith(`${code}-`)) at++
      if (lines[at]?.startsWith(`${code} `)) at++
      else return `wanted ${want}, got ${lines[at] ?? 'nothing'}`
    } else if (lines[at] !== want) return `wanted ${want}, got ${lines[at] ?? 'nothing'}`
    else at++
  }
  return at < lines.length ? `nobody wanted ${lines[at]}` : undefined
}

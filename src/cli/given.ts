import { MailError } from '../protocol/session/errors.ts'
import { nearest } from '../protocol/session/nearest.ts'

/** The environment as a process gets it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A file of settings, as it was read. */
export interface SettingsFile {
  readonly path: string
  readonly content: unknown
}

/** What was given for a setting. */
export interface Given {
  /** As the one who gave it knows it: the variable, or the key and its file. */
  readonly name: string
  readonly texts: readonly string[]
  /** The one text may be a list, its entries separated by commas. */
  readonly joined: boolean
}

const PREFIX = 'POSTHORN_'

/** The variable of a setting: `mxPort` is `POSTHORN_MX_PORT`. */
export function variableOf(key: string): string {
  return PREFIX + key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}

/**
 * Everything given in the environment and in a file, by key. The file wins. Empty texts count as not given, but for the keys in
 * `emptied`, for which they are an empty list.
 *
 * @throws MailError `config` that names a key nobody knows, and the one that may have been meant
 */
export function collect(
  keys: readonly string[], environment: Environment, file: SettingsFile | undefined, emptied: ReadonlySet<string> = new Set(),
): Map<string, Given> {
  const given = new Map<string, Given>()
  const byVariable = new Map(keys.map((key) => [variableOf(key), key]))
  for (const [name, text] of Object.entries(environment)) {
    // POSTHORN_CORPORA tells the project's tests where their mail lies; whoever runs those may start a server beside them.
    if (!name.startsWith(PREFIX) || name === 'POSTHORN_CORPORA' || text === undefined) continue
    const key = byVariable.get(name)
    if (key === undefined) throw unknown(name, [...byVariable.keys()])
    if (text.trim() !== '') given.set(key, { name, texts: [text], joined: true })
    else if (emptied.has(key)) given.set(key, { name, texts: [], joined: true })
  }
  if (file) for (const [key, found] of collectFile(keys, file, emptied)) given.set(key, found)
  return given
}

function collectFile(
  keys: readonly string[], { path, content }: SettingsFile, emptied: ReadonlySet<string>,
): Map<string, Given> {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new MailError('config', `${path}: give an object of settings, such as { "hostname": "mail.example.org" }`)
  }
  const given = new Map<string, Given>()
  const bySpelling = new Map(keys.map((key) => [key.toLowerCase(), key]))
  const seen = new Map<string, string>()
  for (const [name, value] of Object.entries(content)) {
    const key = bySpelling.get(spelling(name))
    if (key === undefined) throw unknown(`${path}: ${name}`, keys, name)
    const before = seen.get(key)
    if (before !== undefined) throw new MailError('config', `${path}: ${before} and ${name} are the same setting: give it once`)
    seen.set(key, name)
    const texts = textsOf(value)
    if (!texts) throw new MailError('config', `${path}: ${name} takes a text, a number, true or false, or a list of texts`)
    if (texts.some((text) => text.trim() !== '')) {
      given.set(key, { name: `${path}: ${name}`, texts, joined: !Array.isArray(value) })
    } else if (emptied.has(key)) given.set(key, { name: `${path}: ${name}`, texts: [], joined: true })
  }
  return given
}

/** `mxPort`, `mx_port` and `POSTHORN_MX_PORT` are one. */
function spelling(name: string): string {
  const plain = name.toLowerCase().replaceAll('_', '').replaceAll('-', '')
  return plain.startsWith('posthorn') ? plain.slice('posthorn'.length) : plain
}

function textsOf(value: unknown): string[] | undefined {
  if (value === null || value === undefined) return []
  const texts = (Array.isArray(value) ? value : [value]).map(textOf)
  return texts.every((text) => text !== undefined) ? texts : undefined
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  return typeof value === 'boolean' ? (value ? '1' : '0') : undefined
}

function unknown(name: string, known: readonly string[], spelt = name): MailError {
  const spellings = known.map(spelling)
  const meant = nearest(spelling(spelt), spellings)
  const near = meant === undefined ? undefined : known[spellings.indexOf(meant)]
  const hint = near === undefined ? 'posthorn serve --help tells which there are' : `Did you mean ${near}?`
  return new MailError('config', `${name}: there is no such setting. ${hint}`)
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SpecialUse } from '../../contracts/mailbox.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { annotationsIn, type ArchivedAnnotations } from './archive-annotations.ts'

/*
 * An archive of an account is a folder:
 *
 *   index.json             what the account has: mailboxes, subscriptions, annotations
 *   001-INBOX.json         what a mailbox has: annotations, and a message a line, with UID, dates, flags
 *   001-INBOX/17.eml       with `eml`: the octets of each message, by UID
 *   001-INBOX.mbox         with `mbox`: all of them in one file, in the order of the index
 */

/** How messages lie in an archive: a file each, octet by octet; or an mbox file (mboxrd) a mailbox, which other programs read. */
export type ArchiveFormat = 'eml' | 'mbox'

/** The file that makes a folder an archive. */
export const INDEX = 'index.json'
/** The form that this version writes. Archives of a higher one are refused. */
export const VERSION = 1

/** What an archive says of an account. */
export interface ArchiveIndex {
  readonly version: number
  readonly format: ArchiveFormat
  readonly account: string
  /** Of the server. */
  readonly annotations: ArchivedAnnotations
  readonly subscriptions: readonly (readonly string[])[]
  readonly mailboxes: readonly ArchivedMailbox[]
}

/** Of a mailbox. */
export interface ArchivedMailbox {
  /** Begins the names of its files. */
  readonly name: string
  readonly path: readonly string[]
  readonly use?: SpecialUse
  readonly uidValidity: number
}

/** Of a message. */
export interface ArchivedMessage {
  readonly uid: number
  readonly received: number
  readonly saved: number
  readonly flags: readonly string[]
  readonly octets: number
}

/** How much was exported or imported. */
export interface ArchiveCount {
  readonly mailboxes: number
  readonly messages: number
  readonly octets: number
}

/** The name that files of a mailbox begin with: a number, and of its path what every file system takes. */
export function archiveName(index: number, path: readonly string[]): string {
  let name = ''
  for (const character of path.join('-')) {
    if (name.length < 40) name += /^[A-Za-z0-9_-]$/.test(character) ? character : '_'
  }
  return `${String(index + 1).padStart(3, '0')}-${name}`
}

/** Reads the index of an archive. Throws `config` where there is none, or none that this version reads. */
export async function readIndex(folder: string): Promise<ArchiveIndex> {
  const index = await readJson(join(folder, INDEX)) as Partial<ArchiveIndex> | null
  const { version, format, mailboxes } = index ?? {}
  if (typeof version !== 'number' || version > VERSION || (format !== 'eml' && format !== 'mbox') || !Array.isArray(mailboxes)) {
    throw new MailError('config', `${join(folder, INDEX)} is no index of an archive that this version reads`)
  }
  const good = mailboxes.every((one: Partial<ArchivedMailbox> | null) => isName(one?.name) && isPath(one?.path))
  if (!good) throw new MailError('config', `${join(folder, INDEX)} names mailboxes that no archive has`)
  const subscriptions = Array.isArray(index?.subscriptions) ? index.subscriptions.filter(isPath) : []
  const annotations = annotationsIn(index?.annotations)
  return { version, format, account: String(index?.account), annotations, subscriptions, mailboxes }
}

/** What a mailbox of an archive has. */
interface ArchivedContents {
  readonly messages: readonly ArchivedMessage[]
  readonly annotations: ArchivedAnnotations
}

/** Reads what a mailbox of an archive has. Throws `config` where it says what cannot be. */
export async function readMailbox(folder: string, { name }: ArchivedMailbox): Promise<ArchivedContents> {
  const path = join(folder, `${name}.json`)
  const { messages, annotations } = (await readJson(path) ?? {}) as Partial<Record<keyof ArchivedContents, unknown>>
  if (!Array.isArray(messages) || !messages.every(isMessage)) throw new MailError('config', `${path} is no index of a mailbox`)
  return { messages, annotations: annotationsIn(annotations) }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown
  } catch (cause) {
    throw new MailError('config', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** Names become parts of paths: whoever wrote the archive, they stay in it. */
function isName(name: unknown): boolean {
  return typeof name === 'string' && name.length <= 100 && /^[0-9]+-[A-Za-z0-9_-]*$/.test(name)
}

function isPath(path: unknown): path is readonly string[] {
  return Array.isArray(path) && path.length > 0 && path.every((name) => typeof name === 'string')
}

function isMessage(message: unknown): message is ArchivedMessage {
  const { uid, received, flags } = (message ?? {}) as Partial<ArchivedMessage>
  const numbers = Number.isSafeInteger(uid) && Number.isSafeInteger(received)
  return numbers && Array.isArray(flags) && flags.every((flag) => typeof flag === 'string' && flag !== '' && !flag.includes(' '))
}

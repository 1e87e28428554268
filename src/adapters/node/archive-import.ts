import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeyValue } from '../../contracts/key-value.ts'
import type { Mailbox, MailboxId } from '../../contracts/mailbox.ts'
import type { MailStore, NewMessage, Room, StoredMessage } from '../../contracts/store.ts'
import { parseHeaderBlock } from '../../message/headers.ts'
import { type FromLine, type MboxQuoting } from '../../message/mbox.ts'
import { createMboxReader } from '../../message/mbox-reader.ts'
import { isMailError, MailError } from '../../protocol/session/errors.ts'
import { importAnnotations } from './archive-annotations.ts'
import { type Gathered, Gathering } from './archive-gather.ts'
import { type ArchiveCount, type ArchivedMailbox, type ArchivedMessage, readIndex, readMailbox } from './archive-index.ts'
import { spoolBodies } from './spool.ts'

/** How an mbox file is imported. */
export interface ImportMboxOptions extends Room {
  /** How lines that begin with `From ` are quoted in it; default mboxrd. */
  readonly quoting?: MboxQuoting
  /** Milliseconds since the Unix epoch: the date of messages of which the file tells none. Default now. */
  readonly received?: number
}

/** How a message is imported. */
export interface ImportEmlOptions extends Room {
  /** Milliseconds since the Unix epoch; by default when the file was written. */
  readonly received?: number
  readonly flags?: readonly string[]
}

/** What of an archive goes where. */
export interface ImportOptions extends Room {
  /** The archive. */
  readonly folder: string
  /** Where servers keep what is noted of mailboxes (IMAP METADATA): without it that is left out. */
  readonly keyValue?: KeyValue
}

/** How many messages came in, and how large they are together. */
export type ImportCount = Omit<ArchiveCount, 'mailboxes'>

/**
 * Appends all messages of an mbox file to a mailbox, in their order. Line ends become CRLF; dates are those of the lines between;
 * flags are what `Status`, `X-Status` and `X-Keywords` say, which stay where they are. Rejects with a `config` MailError when the
 * file cannot be read or begins with something else, with what the store says otherwise; what came before is in.
 */
export async function importMbox(
  store: MailStore,
  mailbox: MailboxId,
  file: string,
  { quoting = 'mboxrd', received = Date.now(), quota }: ImportMboxOptions = {},
): Promise<ImportCount> {
  return eachOfMbox(file, quoting, async ({ body, facts, head }, { date }) => {
    const message = { body, facts, received: date ?? received, flags: statusFlags(head) }
    await store.append(mailbox, message, roomOf(quota))
  })
}

/**
 * Appends the message in a file to a mailbox. LF alone, as text files have it, becomes CRLF; a file that has CRLF line ends is
 * taken octet by octet. Rejects with a `config` MailError when the file cannot be read.
 */
export async function importEml(
  store: MailStore,
  mailbox: MailboxId,
  file: string,
  { received, flags = [], quota }: ImportEmlOptions = {},
): Promise<StoredMessage> {
  const written = received ?? Math.floor((await stat(file).catch((error: unknown) => fail(file, error))).mtimeMs)
  return withMessage(file, 'normalised', ({ body, facts }) => {
    return store.append(mailbox, { body, facts, received: written, flags }, roomOf(quota))
  })
}

/**
 * Takes an archive that `exportAccount` wrote into an account: mailboxes that are missing are made, messages are added to what is
 * there, with their flags and dates, in the order of their UIDs; they get UIDs of the store's. What is noted of a mailbox already
 * stays, and what else the archive has of it is noted, as much as there is room for. Rejects with a `config` MailError
 * when the archive cannot be read, with what the store says otherwise; what came before is in.
 */
export async function importAccount(store: MailStore, account: string, options: ImportOptions): Promise<ArchiveCount> {
  const { folder, quota, keyValue } = options
  const index = await readIndex(folder)
  let [messages, octets] = [0, 0]
  for (const archived of index.mailboxes) {
    const { messages: list, annotations } = await readMailbox(folder, archived)
    const { id } = await created(store, account, archived)
    const path = join(folder, archived.name)
    const importAll = index.format === 'eml' ? importFiles : importFile
    const count = await importAll(store, id, path, list, quota)
    messages += count.messages
    octets += count.octets
    await importAnnotations(keyValue, account, annotations, id)
  }
  await importAnnotations(keyValue, account, index.annotations)
  for (const path of index.subscriptions) await store.subscribe?.(account, path, true)
  return { mailboxes: index.mailboxes.length, messages, octets }
}

/** The mailbox under that path; without the use where another mailbox has it. */
async function created(store: MailStore, account: string, { path, use }: ArchivedMailbox): Promise<Mailbox> {
  const taken = use === undefined || (await store.mailboxes(account)).some((mailbox) => mailbox.use === use)
  return taken ? store.create(account, path) : store.create(account, path, use)
}

async function importFiles(
  store: MailStore,
  mailbox: MailboxId,
  folder: string,
  list: readonly ArchivedMessage[],
  quota: Room['quota'],
): Promise<ImportCount> {
  let octets = 0
  for (const { uid, received, flags } of list) {
    await withMessage(join(folder, `${uid}.eml`), 'as it is', async ({ body, facts }) => {
      await store.append(mailbox, { body, facts, received, flags }, roomOf(quota))
      octets += body.size
    })
  }
  return { messages: list.length, octets }
}

async function importFile(
  store: MailStore,
  mailbox: MailboxId,
  path: string,
  list: readonly ArchivedMessage[],
  quota: Room['quota'],
): Promise<ImportCount> {
  let at = 0
  return eachOfMbox(`${path}.mbox`, 'mboxrd', async ({ body, facts }, { date }) => {
    // Somebody may have added messages to the file since.
    const { received = date ?? 0, flags = [] } = list[at++] ?? {}
    await store.append(mailbox, { body, facts, received, flags }, roomOf(quota))
  })
}

async function eachOfMbox(
  file: string,
  quoting: MboxQuoting,
  take: (message: Gathered, from: FromLine) => Promise<void>,
): Promise<ImportCount> {
  const spool = spoolBodies()
  const reader = createMboxReader({ quoting })
  let [messages, octets] = [0, 0]
  let from: FromLine = { sender: '-', date: undefined }
  let gathering: Gathering | undefined
  const pieces = async (found: ReturnType<typeof reader.push>): Promise<void> => {
    if (reader.skipped > 0) throw new MailError('config', `${file} is no mbox file: it does not begin with a line "From "`)
    for (const piece of found) {
      if (piece.kind === 'begin') [gathering, from] = [new Gathering(spool), piece.from]
      else if (piece.kind === 'octets') await gathering?.push(piece.octets)
      else if (gathering) {
        octets += await gathering.give((message) => take(message, from).then(() => message.body.size))
        messages++
      }
    }
  }
  try {
    for await (const chunk of octetsIn(file)) await pieces(reader.push(chunk))
    await pieces(reader.end())
  } finally {
    await spool.close?.()
  }
  return { messages, octets }
}

async function withMessage<T>(file: string, how: 'as it is' | 'normalised', take: (message: Gathered) => Promise<T>): Promise<T> {
  const spool = spoolBodies()
  try {
    const gathering = new Gathering(spool, how === 'normalised')
    for await (const chunk of octetsIn(file)) await gathering.push(chunk)
    return await gathering.give(take)
  } finally {
    await spool.close?.()
  }
}

async function* octetsIn(file: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of createReadStream(file)) yield chunk as Buffer
  } catch (error) {
    fail(file, error)
  }
}

function fail(file: string, cause: unknown): never {
  if (isMailError(cause)) throw cause
  throw new MailError('config', `${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}

const roomOf = (quota: Room['quota']): Room => (quota === undefined ? {} : { quota })

/** What the letters of `Status` and `X-Status` mean, as mail programs on mbox files have always had them. */
const STATUS = new Map([['R', '\\Seen'], ['A', '\\Answered'], ['F', '\\Flagged'], ['T', '\\Draft'], ['D', '\\Deleted']])

/** The flags that a header tells, of the beginning of a message. */
function statusFlags(head: Uint8Array): NonNullable<NewMessage['flags']> {
  const headers = parseHeaderBlock(head)
  const flags = new Set<string>()
  for (const letter of `${headers.value('status') ?? ''}${headers.value('x-status') ?? ''}`) {
    const flag = STATUS.get(letter)
    if (flag !== undefined) flags.add(flag)
  }
  for (const keyword of (headers.value('x-keywords') ?? '').split(/[\s,]/).slice(0, MOST_KEYWORDS)) {
    if (keyword !== '' && isAtom(keyword)) flags.add(keyword)
  }
  return [...flags]
}

/** More than anybody gives a message. */
const MOST_KEYWORDS = 100

/** Whether it can be a keyword (RFC 9051 §9). */
function isAtom(text: string): boolean {
  for (const character of text) if (character <= ' ' || character > '~' || '(){%*"\\]'.includes(character)) return false
  return text.length <= 100
}

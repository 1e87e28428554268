import { type FileHandle, mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredBody } from '../../contracts/bodies.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import type { Mailbox } from '../../contracts/mailbox.ts'
import type { MailStore, StoredMessage } from '../../contracts/store.ts'
import { createMboxWriter } from '../../message/mbox-writer.ts'
import { isMailError, MailError } from '../../protocol/session/errors.ts'
import { aText, checkOptions, having, oneOf, type OptionKinds, required } from '../../protocol/session/options.ts'
import { type ArchivedAnnotations, exportedAnnotations } from './archive-annotations.ts'
import { type ArchiveCount, type ArchivedMessage, type ArchiveFormat, archiveName, INDEX, VERSION } from './archive-index.ts'

/** What `exportAccount()` takes. */
export interface ExportOptions {
  /** Made where it is missing; empty where it is not. */
  readonly folder: string
  /** Default `eml`, which keeps every octet. */
  readonly format?: ArchiveFormat
  /** Where servers keep what is noted of mailboxes (IMAP METADATA): without it that is left out. */
  readonly keyValue?: KeyValue
}

const kinds: OptionKinds<ExportOptions> = {
  folder: required(aText),
  format: oneOf('eml', 'mbox'),
  keyValue: having('a key-value store', 'get'),
}

/** Octets of an mbox file that are written at a time. */
const BATCH = 262_144

/**
 * Writes all mail of an account to a folder: messages as files, and beside them what else is known of them and of their mailboxes
 * (paths, special uses, UIDs, flags, dates, subscriptions, annotations). Messages stream through. What comes while it is written
 * may be in it or not; what goes is left out. The index is written last: without it, it is no archive.
 *
 * Rejects with a `config` MailError when the folder is not empty or cannot be used, a `temporary` one when writing fails (disk
 * full), with what the store says otherwise.
 */
export async function exportAccount(store: MailStore, account: string, options: ExportOptions): Promise<ArchiveCount> {
  checkOptions('exportAccount', options, kinds)
  const { folder, format = 'eml', keyValue } = options
  try {
    await prepare(folder)
    const mailboxes = await store.mailboxes(account)
    let [messages, octets] = [0, 0]
    for (const [index, mailbox] of mailboxes.entries()) {
      const annotations = await exportedAnnotations(keyValue, account, mailbox.id)
      const count = await exportMailbox(store, mailbox, join(folder, archiveName(index, mailbox.path)), format, annotations)
      messages += count.messages
      octets += count.octets
    }
    const listed = mailboxes.map(({ path, use, uidValidity }, index) => {
      return { name: archiveName(index, path), path, ...(use !== undefined && { use }), uidValidity }
    })
    const subscriptions = await store.subscriptions?.(account) ?? []
    const annotations = await exportedAnnotations(keyValue, account)
    const index = { version: VERSION, format, account, annotations, subscriptions, mailboxes: listed }
    await writeFile(join(folder, INDEX), `${JSON.stringify(index, undefined, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true })
    return { mailboxes: mailboxes.length, messages, octets }
  } catch (cause) {
    if (isMailError(cause)) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new MailError('temporary', `${folder}: ${why}`, { cause })
  }
}

async function prepare(folder: string): Promise<void> {
  const made = mkdir(folder, { recursive: true, mode: 0o700 })
  const there = await made.then(() => readdir(folder)).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new MailError('config', `${folder} cannot be used: ${why}`, { cause })
  })
  if (there.length > 0) throw new MailError('config', `${folder} is not empty: name another folder`)
}

/** `path`: of its files, without what their names end in. */
async function exportMailbox(
  store: MailStore,
  mailbox: Mailbox,
  path: string,
  format: ArchiveFormat,
  annotations: ArchivedAnnotations,
): Promise<Omit<ArchiveCount, 'mailboxes'>> {
  let [messages, octets] = [0, 0]
  const index = await open(`${path}.json`, 'wx', 0o600)
  const target = format === 'eml' ? await EmlFolder.make(path) : await MboxFile.make(`${path}.mbox`)
  try {
    await index.appendFile(`{"annotations":${JSON.stringify(annotations)},\n"messages":[`)
    for await (const page of store.list(mailbox.id)) {
      let lines = ''
      for (const message of page) {
        const body = await store.body(message.id)
        if (!body || !(await target.add(message, body))) continue
        lines += `${messages++ === 0 ? '' : ','}\n${JSON.stringify(archived(message))}`
        octets += message.octets
      }
      await index.appendFile(lines)
    }
    await index.appendFile('\n]}\n')
    await index.sync()
  } finally {
    await index.close()
    await target.close()
  }
  return { messages, octets }
}

function archived({ uid, received, saved, flags, octets }: StoredMessage): ArchivedMessage {
  return { uid, received, saved, flags, octets }
}

class EmlFolder {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  static async make(path: string): Promise<EmlFolder> {
    await mkdir(path, { mode: 0o700 })
    return new EmlFolder(path)
  }

  /** `false` where the message is gone meanwhile. */
  async add({ uid }: StoredMessage, body: StoredBody): Promise<boolean> {
    const first = await opened(body)
    if (!first) return false
    await writeFile(join(this.#path, `${uid}.eml`), first, { mode: 0o600, flag: 'wx' })
    return true
  }

  async close(): Promise<void> {
    // Each file was closed when it was written.
  }
}

class MboxFile {
  readonly #file: FileHandle
  readonly #writer = createMboxWriter()
  #pieces: Uint8Array[] = []
  #gathered = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async make(path: string): Promise<MboxFile> {
    return new MboxFile(await open(path, 'wx', 0o600))
  }

  async add({ received, facts }: StoredMessage, body: StoredBody): Promise<boolean> {
    const chunks = await opened(body)
    if (!chunks) return false
    const [, , local, domain] = facts.envelope?.from?.[0] ?? []
    await this.#put(this.#writer.begin(local && domain ? `${local}@${domain}` : null, received))
    for await (const chunk of chunks) await this.#put(this.#writer.push(chunk))
    await this.#put(this.#writer.end())
    return true
  }

  async close(): Promise<void> {
    try {
      await this.#flush()
      await this.#file.sync()
    } finally {
      await this.#file.close()
    }
  }

  async #put(bytes: Uint8Array): Promise<void> {
    this.#pieces.push(bytes)
    this.#gathered += bytes.length
    if (this.#gathered >= BATCH) await this.#flush()
  }

  async #flush(): Promise<void> {
    const pieces = this.#pieces
    this.#pieces = []
    this.#gathered = 0
    if (pieces.length > 0) await this.#file.appendFile(Buffer.concat(pieces))
  }
}

/** The chunks of a body, of which the first has been read; `undefined` where the body is gone. */
async function opened(body: StoredBody): Promise<AsyncIterable<Uint8Array> | undefined> {
  const chunks = body.read()[Symbol.asyncIterator]()
  let first: IteratorResult<Uint8Array>
  try {
    first = await chunks.next()
  } catch (error) {
    if (isMailError(error) && error.code === 'permanent') return undefined
    throw error
  }
  return (async function* () {
    try {
      for (let next = first; next.done !== true; next = await chunks.next()) yield next.value
    } finally {
      await chunks.return?.()
    }
  })()
}

import { sqlite } from '../adapters/sqlite/index.ts'
import type { Body } from '../contracts/bodies.ts'
import type { Mailbox } from '../contracts/mailbox.ts'
import type { MailStore, StoredMessage } from '../contracts/store.ts'
import { decodeUnlabelled } from '../message/charset.ts'
import { decodeEncodedWords } from '../message/encoded-words.ts'
import { octets } from '../protocol/bytes/text.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { Terminal } from './terminal.ts'

/** What `posthorn mail` shows. */
export interface MailOptions {
  /** The data folder. */
  readonly data: string
  /** Of this account alone. */
  readonly account?: string | undefined
  /** Of mailboxes with this name alone: `INBOX`, `Archive/2026`. */
  readonly mailbox?: string | undefined
  /** The octets too, in base64. */
  readonly raw?: boolean | undefined
}

/**
 * Prints what is stored, a JSON line a message. Reads only: it works beside a server that runs.
 *
 * @throws MailError `config` where there is no such folder or account
 */
export async function printMail(options: MailOptions, terminal: Terminal): Promise<void> {
  const db = openMail(options.data)
  try {
    const accounts = options.account === undefined ? await accountsIn(db.store) : [options.account.toLowerCase()]
    const wanted = options.mailbox === undefined ? undefined : pathOf(options.mailbox)
    for (const account of accounts) {
      for (const mailbox of await mailboxesOf(db.store, account)) {
        if (wanted !== undefined && mailbox.path.join('/') !== wanted) continue
        if (!(await printMailbox(db.store, mailbox, options.raw ?? false, terminal))) return
      }
    }
  } finally {
    await db.close()
  }
}

function openMail(data: string): ReturnType<typeof sqlite> {
  try {
    return sqlite({ path: `${data}/mail.db`, readonly: true })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new MailError('config', `${data} holds no mail to be read (${why}). Give --data the folder of the server`, { cause })
  }
}

async function mailboxesOf(store: MailStore, account: string): Promise<readonly Mailbox[]> {
  const mailboxes = await store.mailboxes(account)
  if (mailboxes.length > 0) return mailboxes
  throw new MailError('config', `There is no account ${account} here. Without --account the mail of all is shown`)
}

/** RFC 9051 §5.1: INBOX in any case. */
function pathOf(name: string): string {
  return name.toUpperCase() === 'INBOX' ? 'INBOX' : name
}

async function accountsIn(store: ReturnType<typeof sqlite>['store']): Promise<readonly string[]> {
  const accounts: string[] = []
  for await (const account of store.accounts()) accounts.push(account)
  return accounts
}

/** `false`: nobody reads any more. */
async function printMailbox(store: MailStore, mailbox: Mailbox, raw: boolean, terminal: Terminal): Promise<boolean> {
  for await (const page of store.list(mailbox.id)) {
    for (const message of page) {
      const line = JSON.stringify(described(mailbox, message))
      if (!(raw ? await printRaw(store, message, line, terminal) : await terminal.outPiece(`${line}\n`))) return false
    }
  }
  return true
}

async function printRaw(store: MailStore, message: StoredMessage, line: string, terminal: Terminal): Promise<boolean> {
  const start = line.slice(0, -1)
  let pieces: AsyncGenerator<string, void, undefined>
  let first: string
  try {
    const body = await store.body(message.id)
    // Removed since it was listed.
    if (!body) return true
    pieces = base64(body)
    first = (await pieces.next()).value ?? ''
  } catch (error) {
    // Its file is gone, say. The line says so, and is whole; those behind it are shown.
    return terminal.outPiece(`${start},"raw":null,"error":${JSON.stringify(wordsOf(error))}}\n`)
  }
  if (!(await terminal.outPiece(`${start},"raw":"${first}`))) return false
  for await (const text of pieces) if (!(await terminal.outPiece(text))) return false
  return terminal.outPiece('"}\n')
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** A message as the line tells it: text as people read it, times in ISO 8601. */
function described(mailbox: Mailbox, { id, uid, received, octets, facts }: StoredMessage): Record<string, unknown> {
  const { from = [], subject = '' } = facts.envelope
  return {
    id,
    account: mailbox.account,
    mailbox: mailbox.path.join('/'),
    uid,
    received: new Date(received).toISOString(),
    from: from.map(([name, , local, domain]) => mailboxText(name, local, domain)).filter((text) => text !== '').join(', '),
    subject: readable(subject),
    octets,
  }
}

/** `Name <local@domain>`; nothing for what marks a group. */
function mailboxText(name: string | null, local: string | null, domain: string | null): string {
  if (local === null || domain === null) return ''
  const address = readable(`${local}@${domain}`)
  return name === null || name === '' ? address : `${readable(name)} <${address}>`
}

/** Facts hold octets as they stood in the header. */
function readable(text: string): string {
  return decodeEncodedWords(decodeUnlabelled(octets(text)))
}

/** A body in base64, in pieces; only the last is padded. */
export async function* base64(body: Body): AsyncGenerator<string, void, undefined> {
  let held = Buffer.alloc(0)
  for await (const chunk of body.read()) {
    const bytes = Buffer.concat([held, chunk])
    const whole = bytes.length - (bytes.length % 3)
    yield bytes.subarray(0, whole).toString('base64')
    held = bytes.subarray(whole)
  }
  yield held.toString('base64')
}

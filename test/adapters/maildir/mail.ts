import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { indexMessage } from '../../../src/message/indexer.ts'
import type { Entry, MailStore, NewMessage, StoredMessage } from '../../../src/contracts/store.ts'
import { octetsOf } from '../../../src/testing/contracts/checks.ts'

/** A message with that subject, its lines ended in CRLF. */
export function mail(subject: string, more: Partial<NewMessage> = {}, text = 'text'): NewMessage {
  const bytes = Buffer.from(`Subject: ${subject}\r\n\r\n${text}\r\n`)
  const body: NewMessage['body'] = {
    size: bytes.length,
    bytes,
    async *read({ start, end } = { start: 0, end: bytes.length }) {
      if (start < end) yield bytes.subarray(start, end)
    },
  }
  return { body, facts: indexMessage(bytes), received: 1_700_000_000_000, ...more }
}

/** All entries of a mailbox. */
export async function entriesOf(store: MailStore, mailbox: string): Promise<Entry[]> {
  const all: Entry[] = []
  for await (const page of store.entries(mailbox)) all.push(...page)
  return all
}

/** All messages of a mailbox, with their facts. */
export async function listOf(store: MailStore, mailbox: string): Promise<StoredMessage[]> {
  const all: StoredMessage[] = []
  for await (const page of store.list(mailbox)) all.push(...page)
  return all
}

/** What a message says, as text. */
export async function textOf(store: MailStore, { id }: { readonly id: string }): Promise<string> {
  const body = await store.body(id)
  if (!body) throw new Error('no body')
  return Buffer.from(await octetsOf(body)).toString('latin1')
}

/** All files and empty folders below a folder, what is unique in names of messages left out. */
export function tree(folder: string): string[] {
  const found = readdirSync(folder, { withFileTypes: true, recursive: true })
  const full = new Set(found.map((entry) => entry.parentPath))
  return found.map((entry) => join(entry.parentPath, entry.name) + (entry.isDirectory() ? '/' : ''))
    .filter((path) => !full.has(path.replace(/\/$/, '')))
    .map((path) => path.slice(folder.length + 1).replace(/\d+\.M\d+P\d+Q\d+R[0-9a-f]{8}/, 'UNIQUE'))
    .sort()
}

/** The range of one UID. */
export const only = (uid: number): { first: number; last: number }[] => [{ first: uid, last: uid }]

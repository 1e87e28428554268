import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MailError } from '../../protocol/session/errors.ts'
import { INDEX } from './archive-index.ts'

/** What a file or folder is that mail can be taken from. */
export type MailSource =
  /** What `exportAccount` wrote. */
  | { readonly kind: 'archive' }
  | { readonly kind: 'maildir' }
  | { readonly kind: 'mbox' }
  /** A message a file. */
  | { readonly kind: 'eml'; readonly files: readonly EmlFile[] }

/** A file with a message in it. */
export interface EmlFile {
  readonly file: string
  /** The folders it lies in, below the one that was named. */
  readonly path: readonly string[]
}

/** Folders in one another that are looked into. */
const MOST_DEPTH = 50

/** Finds out what it is. Rejects with a `config` MailError that says what can be taken where it is nothing of that. */
export async function mailSource(path: string): Promise<MailSource> {
  try {
    return (await stat(path)).isDirectory() ? await folderSource(path) : await fileSource(path)
  } catch (cause) {
    if (cause instanceof MailError) throw cause
    throw new MailError('config', `${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

async function fileSource(path: string): Promise<MailSource> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(5), 0, 5, 0)
    if (bytesRead === 0 || buffer.toString('latin1') === 'From ') return { kind: 'mbox' }
  } finally {
    await file.close()
  }
  if (path.toLowerCase().endsWith('.eml')) return { kind: 'eml', files: [{ file: path, path: [] }] }
  const why = 'it does not begin with a line "From ". A single message is a file *.eml'
  throw new MailError('config', `${path} is no mbox file: ${why}`)
}

async function folderSource(path: string): Promise<MailSource> {
  const names = await readdir(path)
  if (names.includes(INDEX)) return { kind: 'archive' }
  if (names.includes('cur')) return { kind: 'maildir' }
  const files: EmlFile[] = []
  await gather(path, [], files)
  if (files.length > 0) return { kind: 'eml', files }
  throw new MailError('config', `${path} holds neither what posthorn export wrote, nor a Maildir, nor files *.eml`)
}

async function gather(folder: string, path: readonly string[], files: EmlFile[]): Promise<void> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => compare(a.name, b.name))
  for (const entry of entries) {
    if (entry.isFile() && entry.name.toLowerCase().endsWith('.eml')) files.push({ file: join(folder, entry.name), path })
  }
  // Links are not followed: they may lead anywhere, and round in circles.
  for (const entry of entries) {
    if (entry.isDirectory() && path.length < MOST_DEPTH) await gather(join(folder, entry.name), [...path, entry.name], files)
  }
}

/** 9 before 10, otherwise by code unit. */
function compare(a: string, b: string): number {
  const [x, y] = [Number.parseInt(a, 10), Number.parseInt(b, 10)]
  if (x !== y && !Number.isNaN(x) && !Number.isNaN(y)) return x - y
  return a < b ? -1 : a > b ? 1 : 0
}

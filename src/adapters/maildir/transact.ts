import { join } from 'node:path'
import { canonicalFlags, changedFlags } from '../../contracts/flag-change.ts'
import type { FlagChange, Flagged } from '../../contracts/store.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Box } from './box.ts'
import { codeOf, type Disk } from './disk.ts'
import { parseFileName } from './file-name.ts'
import { infoOfFlags } from './flags.ts'
import { type FlagRow, type Line, rangesOf, type Row } from './journal.ts'
import { KEYWORDS, readKeywords } from './load.ts'
import type { Message, State } from './state.ts'
import { replaceFile } from './uid-file.ts'
import { LAST_UID } from './uidlist.ts'
import { uidsOf } from './uids.ts'

/*
 * Changes of a mailbox. Each is said first, in the journal and for new messages in `dovecot-uidlist`, and then done to the
 * files; what a crash leaves between is finished or taken back at the next look. All run with the lock of the account, on a
 * state that was looked at with it.
 */

/** A message to be added. */
export interface Adding {
  /** A file with its octets, flushed. It gets another name by a link. */
  readonly source: string
  /** Of its name; no file ever had it. */
  readonly base: string
  readonly id: string
  readonly received: number
  readonly flags: readonly string[]
  readonly octets: number
  readonly bareLf: boolean
  /** Its facts, where they are known. */
  readonly record: Uint8Array | undefined
}

/** Adds messages; `together`: all or none, whatever happens. */
export async function addMessages(box: Box, state: State, adding: readonly Adding[], together: boolean): Promise<Message[]> {
  await learn(box, state, adding.flatMap(({ flags }) => flags))
  return box.uids.locked(async () => {
    const head = await box.uids.head()
    if (head?.uidValidity !== state.uidValidity) {
      box.forget()
      throw new MailError('temporary', 'maildir: another program is numbering the mailbox anew')
    }
    const uid = Math.max(state.uidNext, head.uidNext)
    if (uid + adding.length > LAST_UID) throw new MailError('permanent', 'The mailbox has given out all UIDs there are')
    const places = await box.addRecords(state.factsFile, adding.map(({ record }) => record))
    const rows = adding.map((one, index) => rowFor(box, state, one, uid + index, state.modSeq + 1 + index, places[index]))
    const lines: Line[] = [[together && rows.length > 1 ? 'all' : 'add', rows]]
    const listed = box.uids.append(rows.map((row, index) => ({ uid: row[0], base: base(adding, index), guid: row[3] })))
    const [undo, end] = await both(listed, box.prepare(lines, true), (undoList) => undoList(), () => box.cancel())
    await linkAll(box, adding, rows).catch(async (error: unknown) => {
      await undo().catch(() => undefined)
      await box.cancel()
      throw error
    })
    await box.carriedOut(state, lines, end, lines[0]?.[0] === 'all' ? 'flushed' : 'no')
    return rows.map(([at]) => state.at(at) as Message)
  })
}

const base = (adding: readonly Adding[], index: number): string => (adding[index] as Adding).base

/** Waits for both; where one fails the other is undone. */
async function both<A, B>(
  a: Promise<A>,
  b: Promise<B>,
  undoA: (a: A) => Promise<void>,
  undoB: (b: B) => Promise<void>,
): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([a, b])
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value]
  if (first.status === 'fulfilled') await undoA(first.value).catch(() => undefined)
  if (second.status === 'fulfilled') await undoB(second.value)
  throw first.status === 'rejected' ? first.reason : (second as PromiseRejectedResult).reason
}

function rowFor(
  box: Box,
  state: State,
  one: Adding,
  uid: number,
  modSeq: number,
  [factsAt, factsLength]: readonly [number, number] = [0, 0],
): Row {
  const { info, extra } = infoOfFlags(canonicalFlags(one.flags), undefined, state.keywords)
  // What has flags was seen by somebody (the Maildir text): it goes to `cur`.
  const [folder, name] = info === '' ? [0, one.base] as const : [1, `${one.base}:2,${info}`] as const
  const { id, received, octets, bareLf } = one
  return [uid, folder, name, id, modSeq, received, box.shared.now(), octets, bareLf ? 1 : 0, extra, factsAt, factsLength]
}

/** On failure none is there. */
async function linkAll(box: Box, adding: readonly Adding[], rows: readonly Row[]): Promise<void> {
  const { disk } = box.shared
  const targets = rows.map((row) => join(box.dir, folderOf(row), row[2]))
  try {
    await box.touching(async () => {
      for (const [index, { source }] of adding.entries()) {
        await linkOne(disk, source, targets[index] as string, join(box.dir, 'tmp'))
      }
    })
    await flushFolders(box, new Set(rows.map(folderOf)))
  } catch (error) {
    for (const target of targets) await disk.remove(target).catch(() => undefined)
    throw error
  }
}

const folderOf = (row: Row): 'new' | 'cur' => (row[1] === 0 ? 'new' : 'cur')

/** A second name for a file, or a copy of it where the disk has no links to give. */
async function linkOne(disk: Disk, source: string, target: string, tmp: string): Promise<void> {
  try {
    await disk.link(source, target)
  } catch (error) {
    if (!['EMLINK', 'EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP'].includes(codeOf(error) ?? '')) throw error
    const copy = join(tmp, `${parseFileName(target.slice(target.lastIndexOf('/') + 1)).base}.copy`)
    await disk.create(copy, disk.stream(source, 0, Infinity), true)
    await disk.rename(copy, target)
  }
}

/** Changes flags of messages in one step. */
export async function setFlags(
  box: Box,
  state: State,
  messages: readonly Message[],
  change: FlagChange,
  unchangedSince = Infinity,
): Promise<Flagged> {
  const later = messages.filter(({ modSeq }) => modSeq > unchangedSince)
  const wanted = messages.flatMap((message) => {
    const flags = message.modSeq > unchangedSince ? undefined : changedFlags(message.flags, change)
    return flags ? [{ message, flags }] : []
  })
  if (wanted.length > 0) {
    await learn(box, state, wanted.flatMap(({ flags }) => flags))
    const rows = wanted.map(({ message: { uid, name, base: its }, flags }): FlagRow => {
      const { info, extra } = infoOfFlags(flags, parseFileName(name).info, state.keywords)
      return [uid, 1, `${its}:2,${info}`, extra]
    })
    const lines: Line[] = [['set', state.modSeq + 1, rows]]
    const end = await box.prepare(lines, true)
    await renameAll(box, wanted.map(({ message }) => message), rows).catch(async (error: unknown) => {
      await box.cancel()
      throw error
    })
    await box.carriedOut(state, lines, end, 'written')
  }
  const changed = wanted.map(({ message }) => state.at(message.uid) as Message)
  return { changed: changed.map(({ uid, modSeq, flags }) => ({ uid, modSeq, flags: [...flags] })), modified: uidsOf(later) }
}

/** On failure the files have their old names. */
async function renameAll(box: Box, messages: readonly Message[], rows: readonly FlagRow[]): Promise<void> {
  const { disk } = box.shared
  const done: (readonly [from: string, to: string])[] = []
  try {
    await box.touching(async () => {
      for (const [index, message] of messages.entries()) {
        const [from, to] = [box.fileOf(message), join(box.dir, 'cur', (rows[index] as FlagRow)[2])]
        if (from === to) continue
        await disk.rename(from, to)
        done.push([from, to])
      }
    })
    await flushFolders(box, new Set(['cur', ...messages.map(({ folder }) => folder)]))
  } catch (error) {
    for (const [from, to] of done) await disk.rename(to, from).catch(() => undefined)
    throw error
  }
}

/** Removes messages in one step. */
export async function removeMessages(box: Box, state: State, messages: readonly Message[]): Promise<void> {
  if (messages.length === 0) return
  const lines: Line[] = [['gone', state.modSeq + 1, rangesOf(uidsOf(messages))]]
  const end = await box.prepare(lines, true)
  let removed = 0
  try {
    await box.touching(async () => {
      for (const message of messages) {
        await box.shared.disk.remove(box.fileOf(message))
        removed++
      }
    })
    await flushFolders(box, new Set(messages.map(({ folder }) => folder)))
  } catch (error) {
    // With the first one gone there is no way back: what was said is done at the next look.
    if (removed === 0) await box.cancel()
    else box.forget()
    throw error
  }
  await box.carriedOut(state, lines, end, 'written')
}

/** Gives keywords letters while there are any left. The file is there before a name has such a letter. */
async function learn(box: Box, state: State, flags: readonly string[]): Promise<void> {
  if (state.keywords.with(canonicalFlags(flags)) === state.keywords) return
  await box.uids.locked(async () => {
    const { disk } = box.shared
    const larger = (await readKeywords(disk, box.dir)).with(canonicalFlags(flags))
    await replaceFile(disk, box.dir, KEYWORDS, larger.format())
    state.keywords = larger
  })
}

async function flushFolders(box: Box, folders: ReadonlySet<string>): Promise<void> {
  await Promise.all([...folders].map((folder) => box.shared.disk.flushFolder(join(box.dir, folder))))
}

import { join } from 'node:path'
import { MailError } from '../../protocol/session/errors.ts'
import { randomHex } from './digest.ts'
import type { Disk } from './disk.ts'
import { type Line, parseLines, VERSION } from './journal.ts'
import { Keywords } from './keywords.ts'
import { type Message, State } from './state.ts'
import type { UidFile } from './uid-file.ts'
import type { UidList } from './uidlist.ts'

/** The journal's name in a mailbox's folder. */
export const JOURNAL = 'posthorn-log'
/** The file of keywords, as Dovecot calls it. */
export const KEYWORDS = 'dovecot-keywords'

/** A last line of which nobody knows whether it was carried out. */
export interface Pending {
  readonly line: Extract<Line, readonly ['all' | 'set' | 'gone', ...unknown[]]>
  /** The messages it is about, as they were before. */
  readonly before: readonly Message[]
}

/** What the files of a mailbox say, apart from the messages themselves. */
export interface Loaded {
  readonly state: State
  /** Octets of the journal that are whole lines. */
  readonly end: number
  readonly pending: Pending | undefined
  /** The journal has to be written anew, for what it says is not what is. */
  readonly journalStale: boolean
  /** So has `dovecot-uidlist`. */
  readonly listStale: boolean
}

/** The keywords of a mailbox. */
export async function readKeywords(disk: Disk, dir: string): Promise<Keywords> {
  return Keywords.parse(Buffer.from(await disk.read(join(dir, KEYWORDS)) ?? '').toString('utf8'))
}

/**
 * Reads what is known of a mailbox. UIDs are what the journal and `dovecot-uidlist` agree on, the latter's where somebody else
 * has numbered all anew. A mailbox without a journal gets mod-sequences above all that may have been given out before.
 *
 * `now`: milliseconds since the Unix epoch. Runs with the lock of the list.
 */
export async function loadState(
  disk: Disk,
  dir: string,
  uids: UidFile,
  fresh: { readonly now: number; readonly nextValidity: () => Promise<number> },
): Promise<Loaded> {
  const keywords = await readKeywords(disk, dir)
  const list = await uids.head()
  const journal = await readJournal(disk, dir, keywords)
  if (!journal || (list && list.uidValidity > journal.state.uidValidity)) {
    const state = new State(keywords)
    state.guid = journal?.state.guid ?? list?.guid ?? randomHex(16)
    state.uidValidity = list?.uidValidity ?? await fresh.nextValidity()
    state.uidNext = list?.uidNext ?? 1
    const before = journal ? journal.state.modSeq + 1 : list && list.uidNext > 1 ? laterThanAny(fresh.now) : 0
    state.modSeq = Math.max(state.modSeq, before)
    state.forgotten = before
    state.factsFile = journal ? journal.state.factsFile + 1 : 0
    return { state, end: 0, pending: undefined, journalStale: true, listStale: isOther(list, state) }
  }
  const { state, end, pending, damaged } = journal
  state.uidNext = Math.max(state.uidNext, list?.uidNext ?? 1)
  if (damaged) state.apply(['lost', laterThanAny(fresh.now)])
  return { state, end, pending, journalStale: damaged, listStale: isOther(list, state) }
}

/**
 * A mod-sequence, from milliseconds since the Unix epoch: others are counted from 1 or from an earlier moment, and nobody makes a
 * change every millisecond for years.
 */
export function laterThanAny(now: number): number {
  return Math.max(1, Math.floor(now) || 1)
}

function isOther(list: Omit<UidList, 'records'> | undefined, state: State): boolean {
  return list?.guid !== state.guid || list.uidValidity !== state.uidValidity
}

interface Journal {
  readonly state: State
  readonly end: number
  readonly pending: Pending | undefined
  readonly damaged: boolean
}

/** `undefined` where there is none. Throws `config` where a newer version wrote it. */
async function readJournal(disk: Disk, dir: string, keywords: Keywords): Promise<Journal | undefined> {
  const path = join(dir, JOURNAL)
  const octets = await disk.read(path)
  if (!octets) return undefined
  const { lines, end, damaged } = parseLines(octets)
  const [head] = lines
  if (head?.[0] !== 'head') return undefined
  if (head[1] > VERSION) throw new MailError('config', `${path} was written by a newer version of posthorn`)
  const state = new State(keywords)
  let pending: Pending | undefined
  lines.forEach((line, index) => {
    if (index === lines.length - 1 && (line[0] === 'all' || line[0] === 'set' || line[0] === 'gone')) {
      pending = { line, before: state.find(uidsIn(line)) }
    }
    state.apply(line)
  })
  return { state, end, pending, damaged }
}

function uidsIn(line: Pending['line']): { first: number; last: number }[] {
  if (line[0] === 'gone') return line[2].map(([first, last]) => ({ first, last }))
  const rows: readonly (readonly [number, ...unknown[]])[] = line[0] === 'all' ? line[1] : line[2]
  return rows.map(([uid]) => ({ first: uid, last: uid }))
}

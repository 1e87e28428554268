import { join } from 'node:path'
import { parseFileName } from './file-name.ts'
import type { FlagRow, Line, Row } from './journal.ts'
import { rangesOf } from './journal.ts'
import { laterThanAny, type Pending } from './load.ts'
import { examine, type Foreign, filesIn, type Found } from './look.ts'
import type { Desk } from './shared.ts'
import type { State } from './state.ts'
import { uidsOf } from './uids.ts'

/** Messages in a line. */
const CHUNK = 500

/**
 * Looks at the files of a mailbox: what was delivered, flagged and removed by others becomes known, and is told as a change.
 * First what a crash has cut short is finished or taken back. Gives whether anything was found.
 */
export async function scan(box: Desk, state: State, pending: Pending | undefined): Promise<boolean> {
  const { disk } = box.shared
  if (pending) await recover(box, state, pending)
  const found = await filesIn(disk, box.dir)
  if (state.messages.some(({ base }) => !found.has(base))) {
    // A file that is renamed while a folder is read may be in neither list: only what is missing twice is gone.
    for (const [base, file] of await filesIn(disk, box.dir)) found.set(base, file)
  }
  const lines = differences(state, found)
  const fresh = new Map([...found].filter(([base]) => !state.byBase.has(base)))
  if (fresh.size === 0) {
    if (lines.length > 0) await box.write(state, [...lines, ['ok']], true)
    return lines.length > 0 || pending !== undefined
  }
  await box.uids.locked(async () => {
    const list = await box.uids.all()
    const examined = await examine(disk, box.dir, fresh, list?.records ?? [], { uid: state.settled, tag: box.owner.tag })
    const numbered = numberAll(examined, Math.max(state.uidNext, list?.uidNext ?? 1))
    const unlisted = numbered.filter(({ listed }) => !listed)
    if (unlisted.length > 0) await box.uids.append(unlisted.map(({ uid, base, id }) => ({ uid, base, guid: id })))
    // With ids of ours they were in the journal once, or are copies that Dovecot made.
    const lost = numbered.some(({ listed, ours }) => listed && ours)
    if (lost) lines.push(['lost', laterThanAny(box.shared.now())])
    const rows = rowsOf(numbered, modSeqAfter(state, lines), box.shared.now())
    for (let at = 0; at < rows.length; at += CHUNK) lines.push(['add', rows.slice(at, at + CHUNK)])
    if (lines.length > 0) await box.write(state, [...lines, ['ok']], true)
  })
  return true
}

/** What has become of the messages that were known. Names that mean the same are taken over without a word. */
function differences(state: State, found: ReadonlyMap<string, Found>): Line[] {
  const lines: Line[] = []
  const vanished = state.messages.filter(({ base }) => !found.has(base))
  const ranges = rangesOf(uidsOf(vanished))
  if (ranges.length > 0) lines.push(['gone', state.modSeq + 1, ranges])
  const changed: FlagRow[] = []
  for (const { uid, base, folder, name, flags, extra } of state.messages) {
    const file = found.get(base)
    if (!file || (file.name === name && file.folder === folder && !hasKeywords(name))) continue
    const now = state.flagsOf(file.name, extra)
    if (now.length === flags.length && now.every((flag) => flags.includes(flag))) state.replace(uid, file)
    else changed.push([uid, file.folder === 'new' ? 0 : 1, file.name, extra])
  }
  if (changed.length > 0) lines.push(['set', state.modSeq + 1 + ranges.length, changed])
  return lines
}

/** Keywords may have changed their meaning with `dovecot-keywords`. */
function hasKeywords(name: string): boolean {
  const last = name.charCodeAt(name.length - 1)
  // Letters are in ASCII order, so that small ones come last.
  return last >= 0x61 && last <= 0x7a && parseFileName(name).info !== undefined
}

function modSeqAfter(state: State, lines: readonly Line[]): number {
  return lines.reduce((modSeq, line) => {
    if (line[0] === 'lost') return Math.max(modSeq + 1, line[1])
    return modSeq + (line[0] === 'gone' || line[0] === 'set' ? line[2].length : 0)
  }, state.modSeq) + 1
}

type Numbered = Foreign & { readonly uid: number; readonly listed: boolean }

/** Those that have UIDs keep them; the others get the next ones. */
function numberAll(examined: readonly Foreign[], next: number): Numbered[] {
  let uid = next
  return examined.map((one) => ({ ...one, uid: one.uid ?? uid++, listed: one.uid !== undefined }))
}

function rowsOf(numbered: readonly Numbered[], firstModSeq: number, saved: number): Row[] {
  return numbered.map(({ uid, folder, name, id, received, octets, bareLf }, index) => {
    return [uid, folder === 'new' ? 0 : 1, name, id, firstModSeq + index, received, saved, octets, bareLf ? 1 : 0, [], 0, 0]
  })
}

/** What was decided before a crash is done: all of it, or, where `ok` alone would have decided, none of it. */
async function recover(box: Desk, state: State, { line, before }: Pending): Promise<void> {
  const { disk } = box.shared
  const files = await filesIn(disk, box.dir)
  const lines: Line[] = [['ok']]
  if (line[0] === 'all') {
    const bases = line[1].map((row) => parseFileName(row[2]).base)
    if (!bases.every((base) => files.has(base))) {
      await removeFiles(box, files, bases)
      lines.unshift(['gone', state.modSeq + 1, rangesOf(uidsOf(line[1].map(([uid]) => ({ uid }))))])
    }
  } else if (line[0] === 'gone') {
    await removeFiles(box, files, before.map(({ base }) => base))
  } else {
    for (const [uid, , name] of line[2]) {
      const old = before.find((message) => message.uid === uid)
      const file = files.get(parseFileName(name).base)
      // Somebody may have changed the flags since: then theirs are the later ones.
      const untouched = old && file && parseFileName(file.name).info === parseFileName(old.name).info
      if (untouched && file.name !== name) await disk.rename(box.fileOf(file), join(box.dir, 'cur', name))
    }
    await Promise.all(['new', 'cur'].map((folder) => disk.flushFolder(join(box.dir, folder))))
  }
  await box.write(state, lines, true)
}

async function removeFiles(box: Desk, files: ReadonlyMap<string, Found>, bases: readonly string[]): Promise<void> {
  const { disk } = box.shared
  for (const base of bases) {
    const file = files.get(base)
    if (file) await disk.remove(box.fileOf(file))
  }
  await Promise.all(['new', 'cur'].map((folder) => disk.flushFolder(join(box.dir, folder))))
}

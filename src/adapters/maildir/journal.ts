import { crc32 } from 'node:zlib'
import type { UidSet } from '../../contracts/mailbox.ts'

/*
 * `posthorn-log`: what a Maildir has no place for, a line a change. Each line is a checksum and JSON; what follows the first line
 * that is not whole was never said. It is appended to, and replaced when most of it is history.
 *
 * The truth is divided: names of files tell which messages there are and their flags; `dovecot-uidlist` tells UIDs, to Dovecot
 * too; the journal tells mod-sequences, dates, keywords that have no letter, and what is gone. Of a mailbox without a journal,
 * UIDs and messages are all there; what changed when is told anew.
 */

/** The form of the journal that this version writes. Files of a higher one are refused. */
export const VERSION = 1

/** A message. `folder`: 0 for `new`, 1 for `cur`. `bareLf`: 1 where lines end in LF. `extra`: flags that the name cannot say. */
export type Row = readonly [
  uid: number,
  folder: 0 | 1,
  name: string,
  id: string,
  modSeq: number,
  received: number,
  saved: number,
  octets: number,
  bareLf: 0 | 1,
  extra: readonly string[],
  factsAt: number,
  factsLength: number,
]

/** A flag change of one message: uid, folder, name, extra flags. */
export type FlagRow = readonly [uid: number, folder: 0 | 1, name: string, extra: readonly string[]]

/**
 * A line.
 *
 * - `head`: begins the journal. Version, GUID, UIDVALIDITY, next UID, mod-sequence, mod-sequence up to which expunges are
 *   forgotten, first unclaimed UID, number of the facts file
 * - `add`: messages, each by itself
 * - `all`: messages that are there only if `ok` follows
 * - `set`: flags, the mod-sequence of the first and one more for each
 * - `gone`: ranges of UIDs that were expunged, the mod-sequence of the first and one more for each
 * - `old`: the same from a time long ago, with the mod-sequence of each
 * - `claim`: the first unclaimed UID
 * - `lost`: what was said before has been lost in part; mod-sequences go on above this one
 * - `facts`: where facts are: uid, offset, length
 * - `ok`: what the line before says was done to the files
 */
export type Line =
  | readonly ['head', number, string, number, number, number, number, number, number]
  | readonly ['add', readonly Row[]]
  | readonly ['all', readonly Row[]]
  | readonly ['set', number, readonly FlagRow[]]
  | readonly ['gone', number, readonly (readonly [number, number])[]]
  | readonly ['old', readonly (readonly [number, number, number])[]]
  | readonly ['claim', number]
  | readonly ['lost', number]
  | readonly ['facts', readonly (readonly [number, number, number])[]]
  | readonly ['ok']

/** The octets of lines. */
export function formatLines(lines: readonly Line[]): Uint8Array {
  return Buffer.from(lines.map((line) => {
    const json = JSON.stringify(line)
    return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`
  }).join(''))
}

/** What a journal says. */
export interface Parsed {
  readonly lines: readonly Line[]
  /** Octets that are whole lines: where to go on writing. */
  readonly end: number
  /** More followed than one line cut short, so what was said has been lost. */
  readonly damaged: boolean
}

/** Reads lines up to the first that is not whole. */
export function parseLines(octets: Uint8Array): Parsed {
  const bytes = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
  const lines: Line[] = []
  let at = 0
  while (at < bytes.length) {
    const end = bytes.indexOf(10, at)
    const line = end < 0 ? undefined : parseLine(bytes.subarray(at, end))
    if (!line) return { lines, end: at, damaged: end >= 0 && bytes.indexOf(10, end + 1) >= 0 }
    lines.push(line)
    at = end + 1
  }
  return { lines, end: at, damaged: false }
}

function parseLine(bytes: Buffer): Line | undefined {
  if (bytes.length < 10 || Number.parseInt(bytes.toString('latin1', 0, 8), 16) !== crc32(bytes.subarray(9))) return undefined
  try {
    return JSON.parse(bytes.toString('utf8', 9)) as Line
  } catch {
    return undefined
  }
}

/** Ranges as the journal has them. */
export function rangesOf(uids: UidSet): (readonly [number, number])[] {
  return uids.map(({ first, last }) => [first, last] as const)
}

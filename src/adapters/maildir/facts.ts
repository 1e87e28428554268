import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { NewMessage } from '../../contracts/store.ts'
import { packFacts, unpackFacts } from '../../message/packed-facts.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Disk } from './disk.ts'
import type { Message } from './state.ts'

/*
 * `posthorn-facts.N`: what messages say, a line each: checksum and facts. Found by offset, from the journal. Never flushed: what
 * is lost is read from the messages again.
 */

/** What a message says. */
export type Facts = NewMessage['facts']

/** Octets between two records that are read for nothing rather than in two reads. */
const GAP = 65_536
/** Octets read at a time. */
const MOST = 4 * 1024 * 1024

/** The file of facts with that number, in a mailbox's folder. */
export function factsFile(dir: string, number: number): string {
  return join(dir, `posthorn-facts.${number}`)
}

/** Facts as the file has them. Throws `misuse` where they are no plain data. */
export function formatFacts(facts: Facts): Uint8Array {
  let text: string
  try {
    text = packFacts(facts)
  } catch (cause) {
    throw new MailError('misuse', 'facts: give plain JSON data', { cause })
  }
  return Buffer.from(`${crc32(text).toString(16).padStart(8, '0')} ${text}\n`)
}

/** The records of messages as they are in the file; `undefined` where one is not there or not whole. */
export async function readRecords(disk: Disk, path: string, messages: readonly Message[]): Promise<(Uint8Array | undefined)[]> {
  const found: (Uint8Array | undefined)[] = messages.map(() => undefined)
  const wanted = [...messages.keys()].filter((index) => (messages[index] as Message).factsLength > 0)
  wanted.sort((a, b) => (messages[a] as Message).factsAt - (messages[b] as Message).factsAt)
  for (let i = 0; i < wanted.length;) {
    const from = (messages[wanted[i] as number] as Message).factsAt
    const group: number[] = []
    let end = from
    for (; i < wanted.length; i++) {
      const { factsAt, factsLength } = messages[wanted[i] as number] as Message
      if (group.length > 0 && (factsAt > end + GAP || factsAt + factsLength - from > MOST)) break
      end = Math.max(end, factsAt + factsLength)
      group.push(wanted[i] as number)
    }
    const octets = await disk.read(path, from, end - from)
    for (const index of octets ? group : []) {
      const { factsAt, factsLength } = messages[index] as Message
      const record = octets?.subarray(factsAt - from, factsAt - from + factsLength)
      if (record && isWhole(record)) found[index] = record
    }
  }
  return found
}

/** The facts in a record that is whole. */
export function parseRecord(record: Uint8Array): Facts {
  return unpackFacts(Buffer.from(record.buffer, record.byteOffset, record.length).toString('utf8', 9, record.length - 1))
}

function isWhole(record: Uint8Array): boolean {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.length)
  if (bytes.length < 11 || bytes[bytes.length - 1] !== 10) return false
  return Number.parseInt(bytes.toString('latin1', 0, 8), 16) === crc32(bytes.subarray(9, -1))
}

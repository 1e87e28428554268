import type { ByteRange, StoredBody } from '../../contracts/bodies.ts'
import type { MessageId, StoredMessage } from '../../contracts/store.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Box } from './box.ts'
import { isMissing, storageError } from './disk.ts'
import { formatFacts, parseRecord } from './facts.ts'
import { indexed, sliceOf, withCrlf } from './octets.ts'
import { entryOf, type Message, type State } from './state.ts'

/** A message where it is now. */
export interface Located {
  readonly box: Box
  readonly message: Message
}

/** The octets of a message, looked for anew at each read: its file gets another name with every flag. */
export function bodyOf(id: MessageId, { message: { octets } }: Located, locate: () => Promise<Located | undefined>): StoredBody {
  return { id, size: octets, read: (range) => readMessage(locate, range ?? { start: 0, end: octets }) }
}

async function* readMessage(
  locate: () => Promise<Located | undefined>,
  range: ByteRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let tries = 0; tries < 3; tries++) {
    const found = await locate().catch(fail)
    if (!found) break
    let octets = 0
    try {
      for await (const chunk of octetsOf(found, range)) {
        octets += chunk.length
        yield chunk
      }
      if (octets < range.end - range.start) throw new MailError('temporary', 'maildir: a message is shorter than it was')
      return
    } catch (error) {
      if (octets > 0 || !isMissing(error)) throw storageError(error)
    }
    await found.box.owner.locked(() => found.box.look(true)).catch(fail)
  }
  throw new MailError('permanent', 'The message was removed')
}

function fail(error: unknown): never {
  throw storageError(error)
}

function octetsOf({ box, message }: Located, range: ByteRange): AsyncIterable<Uint8Array> {
  const { disk } = box.shared
  const path = box.fileOf(message)
  if (message.bareLf) return sliceOf(withCrlf(disk.stream(path, 0, Infinity)), range)
  return disk.stream(path, range.start, range.end)
}

/**
 * Messages with what they say. Where that was never found out, since another program brought the message, or has been lost, it is
 * now, and kept. Messages that are gone meanwhile are left out.
 */
export async function withFacts(box: Box, state: State, messages: readonly Message[]): Promise<StoredMessage[]> {
  const records = await box.records(state, messages)
  const learnt = new Map<number, Uint8Array>()
  const stored: StoredMessage[] = []
  for (const [index, message] of messages.entries()) {
    const record = records[index] ?? await recordOf({ box, message })
    if (!record) continue
    if (!records[index]) learnt.set(message.uid, record)
    stored.push({ ...entryOf(message), mailbox: box.id, facts: parseRecord(record) })
  }
  if (learnt.size > 0) await box.owner.locked(() => keep(box, learnt))
  return stored
}

async function recordOf(found: Located): Promise<Uint8Array | undefined> {
  try {
    return formatFacts(await indexed(octetsOf(found, { start: 0, end: found.message.octets })))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function keep(box: Box, learnt: ReadonlyMap<number, Uint8Array>): Promise<void> {
  const state = await box.look()
  const places = await box.addRecords(state.factsFile, [...learnt.values()])
  const facts = [...learnt.keys()].map((uid, index) => [uid, ...places[index] as readonly [number, number]] as const)
  await box.write(state, [['facts', facts]], false)
  await box.settle(state, false)
}

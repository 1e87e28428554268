import { readRange } from '../contracts/read-body.ts'
import type { Body } from '../contracts/bodies.ts'
import type { Note } from '../contracts/note.ts'
import type { Recipient } from '../contracts/received.ts'
import type { StageFacts } from '../inbound/pipeline.ts'
import { combine, type Judged, ourFault, pass } from '../inbound/verdict.ts'
import type { MessageFacts } from '../message/facts.ts'
import { createIndexer } from '../message/indexer.ts'
import { shown } from '../observe/shown.ts'
import type { Reply } from '../protocol/smtp/index.ts'
import { type Collected, prefixed } from './collector.ts'
import type { LiveConnection } from './connection.ts'
import { outcomeOf } from './delivered.ts'
import { type Edit, edited } from './edited-body.ts'
import { explain, refusedOutcome } from './explaining.ts'
import { StoredArrival } from './received-message.ts'
import { type Delivered, type Reception, refusalOf } from './reception.ts'
import { noteFields, quarantineField } from './trace.ts'
import type { Transaction } from './transaction.ts'
import { refusalFacts, whence } from './whence.ts'

/** Octets that are read back of a message that is not in memory, to find its header. */
const CHUNK = 65_536

type Answer = Reply | readonly Reply[] | undefined

/** The answer to a complete message: policies first, then the delivery. Nothing is kept of what was not taken over. */
export async function answerMessage(
  reception: Reception,
  connection: LiveConnection,
  transaction: Transaction,
  facts: StageFacts,
): Promise<Answer> {
  const { clock } = reception
  const began = clock.ticks()
  const collector = transaction.collector!
  // The connection may stay for long; what it has delivered must not.
  transaction.collector = undefined
  const collected = collector.finishNow() ?? (await collector.finish())
  try {
    const message = await arrivalOf(connection, transaction, collected, facts.now)
    const verdict = reception.pipeline.has('message')
      ? ((await reception.pipeline.message(message, facts, transaction.notes)) ?? pass())
      : pass()
    const refusal = refusalOf(verdict)
    if (refusal) {
      observeRefusal(reception, connection, transaction, refusal, (verdict as Judged).policy)
      return refusal
    }
    // RFC 5321 §6.1: whoever has not heard 250 sends again, so what is delivered now would come twice.
    if (transaction.withdrawn) return undefined
    const discarded = transaction.discarding || verdict.kind === 'discard' || transaction.envelope.recipients.length === 0
    const whole = discarded ? message : await withNotes(message, transaction, collected)
    const delivered = discarded ? undefined : await reception.deliver(whole, facts)
    return settle(reception, connection, transaction, delivered, {
      octets: message.octets,
      discarded,
      took: clock.ticks() - began,
    })
  } catch (error) {
    reception.observe?.({ kind: 'failed', ...whence(connection, clock.now()), what: 'deliver', error })
    return ourFault
  } finally {
    await collected.discard()
  }
}

/** The message as policies see it. Of one that is not in memory the header is read back. */
async function arrivalOf(
  connection: LiveConnection,
  transaction: Transaction,
  { body, facts }: Collected,
  received: number,
): Promise<StoredArrival> {
  const head = body.bytes ?? (await readRange(body, { start: 0, end: Math.min(facts?.structure.body ?? CHUNK, body.size) }))
  const { id, envelope, notes } = transaction
  return new StoredArrival({ id, envelope, connection, received, body, notes, head, facts })
}

/** The message with the fields that policies have noted for it, and without those that they have noted against. */
async function withNotes(message: StoredArrival, transaction: Transaction, collected: Collected): Promise<StoredArrival> {
  const { id, connection, received } = message
  const { envelope, notes } = transaction
  const fields = noteFields(notes)
  const removals = removalsOf(notes, message)
  if (removals.length > 0) {
    const text = Buffer.from(fields.buffer, fields.byteOffset, fields.length).toString('utf8')
    const { body, facts } = await edited(message, [{ from: 0, to: 0, text }, ...removals])
    const head = body.bytes ?? (await readRange(body, { start: 0, end: facts.structure.body }))
    return new StoredArrival({ id, envelope, connection, received, body, notes, head, facts })
  }
  if (fields.length === 0) return message
  const body = prefixed(fields, collected.body)
  const head = Buffer.concat([fields, message.head])
  // Everything has moved: of a message that is not in memory the facts are gathered anew.
  const facts = body.bytes ? undefined : await factsOf(body)
  return new StoredArrival({ id, envelope, connection, received, body, notes, head, facts })
}

/** Spans of the header that are taken out, ascending, none twice; what lies elsewhere was meant for another message. */
function removalsOf(notes: readonly Note[], { headers }: StoredArrival): Edit[] {
  const wanted = new Set<number>()
  for (const note of notes) if (note.kind === 'removal') wanted.add(note.start)
  // What others say about it is not what this server does.
  if (notes.some(({ kind }) => kind === 'quarantine')) for (const { start } of headers.all(quarantineField)) wanted.add(start)
  if (wanted.size === 0) return []
  return headers.fields.filter(({ start }) => wanted.has(start)).map(({ start, end }) => ({ from: start, to: end, text: '' }))
}

async function factsOf(body: Body): Promise<MessageFacts> {
  const indexer = createIndexer()
  for await (const bytes of body.read()) indexer.push(bytes)
  return indexer.end()
}

/** The replies that a delivery means: one for the message, or over LMTP one for each recipient that was accepted. */
function settle(
  reception: Reception,
  connection: LiveConnection,
  transaction: Transaction,
  delivered: Delivered,
  done: { octets: number; discarded: boolean; took: number },
): Answer {
  const { recipients } = transaction.envelope
  const outcome = outcomeOf(delivered, recipients.length)
  const queued = 'queued' in outcome ? outcome.queued : undefined
  const text = queued === undefined ? `Ok ${transaction.id}` : `queued as ${queued}`
  const accepted: Reply = { code: 250, enhanced: '2.0.0', text }
  const each = 'each' in outcome ? outcome.each : recipients.map(() => outcome.all)
  const refusals = each.map(refusalOf)
  if (refusals.length === 0 || refusals.some((refusal) => refusal === undefined)) {
    observeAccepted(reception, connection, transaction, refusals, done)
  }
  // One verdict for all is one event.
  const told = 'each' in outcome ? refusals : refusals.slice(0, 1)
  told.forEach((refusal, at) => {
    const to = 'each' in outcome ? recipients[at] : undefined
    if (refusal) observeRefusal(reception, connection, transaction, refusal, 'deliver', to)
  })
  if (reception.lmtp) {
    let next = 0
    return transaction.kept.map((kept) => (kept ? (refusals[next++] ?? accepted) : accepted))
  }
  // One reply stands for all: whoever was refused for now must come again, and duplicates are better than losses (RFC 5321
  // §6.1).
  return refusalOf(combine(each)) === undefined ? accepted : strongest(refusals)
}

/** For now before for good: a message that one recipient may still get is not bounced for all. */
function strongest(refusals: readonly (Reply | undefined)[]): Reply {
  const given = refusals.filter((refusal) => refusal !== undefined)
  return given.find((refusal) => refusal.code < 500) ?? given[0]!
}

function observeAccepted(
  reception: Reception,
  connection: LiveConnection,
  transaction: Transaction,
  refusals: readonly (Reply | undefined)[],
  done: { octets: number; discarded: boolean; took: number },
): void {
  const { envelope, id, notes } = transaction
  const discards = notes.flatMap((note) => (note.kind === 'discard' ? [{ policy: note.policy, why: note.why }] : []))
  reception.observe?.({
    kind: 'accepted',
    ...whence(connection, reception.clock.now()),
    message: id,
    sender: shown(envelope.sender),
    recipients: envelope.recipients.filter((_, at) => refusals[at] === undefined).map(shown),
    ...done,
    ...(discards.length === 0 ? {} : { discards }),
  })
  const isQuarantined = transaction.notes.some((note) => note.kind === 'quarantine')
  const kind = done.discarded ? 'discarded' : isQuarantined ? 'quarantined' : 'accepted'
  explain(reception, connection, transaction, { kind, stage: 'message' })
}

function observeRefusal(
  reception: Reception,
  connection: LiveConnection,
  transaction: Transaction,
  reply: Reply,
  policy: string | undefined,
  to?: Recipient,
): void {
  const { envelope } = transaction
  const facts = refusalFacts('message', policy, reply, envelope, to)
  reception.observe?.({ kind: 'refused', ...whence(connection, reception.clock.now()), ...facts })
  const byDelivery = policy === 'deliver'
  const outcome = refusedOutcome(byDelivery ? 'deliver' : 'message', reply, byDelivery ? undefined : policy, to && shown(to))
  explain(reception, connection, transaction, outcome)
}

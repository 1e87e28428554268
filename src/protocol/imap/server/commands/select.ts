import { encodeUtf8String } from '../../encode.ts'
import type { ImapMailbox } from '../../mailbox.ts'
import { pathOf } from '../../mailbox-name.ts'
import { type NumberSet, sizeOf } from '../../../bytes/number-set.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ask, no, ok, type Result, type Run } from '../../run.ts'
import { LAST, resolveSet, type SequenceSet } from '../../sequence-set.ts'
import { View } from '../../view.ts'
import { AUTHENTICATED, type Command, type ImapContext, type Selected } from '../context.ts'
import { noNumbers } from '../numbers.ts'
import { isKeptOtherwise, sayName } from '../name-line.ts'
import { objectId } from '../object-id.ts'
import { resynchronise } from '../resynchronise.ts'
import { SpareMap } from '../spare.ts'
import { tellFlagNames } from '../synchronise.ts'
import { leave } from './close.ts'

/** Of what there is mostly nothing all have one in common. */
const NONE: readonly never[] = []

/** SELECT (RFC 9051 §6.3.2). */
export const select: Command = {
  name: 'SELECT',
  states: AUTHENTICATED,
  run: (context, reader) => open(context, reader, false),
}

/** EXAMINE (RFC 9051 §6.3.3): writes nothing. */
export const examine: Command = {
  name: 'EXAMINE',
  states: AUTHENTICATED,
  run: (context, reader) => open(context, reader, true),
}

/** What a client knows of a mailbox that it had open before (RFC 7162 §3.2.5). */
interface Known {
  readonly uidValidity: number
  readonly modSeq: number
  /** `undefined`: all there are. */
  readonly uids: NumberSet | undefined
  /** Sequence numbers and the UIDs they had, in pairs. */
  readonly sequences: NumberSet
  readonly sequenceUids: NumberSet
}

function* open(context: ImapContext, reader: Reader, readOnly: boolean): Run {
  reader.space()
  const name = reader.astring()
  const path = pathOf(name, context.nameForm)
  let known: Known | undefined
  let condstore = false
  if (reader.maybeSpace()) {
    reader.list(() => {
      const parameter = reader.word()
      if (parameter === 'CONDSTORE') condstore = true
      else if (parameter === 'QRESYNC' && known === undefined) known = readKnown(context, reader)
      else throw new Malformed('An unknown parameter')
    })
  }
  reader.end()
  // I44: the one that was selected is closed even where this fails.
  leave(context, true)
  if (condstore) context.enabled.add('CONDSTORE')
  const found = path && (yield* ask({ kind: 'mailbox', path }))
  if (!path || !found) return no('There is no such mailbox', 'NONEXISTENT')
  return yield* opened(context, found, name, readOnly, known)
}

/** ` (uidvalidity modseq [known-uids] [(sequences uids)])`. */
function readKnown(context: ImapContext, reader: Reader): Known {
  if (!context.enabled.has('QRESYNC')) throw new Malformed('ENABLE QRESYNC first')
  reader.space()
  reader.expect('(')
  const uidValidity = reader.nzNumber()
  reader.space()
  const modSeq = reader.number64()
  let uids: NumberSet | undefined
  let pairs: readonly [NumberSet, NumberSet] = [[], []]
  if (reader.maybeSpace()) {
    if (!reader.atList) uids = plainSet(reader.sequenceSet())
    if (reader.atList || reader.maybeSpace()) {
      // RFC 9586 §3.7.
      if (context.enabled.has('UIDONLY')) throw noNumbers
      pairs = readPairs(reader)
    }
  }
  reader.expect(')')
  return { uidValidity, modSeq, uids, sequences: pairs[0], sequenceUids: pairs[1] }
}

function readPairs(reader: Reader): readonly [NumberSet, NumberSet] {
  reader.expect('(')
  const sequences = plainSet(reader.sequenceSet())
  reader.space()
  const uids = plainSet(reader.sequenceSet())
  reader.expect(')')
  if (sizeOf(sequences) !== sizeOf(uids)) throw new Malformed('As many UIDs as sequence numbers')
  return [sequences, uids]
}

/** RFC 7162 §7: no `*` here, and no `$`. */
function plainSet(set: SequenceSet): NumberSet {
  const plain = set !== '$' && !set.some(({ first, last }) => first === LAST || last === LAST)
  if (!plain) throw new Malformed('Only numbers can be known')
  return resolveSet(set, 0)
}

function* opened(
  context: ImapContext,
  { id, path }: ImapMailbox,
  name: string,
  readOnly: boolean,
  known: Known | undefined,
): Run<Result> {
  const { mailbox, uids, firstUnseen, keywords, recent } = yield* ask({ kind: 'open', mailbox: id, readOnly })
  const view = new View()
  view.add(uids)
  const rev2 = context.enabled.has('IMAP4REV2')
  const selected: Selected = {
    mailbox: id,
    readOnly,
    uidValidity: mailbox.uidValidity,
    view,
    uidNext: mailbox.uidNext,
    modSeq: mailbox.modSeq,
    changed: false,
    gone: NONE,
    recent,
    keywords: new SpareMap(keywords.slice(0, context.config.limits.keywords).map((keyword) => [keyword.toLowerCase(), keyword])),
    saved: NONE,
    own: new SpareMap(),
    news: { added: NONE, flagged: new SpareMap() },
    held: undefined,
    heldTold: false,
    followed: new SpareMap(),
    touched: NONE,
  }
  context.selected = selected
  tellFlagNames(context, selected)
  context.say(`* ${view.exists} EXISTS`)
  if (!rev2) context.say(`* ${sizeOf(recent)} RECENT`)
  // RFC 9586 §3: it is a sequence number.
  const first = rev2 || context.enabled.has('UIDONLY') ? undefined : firstUnseen
  if (first !== undefined) context.say(`* OK [UNSEEN ${view.sequenceOf(first)}] First unseen message`)
  context.say(`* OK [UIDVALIDITY ${mailbox.uidValidity}] UIDs are valid`)
  context.say(`* OK [UIDNEXT ${mailbox.uidNext}] The next UID`)
  // RFC 7162 §3.1.2.1: always (I32). A mod-sequence is 1 at least.
  context.say(`* OK [HIGHESTMODSEQ ${mailbox.modSeq}] The highest mod-sequence`)
  // RFC 8474 §4.2.
  context.say(`* OK [MAILBOXID (${objectId('F', mailbox.id)})] The mailbox under any name`)
  // RFC 9051 §6.3.2: also where the client has written the name in another way than it is kept.
  if (rev2) sayName(context, { path, mailbox }, isKeptOtherwise(context, path, name) ? encodeUtf8String(name) : undefined)
  // Where the UIDs mean other messages, nothing that the client knows is of use.
  if (known?.uidValidity === mailbox.uidValidity) {
    yield* resynchronise(context, selected, known.modSeq, known.uids, matchedUpTo(view, known))
  }
  return readOnly ? ok('Selected, to be read only', 'READ-ONLY') : ok('Selected', 'READ-WRITE')
}

/**
 * The highest UID that has the sequence number here that the client knows it by: of all up to there it knows which are gone
 * (RFC 7162 §3.2.5.2).
 */
function matchedUpTo(view: View, { sequences, sequenceUids }: Known): number {
  let matched = 0
  let [at, offset] = [0, 0]
  for (const { first, last } of sequences) {
    for (let sequence = first; sequence <= Math.min(last, view.exists); sequence++) {
      while (at < sequenceUids.length && sequenceUids[at]!.first + offset > sequenceUids[at]!.last) [at, offset] = [at + 1, 0]
      const uid = sequenceUids[at]!.first + offset++
      if (view.uidOf(sequence) === uid) matched = uid
    }
  }
  return matched
}

import { isKeyword, normalFlags } from '../../flags.ts'
import type { ImapEntry } from '../../mailbox.ts'
import { type NumberSet, sizeOf, within } from '../../../bytes/number-set.ts'
import { formatSet } from '../../sequence-set.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ask, flow, no, ok, type Run, tooMuch } from '../../run.ts'
import { type Command, type ImapContext, SELECTED, type Selected } from '../context.ts'
import { touch } from '../following.ts'
import { uidsNamed } from '../numbers.ts'
import { enableCondstore, flagsText, goneOf, messageText, tellKeywords, wantsUid } from '../synchronise.ts'

/** STORE (RFC 9051 §6.4.6). */
export const store: Command = {
  name: 'STORE',
  states: SELECTED,
  bySequence: true,
  holdsExpunge: true,
  run: (context, reader) => run(context, reader, false),
}

/** UID STORE (RFC 9051 §6.4.9). */
export const uidStore: Command = { name: 'UID STORE', states: SELECTED, run: (context, reader) => run(context, reader, true) }

/** What is to be done. */
interface Order {
  readonly change: 'add' | 'remove' | 'replace'
  readonly silent: boolean
  readonly flags: readonly string[]
  readonly unchangedSince: number | undefined
}

function* run(context: ImapContext, reader: Reader, byUid: boolean): Run {
  reader.space()
  const set = reader.sequenceSet()
  reader.space()
  const order = readOrder(reader)
  reader.end()
  const selected = context.selected!
  const uids = uidsNamed(selected, set, byUid)
  if (order.unchangedSince !== undefined) enableCondstore(context)
  // RFC 9051 §2.3.2: keywords are compared without case; the spelling that is there stays (I22).
  const flags = normalFlags(order.flags)?.map((flag) => selected.keywords.get(flag.toLowerCase()) ?? flag)
  if (flags === undefined) return no('A flag that no mailbox here can keep', 'CANNOT')
  // I44: clearer than an OK that changes nothing.
  if (selected.readOnly) return no('The mailbox was opened to be read only', 'READ-ONLY')
  if (uids.length === 0) return ok('No such messages')
  const { change, unchangedSince } = order
  if (change !== 'remove' && tooManyWith(context, selected, flags)) return tooMuch('keywords', 'Too many keywords')
  const { changed, modified } = yield* ask({ kind: 'flag', mailbox: selected.mailbox, uids, change, flags, unchangedSince })
  noteOwn(selected, changed)
  // Said even to who wants silence: what a mailbox has is counted by what was said of it.
  if (change !== 'remove' && changed.length > 0) tellKeywords(context, selected, flags)
  // RFC 7162 §3.1.3: of those that had changed before, the client hears how (I33).
  selected.changed = true
  yield* answer(context, selected, order, uids, changed, byUid)
  const gone = !byUid && !order.silent && (yield* goneOf(selected, uids)).length > 0
  const code = modified.length === 0 ? undefined : `MODIFIED ${formatSet(byUid ? modified : selected.view.sequencesOf(modified))}`
  // RFC 2180 §4.2.3: done for those that are there (I18).
  if (gone) return no('Some of the messages are gone', code ?? 'EXPUNGEISSUED')
  return code === undefined ? ok('Stored') : ok('Some had changed', code)
}

/** Whether these flags would bring the mailbox to more keywords than it may have. */
function tooManyWith({ config }: ImapContext, { keywords }: Selected, flags: readonly string[]): boolean {
  const fresh = flags.filter((flag) => isKeyword(flag) && !keywords.has(flag.toLowerCase())).length
  return fresh > 0 && keywords.size + fresh > config.limits.keywords
}

/** `(UNCHANGEDSINCE n) +FLAGS.SILENT (\Seen)`. */
function readOrder(reader: Reader): Order {
  let unchangedSince: number | undefined
  if (reader.atList) {
    reader.list(() => {
      if (reader.word() !== 'UNCHANGEDSINCE') throw new Malformed('An unknown modifier')
      reader.space()
      unchangedSince = reader.number64()
    })
    reader.space()
  }
  const change = reader.maybe('+') ? 'add' : reader.maybe('-') ? 'remove' : 'replace'
  const name = reader.word()
  if (name !== 'FLAGS' && name !== 'FLAGS.SILENT') throw new Malformed('FLAGS or FLAGS.SILENT is missing')
  reader.space()
  const flags: string[] = []
  if (reader.atList) flags.push(...reader.list(() => reader.flag(), true))
  else {
    flags.push(reader.flag())
    while (reader.maybeSpace()) flags.push(reader.flag())
  }
  return { change, silent: name === 'FLAGS.SILENT', flags, unchangedSince }
}

/**
 * Changes of the client's own need not be told. Where nothing else happened before or between them, they need not be asked for
 * either: of ten thousand that would cost more than making them.
 */
function noteOwn(selected: Selected, changed: readonly Pick<ImapEntry, 'uid' | 'modSeq'>[]): void {
  let last = selected.modSeq
  const alone = changed.every(({ modSeq }) => modSeq === last || modSeq === ++last)
  touch(selected, changed)
  if (alone) selected.modSeq = last
  else for (const { uid, modSeq } of changed) selected.own.set(uid, modSeq)
}

/**
 * Says how the flags are now: of all that were named, or, where silence was asked for, the mod-sequences of those that changed
 * if the
 * client wants to know them (RFC 7162 §3.1.3, I24).
 */
function* answer(
  context: ImapContext,
  selected: Selected,
  { silent }: Order,
  uids: NumberSet,
  changed: readonly { readonly uid: number; readonly modSeq: number; readonly flags: readonly string[] }[],
  byUid: boolean,
): Run<void> {
  const condstore = context.enabled.has('CONDSTORE')
  if (silent && !condstore) return
  const withUid = byUid ? !context.enabled.has('UIDONLY') : wantsUid(context)
  let known: readonly string[] | undefined
  const say = ({ uid, modSeq, flags }: (typeof changed)[number]): void => {
    if (!silent && flags !== known) tellKeywords(context, selected, (known = flags))
    const start = `${messageText(context, selected.view.sequenceOf(uid), uid)}${withUid ? `UID ${uid}${silent ? '' : ' '}` : ''}`
    const shown = silent ? '' : `FLAGS ${flagsText(context, selected, uid, flags)}`
    const end = condstore ? `${silent && !withUid ? '' : ' '}MODSEQ (${modSeq})` : ''
    context.say(`${start}${shown}${end})`)
  }
  if (silent || changed.length === sizeOf(uids)) {
    for (const entry of changed) {
      say(entry)
      if (context.full) yield* flow(context)
    }
    return
  }
  for (let left = uids; left.length > 0;) {
    const { items, last } = yield* ask({ kind: 'entries', mailbox: selected.mailbox, uids: left, since: 0 })
    for (const entry of items) {
      say(entry)
      selected.own.set(entry.uid, entry.modSeq)
      if (context.full) yield* flow(context)
    }
    const end = items[items.length - 1]
    if (last || end === undefined) return
    left = within(left, end.uid + 1, 0xffffffff)
  }
}

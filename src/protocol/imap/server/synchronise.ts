import type { ImapEntry } from '../mailbox.ts'
import { formatFlags, isKeyword, SYSTEM_FLAGS } from '../flags.ts'
import { common, contains, type NumberSet, setOfAscending, sizeOf, together, within, without } from '../../bytes/number-set.ts'
import { formatSet } from '../sequence-set.ts'
import { ask, flow, type Run } from '../run.ts'
import { Refused } from '../../session/refusal.ts'
import type { ImapContext, Selected } from './context.ts'
import { tellSearches, tellSearchesOfGone, touch } from './following.ts'

/** Milliseconds until something is asked again that could not be answered. */
const QUIET = 1000

/**
 * Tells the client what has happened in the mailbox that it has selected. The one place where its view changes: the end of a
 * command, IDLE, and whenever NOTIFY wants it. `expunge`: it may hear that messages are gone (I16); otherwise they stay, for it,
 * until it may. `flags`: it wants to hear of changes of flags. Gives the messages that have come.
 */
export function* synchronise(context: ImapContext, expunge: boolean, flags = true): Run<NumberSet> {
  const { selected } = context
  if (selected === undefined) return []
  try {
    yield* learn(selected, flags)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    // I25: nothing that the client could say of it means anything any more. Anything else that fails can be told later.
    if (error.code === 'NONEXISTENT') context.close('end', 'The selected mailbox was deleted')
    else selected.changed = true
    context.quietUntil = context.now + QUIET
    return []
  }
  if (!flags) passOver(selected)
  return yield* tell(context, selected, expunge)
}

/** Asks what has happened, page by page, and notes it as what is to be told. */
function* learn(selected: Selected, flags: boolean): Run<void> {
  while (selected.changed) {
    selected.changed = false
    for (let more = true; more;) {
      const changes = yield* ask({ kind: 'changes', mailbox: selected.mailbox, since: selected.modSeq })
      const there = changes.complete ? undefined : yield* uidsIn(selected.mailbox)
      note(selected, changes.changed, flags)
      const { view, news } = selected
      // The store has forgotten what was expunged: what is not there is gone.
      const gone = there === undefined ? common(changes.vanished, view.uids) : without(view.uids, there)
      if (gone.length > 0) selected.held ??= selected.modSeq
      selected.gone = together(selected.gone, gone)
      news.added = there === undefined ? without(news.added, changes.vanished) : common(news.added, there)
      selected.modSeq = changes.modSeq
      more = changes.more
    }
  }
}

/** The UIDs that are in a mailbox. */
export function* uidsIn(mailbox: string): Run<NumberSet> {
  const uids: number[] = []
  for (let first = 1; ;) {
    const { items, last } = yield* ask({ kind: 'entries', mailbox, uids: [{ first, last: 0xffffffff }], since: 0 })
    for (const { uid } of items) uids.push(uid)
    if (last || items.length === 0) return setOfAscending(uids)
    first = items[items.length - 1]!.uid + 1
  }
}

function note(selected: Selected, changed: readonly ImapEntry[], flags: boolean): void {
  const { view, news, own } = selected
  touch(selected, changed)
  const known = view.lastUid
  const added: number[] = []
  for (const entry of changed) {
    if (entry.uid > known) added.push(entry.uid)
    if (entry.uid > known || own.get(entry.uid) === entry.modSeq) continue
    if (!flags) selected.unsaid ??= selected.modSeq
    if (!flags) continue
    news.flagged.delete(entry.uid)
    news.flagged.set(entry.uid, entry)
  }
  if (added.length > 0) news.added = together(news.added, setOfAscending(added.sort((a, b) => a - b)))
}

/** What was learnt of flags by the way is not told. */
function passOver(selected: Selected): void {
  const { flagged } = selected.news
  for (const { modSeq } of flagged.values()) selected.unsaid = Math.min(selected.unsaid ?? Infinity, modSeq - 1)
  flagged.clear()
}

/** In this order: EXPUNGE, EXISTS, FETCH (I19). */
function* tell(context: ImapContext, selected: Selected, expunge: boolean): Run<NumberSet> {
  const { news, own } = selected
  own.clear()
  if (expunge) {
    tellSearchesOfGone(context, selected)
    yield* tellExpunged(context, selected)
  }
  const { added } = news
  news.added = []
  const flagged = [...news.flagged.values()].filter(({ uid }) => !contains(selected.gone, uid))
  news.flagged.clear()
  if (added.length > 0) yield* tellAdded(context, selected, added)
  for (const entry of flagged.sort((a, b) => a.uid - b.uid)) {
    tellFlags(context, selected, entry)
    yield* flow(context)
  }
  yield* tellSearches(context, selected)
  tellHeld(context, selected)
  return added
}

function* tellAdded(context: ImapContext, selected: Selected, added: NumberSet): Run<void> {
  selected.view.add(added)
  selected.uidNext = Math.max(selected.uidNext, selected.view.lastUid + 1)
  // I17: it never shrinks, and EXPUNGE has no need of it.
  context.say(`* ${selected.view.exists} EXISTS`)
  if (context.enabled.has('IMAP4REV2')) return
  if (!selected.readOnly) {
    const from = yield* claimed(selected.mailbox)
    if (from !== null) selected.recent = together(selected.recent, within(added, from, 0xffffffff))
  }
  context.say(`* ${sizeOf(common(selected.recent, selected.view.uids))} RECENT`)
}

/** Asks which messages this session is the first to see (I23). Where that fails there are none: nothing else depends on it. */
function* claimed(mailbox: string): Run<number | null> {
  try {
    return yield* ask({ kind: 'claim', mailbox })
  } catch (error) {
    if (error instanceof Refused) return null
    throw error
  }
}

/** Says which messages are gone, and takes them out of the view. */
function* tellExpunged(context: ImapContext, selected: Selected): Run<void> {
  const { gone, view } = selected
  if (gone.length === 0) return
  selected.gone = []
  selected.held = undefined
  // RFC 5182 §2.1: what is gone is no part of a saved result.
  selected.saved = without(selected.saved, gone)
  selected.recent = without(selected.recent, gone)
  const told = common(gone, view.uids)
  const sequences = view.remove(gone)
  if (sequences.length === 0) return
  // I20; RFC 9586 §3.4, §3.6.
  if (context.enabled.has('QRESYNC') || context.enabled.has('UIDONLY')) return context.say(`* VANISHED ${formatSet(told)}`)
  for (const sequence of sequences) {
    context.say(`* ${sequence} EXPUNGE`)
    yield* flow(context)
  }
}

/**
 * RFC 7162 §3.2: while VANISHED has to wait, a client that resumes from a mod-sequence it saw in a FETCH would miss it. So it
 * hears from where to resume, and again when nothing waits any more (I31).
 */
function tellHeld(context: ImapContext, selected: Selected): void {
  if (!context.enabled.has('QRESYNC') || (selected.held === undefined && !selected.heldTold)) return
  selected.heldTold = selected.held !== undefined
  const text = selected.heldTold ? 'Messages are gone that cannot be told of yet' : 'All is told'
  context.say(`* OK [HIGHESTMODSEQ ${selected.held ?? selected.modSeq}] ${text}`)
}

/** Says the flags of a message that the client knows of. */
function tellFlags(context: ImapContext, selected: Selected, entry: Pick<ImapEntry, 'uid' | 'modSeq' | 'flags'>): void {
  const { uid, modSeq, flags } = entry
  tellKeywords(context, selected, flags)
  const sequence = selected.view.sequenceOf(uid)
  if (sequence === 0) return
  const first = `${messageText(context, sequence, uid)}${wantsUid(context) ? `UID ${uid} ` : ''}`
  // RFC 7162 §3.1: with CONDSTORE the mod-sequence is always there.
  const last = context.enabled.has('CONDSTORE') ? ` MODSEQ (${modSeq})` : ''
  context.say(`${first}FLAGS ${flagsText(context, selected, uid, flags)}${last})`)
}

/** Whether a FETCH that nobody asked for has the UID in it (RFC 7162 §3.2.4, RFC 9051 §7.5.2, RFC 5465 §5.1). */
export function wantsUid({ enabled, notify }: ImapContext): boolean {
  return !enabled.has('UIDONLY') && (enabled.has('QRESYNC') || enabled.has('IMAP4REV2') || notify !== undefined)
}

/** How what is told of a message begins: by its sequence number, or by its UID once nothing else is wanted (RFC 9586 §3.3). */
export function messageText({ enabled }: ImapContext, sequence: number, uid: number): string {
  return enabled.has('UIDONLY') ? `* ${uid} UIDFETCH (` : `* ${sequence} FETCH (`
}

/** The flags of a message as they are said: `\Recent` is one of them until the client speaks IMAP4rev2 (I23). */
export function flagsText({ enabled }: ImapContext, { recent }: Selected, uid: number, flags: readonly string[]): string {
  return formatFlags(flags, recent.length > 0 && !enabled.has('IMAP4REV2') && contains(recent, uid))
}

/** Says FLAGS and PERMANENTFLAGS anew where there are keywords that the client has not heard of (I21). */
export function tellKeywords(context: ImapContext, selected: Selected, flags: readonly string[]): void {
  let news = false
  for (const flag of flags) {
    if (!isKeyword(flag) || selected.keywords.has(flag.toLowerCase())) continue
    // Others may have brought it to more; the list is said anew for each that is new.
    if (selected.keywords.size >= context.config.limits.keywords) break
    selected.keywords.set(flag.toLowerCase(), flag)
    news = true
  }
  if (news) tellFlagNames(context, selected)
}

/** Says which flags there are, and which may be set for good. */
export function tellFlagNames(context: ImapContext, selected: Selected): void {
  const names = [...SYSTEM_FLAGS, ...selected.keywords.values()].join(' ')
  context.say(`* FLAGS (${names})`)
  // RFC 9051 §7.1: no `\*` any more once there are as many as there may be.
  const more = selected.keywords.size < context.config.limits.keywords ? ' \\*' : ''
  const permanent = selected.readOnly ? '' : `${names}${more}`
  context.say(`* OK [PERMANENTFLAGS (${permanent})] ${selected.readOnly ? 'Read-only mailbox' : 'Flags are permanent'}`)
}

/** From now on the client is told mod-sequences; where a mailbox is selected it hears of the highest one (RFC 7162 §3.1). */
export function enableCondstore(context: ImapContext): void {
  const { enabled, selected } = context
  if (enabled.has('CONDSTORE')) return
  enabled.add('CONDSTORE')
  if (selected) context.say(`* OK [HIGHESTMODSEQ ${selected.held ?? selected.modSeq}] The highest mod-sequence`)
}

/** Of the messages named, those that are gone and of which the client has not been told (I18). */
export function* goneOf(selected: Selected, uids: NumberSet): Run<NumberSet> {
  yield* learn(selected, true)
  return common(uids, selected.gone)
}

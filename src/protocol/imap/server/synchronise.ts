import type { ImapEntry } from '../mailbox.ts'
import { formatFlags, isKeyword, SYSTEM_FLAGS } from '../flags.ts'
import { common, contains, formatSet, type NumberSet, setOf, setOfAscending, sizeOf, together, without } from '../ranges.ts'
import { ask, Refused, type Run } from '../run.ts'
import type { ImapContext, Selected } from './context.ts'

/** What is to be told of a mailbox. */
interface News {
  added: NumberSet
  /** By UID, the latest last: several changes of one message become one. */
  readonly flagged: Map<number, ImapEntry>
}

/**
 * Tells the client what has happened in the mailbox that it has selected. The one place where its view changes: the end of a
 * command,
 * and IDLE. `expunge`: it may hear that messages are gone (I16); otherwise they stay, for it, until it may.
 */
export function* synchronise(context: ImapContext, expunge: boolean): Run<void> {
  const { selected } = context
  if (selected === undefined) return
  const news: News = { added: [], flagged: new Map() }
  if (selected.changed) {
    try {
      yield* learn(selected, news)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      // I25: nothing that the client could say of it means anything any more. Anything else that fails can be told later.
      if (error.code === 'NONEXISTENT') context.close('end', 'The selected mailbox was deleted')
      else selected.changed = true
      return
    }
  }
  tell(context, selected, news, expunge)
}

/** Asks what has happened, page by page. */
function* learn(selected: Selected, news: News): Run<void> {
  while (selected.changed) {
    selected.changed = false
    for (let more = true; more;) {
      const changes = yield* ask({ kind: 'changes', mailbox: selected.mailbox, since: selected.modSeq })
      note(selected, news, changes.changed)
      const vanished = changes.complete ? changes.vanished : yield* missing(selected)
      selected.gone = together(selected.gone, common(vanished, selected.view.uids))
      news.added = without(news.added, vanished)
      selected.modSeq = changes.modSeq
      more = changes.more
    }
  }
}

/** The store has forgotten what was expunged: what is not there is gone. */
function* missing(selected: Selected): Run<NumberSet> {
  const opened = yield* ask({ kind: 'open', mailbox: selected.mailbox, readOnly: true })
  return without(selected.view.uids, opened.uids)
}

function note(selected: Selected, news: News, changed: readonly ImapEntry[]): void {
  const known = selected.view.lastUid
  const added: number[] = []
  for (const entry of changed) {
    if (entry.uid > known) added.push(entry.uid)
    if (entry.uid > known || selected.own.get(entry.uid) === entry.modSeq) continue
    news.flagged.delete(entry.uid)
    news.flagged.set(entry.uid, entry)
  }
  if (added.length > 0) news.added = together(news.added, setOfAscending(added.sort((a, b) => a - b)))
}

/** In this order: EXPUNGE, EXISTS, FETCH (I19). */
function tell(context: ImapContext, selected: Selected, news: News, expunge: boolean): void {
  selected.own.clear()
  if (expunge) tellExpunged(context, selected)
  if (news.added.length > 0) {
    selected.view.add(news.added)
    // I17: it never shrinks, and EXPUNGE has no need of it.
    context.say(`* ${selected.view.exists} EXISTS`)
    if (!context.enabled.has('IMAP4REV2')) context.say(`* ${sizeOf(common(selected.recent, selected.view.uids))} RECENT`)
  }
  const flagged = [...news.flagged.values()].filter(({ uid }) => !contains(selected.gone, uid))
  for (const entry of flagged.sort((a, b) => a.uid - b.uid)) tellFlags(context, selected, entry)
}

/** Says which messages are gone, and takes them out of the view. */
export function tellExpunged(context: ImapContext, selected: Selected): void {
  const { gone, view } = selected
  if (gone.length === 0) return
  selected.gone = []
  // RFC 5182 §2.1: what is gone is no part of a saved result.
  selected.saved = without(selected.saved, gone)
  selected.recent = without(selected.recent, gone)
  const told = common(gone, view.uids)
  const sequences = view.remove(gone)
  if (sequences.length === 0) return
  // I20.
  if (context.enabled.has('QRESYNC') || context.enabled.has('UIDONLY')) context.say(`* VANISHED ${formatSet(told)}`)
  else for (const sequence of sequences) context.say(`* ${sequence} EXPUNGE`)
}

/** Says the flags of a message that the client knows of. */
export function tellFlags(context: ImapContext, selected: Selected, entry: Pick<ImapEntry, 'uid' | 'modSeq' | 'flags'>): void {
  const { uid, modSeq, flags } = entry
  tellKeywords(context, selected, flags)
  const sequence = selected.view.sequenceOf(uid)
  if (sequence === 0) return
  const recent = selected.recent.length > 0 && contains(selected.recent, uid)
  const { enabled } = context
  // RFC 7162 §3.2.4: with QRESYNC the UID is always there; §3.1: with CONDSTORE the mod-sequence.
  const first = enabled.has('QRESYNC') ? `UID ${uid} ` : ''
  const last = enabled.has('CONDSTORE') ? ` MODSEQ (${modSeq})` : ''
  context.say(`* ${sequence} FETCH (${first}FLAGS ${formatFlags(flags, recent)}${last})`)
}

/** Says FLAGS and PERMANENTFLAGS anew where there are keywords that the client has not heard of (I21). */
export function tellKeywords(context: ImapContext, selected: Selected, flags: readonly string[]): void {
  let news = false
  for (const flag of flags) {
    if (!isKeyword(flag) || selected.keywords.has(flag.toLowerCase())) continue
    selected.keywords.set(flag.toLowerCase(), flag)
    news = true
  }
  if (news) tellFlagNames(context, selected)
}

/** Says which flags there are, and which may be set for good. */
export function tellFlagNames(context: ImapContext, selected: Selected): void {
  const names = [...SYSTEM_FLAGS, ...selected.keywords.values()].join(' ')
  context.say(`* FLAGS (${names})`)
  const permanent = selected.readOnly ? '' : `${names} \\*`
  context.say(`* OK [PERMANENTFLAGS (${permanent})] ${selected.readOnly ? 'Read-only mailbox' : 'Flags are permanent'}`)
}

/** Notes messages as gone that the client itself has just had expunged. */
export function noteGone(selected: Selected, uids: NumberSet): void {
  selected.gone = together(selected.gone, setOf(uids))
}

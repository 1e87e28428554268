import { Malformed, type Reader } from '../../reader.ts'
import { pathOf } from '../../mailbox-name.ts'
import { sizeOf } from '../../ranges.ts'
import { ask, no, ok, type Result, type Run } from '../../run.ts'
import { View } from '../../view.ts'
import { AUTHENTICATED, type Command, type ImapContext, type Selected } from '../context.ts'
import { tellFlagNames } from '../synchronise.ts'
import { leave } from './close.ts'

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

function* open(context: ImapContext, reader: Reader, readOnly: boolean): Run {
  reader.space()
  const path = pathOf(reader.astring(), context.nameForm)
  if (reader.maybeSpace()) reader.list(() => parameter(context, reader))
  reader.end()
  // I44: the one that was selected is closed even where this fails.
  leave(context, true)
  if (path === undefined) return no('There is no such mailbox', 'NONEXISTENT')
  const found = yield* ask({ kind: 'mailbox', path })
  if (found === null) return no('There is no such mailbox', 'NONEXISTENT')
  return yield* opened(context, found.id, path, readOnly)
}

function* opened(context: ImapContext, id: string, path: readonly string[], readOnly: boolean): Run<Result> {
  const { mailbox, uids, firstUnseen, keywords, recent } = yield* ask({ kind: 'open', mailbox: id, readOnly })
  const view = new View()
  view.add(uids)
  const selected: Selected = {
    mailbox: id,
    path,
    uidValidity: mailbox.uidValidity,
    readOnly,
    view,
    modSeq: mailbox.modSeq,
    changed: false,
    gone: [],
    recent,
    keywords: new Map(keywords.map((keyword) => [keyword.toLowerCase(), keyword])),
    saved: [],
    own: new Map(),
  }
  context.selected = selected
  tellFlagNames(context, selected)
  context.say(`* ${view.exists} EXISTS`)
  const rev2 = context.enabled.has('IMAP4REV2')
  if (!rev2) context.say(`* ${sizeOf(recent)} RECENT`)
  if (!rev2 && firstUnseen !== undefined) context.say(`* OK [UNSEEN ${view.sequenceOf(firstUnseen)}] First unseen message`)
  context.say(`* OK [UIDVALIDITY ${mailbox.uidValidity}] UIDs are valid`)
  context.say(`* OK [UIDNEXT ${mailbox.uidNext}] The next UID`)
  // RFC 7162 §3.1.2.1: always (I32). A mod-sequence is 1 at least.
  context.say(`* OK [HIGHESTMODSEQ ${Math.max(1, mailbox.modSeq)}] The highest mod-sequence`)
  return readOnly ? ok('Selected, to be read only', 'READ-ONLY') : ok('Selected', 'READ-WRITE')
}

/** CONDSTORE (RFC 7162 §3.1.8). */
function parameter(context: ImapContext, reader: Reader): void {
  if (reader.word() !== 'CONDSTORE') throw new Malformed('An unknown parameter')
  context.enabled.add('CONDSTORE')
}

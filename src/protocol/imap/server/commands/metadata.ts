import {
  type AnnotationsAsked,
  isWithin,
  MOST_VALUE,
  readAnnotationsAsked,
  readAnnotationsSet,
} from '../../annotations.ts'
import { encodeLiteral, encodeNstring } from '../../encode.ts'
import { pathOf } from '../../mailbox-name.ts'
import { ask, flow, no, ok, type Run, tooMuch } from '../../run.ts'
import { Refused } from '../../../session/refusal.ts'
import { AUTHENTICATED, type Command, type ImapContext } from '../context.ts'
import { written } from './list.ts'

/** GETMETADATA (RFC 5464 §4.2). */
export const getMetadata: Command = {
  name: 'GETMETADATA',
  states: AUTHENTICATED,
  *run(context, reader) {
    const asked = readAnnotationsAsked(reader)
    const { id, name, use } = yield* named(context, asked.mailbox)
    const annotations = new Map(yield* ask({ kind: 'annotations', mailbox: id }))
    // RFC 6154 §4: what LIST tells.
    if (use !== undefined) annotations.set(SPECIAL_USE, use)
    const { told, longest } = chosen(annotations, asked)
    for (const [entry, value] of told) {
      context.say(`* METADATA ${name} (${entry} ${valueText(value)})`)
      yield* flow(context)
    }
    return ok('That is what is noted', longest > 0 ? `METADATA LONGENTRIES ${longest}` : undefined)
  },
}

/** SETMETADATA (RFC 5464 §4.3): all or nothing. */
export const setMetadata: Command = {
  name: 'SETMETADATA',
  states: AUTHENTICATED,
  *run(context, reader) {
    const { mailbox, changes } = readAnnotationsSet(reader)
    const { id } = yield* named(context, mailbox)
    // What is shared of the server is for its administrator to say.
    if (id === undefined && changes.some(([entry]) => entry.startsWith('/shared/'))) {
      return no('What all users share is set by the administrator', 'NOPERM')
    }
    // RFC 6154 §4: must not be set to whatever; a mailbox has the use that it was made for.
    if (id !== undefined && changes.some(([entry]) => entry === SPECIAL_USE)) return no('A use is given by CREATE', 'CANNOT')
    if (changes.some(([, value]) => value !== undefined && value.length > MOST_VALUE)) {
      return tooMuch('annotations', 'A value is too long', `METADATA MAXSIZE ${MOST_VALUE}`)
    }
    yield* ask({ kind: 'annotate', mailbox: id, changes })
    return ok('Noted')
  },
}

/** The entry of a mailbox that says what it is for (RFC 6154 §4). */
const SPECIAL_USE = '/private/specialuse'

/** What annotations are of. */
interface Named {
  readonly id: string | undefined
  readonly name: string
  readonly use: string | undefined
}

/** What is meant by a name: the server, which has an empty one, or a mailbox that is there. */
function* named(context: ImapContext, octets: string): Run<Named> {
  if (!context.config.abilities.metadata) throw new Refused('CANNOT', 'Nothing can be noted here')
  if (octets === '') return { id: undefined, name: '""', use: undefined }
  const path = pathOf(octets, context.nameForm)
  const mailbox = path && (yield* ask({ kind: 'mailbox', path }))
  if (!path || !mailbox) throw new Refused('NONEXISTENT', 'There is no such mailbox')
  return { id: mailbox.id, name: written(context, path), use: mailbox.use }
}

interface Chosen {
  readonly told: ReadonlyMap<string, string | undefined>
  /** Octets of the longest value that was too long. */
  readonly longest: number
}

function chosen(annotations: ReadonlyMap<string, string>, { entries, depth, maxSize }: AnnotationsAsked): Chosen {
  const told = new Map<string, string | undefined>()
  let longest = 0
  for (const asked of entries) {
    let found = false
    for (const [entry, value] of annotations) {
      if (!isWithin(entry, asked, depth)) continue
      found = true
      if (value.length > maxSize) longest = Math.max(longest, value.length)
      else told.set(entry, value)
    }
    // The response is required (RFC 5464 §4.2), and NIL is what an entry has that is not there (§3.2).
    if (!found) told.set(asked, undefined)
  }
  return { told, longest }
}

/** RFC 5464 §5: binary data in a literal8. */
const valueText = (value: string | undefined): string =>
  value?.includes('\0') ? `~${encodeLiteral(value)}` : encodeNstring(value)

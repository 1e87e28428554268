import { annotationKey, formatAnnotations, parseAnnotations } from '../../contracts/annotations.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import { MailError } from '../../protocol/session/errors.ts'

/** What is noted of a mailbox or of the server: entries with their values, ascending. */
export type ArchivedAnnotations = readonly (readonly [entry: string, value: string])[]

/** Attempts where others write at once: of any two, one gets through. */
const MOST_ATTEMPTS = 20

/** Octets of an entry and of a value that clients can read and change: those of the IMAP server. */
const MOST_NAME = 256
const MOST_VALUE = 4096

/** What an account has noted. `mailbox`: its id; without it, of the server. */
export async function exportedAnnotations(
  keyValue: KeyValue | undefined,
  account: string,
  mailbox?: string,
): Promise<ArchivedAnnotations> {
  return [...parseAnnotations(await keyValue?.get(annotationKey(account, mailbox), Date.now()))]
}

/** Notes what is not noted yet, as much of it as there is room for. */
export async function importAnnotations(
  keyValue: KeyValue | undefined,
  account: string,
  archived: ArchivedAnnotations,
  mailbox?: string,
): Promise<void> {
  if (!keyValue || archived.length === 0) return
  const key = annotationKey(account, mailbox)
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const now = Date.now()
    const kept = await keyValue.get(key, now)
    const text = withThese(kept, archived)
    if (text === kept || await keyValue.swap(key, kept, text, { now })) return
  }
  throw new MailError('temporary', `${key} is written to by many at once`)
}

/** What is kept with what is not among it. */
function withThese(kept: string | undefined, archived: ArchivedAnnotations): string | undefined {
  const all = new Map(parseAnnotations(kept))
  let text = kept
  for (const [entry, value] of archived) {
    if (all.has(entry)) continue
    all.set(entry, value)
    const more = formatAnnotations(all)
    if (more === undefined) all.delete(entry)
    else text = more
  }
  return text
}

/** What of an archive can be noted: others may have written it. */
export function annotationsIn(archived: unknown): ArchivedAnnotations {
  return Array.isArray(archived) ? archived.filter(isAnnotation) : []
}

function isAnnotation(pair: unknown): pair is readonly [string, string] {
  if (!Array.isArray(pair) || pair.length !== 2) return false
  const [entry, value] = pair as readonly unknown[]
  return typeof entry === 'string' && isEntry(entry) && typeof value === 'string' && value.length <= MOST_VALUE && isOctets(value)
}

/** RFC 5464 §5: printable ASCII without wildcards, in two or more parts of which none is empty; kept in lower case. */
function isEntry(entry: string): boolean {
  const [first, top, ...rest] = entry.split('/')
  if (first !== '' || (top !== 'private' && top !== 'shared') || rest.length === 0 || rest.includes('')) return false
  if (entry.length > MOST_NAME || entry !== entry.toLowerCase()) return false
  return [...entry].every((character) => character >= ' ' && character <= '~' && character !== '*' && character !== '%')
}

function isOctets(value: string): boolean {
  for (let at = 0; at < value.length; at++) if (value.charCodeAt(at) > 255) return false
  return true
}

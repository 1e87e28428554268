import { fromUtf8Octets, hasControl, isAscii, utf8Octets } from '../bytes/text.ts'
import { decodeUtf7, encodeUtf7 } from './utf7.ts'

/** What stands between the names of a path. */
export const DELIMITER = '/'

/** Octets of a name on the wire, and names in one another. */
const MOST_OCTETS = 1000
const MOST_LEVELS = 100

/** How names are written: modified UTF-7, or UTF-8 once the client has enabled that (RFC 6855, RFC 9051 §5.1). */
export type NameForm = 'utf-7' | 'utf-8'

/**
 * The text that a name or pattern of the wire means, in NFC. `undefined` where it is no name: broken encoding, control
 * characters, too long. UTF-8 is taken from clients that have not enabled it too: nothing else can be meant by it, and some
 * send it.
 */
export function decodeName(octets: string, form: NameForm): string | undefined {
  if (octets.length > MOST_OCTETS) return undefined
  const text = form === 'utf-8' || !isAscii(octets) ? fromUtf8Octets(octets) : decodeUtf7(octets)
  return text === undefined || hasControl(text) ? undefined : text.normalize('NFC')
}

/**
 * The path that a name means: `INBOX` in any case is `INBOX` (I36), alone or as the top of others. `undefined` where it is
 * none, as where a name in it is empty.
 */
export function pathOf(octets: string, form: NameForm): readonly string[] | undefined {
  const text = decodeName(octets, form)
  if (text === undefined) return undefined
  const path = text.split(DELIMITER)
  if (path.length > MOST_LEVELS || path.includes('')) return undefined
  if (path[0]!.length === 5 && path[0]!.toUpperCase() === 'INBOX') path[0] = 'INBOX'
  return path
}

/** The name of a path as octets, not yet quoted. */
export function nameOf(path: readonly string[], form: NameForm): string {
  const text = path.join(DELIMITER)
  return form === 'utf-8' ? utf8Octets(text) : encodeUtf7(text)
}

/** Whether two paths are the same. */
export function samePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at])
}

/** Whether the path lies below the other. */
export function isBelow(path: readonly string[], above: readonly string[]): boolean {
  return path.length > above.length && above.every((name, at) => name === path[at])
}

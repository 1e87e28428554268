import { withoutComments } from './lexemes.ts'
import { isToken, parseParameterised } from './parameters.ts'
import type { TransferEncoding } from './transfer.ts'

/** What a body is. */
export interface ContentType {
  /** Lower case: `text`. */
  readonly type: string
  /** Lower case: `plain`. */
  readonly subtype: string
  /** By name in lower case. */
  readonly parameters: ReadonlyMap<string, string>
}

const none: ReadonlyMap<string, string> = new Map()

/** RFC 2045 §5.2, §6.1: what a body is that says nothing. */
const PLAIN: ContentType = { type: 'text', subtype: 'plain', parameters: new Map([['charset', 'us-ascii']]) }
/** RFC 2046 §5.1.5: what a part of multipart/digest is that says nothing. */
const DIGEST: ContentType = { type: 'message', subtype: 'rfc822', parameters: none }

/** What a type is taken for that comes without its subtype; others for octets (RFC 2046 §4.5.1). */
const BARE_TYPES = new Map([['text', 'text/plain'], ['multipart', 'multipart/mixed'], ['message', 'message/rfc822']])

/**
 * Reads a Content-Type field (RFC 2045 §5.1). Absent or senseless, it is the default of its place: text/plain in US-ASCII,
 * or message/rfc822 right inside multipart/digest. Never throws.
 */
export function parseContentType(value: string | undefined, inDigest = false): ContentType {
  const fallback = inDigest ? DIGEST : PLAIN
  if (value === undefined) return fallback
  const { value: full, parameters } = parseParameterised(value)
  const slash = full.indexOf('/')
  const type = (slash < 0 ? full : full.slice(0, slash)).toLowerCase()
  const subtype = slash < 0 ? '' : full.slice(slash + 1).toLowerCase()
  if (!isToken(type)) return fallback
  if (isToken(subtype)) return { type, subtype, parameters }
  if (subtype !== '') return fallback
  const [guess = '', kind = ''] = (BARE_TYPES.get(type) ?? 'application/octet-stream').split('/')
  return { type: guess, subtype: kind, parameters }
}

/** How a body wants to be shown (RFC 2183). */
export interface ContentDisposition {
  /** Lower case: `inline`, `attachment`. Others are to be treated as `attachment` (RFC 2183 §2.8). */
  readonly disposition: string
  /** By name in lower case. */
  readonly parameters: ReadonlyMap<string, string>
  /** The suggested file name without any path, which the sender must not choose (RFC 2183 §2.3); absent where nothing is left. */
  readonly filename?: string
}

/** Reads a Content-Disposition field. Absent it is `inline`, senseless `attachment`. Never throws. */
export function parseContentDisposition(value: string | undefined): ContentDisposition {
  if (value === undefined) return { disposition: 'inline', parameters: none }
  const { value: word, parameters } = parseParameterised(value)
  const filename = baseName(parameters.get('filename') ?? '')
  const disposition = isToken(word) ? word.toLowerCase() : 'attachment'
  return filename === '' ? { disposition, parameters } : { disposition, parameters, filename }
}

/** Behind the last slash of either kind; nothing for names that mean a folder. */
function baseName(path: string): string {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
  return name === '.' || name === '..' ? '' : name
}

const ENCODINGS = new Map<string, TransferEncoding>([
  ['7bit', '7bit'], ['7-bit', '7bit'], ['8bit', '8bit'], ['8-bit', '8bit'], ['binary', 'binary'], ['base64', 'base64'],
  ['quoted-printable', 'quoted-printable'], ['x-uuencode', 'uuencode'], ['uuencode', 'uuencode'], ['x-uue', 'uuencode'],
  ['uue', 'uuencode'],
])

/**
 * Reads a Content-Transfer-Encoding field (RFC 2045 §6). Absent or empty it is `7bit`; an encoding nobody knows is `unknown`, and
 * its body is octets whatever its type says (§6.4). Never throws.
 */
export function parseTransferEncoding(value: string | undefined): TransferEncoding {
  if (value === undefined) return '7bit'
  const plain = ENCODINGS.get(value.toLowerCase())
  if (plain) return plain
  // Quotes and a semicolon are no part of it, but are sent.
  const word = withoutComments(value).split(';', 1)[0]!.replaceAll('"', '').trim().toLowerCase()
  return word === '' ? '7bit' : (ENCODINGS.get(word) ?? 'unknown')
}

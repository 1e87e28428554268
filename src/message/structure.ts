import type { Disposition, PartParameter } from './content-fields.ts'
import type { Envelope } from './envelope.ts'
import type { OctetString } from './octet-string.ts'

/**
 * One part of a message as it was found, the message itself being the first. Offsets count octets from the start of the
 * message: the part's header is [header, body), its empty line included where it has one, the part's body [body, end).
 * Strings are octets as they stand in the header, folds undone; type, subtype and encoding keep their case. What the header
 * does not say is absent.
 */
export interface Part {
  /** `text` and `plain` where the header names none (in a digest `message` and `rfc822`); empty where it names nonsense. */
  type: OctetString
  subtype: OctetString
  params?: readonly PartParameter[]
  /** Content-ID, angle brackets included. */
  id?: OctetString
  description?: OctetString
  /** Content-Transfer-Encoding; absent means 7bit. */
  encoding?: OctetString
  md5?: OctetString
  disposition?: Disposition
  language?: readonly OctetString[]
  location?: OctetString
  header: number
  body: number
  end: number
  /** LFs in the body. */
  lines: number
  /** Octets above 127, or octets 0, in the body of a part that holds no others. */
  eightBit?: true
  nul?: true
  /** Of a multipart, what it holds (it may hold none); of a message in a message, that message alone. */
  parts?: Part[]
  /** Of a message in a message: its envelope. */
  envelope?: Envelope
  /** By its type it holds parts, but a budget ran out: it was left in one piece. */
  opaque?: true
}

/** Whether the part is a multipart that was taken apart. */
export function isMultipart(part: Part): boolean {
  return part.parts !== undefined && part.envelope === undefined
}

/** Whether the part is a message that was taken apart: `parts[0]` is that message. */
export function isMessage(part: Part): boolean {
  return part.envelope !== undefined
}

/**
 * The part that IMAP calls by that number (RFC 3501 §6.4.5): `[2, 1]` is the part of `BODY[2.1]`, `[]` the message itself.
 * `undefined` where there is none.
 */
export function partAt(root: Part, path: readonly number[]): Part | undefined {
  let part: Part | undefined = root
  for (let depth = 0; depth < path.length && part; depth++) {
    const step = path[depth]!
    // A message lends its number to the multipart it holds; of any other message, part 1 is its text.
    const message: Part | undefined = depth === 0 ? root : isMessage(part) ? part.parts?.[0] : undefined
    const holder: Part = message ?? part
    if (isMultipart(holder)) part = holder.parts?.[step - 1]
    else part = step === 1 ? message : undefined
  }
  return part
}

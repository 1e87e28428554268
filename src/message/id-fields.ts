import { isAscii, octets } from '../protocol/bytes/text.ts'
import { decodeUnlabelled } from './charset.ts'
import { field, type FieldKind } from './field-scan.ts'
import type { OctetString } from './octet-string.ts'
import { type Ancestry, ancestryOf } from './thread.ts'

/** The bodies of the fields that name messages, as they stand. */
export interface IdFields {
  messageId: OctetString | undefined
  readonly references: OctetString[]
  readonly inReplyTo: OctetString[]
}

/** Notes a field if it names messages. Its body is octets [from, to) of `text`. */
export function noteIds(ids: IdFields, kind: FieldKind, text: OctetString, from: number, to: number): void {
  if (kind === field.messageId) ids.messageId ??= text.slice(from, to)
  else if (kind === field.references) ids.references.push(text.slice(from, to))
  else if (kind === field.inReplyTo) ids.inReplyTo.push(text.slice(from, to))
}

/** What the fields say, as `threadReferences` tells it of a header. */
export function ancestryOfFields({ messageId, references, inReplyTo }: IdFields): Ancestry {
  return ancestryOf(messageId === undefined ? undefined : decoded(messageId), references.map(decoded), inReplyTo.map(decoded))
}

/** A field body as the parsers of headers see it. */
function decoded(body: OctetString): string {
  return isAscii(body) ? body : decodeUnlabelled(octets(body))
}

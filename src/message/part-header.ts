import type { Budgets } from './budgets.ts'
import {
  type Disposition, type TypeField, type ParameterAllowance, readTypeField, readDisposition, readEncoding, readLanguages,
} from './content-fields.ts'
import { type AddressAllowance, type Envelope, noteEnvelope } from './envelope.ts'
import { field, FieldScan, type FieldKind, unfolded } from './field-scan.ts'
import { type IdFields, noteIds } from './id-fields.ts'
import type { OctetString } from './octet-string.ts'

/** What the header of a part says of its content. */
export interface Content {
  type?: TypeField
  id?: OctetString
  description?: OctetString
  encoding?: OctetString
  md5?: OctetString
  disposition?: Disposition
  language?: readonly OctetString[]
  location?: OctetString
}

/** What a header says, and what was odd about it. */
export interface PartHeader {
  readonly content: Content
  /** Of a message's header. */
  readonly envelope: Envelope | undefined
  readonly ids: IdFields | undefined
  /** MIME-Version or Content-Type is there. */
  readonly mime: boolean
  /** Lines that are no fields, fields cut short at the budget, fields that came before and may come once only. */
  readonly strays: number
  readonly cuts: number
  readonly repeats: number
  /** It begins with the `From ` line of an mbox file. */
  readonly mboxFrom: boolean
}

/** What is left of the budgets that all headers of a message share. */
export interface HeaderAllowance {
  readonly parameters: ParameterAllowance
  readonly addresses: AddressAllowance
}

/** Reads the text of a header; `isMessage`: with the envelope. */
export function readPartHeader(text: OctetString, isMessage: boolean, budgets: Budgets, allowance: HeaderAllowance): PartHeader {
  const scan = new FieldScan(text, budgets.field)
  const content: Content = {}
  const envelope: Envelope | undefined = isMessage ? {} : undefined
  const ids: IdFields | undefined = isMessage ? { messageId: undefined, references: [], inReplyTo: [] } : undefined
  let seen = 0
  let repeats = 0
  while (scan.next()) {
    const { kind } = scan
    if (kind < field.mimeVersion && !envelope) continue
    if ((seen & (1 << kind)) !== 0) repeats++
    seen |= 1 << kind
    if (kind < field.mimeVersion) {
      noteEnvelope(envelope!, kind, text, scan.from, scan.to, allowance.addresses)
      if (kind >= field.inReplyTo) noteIds(ids!, kind, text, scan.from, scan.to)
    } else noteContent(content, kind, text, scan.from, scan.to, allowance.parameters)
  }
  const mime = (seen & ((1 << field.mimeVersion) | (1 << field.contentType))) !== 0
  const mboxFrom = text.startsWith('From ') || text.startsWith('>From ')
  const { strays, cuts } = scan
  return { content, envelope, ids, mime, strays, cuts, repeats, mboxFrom }
}

/** The first field of a kind counts; of dispositions the first with parameters, of encodings the first that is one. */
function noteContent(
  content: Content,
  kind: FieldKind,
  text: OctetString,
  from: number,
  to: number,
  allowance: ParameterAllowance,
): void {
  switch (kind) {
    case field.contentType:
      content.type ??= readTypeField(text, from, to, allowance)
      break
    case field.contentEncoding: {
      const encoding = content.encoding ?? readEncoding(text, from, to)
      if (encoding !== undefined) content.encoding = encoding
      break
    }
    case field.contentDisposition: {
      if (content.disposition && content.disposition.params.length > 0) break
      const disposition = readDisposition(text, from, to, allowance)
      if (disposition) content.disposition = disposition
      break
    }
    case field.contentLanguage: {
      if (content.language) break
      const language = readLanguages(text, from, to)
      if (language.length > 0) content.language = language
      break
    }
    case field.contentId:
      content.id ??= unfolded(text, from, to)
      break
    case field.contentDescription:
      content.description ??= unfolded(text, from, to)
      break
    case field.contentLocation:
      content.location ??= unfolded(text, from, to)
      break
    case field.contentMd5:
      content.md5 ??= unfolded(text, from, to)
      break
  }
}

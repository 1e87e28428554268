import { createHash } from 'node:crypto'
import { readRange } from '../../contracts/read-body.ts'
import type { Body } from '../../contracts/bodies.ts'
import type { Attachment } from '../../contracts/received.ts'
import { parseContentDisposition, parseContentType, parseTransferEncoding } from '../../message/content.ts'
import { parseHeaderBlock } from '../../message/headers.ts'
import type { Part } from '../../message/structure.ts'
import { transferDecoder } from '../../message/transfer.ts'

/** The attachment that a part is. Its octets are read once, for size and hash, and not kept. */
export async function attachmentOf(body: Body, part: Part): Promise<Attachment> {
  const hash = createHash('sha256')
  let size = 0
  for await (const bytes of decoded(body, part)) {
    hash.update(bytes)
    size += bytes.length
  }
  const type = part.type === '' ? '' : `${part.type}/${part.subtype}`.toLowerCase()
  return {
    filename: await filenameOf(body, part),
    contentType: type === '' ? 'application/octet-stream' : type,
    contentId: part.id === undefined ? undefined : withoutBrackets(part.id),
    disposition: dispositionOf(part),
    size,
    sha256: hash.digest('hex'),
    content: () => decoded(body, part),
  }
}

/** The decoded octets of a part, as they come from the body. */
async function* decoded(body: Body, { body: start, end, encoding }: Part): AsyncGenerator<Uint8Array, void, undefined> {
  if (start === end) return
  const decoder = transferDecoder(parseTransferEncoding(encoding))
  for await (const bytes of body.read({ start, end })) {
    const found = decoder.push(bytes)
    if (found.length > 0) yield found
  }
  const rest = decoder.end()
  if (rest.length > 0) yield rest
}

/** The name in Content-Disposition, or the older one in Content-Type; never a path. */
async function filenameOf(body: Body, part: Part): Promise<string | undefined> {
  if (!part.disposition && !part.params) return undefined
  const headers = parseHeaderBlock(await readRange(body, { start: part.header, end: part.body }))
  const { filename } = parseContentDisposition(headers.value('content-disposition'))
  return filename ?? baseName(parseContentType(headers.value('content-type')).parameters.get('name') ?? '')
}

function baseName(path: string): string | undefined {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
  return name === '' || name === '.' || name === '..' ? undefined : name
}

/** What says nothing is inline where the text refers to it (RFC 2392). */
function dispositionOf({ disposition, id }: Part): Attachment['disposition'] {
  const type = disposition?.type.toLowerCase()
  if (type === undefined || type === '') return id === undefined ? 'attachment' : 'inline'
  return type === 'inline' ? 'inline' : 'attachment'
}

function withoutBrackets(id: string): string {
  const trimmed = id.trim()
  return trimmed.startsWith('<') && trimmed.endsWith('>') ? trimmed.slice(1, -1) : trimmed
}

import type { ReceivedMessage } from '../contracts/received.ts'
import { parseContentDisposition, parseContentType, parseTransferEncoding } from '../message/content.ts'
import { type Headers, parseHeaderBlock } from '../message/headers.ts'
import type { Part } from '../message/structure.ts'
import { joinedOctets } from '../protocol/bytes/joined.ts'

/** A part of a message that holds no others, and what it calls itself. */
export interface NamedPart {
  readonly part: Part
  /** Lower case: `image/png`. */
  readonly media: string
  /** The names that it gives its file, decoded; it may give several, and programs choose. */
  readonly names: readonly string[]
  /** People would call it an attachment: it says so, has a name, or is no text. */
  readonly attached: boolean
  /** In how many messages it lies that are in the message. */
  readonly depth: number
}

/** Octets of a part's header that are read. */
const MOST_HEADER = 65_536

/** The parts of a message that hold no others, in order; and those that hold some under a transfer encoding. */
export async function namedParts(message: Parts): Promise<readonly NamedPart[]> {
  const found: NamedPart[] = []
  const waiting: { part: Part; depth: number }[] = [{ part: message.facts.structure, depth: 0 }]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { part, depth } = next
    const within = depth + (part.envelope === undefined ? 0 : 1)
    if (part.parts?.length) waiting.push(...part.parts.toReversed().map((one) => ({ part: one, depth: within })))
    // RFC 2045 §6.4 forbids it, but programs decode it: what it holds then is not what was found in it.
    if (!part.parts?.length || isEncoded(part)) found.push(await named(part, depth, message))
  }
  return found
}

function isEncoded({ encoding = '7bit' }: Part): boolean {
  return !['7bit', '8bit', 'binary'].includes(parseTransferEncoding(encoding))
}

/** What is needed of a message to tell its parts. */
export interface Parts extends Pick<ReceivedMessage, 'raw'> {
  readonly facts: { readonly structure: Part }
}

async function named(part: Part, depth: number, message: Parts): Promise<NamedPart> {
  const media = `${part.type}/${part.subtype}`.toLowerCase()
  const isText = part.type.toLowerCase() === 'text'
  // Most parts name nothing, and are known without another look.
  if (!part.disposition && !part.params?.some(([name]) => /^name\b/i.test(name))) {
    return { part, media, names: [], attached: !isText, depth }
  }
  const header = await readHeader(part, message)
  const disposition = header.value('content-disposition')
  const { parameters } = parseContentDisposition(disposition)
  const given = [parameters.get('filename'), parseContentType(header.value('content-type')).parameters.get('name')]
  const names = [...new Set(given.filter((name) => name !== undefined && name !== ''))] as string[]
  const isSaid = disposition !== undefined && parseContentDisposition(disposition).disposition !== 'inline'
  return { part, media, names, attached: !isText || isSaid || names.length > 0, depth }
}

async function readHeader({ header, body }: Part, message: Parts): Promise<Headers> {
  const pieces: Uint8Array[] = []
  const end = Math.min(body, header + MOST_HEADER)
  if (header < end) for await (const piece of message.raw({ start: header, end })) pieces.push(piece)
  return parseHeaderBlock(joinedOctets(pieces))
}

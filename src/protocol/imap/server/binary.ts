import type { TransferEncoding } from '../../../message/transfer.ts'
import { parseTransferEncoding } from '../../../message/content.ts'
import { isMultipart, type Part, partAt } from '../../../message/structure.ts'
import { transferDecoder } from '../../../message/transfer.ts'
import type { BinaryItem } from '../fetch-items.ts'
import type { ImapMessage } from '../mailbox.ts'
import { ask, type Run } from '../run.ts'
import { Refused } from '../../session/refusal.ts'
import type { ImapContext } from './context.ts'

/** Octets of a part that are decoded at a time. */
const CHUNK = 256 * 1024

/** A part that can be decoded, and what comes of it. */
export interface Measured {
  readonly part: Part
  /** Decoded. */
  readonly octets: number
  /** NUL is among them: they go into a literal8. */
  readonly nul: boolean
}

/**
 * Decodes the part of BINARY[…] or BINARY.SIZE[…] (RFC 3516 §4.2) to see what comes of it, before anything is said of the
 * message. A second time it is decoded as it is said, so that no more than a piece of it is ever held. `undefined`: there is
 * no such part.
 */
export function* measure(message: ImapMessage, { path }: Pick<BinaryItem, 'path'>): Run<Measured | undefined> {
  const part = partOf(message, path)
  if (part === undefined) return undefined
  let octets = 0
  let nul = false
  const whole = yield* decoded(message, part, (bytes) => {
    octets += bytes.length
    nul ||= bytes.includes(0)
  })
  return whole ? { part, octets, nul } : undefined
}

/** Says the decoded octets of a part. */
export function* sayBinary(context: ImapContext, message: ImapMessage, item: BinaryItem,
  measured: Measured | undefined): Run<void> {
  if (measured === undefined) return context.write(`${item.label} NIL`)
  const { part, octets, nul } = measured
  const start = Math.min(item.partial?.origin ?? 0, octets)
  const end = Math.min(start + (item.partial?.length ?? octets), octets)
  context.write(`${item.label} ${nul ? '~' : ''}{${end - start}}\r\n`)
  let at = 0
  const whole = yield* decoded(message, part, (bytes) => {
    const from = Math.max(0, start - at)
    const to = Math.min(bytes.length, end - at)
    at += bytes.length
    if (from < to) context.write(bytes.subarray(from, to))
  })
  // Octets were promised that nobody has any more: there is no way to go on.
  if (!whole) context.close('end', '')
}

/** The part, where it is one that can be decoded (I56). */
function partOf(message: ImapMessage, path: readonly number[]): Part | undefined {
  const root = message.facts.structure
  if (path.length === 0) return { ...root, encoding: 'binary', body: root.header }
  const part = partAt(root, path)
  if (part === undefined) return undefined
  if (encodingOf(part) === 'unknown') throw new Refused('UNKNOWN-CTE', 'The part is encoded in a way that is not known here')
  return part
}

function encodingOf(part: Part): TransferEncoding {
  // RFC 3516 §4.2: of a multipart there is nothing to decode.
  if (isMultipart(part) || part.encoding === undefined) return 'binary'
  return parseTransferEncoding(part.encoding)
}

/** Decodes a part piece by piece. `false`: the message is gone. */
function* decoded(message: ImapMessage, part: Part, take: (bytes: Uint8Array) => void): Run<boolean> {
  const decoder = transferDecoder(encodingOf(part))
  for (let start = part.body; start < part.end; start += CHUNK) {
    const range = { message: message.id, start, end: Math.min(start + CHUNK, part.end) }
    const [bytes] = yield* ask({ kind: 'octets', ranges: [range] })
    if (!bytes) return false
    take(decoder.push(bytes))
  }
  take(decoder.end())
  return true
}

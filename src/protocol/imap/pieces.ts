import { parseTransferEncoding } from '../../message/content.ts'
import { isText, partsOf } from '../../message/search-text.ts'
import type { TransferEncoding } from '../../message/transfer.ts'
import type { ImapMessage } from './mailbox.ts'

/** How a part is written. */
export interface Written {
  readonly encoding: TransferEncoding
  readonly charset: string | undefined
  /** Some of its octets are above 127, as they are encoded. */
  readonly eightBit: boolean
}

/** Octets from `start` to `end` (exclusive) of a message that are text. */
export interface Piece {
  readonly start: number
  readonly end: number
  /** `undefined`: it is a header, of the message or of a part. */
  readonly written: Written | undefined
}

/** The text of a message. */
export interface Pieces {
  /** The host's own name for the message. */
  readonly message: string
  /** The header of the message first; none is empty. */
  readonly pieces: readonly Piece[]
}

/** Where the text of a message is: its header, those of its parts, and the parts that can be read as text. */
export function piecesOf({ id, facts }: ImapMessage): Pieces {
  const pieces: Piece[] = []
  const add = (start: number, end: number, written: Written | undefined): void => {
    if (end > start) pieces.push({ start, end, written })
  }
  for (const part of partsOf(facts.structure)) {
    add(part.header, part.body, undefined)
    if (!isText(part)) continue
    const charset = part.params?.find(([name]) => name.toLowerCase() === 'charset')?.[1]
    add(part.body, part.end, { encoding: parseTransferEncoding(part.encoding), charset, eightBit: part.eightBit === true })
  }
  return { message: id, pieces }
}

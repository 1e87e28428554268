import type { Envelope } from './envelope.ts'
import type { Part } from './structure.ts'

/**
 * What can be odd about a message, none of which stops the indexer.
 *
 * - `mbox-from`: the first line is the `From ` line of an mbox file
 * - `stray-line`: a line in a header that is neither a field nor a continuation; passed over
 * - `8bit-header`, `nul-in-header`: octets above 127, octets 0
 * - `bare-lf-in-header`, `bare-cr-in-header`: LF without CR (taken for a line end), CR without LF (not taken for one)
 * - `repeated-field`: a field of which there may be one only
 * - `unended-header`: a header that ends without an empty line
 * - `content-type`: a Content-Type that breaks RFC 2045 §5.1
 * - `no-boundary`: a multipart that names no boundary; it is not taken apart
 * - `boundary`: a boundary that is empty, has over 70 octets or ends in a blank (RFC 2046 §5.1.1); 80 octets of it count
 * - `empty-multipart`: a multipart whose boundary never came
 * - `unended-multipart`: a multipart that ended before its last boundary came
 * - `encoded-container`: a multipart or a message in a message under a transfer encoding, which RFC 2045 §6.4 forbids; taken
 *   apart as if there were none
 * - `over-depth`, `over-parts`, `over-parameters`, `over-addresses`, `over-field`, `over-headers`, `over-work`: a budget ran out
 */
export type MessageOddity =
  | 'mbox-from' | 'stray-line' | '8bit-header' | 'nul-in-header' | 'bare-lf-in-header' | 'bare-cr-in-header' | 'repeated-field'
  | 'unended-header' | 'content-type' | 'no-boundary' | 'boundary' | 'empty-multipart' | 'unended-multipart' | 'encoded-container'
  | 'over-depth' | 'over-parts' | 'over-parameters' | 'over-addresses' | 'over-field' | 'over-headers' | 'over-work'

/** One oddity, however often it came. */
export interface OddityNote {
  readonly kind: MessageOddity
  /** Where it was first noticed: the offset of the header or the line. */
  readonly at: number
  readonly count: number
}

/**
 * What a message says, computed once when it arrives, so that nobody needs to parse it again. Plain JSON data: what
 * `JSON.parse(JSON.stringify(facts))` gives is the same.
 */
export interface MessageFacts {
  readonly octets: number
  /** LFs in the whole message. */
  readonly lines: number
  readonly structure: Part
  readonly envelope: Envelope
  /** Its own id in its brackets, as `threadReferences` tells it. */
  readonly messageId?: string | undefined
  /** The ids of the messages before it, oldest first, as `threadReferences` tells them; the first one names the thread. */
  readonly references: readonly string[]
  /** Parts that people would call attachments. */
  readonly attachments: number
  /** The first 200 characters or so of its text, on one line; decoded, unlike all else. Empty where it has no text. */
  readonly preview: string
  /** Octets above 127, octets 0, in headers or bodies. */
  readonly eightBit: boolean
  readonly nul: boolean
  readonly oddities: readonly OddityNote[]
}

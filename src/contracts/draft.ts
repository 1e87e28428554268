import type { Address } from '../message/address.ts'

/** A header field: its name, and what it says. */
export type DraftField = readonly [name: string, value: string]

/** A part of a message, written as it stands here. */
export interface DraftPart {
  /** Content-Type and what else its header has, in order. */
  readonly fields: readonly DraftField[]
  /** In the encoding that its fields name. */
  readonly body: Uint8Array
}

/** A message of the server's own, as plain data: what a composer makes octets of. */
export interface MailDraft {
  readonly from: { readonly name?: string; readonly address: Address }
  readonly to: readonly Address[]
  readonly subject: string
  /** Milliseconds since the Unix epoch. */
  readonly date: number
  /** Its own id, in angle brackets. */
  readonly messageId: string
  /** Ids in angle brackets, the oldest first; the last one is what it answers. Empty where it answers none. */
  readonly references: readonly string[]
  /** Further fields, in order: Auto-Submitted and the like. */
  readonly fields: readonly DraftField[]
  /** What people read; lines end in LF. */
  readonly text: string
  /** The message is a multipart of this type, and after the text come these parts. Without it, the text is all there is. */
  readonly multipart?: {
    /** Content-Type without its boundary: `multipart/report; report-type=delivery-status`. */
    readonly type: string
    /** At most 60 letters, digits, `-`, `_` and `=`; no part holds it. */
    readonly boundary: string
    readonly parts: readonly DraftPart[]
  }
}

/**
 * Makes the octets of a message, its lines ended by CRLF. What stands in a draft stays within its field: no name or value can
 * add another. The same draft gives the same octets. Rejects with `unavailable` where what composes is not installed.
 */
export type ComposeMail = (draft: MailDraft) => Promise<Uint8Array>

import type { Address } from '../../../message/address.ts'

/** What the octets of a message ask of the server that is to take them. */
export interface ContentNeeds {
  /**
   * Octets as they will be sent, for SIZE (RFC 1870 §4: dots that are added for transparency do not count); `undefined` where
   * nobody knows.
   */
  readonly size?: number
  /**
   * Octets above 127: `8bit`; octets that are no text, or lines of more than 998 of them: `binary`. What is not true is sent as
   * it is, and may break on its way.
   */
  readonly encoding: '7bit' | '8bit' | 'binary'
  /** UTF-8 in header fields (RFC 6532). Addresses of the envelope are looked at by the session itself. */
  readonly utf8?: boolean
}

/** A recipient of a message that goes out. */
export interface ClientRecipient extends Address {
  /** RFC 3461 §4.1; empty for NEVER. Told to servers that offer DSN. */
  readonly notify?: readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[] | undefined
  /** RFC 3461 §4.2: the type (`rfc822`, `utf-8`) and the address, decoded. Told likewise. */
  readonly originalRecipient?: { readonly type: string; readonly address: string } | undefined
}

/** A message to be sent: its envelope, and what is known of its content. The content itself is asked for when it is wanted. */
export interface ClientMessage {
  /** `null`: the null sender. */
  readonly sender: Address | null
  /** At least one. */
  readonly recipients: readonly ClientRecipient[]
  readonly content: ContentNeeds
  /** RFC 3461 §4.3, §4.4: told to servers that offer DSN. */
  readonly ret?: 'FULL' | 'HDRS' | undefined
  readonly envid?: string | undefined
  /**
   * RFC 8689: it must go to nobody who does not offer REQUIRETLS over TLS. That the certificate of the server was verified is for
   * the host to see to, before it hands the message over.
   */
  readonly requireTls?: boolean | undefined
  /** RFC 2852: seconds from now on. */
  readonly deliverBy?: { readonly seconds: number; readonly mode: 'return' | 'notify'; readonly trace: boolean } | undefined
  /** RFC 6710: -9 to 9. Told to servers that offer MT-PRIORITY. */
  readonly priority?: number | undefined
  /** RFC 4865: it must go to nobody who does not offer to keep it so long. */
  readonly hold?: { readonly seconds: number } | { readonly until: string } | undefined
  /** RFC 4954 §5: who has submitted it; `null` where that is not known. Told where we have logged in. */
  readonly auth?: Address | null | undefined
}

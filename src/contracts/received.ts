import type { Address } from '../message/address.ts'
import type { MessageFacts } from '../message/facts.ts'
import type { Headers } from '../message/headers.ts'
import type { Peer } from '../protocol/session/transport.ts'
import type { TlsFacts } from '../protocol/session/tls.ts'
import type { Body, ByteRange } from './bodies.ts'
import type { Note } from './note.ts'

/** What is known of a connection so far. A live view: TLS, greeting and account come as the conversation goes on. */
export interface Connection {
  /** Unique in this process and the next. */
  readonly id: string
  /** The client. XCLIENT from a trusted proxy replaces it. */
  readonly peer: Peer
  /** Milliseconds since the Unix epoch. */
  readonly began: number
  readonly protocol: 'smtp' | 'lmtp' | 'imap' | 'pop3'
  readonly tls: TlsFacts | undefined
  /** EHLO, HELO or LHLO, and the unverified name that came with it. */
  readonly hello: { readonly verb: 'EHLO' | 'HELO' | 'LHLO'; readonly name: string } | undefined
  /** The account that AUTH has established. */
  readonly account: string | undefined
  /** What a trusted proxy said by XFORWARD of the original client. */
  readonly forwarded: ReadonlyMap<string, string | undefined> | undefined
}

/** A recipient of an envelope. */
export interface Recipient extends Address {
  /** The local part without its tag: `ticket` of `ticket+42`. */
  readonly user: string
  /** What follows the first `+` of the local part: `42`. */
  readonly tag: string | undefined
  /** As it stood between the angle brackets. */
  readonly wire: string
  /** RFC 3461: about what to report; `undefined` where the client did not say, empty for never. */
  readonly notify: readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[] | undefined
  /** RFC 3461: whom the sender had addressed. */
  readonly originalRecipient: { readonly type: string; readonly address: string } | undefined
}

/** Sender and recipients as MAIL and RCPT gave them; never what the headers claim. */
export interface Envelope {
  /** `null`: the null sender, used by reports. */
  readonly sender: Address | null
  readonly recipients: readonly Recipient[]
  /** Octets that the client announced. */
  readonly size: number | undefined
  readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME'
  readonly smtpUtf8: boolean
  readonly ret: 'FULL' | 'HDRS' | undefined
  readonly envid: string | undefined
  readonly requireTls: boolean
  readonly deliverBy: { readonly seconds: number; readonly mode: 'return' | 'notify'; readonly trace: boolean } | undefined
  readonly priority: number | undefined
  readonly hold: { readonly seconds: number } | { readonly until: string } | undefined
}

/** An attachment of a parsed message. */
export interface Attachment {
  /** Decoded; `undefined` where the message names none. */
  readonly filename: string | undefined
  /** Lower case: `image/png`. */
  readonly contentType: string
  /** Without angle brackets. */
  readonly contentId: string | undefined
  readonly disposition: 'attachment' | 'inline'
  /** Decoded octets. */
  readonly size: number
  /** Of the decoded octets, lower-case hex. */
  readonly sha256: string
  /** The decoded octets. */
  content(): AsyncIterable<Uint8Array>
}

/** A message as a person would read it. */
export interface ParsedMessage {
  readonly subject: string
  /** Always there: made from the HTML where the message has no text part. */
  readonly text: string
  readonly html: string | undefined
  readonly attachments: readonly Attachment[]
  /** The text without what it quotes, and what was taken off. */
  readonly reply: { readonly text: string; readonly quotation: string; readonly signature: string }
}

/** A message that has arrived: its octets are stored, nothing in it is parsed before it is asked for. */
export interface ReceivedMessage {
  /** Unique, among processes too. What a client sends again, because it heard no answer, has another. */
  readonly id: string
  readonly envelope: Envelope
  readonly connection: Connection
  /** Milliseconds since the Unix epoch. */
  readonly received: number
  /** Octets, the added `Received:` field included. */
  readonly octets: number
  /** The header: every field in order, raw and decoded. */
  readonly headers: Headers
  /** Structure, envelope fields, oddities: what a store keeps. */
  readonly facts: MessageFacts
  /** The same for every message of a conversation. */
  readonly threadId: string
  /** Why the message looks as if a machine had sent it (RFC 3834), or `undefined`: do not answer what is automated. */
  readonly automated: string | undefined
  /** What the policies have noted. */
  readonly notes: readonly Note[]
  readonly body: Body
  /** The octets, or a range of them. */
  raw(range?: ByteRange): AsyncIterable<Uint8Array>
  /** Text, HTML, attachments. Parsed on first use. */
  parsed(): Promise<ParsedMessage>
}

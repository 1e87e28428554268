import type { Note } from '../contracts/note.ts'
import type { Connection } from '../contracts/received.ts'
import { encodeWords } from '../message/encoded-words.ts'
import { formatField } from '../message/format-field.ts'
import { formatReceived } from '../message/received.ts'
import { encodePath } from '../protocol/smtp/index.ts'
import type { Reception } from './reception.ts'
import type { Transaction } from './transaction.ts'

/** The `Received:` field of a message, for good delivery with `Return-Path:` before it, as octets (RFC 5321 §4.4). */
export function traceField(reception: Reception, connection: Connection, { envelope, id }: Transaction): Uint8Array {
  const { hostname, clock, trace } = reception
  const { hello, peer, tls, protocol, account } = connection
  const [only, ...others] = envelope.recipients
  const returnPath = trace === 'final' ? `Return-Path: ${encodePath(envelope.sender)}\r\n` : ''
  const received = formatReceived({
    protocol: protocol === 'lmtp' ? 'lmtp' : hello?.verb === 'HELO' ? 'smtp' : 'esmtp',
    tls: tls !== undefined,
    authenticated: account !== undefined,
    utf8: envelope.smtpUtf8,
    helo: hello?.name ?? 'unknown',
    by: hostname,
    id,
    epochMs: clock.now(),
    ...(peer.address === undefined ? {} : { address: peer.address }),
    ...(tls ? { cipher: tls } : {}),
    // Several recipients are not to learn of each other (RFC 5321 §7.2).
    ...(only && others.length === 0 ? { recipient: only } : {}),
  })
  return Buffer.from(returnPath + received, 'utf8')
}

/** The header fields that policies have asked for, as octets. */
export function noteFields(notes: readonly Note[]): Uint8Array {
  let text = ''
  for (const note of notes) if (note.kind === 'header') text += formatField(note.name, encodeWords(note.value))
  return Buffer.from(text, 'utf8')
}

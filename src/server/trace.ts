import type { Note } from '../contracts/note.ts'
import type { Connection, Envelope } from '../contracts/received.ts'
import type { Address } from '../message/address.ts'
import { encodeWords } from '../message/encoded-words.ts'
import { formatField } from '../message/format-field.ts'
import { formatReceived } from '../message/received.ts'
import { encodeMailbox, encodePath } from '../protocol/smtp/index.ts'
import type { Reception } from './reception.ts'
import type { Transaction } from './transaction.ts'

/** The `Received:` field of a message, for final delivery with {@link finalFields} before it, as octets (RFC 5321 §4.4). */
export function traceField(reception: Reception, connection: Connection, { envelope, id }: Transaction): Uint8Array {
  const { hostname, clock, trace, hideClient } = reception
  const { hello, peer, tls, protocol, account } = connection
  const [only, ...others] = envelope.recipients
  const final = trace === 'final' ? finalFields(envelope.sender, envelope.recipients) : ''
  const received = formatReceived({
    protocol: protocol === 'lmtp' ? 'lmtp' : hello?.verb === 'HELO' ? 'smtp' : 'esmtp',
    tls: tls !== undefined,
    authenticated: account !== undefined,
    utf8: envelope.smtpUtf8,
    helo: (hideClient ? undefined : hello?.name) ?? 'unknown',
    by: hostname,
    id,
    epochMs: clock.now(),
    ...(peer.address === undefined || hideClient ? {} : { address: peer.address }),
    ...(tls ? { cipher: tls } : {}),
    // Several recipients are not to learn of each other (RFC 5321 §7.2).
    ...(only && others.length === 0 ? { recipient: only } : {}),
  })
  return Buffer.from(final + received, 'utf8')
}

/**
 * What a final delivery puts on top of a message: the return path (RFC 5321 §4.4), and, by which loops are known, to whom it is
 * delivered. Only where that is one: several get one copy for all, and are not to learn of each other (§7.2).
 */
export function finalFields(sender: Envelope['sender'], recipients: readonly Address[]): string {
  const [only, ...others] = recipients
  const deliveredTo = only && others.length === 0 ? formatField('Delivered-To', encodeMailbox(only)) : ''
  return `Return-Path: ${encodePath(sender)}\r\n${deliveredTo}`
}

/** The field that says why a message was set apart: for whoever finds it there. */
export const quarantineField = 'X-Quarantine-Reason'

/** The header fields that policies have asked for, and why they had it set apart, as octets. */
export function noteFields(notes: readonly Note[]): Uint8Array {
  let text = ''
  for (const note of notes) {
    if (note.kind === 'header') text += formatField(note.name, encodeWords(note.value))
    if (note.kind === 'quarantine') text += formatField(quarantineField, encodeWords(`${note.policy}: ${note.why}`))
  }
  return Buffer.from(text, 'utf8')
}

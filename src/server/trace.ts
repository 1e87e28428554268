import type { Note } from '../contracts/policy.ts'
import type { Connection } from '../contracts/received.ts'
import { formatDate } from '../message/date.ts'
import { encodeWords } from '../message/encoded-words.ts'
import { encodeMailbox, encodePath } from '../protocol/smtp/index.ts'
import type { Reception } from './reception.ts'
import type { Transaction } from './transaction.ts'

/** The date of the last second asked for: many messages arrive within one. */
let dated = ''
let datedAt = -1

function dateText(now: number): string {
  const second = Math.floor(now / 1000)
  if (second !== datedAt) {
    datedAt = second
    dated = formatDate(second * 1000)
  }
  return dated
}

/** The `Received:` field of a message, at its final delivery with `Return-Path:` before it, as octets (RFC 5321 §4.4). */
export function traceField(reception: Reception, connection: Connection, { envelope, id }: Transaction): Uint8Array {
  const { hello, peer, tls } = connection
  const client = peer.address === undefined ? '' : ` (${literal(peer.address)})`
  const encrypted = tls ? `\r\n\t(${tls.protocol} ${tls.cipher})` : ''
  // One recipient may be named; several would tell each about the others (RFC 5321 §7.2).
  const only = envelope.recipients.length === 1 ? `\r\n\tfor <${printable(encodeMailbox(envelope.recipients[0]!))}>` : ''
  const returnPath = reception.trace === 'final' ? `Return-Path: ${encodePath(envelope.sender)}\r\n` : ''
  const text =
    `${returnPath}Received: from ${printable(hello?.name ?? 'unknown')}${client}${encrypted}\r\n` +
    `\tby ${reception.hostname} with ${protocolName(connection, envelope.smtpUtf8)} id ${id}${only};\r\n\t${dateText(reception.clock.now())}\r\n`
  return Buffer.from(text, 'utf8')
}

const literal = (address: string): string => (address.includes(':') ? `[IPv6:${address}]` : `[${address}]`)

/** RFC 3848, and RFC 6531 §4.3 for the names in UTF-8. */
function protocolName({ protocol, hello, tls, account }: Connection, utf8: boolean): string {
  if (hello?.verb === 'HELO') return 'SMTP'
  const secured = `${tls ? 'S' : ''}${account === undefined ? '' : 'A'}`
  if (protocol === 'lmtp') return `${utf8 ? 'UTF8LMTP' : 'LMTP'}${secured}`
  return `${utf8 ? 'UTF8SMTP' : 'ESMTP'}${secured}`
}

/** What the peer wrote, where it may stand in a header: nothing that ends a comment or a token. */
function printable(text: string): string {
  let out = ''
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    out += unit <= 32 || unit === 127 || unit === 40 || unit === 41 || unit === 59 ? '?' : text.charAt(at)
  }
  return out
}

/** The header fields that policies have asked for, as octets. */
export function noteFields(notes: readonly Note[]): Uint8Array {
  let text = ''
  for (const note of notes) if (note.kind === 'header') text += `${note.name}: ${encodeWords(note.value)}\r\n`
  return Buffer.from(text, 'utf8')
}

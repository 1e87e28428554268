import { Base64Decoder } from './base64.ts'
import { QuotedPrintableDecoder } from './quoted-printable.ts'
import type { TransferDecoder } from './transfer-decoder.ts'
import { UuDecoder } from './uuencode.ts'

/** The encodings of RFC 2045 §6.1, the older one that mail still carries, and what is none of them. */
export type TransferEncoding = '7bit' | '8bit' | 'binary' | 'base64' | 'quoted-printable' | 'uuencode' | 'unknown'

const nothing = new Uint8Array(0)

/** A decoder for the encoding. The three that change nothing, and `unknown`, hand the bytes through. */
export function transferDecoder(encoding: TransferEncoding): TransferDecoder {
  switch (encoding) {
    case 'base64':
      return new Base64Decoder()
    case 'quoted-printable':
      return new QuotedPrintableDecoder()
    case 'uuencode':
      return new UuDecoder()
    default:
      return { push: (bytes) => bytes, end: () => nothing }
  }
}

/** The decoded octets of a whole body at once. */
export function decodeTransfer(bytes: Uint8Array, encoding: TransferEncoding): Uint8Array {
  const decoder = transferDecoder(encoding)
  const head = decoder.push(bytes)
  const tail = decoder.end()
  if (tail.length === 0) return head
  const all = new Uint8Array(head.length + tail.length)
  all.set(head)
  all.set(tail, head.length)
  return all
}

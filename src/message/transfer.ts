import { Base64Decoder } from './base64.ts'
import { QuotedPrintableDecoder } from './quoted-printable.ts'
import { UuDecoder } from './uuencode.ts'

/** Undoes a content transfer encoding as the bytes stream by. Total: whatever comes, it never throws and holds under 2 kB. */
export interface TransferDecoder {
  /** What `bytes` add to the decoded octets; a new array, or `bytes` themselves where nothing is encoded. */
  push(bytes: Uint8Array): Uint8Array
  /** What was held back. Nothing may be pushed afterwards. */
  end(): Uint8Array
}

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

/** Undoes a content transfer encoding as the bytes stream by. Total: whatever comes, it never throws and holds under 2 kB. */
export interface TransferDecoder {
  /** What `bytes` add to the decoded octets; a new array, or `bytes` themselves where nothing is encoded. */
  push(bytes: Uint8Array): Uint8Array
  /** What was held back. Nothing may be pushed afterwards. */
  end(): Uint8Array
}

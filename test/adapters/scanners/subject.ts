import type { ScanSubject } from '../../../src/contracts/scanner.ts'

/** A message to be scanned, and how much of it was read. */
export interface Scannable extends ScanSubject {
  /** Chunks that were taken. */
  readonly taken: () => number
  /** Whether what reads it has let go of it. */
  readonly released: () => boolean
}

const encoder = new TextEncoder()

/** A message of these chunks. */
export function subjectOf(chunks: readonly (string | Uint8Array)[], more: Partial<ScanSubject> = {}): Scannable {
  const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? encoder.encode(chunk) : chunk))
  let taken = 0
  let released = false
  async function* raw(): AsyncGenerator<Uint8Array> {
    try {
      for (const chunk of bytes) {
        taken++
        yield chunk
      }
    } finally {
      released = true
    }
  }
  return {
    id: 'c-1.1',
    envelope: {
      sender: { local: 'alice', domain: 'a.test' },
      recipients: ['bob', 'carol smith'].map((local) => ({
        local, domain: 'b.test', user: local, tag: undefined, wire: '', notify: undefined, originalRecipient: undefined,
      })),
      size: undefined, body: '8BITMIME', smtpUtf8: false, ret: undefined, envid: undefined, requireTls: false,
      deliverBy: undefined, priority: undefined, hold: undefined,
    },
    connection: {
      id: 'c-1',
      peer: { address: '203.0.113.9', port: 40_000, localAddress: '192.0.2.1', localPort: 25 },
      began: 0, protocol: 'smtp', tls: undefined, hello: { verb: 'EHLO', name: 'client.test' }, account: undefined,
      forwarded: undefined,
    },
    octets: bytes.reduce((sum, { length }) => sum + length, 0),
    received: 0,
    raw,
    taken: () => taken,
    released: () => released,
    ...more,
  }
}

/** Nobody gives up. */
export const never = (): AbortSignal => new AbortController().signal

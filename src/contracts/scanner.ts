import type { ReceivedMessage } from './received.ts'

/** Something that a scanner found in a message. */
export interface ScanFinding {
  /** Of a virus or a rule, as the scanner calls it: `Eicar-Signature`, `BAYES_99`. */
  readonly name: string
  /** Points for or against it, where the scanner gives any; the higher, the worse. */
  readonly score?: number
  /** In words. */
  readonly text?: string
}

/** What a scanner says of a message. */
export interface Scanned {
  /**
   * What it would do. `pass`: nothing against it. `tag`: say in the header what was found. `quarantine`: set it apart.
   * `defer`: try again later (greylisting). `reject`: do not take it. `discard`: say 250 and drop it.
   */
  readonly action: 'pass' | 'tag' | 'quarantine' | 'defer' | 'reject' | 'discard'
  readonly findings: readonly ScanFinding[]
  /** Points in all, and from how many on it takes a message for spam; of scanners that count. */
  readonly score?: number
  readonly threshold?: number
  /** Header fields that it wants put before the others; its own names and values, which the caller bounds and encodes. */
  readonly addFields?: readonly (readonly [name: string, value: string])[]
  /** Names of header fields that it wants taken out. */
  readonly removeFields?: readonly string[]
  /** What to tell the client where it is refused. */
  readonly text?: string
}

/** What a scanner sees of a message. */
export type ScanSubject = Pick<ReceivedMessage, 'id' | 'envelope' | 'connection' | 'octets' | 'raw' | 'received'>

/** A program beside the server that looks into messages: for viruses, for spam. */
export interface Scanner {
  /** Of its kind: `clamd`. */
  readonly name: string
  /**
   * Looks into a message, streamed. Rejects with `temporary` where it cannot say: nobody listens, no answer within its own
   * time, an answer that makes no sense, `signal` aborted; with `permanent` where it never can: the message is larger than it
   * takes.
   */
  scan(message: ScanSubject, signal: AbortSignal): Promise<Scanned>
  /** Ends its connections; later calls reject with `closed`. May be called again. */
  close?(): Promise<void>
}

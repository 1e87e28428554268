import type { Durability } from './durability.ts'

/** Octets `start` (inclusive) to `end` (exclusive), counted from 0. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** The octets of one message, wherever they rest. Never changes. */
export interface Body {
  /** Octets. */
  readonly size: number
  /**
   * Reads the range (default: all of it) in order, in chunks of the adapter's choice. The range lies within 0 and `size`
   * and is not reversed: the caller guarantees it. Ending the iteration early releases what it holds.
   */
  read(range?: ByteRange): AsyncIterable<Uint8Array>
  /** All octets at once, where they are in memory already; absent elsewhere. */
  readonly bytes?: Uint8Array
}

/** A body that a store knows by id. */
export interface StoredBody extends Body {
  readonly id: string
}

/** A new body being written. Nobody sees it before `commit`; a writer that is neither committed nor discarded leaves nothing behind. */
export interface BodyWriter {
  /** Appends. Await a returned promise before the next call (back-pressure). The bytes are the adapter's from now on. */
  write(bytes: Uint8Array): void | Promise<void>
  /** Resolves when the body is as safe as `traits.durability` says. */
  commit(): Promise<StoredBody>
  /** Forgets what was written. Safe at any time before `commit`, and more than once. */
  discard(): Promise<void>
}

/** Where bodies rest that are too large to stay in memory or in a row: files, an object store. */
export interface BodyStore {
  readonly traits: { readonly durability: Durability }
  /** Begins a new body. */
  create(): BodyWriter
  /** A stored body, or `undefined` when there is none by that id. */
  open(id: string): Promise<StoredBody | undefined>
  /** Removes; ids that are not there are no error. */
  remove(ids: readonly string[]): Promise<void>
  /** The ids of all committed bodies, in no particular order (for sweeping orphans). */
  list(): AsyncIterable<string>
  close?(): Promise<void>
}

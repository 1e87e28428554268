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
   * Reads the range (default: all of it) in order, in chunks of the adapter's choice, none of them empty. The range lies
   * within 0 and `size` and is not reversed: the caller guarantees it. Each call reads anew; several may run side by side.
   * Ending the iteration early releases what it holds. The chunks are the reader's to keep, not to write to.
   *
   * Throws a `temporary` MailError when the octets cannot be read, `permanent` when the body was removed meanwhile; after its
   * store was closed it may throw `closed`.
   */
  read(range?: ByteRange): AsyncIterable<Uint8Array>
  /** All octets at once, where they are in memory already; absent elsewhere. Not to be written to. */
  readonly bytes?: Uint8Array
  /**
   * The absolute path of a file on this machine that holds exactly these octets and is never written to again, where there is
   * one. A store may take such a body over by a link to the file instead of a copy. It is not the reader's to change or remove.
   */
  readonly file?: string
}

/** A body that a store knows by id. */
export interface StoredBody extends Body {
  /** Opaque; never given to another body, not even after this one was removed. */
  readonly id: string
}

/**
 * A new body being written. Nobody sees it before `commit`; a writer that is neither committed nor discarded leaves nothing
 * behind.
 */
export interface BodyWriter {
  /**
   * Appends. Await a returned promise before the next call (back-pressure). The bytes are the adapter's from now on: nobody
   * writes to them again. Rejects with a `temporary` MailError (disk full); then only `discard` is left.
   */
  write(bytes: Uint8Array): void | Promise<void>
  /**
   * Resolves when the body is as safe as `traits.durability` says. Rejects with a `temporary` MailError, and then it is
   * discarded.
   */
  commit(): Promise<StoredBody>
  /** Forgets what was written. Safe at any time before `commit`, during a `write` too, and more than once; never rejects. */
  discard(): Promise<void>
}

/** Where bodies rest that are too large to stay in memory or in a row: files, an object store. */
export interface BodyStore {
  readonly traits: { readonly durability: Durability }
  /** Begins a new body. */
  create(): BodyWriter
  /** A committed body, or `undefined` when there is none by that id. */
  open(id: string): Promise<StoredBody | undefined>
  /** Removes; ids that are not there are no error. A read under way ends well or throws; it never yields other octets. */
  remove(ids: readonly string[]): Promise<void>
  /** The ids of all committed bodies, in no particular order (for sweeping orphans). */
  list(): AsyncIterable<string>
  /** Lets go of what it holds, discards what is being written, and may be called again. */
  close?(): Promise<void>
}

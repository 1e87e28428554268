import type { FileKind } from '../../message/file-type.ts'

/** A file that a message brings: an attachment, or a file in one. */
export interface FoundFile {
  /** Its name, from the attachment inwards: `a.zip`, `b.exe`. Empty where it has none. */
  readonly path: readonly string[]
  /** What it is, by its content, its name or its type; it may claim to be several things. */
  readonly kinds: ReadonlySet<FileKind>
  /** The extensions that its names have. */
  readonly extensions: readonly string[]
  /** What is to deceive people about it. */
  readonly deceptive: string | undefined
  /** Nobody can look into it without a password. */
  readonly encrypted: boolean
  /** Octets, decoded; for a file in an archive those that the archive says it has, or more where more came. */
  readonly octets: number
}

/** What a message brings. */
export interface Inspection {
  readonly files: readonly FoundFile[]
  /** How deep archives lie in archives: 1 for one that is attached. */
  readonly archiveDepth: number
  /** How deep messages lie in messages: 0 for none. */
  readonly messageDepth: number
  /** What could not be looked into, and why. */
  readonly unreadable: readonly { readonly path: readonly string[]; readonly why: string }[]
  /** A message has more parts, or parts that lie deeper, than are read: some are not among the files. */
  readonly isCut: boolean
}

/** Where something stands in a script. Lines and columns count from 1, columns in UTF-16 code units. */
export interface SievePosition {
  readonly line: number
  readonly column: number
}

/** Something wrong with a script, and what to do about it. */
export interface SieveError extends SievePosition {
  readonly text: string
}

/** A string of a script: escapes undone, variables not. Line ends are LF. */
export interface SieveString {
  readonly value: string
  readonly at: SievePosition
}

/** An argument of a command or a test (RFC 5228 §2.6). */
export type SieveArgument =
  | { readonly kind: 'string'; readonly value: string; readonly at: SievePosition }
  | { readonly kind: 'list'; readonly values: readonly SieveString[]; readonly at: SievePosition }
  | { readonly kind: 'number'; readonly value: number; readonly at: SievePosition }
  /** Its name without the colon, in lower case. */
  | { readonly kind: 'tag'; readonly name: string; readonly at: SievePosition }

/** What commands and tests are made of. */
export interface SieveNode {
  /** In lower case. */
  readonly name: string
  readonly at: SievePosition
  readonly arguments: readonly SieveArgument[]
  readonly tests: readonly SieveTest[]
  /** Its tests stand in parentheses. */
  readonly listed: boolean
}

/** A test: `header :is "Subject" "x"`. */
export type SieveTest = SieveNode

/** A command: `if`, `fileinto`. */
export interface SieveCommand extends SieveNode {
  /** What stands in its braces, where it has any. */
  readonly block: readonly SieveCommand[] | undefined
}

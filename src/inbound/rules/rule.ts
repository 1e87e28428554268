import type { AuthenticationResult } from '../../contracts/authentication.ts'

/*
 * Rules as plain data: what a form in a dashboard or a table of a host's writes, and JSON holds.
 */

/** How a text is looked at: by exactly one of these. Letters count without regard to case. Of several texts one has to fit. */
export interface TextTest {
  /** All of it. */
  readonly is?: string | readonly string[]
  readonly contains?: string | readonly string[]
  /** All of it, `*` for any characters and `?` for one; a backslash before them takes that from them. */
  readonly matches?: string | readonly string[]
  readonly startsWith?: string | readonly string[]
  readonly endsWith?: string | readonly string[]
  /** Whether it is there at all. */
  readonly exists?: boolean
}

/** A field of the header, by name. */
export interface HeaderTest extends TextTest {
  readonly name: string
}

/** A number, above or below a bound, or between two. */
export interface NumberTest {
  readonly over?: number
  readonly under?: number
}

/** An attachment, which may be in a message in the message: one that is both, where both are given; `exists`: any. */
export interface AttachmentTest {
  readonly name?: TextTest
  /** Its type, such as `image/png`, as it calls itself. */
  readonly type?: TextTest
  readonly exists?: boolean
}

/** One result, or one of several. */
export type ResultTest = AuthenticationResult | readonly AuthenticationResult[]

/** What a rule looks at: exactly one of these. */
export interface RuleCondition {
  readonly all?: readonly RuleCondition[]
  readonly any?: readonly RuleCondition[]
  readonly not?: RuleCondition
  /** Addresses of the field, one by one; `contains` looks at names too, which anybody can choose as he likes. */
  readonly from?: TextTest
  readonly to?: TextTest
  readonly cc?: TextTest
  readonly subject?: TextTest
  readonly header?: HeaderTest
  /** What people read, of HTML without its markup; of its first MiB. */
  readonly body?: TextTest
  /** Octets. */
  readonly size?: NumberTest
  readonly attachment?: AttachmentTest
  /** What `authentication()` has found; where nobody has looked it is `none`. Of several signatures the best one counts. */
  readonly spf?: ResultTest
  readonly dkim?: ResultTest
  readonly dmarc?: ResultTest
  /** Points that policies have given, summed up. */
  readonly score?: NumberTest
}

/** What a rule does: exactly one of these. */
export interface RuleAction {
  /** Into INBOX, and no other rule is looked at. */
  readonly accept?: true
  /** Not taken: the sender hears this. */
  readonly reject?: string
  /** Dropped without a word. */
  readonly discard?: true
  /** To another address. `keep`: kept here as well. */
  readonly forward?: string | { readonly to: string; readonly keep?: boolean }
  /** Into a mailbox, which is made where it is missing: `Lists/Posthorn`. */
  readonly move?: string
  /** A keyword. */
  readonly tag?: string
  /** A URL that hears of the message. */
  readonly webhook?: string
}

/** A rule. */
export interface Rule {
  /** For whoever asks why a message is where it is. */
  readonly name: string
  /** Default true. */
  readonly enabled?: boolean
  /** Higher ones first (default 0); of the same, in order. */
  readonly priority?: number
  /** Default: always. */
  readonly when?: RuleCondition
  readonly then: RuleAction | readonly RuleAction[]
  /**
   * No rule after it is looked at. Default: after what says where the message goes, so all but `tag`,
   * `webhook`, and `forward` with `keep`.
   */
  readonly stop?: boolean
}

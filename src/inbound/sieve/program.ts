import type { FilterAction } from '../../contracts/filter.ts'
import type { SpecialUse } from '../../contracts/mailbox.ts'
import type { Awaitable } from '../../contracts/policy.ts'
import type { SieveMessage } from './message.ts'

/*
 * What a script means, as plain data: what the interpreter runs. Rules of other kinds are made into the same.
 */

/** A variable that a text refers to (RFC 5229 §3). Names are in lower case; a global one is shared with included scripts. */
export type VariableName =
  | { readonly kind: 'own' | 'global'; readonly name: string }
  | { readonly kind: 'match'; readonly index: number }

/** A text: as it stands, or put together when it is needed. `source` is what stands in the script. */
export type Text = string | { readonly source: string; readonly pieces: readonly (string | VariableName)[] }

/** RFC 5231 §4. */
export type Relation = 'gt' | 'ge' | 'lt' | 'le' | 'eq' | 'ne'

/** RFC 4790, RFC 5051. */
export type ComparatorName = 'i;octet' | 'i;ascii-casemap' | 'i;ascii-numeric' | 'i;unicode-casemap'

/** How values are held against keys. `relation` goes with `value` and `count`. */
export interface Matching {
  readonly type: 'is' | 'contains' | 'matches' | 'value' | 'count'
  readonly relation?: Relation
  readonly comparator: ComparatorName
}

/** Which of several fields (RFC 5260 §6): the nth, from 1, from the top or from the end. */
export interface FieldIndex {
  readonly nth: number
  readonly last: boolean
}

/** A part of an address (RFC 5228 §2.7.4, RFC 5233). */
export type AddressPart = 'all' | 'localpart' | 'domain' | 'user' | 'detail'

/** What a body is taken as (RFC 5173 §5). */
export type BodyTransform = { readonly kind: 'raw' | 'text' } | { readonly kind: 'content'; readonly types: readonly Text[] }

/** Keys, and how values are held against them. */
export interface Keyed {
  readonly match: Matching
  readonly keys: readonly Text[]
}

/** A test. `at`: line and column (`3:8`), or the name of a rule. */
export type Condition = { readonly at: string } & (
  | { readonly kind: 'true' | 'false' }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'exists'; readonly names: readonly Text[] }
  | { readonly kind: 'size'; readonly over: boolean; readonly octets: number }
  | { readonly kind: 'header'; readonly names: readonly Text[]; readonly index?: FieldIndex | undefined } & Keyed
  | {
    readonly kind: 'address'
    readonly part: AddressPart
    readonly names: readonly Text[]
    readonly index?: FieldIndex | undefined
  } & Keyed
  /** `parts`: `from`, `to`. */
  | { readonly kind: 'envelope'; readonly part: AddressPart; readonly parts: readonly Text[] } & Keyed
  | { readonly kind: 'body'; readonly transform: BodyTransform } & Keyed
  | { readonly kind: 'string'; readonly values: readonly Text[] } & Keyed
  /** Of no variables: the flags that the message gets anyway. */
  | { readonly kind: 'hasflag'; readonly variables: readonly Text[] | undefined } & Keyed
  /** Without `header`: the present. `zone`: `+0100`, or `original`. */
  | {
    readonly kind: 'date'
    readonly header?: Text | undefined
    readonly index?: FieldIndex | undefined
    readonly zone?: Text | undefined
    readonly original: boolean
    readonly part: Text
  } & Keyed
  | { readonly kind: 'environment'; readonly name: Text } & Keyed
  | { readonly kind: 'mailboxexists'; readonly names: readonly Text[] }
  | { readonly kind: 'specialuse_exists'; readonly mailbox?: Text | undefined; readonly uses: readonly Text[] }
  | {
    readonly kind: 'duplicate'
    readonly handle?: Text | undefined
    readonly header?: Text | undefined
    readonly uniqueId?: Text | undefined
    readonly seconds: number | undefined
    readonly last: boolean
  }
  /** Whatever a program wants to know; `what` is for the trace. */
  | {
    readonly kind: 'ask'
    readonly what: string
    /** What the program has to say of the message. */
    readonly ask: (message: SieveMessage) => Awaitable<boolean>
  }
)

/** A change of a string by `set` (RFC 5229 §4.1). */
export type VariableChange = 'lower' | 'upper' | 'lowerfirst' | 'upperfirst' | 'quotewildcard' | 'length'

/** An automatic answer (RFC 5230). */
export interface Vacation {
  readonly reason: Text
  readonly subject?: Text | undefined
  readonly from?: Text | undefined
  readonly addresses: readonly Text[]
  readonly mime: boolean
  /** By which answers are told apart; by default by what they say. */
  readonly handle?: Text | undefined
  /** How long the same sender gets no other one. */
  readonly seconds?: number | undefined
}

/** A branch of an `if`. */
export interface Branch {
  readonly test: Condition
  readonly then: readonly Statement[]
}

/** A command. `at`: line and column (`3:8`), or the name of a rule. */
export type Statement = { readonly at: string } & (
  | { readonly kind: 'if'; readonly branches: readonly Branch[]; readonly otherwise?: readonly Statement[] | undefined }
  /** `return`: out of this script, into the one that included it. */
  | { readonly kind: 'stop' | 'return' }
  | { readonly kind: 'keep'; readonly flags?: readonly Text[] | undefined }
  | { readonly kind: 'discard' }
  | {
    readonly kind: 'fileinto'
    readonly mailbox: Text
    readonly use?: Text | undefined
    readonly create: boolean
    readonly copy: boolean
    readonly flags?: readonly Text[] | undefined
  }
  | { readonly kind: 'redirect'; readonly to: Text; readonly copy: boolean }
  | { readonly kind: 'reject'; readonly reason: Text }
  | { readonly kind: 'vacation' } & Vacation
  /** In the order in which they are made. */
  | {
    readonly kind: 'set'
    readonly variable: VariableName
    readonly value: Text
    readonly changes: readonly VariableChange[]
  }
  | {
    readonly kind: 'setflag' | 'addflag' | 'removeflag'
    readonly variable?: VariableName | undefined
    readonly flags: readonly Text[]
  }
  | { readonly kind: 'addheader'; readonly name: Text; readonly value: Text; readonly last: boolean }
  | {
    readonly kind: 'deleteheader'
    readonly name: Text
    readonly index?: FieldIndex | undefined
    readonly match: Matching
    /** None: whatever it says. */
    readonly keys: readonly Text[] | undefined
  }
  | {
    readonly kind: 'include'
    readonly location: 'personal' | 'global'
    readonly name: string
    readonly once: boolean
    readonly optional: boolean
  }
  /** Whatever a program wants done with the message beside all else; `keeps`: it is kept in INBOX all the same. */
  | { readonly kind: 'act'; readonly action: FilterAction; readonly keeps: boolean }
)

/** A script, checked: what {@link compileSieve} gives and the interpreter runs. */
export interface SieveProgram {
  readonly statements: readonly Statement[]
  /** Whether matches set variables: `variables` is required. */
  readonly variables: boolean
}

const uses: readonly SpecialUse[] = ['\\All', '\\Archive', '\\Drafts', '\\Flagged', '\\Junk', '\\Sent', '\\Trash']

/** The uses of RFC 6154 by their names in lower case. */
export const specialUses: ReadonlyMap<string, SpecialUse> = new Map(uses.map((use) => [use.toLowerCase(), use]))

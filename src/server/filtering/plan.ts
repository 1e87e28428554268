import type { Filtered, FilterAction, HeaderEdit } from '../../contracts/filter.ts'
import type { Address } from '../../message/address.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { normalFlags } from '../../protocol/imap/flags.ts'
import { encodeMailbox } from '../../protocol/smtp/index.ts'
import type { Copy } from '../mailboxes.ts'

/** An answer that a filter gives. */
export type FilterReply = Extract<FilterAction, { readonly kind: 'reply' }>

/** The header as a filter has changed it by then. */
interface Edited {
  readonly edits: readonly HeaderEdit[]
}

/** What a filter wants done, by what it takes to do it. */
export interface Plan {
  /** Where the message is stored, with which flags and which header. */
  readonly copies: readonly (Edited & { readonly place: Copy['place']; readonly flags: readonly string[] })[]
  readonly redirects: readonly (Edited & { readonly to: Address })[]
  /** Why it is not taken. */
  readonly rejection: string | undefined
  readonly replies: readonly FilterReply[]
  readonly webhooks: readonly string[]
  readonly tags: readonly string[]
}

/** Octets of a keyword that IMAP shows. */
const MOST_KEYWORD = 100

/** What is done where nobody filters. */
export const plainly: Plan = {
  copies: [{ place: 'inbox', flags: [], edits: [] }], redirects: [], rejection: undefined, replies: [], webhooks: [], tags: [],
}

/**
 * Sorts what a filter has decided. Where it rejects the message and keeps it too, it is kept. Throws `misuse` for an action that
 * nobody knows: whoever wants more than can be done does not want the message dropped.
 */
export function planOf({ actions, edits: last }: Filtered): Plan {
  const of = <Kind extends FilterAction['kind']>(kind: Kind) =>
    actions.filter((action): action is Extract<FilterAction, { readonly kind: Kind }> => action.kind === kind)
  const odd = actions.find(({ kind }) => !known.has(kind))
  if (odd) throw new MailError('misuse', `A filter answered an action ${JSON.stringify(odd.kind)}, which there is not.`)
  const tags = of('tag').map(({ tag }) => tag)
  const keywords = tags.map(keywordOf).filter((keyword) => keyword !== '')
  const flagged = (flags: readonly string[] = []): readonly string[] => flagsOf([...flags, ...keywords])
  const copies = actions.flatMap((action): Plan['copies'] => {
    if (action.kind === 'keep') return [{ place: 'inbox', flags: flagged(action.flags), edits: action.edits ?? last }]
    if (action.kind !== 'file') return []
    const { path, use, create, flags, edits = last } = action
    return [{ place: { path, use, create }, flags: flagged(flags), edits }]
  })
  const redirected = of('redirect').map(({ to, edits = last }) => [encodeMailbox(to), { to, edits }] as const)
  const redirects = [...new Map(redirected).values()]
  const isKept = copies.length + redirects.length > 0
  return {
    copies,
    redirects,
    rejection: isKept ? undefined : of('reject')[0]?.reason,
    replies: of('reply'),
    webhooks: of('webhook').map(({ url }) => url),
    tags,
  }
}

const known: ReadonlySet<string> = new Set(['keep', 'file', 'redirect', 'reject', 'reply', 'webhook', 'tag'])

/** Those that a mailbox can keep (RFC 5232 §2: what is no flag is passed over). */
function flagsOf(flags: readonly string[]): readonly string[] {
  const sound = flags.flatMap((flag) => normalFlags([flag.startsWith('\\') ? flag : keywordOf(flag)]) ?? [])
  return normalFlags(sound.filter((flag) => flag !== '')) ?? []
}

/** A word as a keyword of IMAP: an atom (RFC 9051 §9), cut where it is too long. */
function keywordOf(tag: string): string {
  return tag.trim().replace(/[^!#$&'+-[^-z|}~]/g, '_').replace(/[\]]/g, '_').slice(0, MOST_KEYWORD)
}

import type { ImapMailbox } from './mailbox.ts'
import { DELIMITER } from './mailbox-name.ts'

/** A name in the hierarchy: of a mailbox, of what only leads to one, or of what is only subscribed to. */
export interface HierarchyName<Box = ImapMailbox> {
  readonly path: readonly string[]
  readonly text: string
  mailbox: Box | undefined
  subscribed: boolean
  hasChildren: boolean
  /** Something below it is subscribed to. */
  subscribedBelow: boolean
}

/** All names, parents before children: mailboxes, what is subscribed to, and the names above either. */
export function hierarchyOf<Box extends { readonly path: readonly string[] }>(
  mailboxes: readonly Box[],
  subscribed: readonly (readonly string[])[],
): HierarchyName<Box>[] {
  const names = new Map<string, HierarchyName<Box>>()
  const named = (path: readonly string[]): HierarchyName<Box> => {
    const text = path.join(DELIMITER)
    let name = names.get(text)
    if (name === undefined) {
      name = { path, text, mailbox: undefined, subscribed: false, hasChildren: false, subscribedBelow: false }
      names.set(text, name)
    }
    return name
  }
  const above = function* (path: readonly string[]): Generator<HierarchyName<Box>> {
    for (let levels = path.length - 1; levels > 0; levels--) yield named(path.slice(0, levels))
  }
  for (const mailbox of mailboxes) {
    named(mailbox.path).mailbox = mailbox
    for (const name of above(mailbox.path)) name.hasChildren = true
  }
  for (const path of subscribed) {
    named(path).subscribed = true
    for (const name of above(path)) name.subscribedBelow = true
  }
  return [...names.values()].sort((a, b) => compare(a.path, b.path))
}

/** INBOX first, parents before children, otherwise by code unit. */
function compare(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const [x, y] = [a[at]!, b[at]!]
    if (x === y) continue
    if (at === 0 && (x === 'INBOX' || y === 'INBOX')) return x === 'INBOX' ? -1 : 1
    return x < y ? -1 : 1
  }
  return a.length - b.length
}

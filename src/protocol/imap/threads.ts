/** A message as threading sees it. */
export interface Threaded {
  /** What the answer calls it. */
  readonly number: number
  /** Its own id in a normal form; `undefined` where it has none. */
  readonly id: string | undefined
  /** The ids of those before it, the oldest first. */
  readonly references: readonly string[]
  /** The base subject, folded; and whether the subject says that it is a reply or a forward. */
  readonly subject: string
  readonly reply: boolean
  /** Milliseconds since the Unix epoch. */
  readonly sent: number
}

/** A place in a thread: a message, or the lack of one that others refer to. */
interface Node {
  message: Threaded | undefined
  parent: Node | undefined
  readonly children: Set<Node>
  /** When it was sent; of what is lacking, when its first child was. */
  sent: number
  /** Its place in the mailbox: what else is the same stays in this order. */
  order: number
}

const nodeOf = (message: Threaded | undefined, order: number): Node => ({
  message, parent: undefined, children: new Set(), sent: message?.sent ?? 0, order,
})

/** REFERENCES (RFC 5256): who answers whom. `messages` come in the order of the mailbox. */
export function threadByReferences(messages: readonly Threaded[]): string {
  const roots = pruned(linked(messages))
  for (const root of roots) settle(root)
  roots.sort(bySent)
  const gathered = gather(roots)
  for (const root of gathered) settle(root)
  return gathered.sort(bySent).map(written).join('')
}

/** ORDEREDSUBJECT (RFC 5256): a thread for each base subject, in the order in which they were sent. */
export function threadBySubject(messages: readonly Threaded[]): string {
  const threads = new Map<string, Threaded[]>()
  for (const message of messages) {
    const thread = threads.get(message.subject)
    if (thread) thread.push(message)
    else threads.set(message.subject, [message])
  }
  const sorted = [...threads.values()].map((thread) => [...thread].sort((a, b) => a.sent - b.sent))
  sorted.sort((a, b) => a[0]!.sent - b[0]!.sent)
  return sorted.map(([first, ...others]) => {
    if (others.length === 0) return `(${first!.number})`
    if (others.length === 1) return `(${first!.number} ${others[0]!.number})`
    return `(${first!.number} ${others.map(({ number }) => `(${number})`).join('')})`
  }).join('')
}

/** Step 1: every message under the one it answers, with places for those that are not here. */
function linked(messages: readonly Threaded[]): Node[] {
  const byId = new Map<string, Node>()
  const all: Node[] = []
  const own: Node[] = []
  const place = (id: string, order: number): Node => {
    let node = byId.get(id)
    if (node === undefined) {
      node = nodeOf(undefined, order)
      byId.set(id, node)
      all.push(node)
    }
    return node
  }
  messages.forEach((message, order) => {
    const known = message.id === undefined ? undefined : byId.get(message.id)
    // An id that came before is the first one's alone.
    let node = known !== undefined && known.message === undefined ? known : undefined
    if (node === undefined) {
      node = nodeOf(message, order)
      all.push(node)
      if (message.id !== undefined && known === undefined) byId.set(message.id, node)
    }
    node.message = message
    node.sent = message.sent
    node.order = order
    own.push(node)
  })
  messages.forEach((message, order) => {
    let before: Node | undefined
    for (const id of message.references) {
      const node = place(id, order)
      if (before !== undefined && node.parent === undefined) link(before, node)
      before = node
    }
    const node = own[order]!
    // What the message itself says of its parent counts more than what others said.
    if (before === undefined) return
    if (node.parent === before) return
    if (before === node || (node.children.size > 0 && isAbove(node, before))) return
    node.parent?.children.delete(node)
    node.parent = undefined
    link(before, node)
  })
  return all.filter((node) => node.parent === undefined)
}

function link(parent: Node, child: Node): void {
  // No circles. What has nothing below it is above nothing.
  if (parent === child || (child.children.size > 0 && isAbove(child, parent))) return
  child.parent = parent
  parent.children.add(child)
}

/** Whether `node` is above `other`, however far. */
function isAbove(node: Node, other: Node): boolean {
  for (let at = other.parent; at !== undefined; at = at.parent) if (at === node) return true
  return false
}

/** Step 3: places without a message go, and what was below them takes their place; but not at the top, if it is more than one. */
function pruned(roots: readonly Node[]): Node[] {
  const kept: Node[] = []
  for (const root of roots) {
    pruneBelow(root)
    if (root.message !== undefined || root.children.size > 1) kept.push(root)
    else for (const child of root.children) {
      child.parent = undefined
      kept.push(child)
    }
  }
  return kept
}

/** From the bottom up, without recursion: threads may be as deep as mailboxes are long. */
function pruneBelow(root: Node): void {
  for (const node of downwards(root).reverse()) {
    if (node === root || node.message !== undefined) continue
    const { parent } = node
    parent!.children.delete(node)
    for (const child of node.children) {
      child.parent = parent
      parent!.children.add(child)
    }
  }
}

/** A node and all below it, parents before children. */
function downwards(root: Node): Node[] {
  const all = [root]
  for (let at = 0; at < all.length; at++) all.push(...all[at]!.children)
  return all
}

const bySent = (a: Node, b: Node): number => a.sent - b.sent || a.order - b.order

/** Step 4 and 6: children in the order in which they were sent; a place without a message counts as its first child. */
function settle(root: Node): void {
  for (const node of downwards(root).reverse()) {
    const sorted = [...node.children].sort(bySent)
    node.children.clear()
    for (const child of sorted) node.children.add(child)
    if (node.message === undefined && sorted[0]) {
      node.sent = sorted[0].sent
      node.order = sorted[0].order
    }
  }
}

const subjectOf = (node: Node): string => (node.message ?? first(node))?.subject ?? ''

function first(node: Node): Threaded | undefined {
  for (const child of node.children) return child.message ?? first(child)
  return undefined
}

/** Whether the node is a reply by its subject. */
const isReply = (node: Node): boolean => node.message?.reply ?? false

/** Step 5: threads of the same base subject come together. */
function gather(roots: readonly Node[]): Node[] {
  const table = new Map<string, Node>()
  for (const root of roots) {
    const subject = subjectOf(root)
    if (subject === '') continue
    const there = table.get(subject)
    // 5.B.ii: what is lacking before what is there, and no reply before a reply.
    const lacking = there?.message !== undefined && root.message === undefined
    const better = there === undefined || lacking || (isReply(there) && !isReply(root))
    if (better) table.set(subject, root)
  }
  const gone = new Set<Node>()
  const made = new Map<Node, Node>()
  for (const root of roots) {
    const subject = subjectOf(root)
    let there = subject === '' ? undefined : table.get(subject)
    if (there !== undefined) there = made.get(there) ?? there
    if (there === undefined || there === root) continue
    if (merge(there, root, made)) gone.add(root)
  }
  const kept = roots.filter((root) => !gone.has(root)).map((root) => made.get(root) ?? root)
  return [...new Set(kept)]
}

/** Step 5.C: puts `node` where it belongs in the thread of `there`. */
function merge(there: Node, node: Node, made: Map<Node, Node>): boolean {
  if (there.message === undefined && node.message === undefined) {
    for (const child of node.children) adopt(there, child)
  } else if (there.message === undefined) adopt(there, node)
  else if (node.message !== undefined && isReply(node) && !isReply(there)) adopt(there, node)
  else {
    // Side by side, under what is lacking.
    const both = nodeOf(undefined, there.order)
    both.sent = there.sent
    made.set(there, both)
    adopt(both, there)
    adopt(both, node)
  }
  return true
}

function adopt(parent: Node, child: Node): void {
  child.parent = parent
  parent.children.add(child)
}

/** `(2)(3 6 (4 23)(44 7 96))`: what has one child goes on, what has several opens a thread for each. */
function written(root: Node): string {
  let text = '('
  // What is still to be written: nodes, and the ends of threads behind them.
  const waiting: (Node | string)[] = [root]
  let blank = false
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === 'string') {
      text += next
      blank = false
      continue
    }
    if (next.message !== undefined) {
      text += `${blank ? ' ' : ''}${next.message.number}`
      blank = true
    }
    const children = [...next.children]
    if (children.length === 1) waiting.push(children[0]!)
    else if (children.length > 1) {
      if (blank) text += ' '
      for (let at = children.length - 1; at >= 0; at--) waiting.push(')', children[at]!, '(')
    }
  }
  return `${text})`
}

import { filtered, mapped, ordered, STEP, type Steps } from './steps.ts'

/** A message as threading sees it. */
export interface Linked {
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

/**
 * A place in a thread: a message, or the lack of one that others refer to. Children are a list through them: most have none, and
 * whoever has ten thousand may lose each of them to another parent.
 */
interface Node {
  message: Linked | undefined
  /** What the answer calls the message. */
  number: number
  parent: Node | undefined
  child: Node | undefined
  next: Node | undefined
  previous: Node | undefined
  /** When it was sent; of what is lacking, when its first child was. */
  sent: number
  /** Its place in the mailbox: what else is the same stays in this order. */
  order: number
}

function nodeOf(message: Linked | undefined, number: number, order: number): Node {
  const sent = message === undefined ? 0 : message.sent
  return { message, number, parent: undefined, child: undefined, next: undefined, previous: undefined, sent, order }
}

/** REFERENCES (RFC 5256): who answers whom. `messages` come in the order of the mailbox; `numbers` are what each is called. */
export function* threadByReferences(messages: readonly Linked[], numbers: readonly number[]): Steps<string> {
  const roots = yield* pruned(yield* linked(messages, numbers))
  yield* settleAll(roots)
  const gathered = yield* gather(yield* ordered(roots, bySent))
  yield* settleAll(gathered)
  return yield* writtenAll(yield* ordered(gathered, bySent))
}

/** ORDEREDSUBJECT (RFC 5256): a thread for each base subject, in the order in which they were sent. */
export function* threadBySubject(messages: readonly Linked[], numbers: readonly number[]): Steps<string> {
  const threads = new Map<string, number[]>()
  const sent = (at: number): number => messages[at]!.sent
  yield* mapped(messages.map((_, at) => at), (at) => {
    const { subject } = messages[at]!
    const thread = threads.get(subject)
    if (thread) thread.push(at)
    else threads.set(subject, [at])
  })
  const sorted = [...threads.values()]
  for (let at = 0; at < sorted.length; at++) {
    if (at % STEP === STEP - 1) yield STEP
    if (sorted[at]!.length > 1) yield* ordered(sorted[at]!, (one, other) => sent(one) - sent(other))
  }
  yield* ordered(sorted, (one, other) => sent(one[0]!) - sent(other[0]!))
  let text = ''
  let done = 0
  for (const thread of sorted) {
    const number = numbers[thread[0]!]!
    if (thread.length === 1) text += `(${number})`
    else if (thread.length === 2) text += `(${number} ${numbers[thread[1]!]!})`
    else text += `(${number} ${(yield* mapped(thread.slice(1), (at) => `(${numbers[at]!})`)).join('')})`
    if (++done % STEP === 0) yield STEP
  }
  return text
}

/** Step 1: every message under the one it answers, with places for those that are not here. */
function* linked(messages: readonly Linked[], numbers: readonly number[]): Steps<Node[]> {
  const byId = new Map<string, Node>()
  const own = yield* mapped(messages.map((_, order) => order), (order) => {
    const message = messages[order]!
    const node = nodeOf(message, numbers[order]!, order)
    // An id that came before is the first one's alone.
    if (message.id !== undefined && !byId.has(message.id)) byId.set(message.id, node)
    return node
  })
  const all = [...own]
  let looked = 0
  for (let order = 0; order < messages.length; order++) {
    const { references } = messages[order]!
    looked += 1 + references.length
    if (looked >= STEP) {
      yield looked
      looked = 0
    }
    let before: Node | undefined
    for (const id of references) {
      let node = byId.get(id)
      if (node === undefined) {
        node = nodeOf(undefined, 0, order)
        byId.set(id, node)
        all.push(node)
      }
      if (before !== undefined && node.parent === undefined) link(before, node)
      before = node
    }
    const node = own[order]!
    // What the message itself says of its parent counts more than what others said.
    if (before === undefined || node.parent === before) continue
    if (before === node || (node.child !== undefined && isAbove(node, before))) continue
    leave(node)
    link(before, node)
  }
  return yield* filtered(all, (node) => node.parent === undefined)
}

function link(parent: Node, child: Node): void {
  // No circles. What has nothing below it is above nothing.
  if (parent === child || (child.child !== undefined && isAbove(child, parent))) return
  adopt(parent, child)
}

/** Puts a node before the other children of another one. */
function adopt(parent: Node, child: Node): void {
  const first = parent.child
  child.parent = parent
  child.previous = undefined
  child.next = first
  if (first !== undefined) first.previous = child
  parent.child = child
}

/** Takes a node from its parent. */
function leave(node: Node): void {
  const { parent, previous, next } = node
  if (parent === undefined) return
  if (previous !== undefined) previous.next = next
  else parent.child = next
  if (next !== undefined) next.previous = previous
  node.parent = node.previous = node.next = undefined
}

/** The children of a node, to be moved about. */
function childrenOf({ child }: Node): Node[] {
  const children: Node[] = []
  for (let node = child; node !== undefined; node = node.next) children.push(node)
  return children
}

/** Whether `node` is above `other`, however far. */
function isAbove(node: Node, other: Node): boolean {
  for (let at = other.parent; at !== undefined; at = at.parent) if (at === node) return true
  return false
}

/** Step 3: places without a message go, and what was below them takes their place; but not at the top, if it is more than one. */
function* pruned(roots: readonly Node[]): Steps<Node[]> {
  const kept: Node[] = []
  for (let at = 0; at < roots.length; at++) {
    if (at % STEP === 0) yield STEP
    const root = roots[at]!
    if (root.child !== undefined) yield* pruneBelow(root)
    if (root.message !== undefined || root.child?.next !== undefined) kept.push(root)
    else for (const child of childrenOf(root)) {
      leave(child)
      kept.push(child)
    }
  }
  return kept
}

/** From the bottom up, without recursion: threads may be as deep as mailboxes are long. */
function* pruneBelow(root: Node): Steps<void> {
  const all = yield* downwards(root)
  for (let at = all.length - 1; at > 0; at--) {
    if (at % STEP === 0) yield STEP
    const node = all[at]!
    if (node.message !== undefined) continue
    const parent = node.parent!
    leave(node)
    for (const child of childrenOf(node)) adopt(parent, child)
  }
}

/** A node and all below it, parents before children. */
function* downwards(root: Node): Steps<Node[]> {
  const all = [root]
  for (let at = 0; at < all.length; at++) {
    if (at % STEP === STEP - 1) yield STEP
    for (let node = all[at]!.child; node !== undefined; node = node.next) all.push(node)
  }
  return all
}

const bySent = (a: Node, b: Node): number => a.sent - b.sent || a.order - b.order

/** Step 4 and 6: children in the order in which they were sent; a place without a message counts as its first child. */
function* settleAll(roots: readonly Node[]): Steps<void> {
  for (let at = 0; at < roots.length; at++) {
    if (at % STEP === STEP - 1) yield STEP
    if (roots[at]!.child !== undefined) yield* settle(roots[at]!)
  }
}

function* settle(root: Node): Steps<void> {
  const all = yield* downwards(root)
  for (let index = all.length - 1; index >= 0; index--) {
    if (index % STEP === STEP - 1) yield STEP
    const node = all[index]!
    if (node.child?.next !== undefined) {
      const children = yield* ordered(childrenOf(node), bySent)
      node.child = undefined
      for (let at = children.length - 1; at >= 0; at--) adopt(node, children[at]!)
    }
    if (node.message === undefined && node.child) {
      node.sent = node.child.sent
      node.order = node.child.order
    }
  }
}

const subjectOf = (node: Node): string => (node.message ?? first(node))?.subject ?? ''

function first({ child }: Node): Linked | undefined {
  return child && (child.message ?? first(child))
}

/** Whether the node is a reply by its subject. */
const isReply = (node: Node): boolean => node.message?.reply ?? false

/** Step 5: threads of the same base subject come together. */
function* gather(roots: readonly Node[]): Steps<Node[]> {
  const table = new Map<string, Node>()
  yield* mapped(roots, (root) => {
    const subject = subjectOf(root)
    if (subject === '') return
    const there = table.get(subject)
    // 5.B.ii: what is lacking before what is there, and no reply before a reply.
    const lacking = there?.message !== undefined && root.message === undefined
    const better = there === undefined || lacking || (isReply(there) && !isReply(root))
    if (better) table.set(subject, root)
  })
  const gone = new Set<Node>()
  const made = new Map<Node, Node>()
  yield* mapped(roots, (root) => {
    const subject = subjectOf(root)
    let there = subject === '' ? undefined : table.get(subject)
    if (there !== undefined) there = made.get(there) ?? there
    if (there === undefined || there === root) return
    if (merge(there, root, made)) gone.add(root)
  })
  const kept = new Set<Node>()
  yield* mapped(roots, (root) => {
    if (!gone.has(root)) kept.add(made.get(root) ?? root)
  })
  return [...kept]
}

/** Step 5.C: puts `node` where it belongs in the thread of `there`. */
function merge(there: Node, node: Node, made: Map<Node, Node>): boolean {
  if (there.message === undefined && node.message === undefined) {
    for (const child of childrenOf(node)) adopt(there, child)
  } else if (there.message === undefined) adopt(there, node)
  else if (node.message !== undefined && isReply(node) && !isReply(there)) adopt(there, node)
  else {
    // Side by side, under what is lacking.
    const both = nodeOf(undefined, 0, there.order)
    both.sent = there.sent
    made.set(there, both)
    adopt(both, there)
    adopt(both, node)
  }
  return true
}

function* writtenAll(roots: readonly Node[]): Steps<string> {
  let text = ''
  for (let at = 0; at < roots.length; at++) {
    if (at % STEP === STEP - 1) yield STEP
    const root = roots[at]!
    text += root.child === undefined ? `(${root.message === undefined ? '' : root.number})` : yield* written(root)
  }
  return text
}

/** `(2)(3 6 (4 23)(44 7 96))`: what has one child goes on, what has several opens a thread for each. */
function* written(root: Node): Steps<string> {
  let text = '('
  let done = 0
  // What is still to be written: nodes, and the ends of threads behind them.
  const waiting: (Node | string)[] = [root]
  let blank = false
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (++done % STEP === 0) yield STEP
    if (typeof next === 'string') {
      text += next
      blank = false
      continue
    }
    if (next.message !== undefined) {
      text += `${blank ? ' ' : ''}${next.number}`
      blank = true
    }
    const { child } = next
    if (child === undefined) continue
    if (child.next === undefined) waiting.push(child)
    else {
      if (blank) text += ' '
      const children = childrenOf(next)
      for (let at = children.length - 1; at >= 0; at--) waiting.push(')', children[at]!, '(')
    }
  }
  return `${text})`
}

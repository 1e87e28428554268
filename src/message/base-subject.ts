/** A subject without what replying and forwarding added to it. */
export interface BaseSubject {
  readonly text: string
  /** Something said that it is a reply or a forward: `Re:`, `(fwd)`, `[Fwd: …]`. */
  readonly reply: boolean
}

/** RFC 5256 §5 subj-refwd. */
const STANDARD: ReadonlySet<string> = new Set(['re', 'fw', 'fwd'])

const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const COLON = 58
const SPACE = 32

/**
 * The base subject of RFC 5256 §2.1, step by step, of a subject whose encoded words are decoded. Sorting and threading must use
 * exactly this; letter case is kept. `prefixes`: the words (lower case) that stand for a reply or a forward when a colon follows.
 * Linear time.
 */
export function baseSubject(subject: string, prefixes: ReadonlySet<string> = STANDARD): BaseSubject {
  // Step 1: tabs and line ends are blanks, several blanks are one.
  const text = subject.replace(/[ \t\r\n]+/g, ' ')
  let from = 0
  let to = text.length
  let reply = false
  for (;;) {
    const end = trimTrailers(text, from, to)
    reply ||= end < to && text.slice(end, to).trim() !== ''
    to = end
    const leaders = trimLeaders(text, from, to, prefixes)
    from = leaders.from
    reply ||= leaders.reply
    // Step 6.
    const wrapped = to - from >= 6 && text.slice(from,
      from + 5).toLowerCase() === '[fwd:' && text.charCodeAt(to - 1) === CLOSE_BRACKET
    if (!wrapped) return { text: text.slice(from, to), reply }
    from += 5
    to -= 1
    reply = true
  }
}

/** Step 2: where the text ends without trailing blanks and `(fwd)`s. */
function trimTrailers(text: string, from: number, to: number): number {
  for (;;) {
    if (to > from && text.charCodeAt(to - 1) === SPACE) to--
    else if (to - from >= 5 && text.slice(to - 5, to).toLowerCase() === '(fwd)') to -= 5
    else return to
  }
}

/**
 * Steps 3 to 5. Whether blobs are followed by a reply word does not depend on how many of them are taken off first, so one look
 * at the run of them is enough: if a reply word follows, all go; if not, all go but the last one where nothing else is left.
 */
function trimLeaders(text: string, from: number, to: number, prefixes: ReadonlySet<string>): { from: number; reply: boolean } {
  let reply = false
  for (;;) {
    while (from < to && text.charCodeAt(from) === SPACE) from++
    let behind = from
    let last = from
    for (let end = blobEnd(text, behind, to); end > behind; end = blobEnd(text, behind, to)) {
      last = behind
      behind = end
    }
    const end = prefixEnd(text, behind, to, prefixes)
    if (end < 0) return { from: behind < to ? behind : last, reply }
    from = end
    reply = true
  }
}

/** Behind `[…]` and blanks, or -1 (RFC 5256 §5 subj-blob). */
function blobEnd(text: string, from: number, to: number): number {
  if (from >= to || text.charCodeAt(from) !== OPEN_BRACKET) return -1
  let at = from + 1
  while (at < to && text.charCodeAt(at) !== OPEN_BRACKET && text.charCodeAt(at) !== CLOSE_BRACKET) at++
  if (at >= to || text.charCodeAt(at) !== CLOSE_BRACKET) return -1
  at++
  while (at < to && text.charCodeAt(at) === SPACE) at++
  return at
}

/** No reply word is longer. */
const MOST_PREFIX = 16

/** Behind a reply word, blanks, perhaps a blob, and the colon (RFC 5256 §5 subj-refwd); or -1. */
function prefixEnd(text: string, from: number, to: number, prefixes: ReadonlySet<string>): number {
  let at = from
  while (at < to && at - from < MOST_PREFIX && !' [:：'.includes(text[at]!)) at++
  if (!prefixes.has(text.slice(from, at).toLowerCase())) return -1
  while (at < to && text.charCodeAt(at) === SPACE) at++
  const blob = blobEnd(text, at, to)
  if (blob > 0) at = blob
  const isColon = at < to && (text.charCodeAt(at) === COLON || (text[at] === '：' && prefixes !== STANDARD))
  return isColon ? at + 1 : -1
}

import {
  attribution, endsWithColon, isMobileSignature, isQuoted, isSeparator, isSignatureMark, isUnderline, opensAttribution,
  repeatedField,
} from './reply-markers.ts'

/**
 * A plain text cut into what was written and what was there before. Line ends are `\n`; blank lines around each piece are gone.
 */
export interface SplitReply {
  /** What the sender wrote. Where answers stand between quoted lines, all of them. */
  readonly reply: string
  /** What is quoted, with the lines that introduce it. */
  readonly quotation: string
  /** What the sender's program or the sender signs with: behind `-- `, or `Sent from my …`. */
  readonly signature: string
  /**
   * - `high`: a mark that mail programs set parts the two, or there is nothing to part
   * - `medium`: only `>` before lines tells them apart, or an introduction that no quoted line follows
   * - `low`: answers and quotations take turns
   */
  readonly confidence: 'high' | 'medium' | 'low'
}

/** Where a quotation begins, and how. */
interface Mark {
  readonly line: number
  readonly kind: 'attribution' | 'block'
  readonly confidence: 'high' | 'medium'
}

/** Characters of a text that {@link splitReply} looks at; a longer one is no answer of a person. */
export const MOST_REPLY = 1_000_000

/** Lines, likewise: some 15 ms. */
const MOST_LINES = 50_000

/**
 * Finds what is new in an answer. For plain text; knows the marks of the usual programs in some twenty languages: `On …
 * wrote:`, `-----Original Message-----`, Outlook's `From: Sent: To: Subject:`, `>`. Total, linear time. It is a guess, however
 * good: keep the whole text. A text over {@link MOST_REPLY}, or of more than 50,000 lines, comes back whole, as the reply.
 */
export function splitReply(text: string): SplitReply {
  const whole: SplitReply = { reply: text, quotation: '', signature: '', confidence: 'low' }
  if (text.length > MOST_REPLY) return whole
  const lines = text.replace(/\r\n?/g, '\n').split('\n', MOST_LINES + 1)
  if (lines.length > MOST_LINES) return whole
  const mark = findMark(lines)
  const quoted = tellApart(lines, mark)
  const answers = runs(lines, quoted, false)
  const quotations = runs(lines, quoted, true)
  const told = mark?.confidence ?? (quotations.length > 0 ? 'medium' : 'high')
  const answer = answers.join('\n\n').split('\n')
  const at = signatureStart(answer)
  return {
    reply: joined(answer.slice(0, at)),
    quotation: quotations.join('\n\n'),
    signature: joined(answer.slice(at)),
    confidence: answers.length > 1 ? 'low' : told,
  }
}

/** For each line, whether it is quoted. Blank lines go with the line before them. */
function tellApart(lines: readonly string[], mark: Mark | undefined): boolean[] {
  const start = mark?.line ?? lines.length
  const isTopPosted = mark?.kind === 'block' && lines.slice(0, start).some(isText)
  const first = isTopPosted ? -1 : lines.findIndex((line, at) => at >= start && isQuoted(line))
  // Introduced by the mark: all up to the first quoted line, or all.
  const introduced = first < 0 ? lines.length : first
  const footer = mark ? footerStart(lines) : lines.length
  let last = false
  return lines.map((line, at) => {
    if (line.trim() !== '') last = isQuoted(line) || (at >= start && at < introduced) || (at >= footer && at >= introduced)
    return last
  })
}

/** The runs of lines that are quoted, or are not; each without blank lines at either end. */
function runs(lines: readonly string[], quoted: readonly boolean[], wanted: boolean): string[] {
  const found: string[] = []
  for (let at = 0; at < lines.length; ) {
    const from = at
    while (at < lines.length && quoted[at] === quoted[from]) at++
    const run = quoted[from] === wanted ? joined(lines.slice(from, at)) : ''
    if (run !== '') found.push(run)
  }
  return found
}

/** The first line that begins a quotation for good. */
function findMark(lines: readonly string[]): Mark | undefined {
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    if (isQuoted(line)) continue
    if (isSeparator(line) || isRepeatedHeader(lines, at)) {
      const before = at > 0 && isUnderline(lines[at - 1]!) ? at - 1 : at
      return { line: before, kind: 'block', confidence: 'high' }
    }
    if (!endsWithColon(line)) continue
    const start = attributionStart(lines, at)
    if (start) return start
  }
  return undefined
}

/** A mailing list's footer has no more lines. */
const MOST_FOOTER = 10

/** Where the footer begins that a mailing list put below a line of underscores; behind the last line where there is none. */
function footerStart(lines: readonly string[]): number {
  for (let at = lines.length - 1; at >= Math.max(0, lines.length - MOST_FOOTER); at--) if (isUnderline(lines[at]!)) return at
  return lines.length
}

/** Three fields of a header or more within a few lines, `From:` among them. */
function isRepeatedHeader(lines: readonly string[], at: number): boolean {
  if (repeatedField(lines[at]!) === undefined) return false
  const fields = lines.slice(at, at + 7).map(repeatedField)
  return fields.includes('from') && fields.filter((field) => field !== undefined).length >= 3
}

/** Lines that an attribution may be wrapped into. */
const MOST_WRAPPED = 4

/** At a line that ends in a colon: where the attribution begins that ends here. */
function attributionStart(lines: readonly string[], at: number): Mark | undefined {
  let text = ''
  let found: { line: number; strength: 'strong' | 'weak' } | undefined
  for (let line = at; line >= 0 && at - line < MOST_WRAPPED; line--) {
    const one = lines[line]!
    if (!isText(one) || (line < at && endsWithColon(one))) break
    text = text === '' ? one : `${one} ${text}`
    const strength = attribution(text)
    const opens = opensAttribution(one)
    if (strength && (opens || line === at)) found = { line, strength }
    if (opens) break
  }
  if (!found) return undefined
  let next = at + 1
  while (next < lines.length && lines[next]!.trim() === '') next++
  const isFollowed = next < lines.length && isQuoted(lines[next]!)
  if (!isFollowed && found.strength === 'weak') return undefined
  return { line: found.line, kind: 'attribution', confidence: isFollowed ? 'high' : 'medium' }
}

function isText(line: string): boolean {
  return line.trim() !== '' && !isQuoted(line)
}

/** Lines behind `-- ` that may still be a signature: more are text that happens to have such a line above it. */
const MOST_SIGNATURE = 20

/** The line where the signature begins; behind the last where there is none. */
function signatureStart(lines: readonly string[]): number {
  let end = lines.length
  while (end > 0 && lines[end - 1]!.trim() === '') end--
  for (let at = end - 1; at >= Math.max(0, end - MOST_SIGNATURE); at--) if (isSignatureMark(lines[at]!)) return at
  // The program's line is the last, or has one more below it.
  for (let at = end - 1; at >= Math.max(0, end - 2); at--) if (isMobileSignature(lines[at]!)) return at
  return end
}

/** Without blank lines at either end. */
function joined(lines: readonly string[]): string {
  let from = 0
  let to = lines.length
  while (from < to && lines[from]!.trim() === '') from++
  while (to > from && lines[to - 1]!.trim() === '') to--
  return lines.slice(from, to).join('\n')
}
